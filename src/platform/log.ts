import { pino, type Logger } from 'pino';

/** Structured logging: a static message, data in fields; phone numbers, transcripts and DTMF only in masked fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** Field names whose values never reach a log, at any depth; `detail` is where PostgreSQL quotes a row's values. */
const MASKED: ReadonlySet<string> = new Set([
  'phone',
  'name',
  'text',
  'lastText',
  'transcript',
  'prompt',
  'digit',
  'digits',
  'password',
  'token',
  'authorization',
  'detail',
  'where',
  'parameters',
]);
const CENSOR = '[masked]';
/** Deeper than any record of ours; what lies below is not logged. */
const MAX_DEPTH = 8;

/** A log to standard error, to another file descriptor or to `destination`; one JSON object a line. */
export function createLog(options: {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly destination?: NodeJS.WritableStream;
  readonly fd?: number | undefined;
}): Log {
  // Our own masking rather than the redaction of pino, whose paths have a fixed depth.
  const formatters = { log: masked };
  return guarded(
    pino(
      { level: options.level, formatters, serializers: { err: (error: unknown) => error }, base: null },
      options.destination ?? opened(options.fd ?? 2),
    ),
  );
}

/** pino's formatters do not see what children are bound to. */
function guarded(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => guarded(logger.child(masked(fields))),
  };
}

function masked(fields: object): Record<string, unknown> {
  return mask(fields, 0, []) as Record<string, unknown>;
}

function mask(value: unknown, depth: number, above: readonly object[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > MAX_DEPTH || above.includes(value)) return '[...]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item) => mask(item, depth + 1, path));
  const fields: Record<string, unknown> = {};
  if (value instanceof Error) {
    fields['type'] = value.constructor.name;
    fields['message'] = value.message;
    fields['stack'] = value.stack;
    if (value.cause !== undefined) fields['cause'] = mask(value.cause, depth + 1, path);
  }
  for (const [key, item] of Object.entries(value))
    fields[key] = MASKED.has(key) && item !== undefined && item !== null ? CENSOR : mask(item, depth + 1, path);
  return fields;
}

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

/** A log whose reader has gone loses lines, not the process. */
function opened(fd: number): NodeJS.WritableStream {
  const destination = pino.destination(fd);
  destination.on('error', () => undefined);
  return destination as unknown as NodeJS.WritableStream;
}
