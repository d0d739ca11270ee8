import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import type { ErrorCode } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { problemsOf } from './problems.ts';
import type { ValidationFault } from './problems.ts';

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
const NO_DATABASE: LocalText = {
  zh: '数据库暂时连不上，请稍后重试；若仍出现，请联系管理员。',
  en: 'The database cannot be reached right now. Try again later; if it stays, ask your administrator.',
};

/** Connection faults of Node and the SQLSTATE classes of a server that goes or cannot take more. */
const DATABASE_GONE = /^(ECONNREFUSED|ECONNRESET|EPIPE|57P0[1-3]|08\w{3}|53300)$/;

/** Answers a failed request: every failure leaves as an `ApiError`; what nobody foresaw is logged and told without its inside. */
export function answerFailure(log: Log, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toAppError(error);
  const status = known === undefined ? 500 : STATUS[known.code];
  if (known === undefined || status === 500 || known.code === 'database-unavailable')
    log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed');
  const code = status === 500 ? 'internal' : known!.code;
  const text = status === 500 ? INTERNAL : known!.text;
  void reply.status(status).send(bodyOf(code, text, status === 500 ? [] : known!.problems));
}

/** Installs the answers to failures and to addresses that do not exist. */
export function handleErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => answerFailure(log, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    void reply
      .status(404)
      .send(
        bodyOf(
          'not-found',
          { zh: `没有这个地址：${request.method} ${path}`, en: `There is nothing at ${request.method} ${path}` },
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
  const { validation, validationContext, statusCode, code } = error as {
    validation?: ValidationFault[];
    validationContext?: string;
    statusCode?: number;
    code?: string;
  };
  if (validation !== undefined && validationContext === 'params')
    return new AppError('not-found', { zh: '没有这条记录。', en: 'There is no such record.' });
  if (validation !== undefined) {
    return new AppError(
      'invalid-input',
      { zh: '请求的内容有误，请按提示修改。', en: 'The request is not valid; see the problems.' },
      { problems: problemsOf(validation) },
    );
  }
  if (code !== undefined && DATABASE_GONE.test(code))
    return new AppError('database-unavailable', NO_DATABASE, { cause: error, retryable: true });
  if (statusCode === 413)
    return new AppError('too-large', {
      zh: '请求太大，请减少内容后重试。',
      en: 'The request is too large; send less.',
    });
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
