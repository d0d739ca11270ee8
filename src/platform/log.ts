import { pino } from 'pino';

/** Structured logging: a static message, data in fields; phone numbers, transcripts and DTMF only in masked fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** Field names whose values never reach a log. */
const MASKED = [
  'phone',
  'name',
  'text',
  'transcript',
  'prompt',
  'digit',
  'digits',
  'password',
  'token',
  'authorization',
];

/** A log to standard error, or to `destination`; one JSON object a line. */
export function createLog(options: {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly destination?: NodeJS.WritableStream;
}): Log {
  const redact = { paths: MASKED.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[masked]' };
  return pino({ level: options.level, redact, base: null }, options.destination ?? pino.destination(2));
}

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
