import type { FastifyInstance } from 'fastify';
import type { ApiError } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import type { ErrorCode } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  'config-invalid': 500,
  'data-directory-unusable': 503,
  'port-in-use': 503,
  'database-unavailable': 503,
  'database-locked': 503,
  'migration-failed': 503,
  'not-found': 404,
  conflict: 409,
  'invalid-input': 400,
  unauthenticated: 401,
  forbidden: 403,
  'too-many-requests': 429,
  'too-large': 413,
  timeout: 504,
  aborted: 499,
  unavailable: 503,
  protocol: 502,
  'resource-exhausted': 503,
  internal: 500,
};

const INTERNAL: LocalText = {
  zh: '服务器内部出错，已记录到日志。请稍后重试；若仍出现，请联系管理员。',
  en: 'The server failed and has logged why. Try again later; if it stays, ask your administrator.',
};

interface ValidationProblem {
  readonly instancePath: string;
  readonly message: string | undefined;
}

/** Every failure leaves as an `ApiError`; what nobody foresaw is logged and told without its inside. */
export function handleErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const known = toAppError(error);
    const status = known === undefined ? 500 : STATUS[known.code];
    if (known === undefined || status === 500)
      log.error({ err: error, route: request.routeOptions.url }, 'request failed');
    void reply.status(status).send(bodyOf(known?.code ?? 'internal', known?.text ?? INTERNAL, known?.problems ?? []));
  });
  app.setNotFoundHandler((request, reply) => {
    void reply.status(404).send(
      bodyOf(
        'not-found',
        {
          zh: `没有这个地址：${request.method} ${request.url}`,
          en: `There is nothing at ${request.method} ${request.url}`,
        },
        [],
      ),
    );
  });
}

function bodyOf(code: ErrorCode, text: LocalText, problems: ApiError['error']['problems']): ApiError {
  return { error: { code, text, problems } };
}

function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { validation, statusCode, code } = error as {
    validation?: ValidationProblem[];
    statusCode?: number;
    code?: string;
  };
  if (validation !== undefined) {
    return new AppError(
      'invalid-input',
      { zh: '请求的内容有误，请按提示修改。', en: 'The request is not valid; see the problems.' },
      {
        problems: validation.map(({ instancePath, message = '' }) => ({
          path: instancePath.slice(1).replaceAll('/', '.'),
          message: { zh: `不符合要求：${message}`, en: message },
        })),
      },
    );
  }
  if (statusCode === 413 || code === 'FST_REQ_FILE_TOO_LARGE') {
    return new AppError('too-large', {
      zh: '文件太大，上限 512 MiB。请拆分后再上传。',
      en: 'The file is too large; the limit is 512 MiB. Split it and upload the parts.',
    });
  }
  if (statusCode === 429) {
    return new AppError('too-many-requests', {
      zh: '请求太频繁，请一分钟后再试。',
      en: 'Too many requests; try again in a minute.',
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new AppError(
      'invalid-input',
      { zh: '请求的格式有误。', en: 'The request cannot be read.' },
      { cause: error },
    );
  }
  return undefined;
}
