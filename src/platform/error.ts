import type { LocalText } from '#domain/text.ts';

/** Every fault the platform throws, in one list. */
export const ERROR_CODES = [
  'config-invalid',
  'data-directory-unusable',
  'port-in-use',
  'database-unavailable',
  'database-locked',
  'migration-failed',
  'not-found',
  'conflict',
  'invalid-input',
  'unauthenticated',
  'forbidden',
  'too-many-requests',
  'too-large',
  'timeout',
  'aborted',
  'unavailable',
  'protocol',
  'resource-exhausted',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One problem of an input, at a path such as `settings.windows[0].endMinute`. */
export interface Problem {
  readonly path: string;
  readonly message: LocalText;
}

/** A fault. `text` is what a user reads and says what to do; `message` stays static for logs. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly text: LocalText;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    text: LocalText,
    options: { readonly cause?: unknown; readonly retryable?: boolean; readonly problems?: readonly Problem[] } = {},
  ) {
    super(text.en, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.text = text;
    this.problems = options.problems ?? [];
  }
}
