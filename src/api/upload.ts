import type { FastifyRequest } from 'fastify';
import type { ColumnMapping } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { parseMapping } from './routes/mapping.ts';

/** A file as it comes in; reading it throws `too-large` beyond the limit and `aborted` when the sender goes away. */
export interface Upload {
  readonly file: AsyncIterable<Uint8Array>;
  readonly fileName: string;
  /** From the field before the file; undefined where there was none. */
  readonly mapping: ColumnMapping | undefined;
  /** Aborts when the sender goes away before the file is complete. */
  readonly signal: AbortSignal;
}

const MAX_NAME_CHARS = 255;

/**
 * The file of a multipart request and, where a field came before it, the mapping.
 * @throws AppError `invalid-input`
 */
export async function uploaded(request: FastifyRequest, limitBytes: number): Promise<Upload> {
  const leaving = new AbortController();
  request.raw.once('close', () => {
    if (!request.raw.complete) leaving.abort();
  });
  const part = request.isMultipart() ? await request.file() : undefined;
  if (part === undefined) {
    throw new AppError('invalid-input', { zh: '请选择要上传的文件。', en: 'Choose a file to upload.' });
  }
  const field = part.fields['mapping'];
  const value = field !== undefined && 'value' in field ? field.value : field;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of part!.file) yield chunk as Uint8Array;
    } catch (cause) {
      throw leaving.signal.aborted ? gone(cause) : cause;
    }
    if (leaving.signal.aborted) throw gone(undefined);
    // The parser cuts the file off at its limit without any other sign.
    if (part!.file.truncated) throw tooLarge(limitBytes);
  }
  return {
    file: bytes(),
    fileName: nameOf(part.filename),
    mapping: value === undefined ? undefined : parseMapping(value),
    signal: leaving.signal,
  };
}

/** Without a path, which some browsers send, and without what the database or a header cannot hold. */
function nameOf(sent: string | undefined): string {
  const name = (sent ?? '')
    .toWellFormed()
    .split(/[\\/]/)
    .at(-1)!
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  return name.slice(0, MAX_NAME_CHARS).toWellFormed() || 'upload.csv';
}

function tooLarge(limitBytes: number): AppError {
  const size = limitBytes >= 1024 ** 2 ? `${Math.floor(limitBytes / 1024 ** 2)} MiB` : `${limitBytes} bytes`;
  return new AppError('too-large', {
    zh: `文件太大，上限 ${size}。请拆分后再上传。`,
    en: `The file is too large; the limit is ${size}. Split it and upload the parts.`,
  });
}

function gone(cause: unknown): AppError {
  return new AppError('aborted', { zh: '上传已中断。', en: 'The upload was broken off.' }, { cause });
}
