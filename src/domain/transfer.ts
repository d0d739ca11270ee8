import { maskPhone } from './phone.ts';

/** How a call is handed on: the callee's own line is asked to call elsewhere, or the platform calls and connects. */
export const TRANSFER_KINDS = ['blind', 'attended'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/**
 * Why a transfer did not come about: what the target did, `refused` where the callee's line does not let itself be
 * transferred, `no-channel` where the trunks that
 * take the number have none free, `no-trunk` where none takes it, `cancelled` where we gave up.
 */
export const TRANSFER_FAILURES = [
  'busy',
  'no-answer',
  'rejected',
  'invalid-number',
  'unreachable',
  'refused',
  'no-channel',
  'no-trunk',
  'cancelled',
] as const;
export type TransferFailure = (typeof TRANSFER_FAILURES)[number];

/**
 * What became of a transfer. `handed-over`: the callee's line agreed to a blind one and the call ended before it said more,
 * so that the end is unknown; that is how many carriers do it.
 */
export const TRANSFER_RESULTS = ['connected', 'handed-over', ...TRANSFER_FAILURES] as const;

/** Who listens in on a call: unheard, heard by the agent alone, or heard by everybody. */
export const LISTENER_ROLES = ['monitor', 'whisper', 'barge'] as const;
export type ListenerRole = (typeof LISTENER_ROLES)[number];

/** What became of a call's last transfer. */
export interface TransferRecord {
  readonly kind: TransferKind;
  /** Masked where it is a phone number. */
  readonly target: string;
  readonly result: (typeof TRANSFER_RESULTS)[number];
  /** With the target, as far as the platform was there to see it: 0 after a blind transfer. */
  readonly talkMs: number;
}

/**
 * A number without its visual separators, or a SIP URI as it is; undefined for what nobody could call. URIs with header
 * fields (`?…`) are none: they would write into the requests that carry them.
 */
export function dialable(target: string): string | undefined {
  const text = target.trim();
  if (/^sips?:[^\s<>"@?]*@?[^\s<>"@?]+$/i.test(text)) return text;
  const digits = text.replaceAll(/[\s().-]/g, '');
  return /^\+?[0-9*#]{2,32}$/.test(digits) ? digits : undefined;
}

/** Whether a target can be called at all. */
export function isDialable(target: string): boolean {
  return dialable(target) !== undefined;
}

/** Numbers, their beginnings followed by `*`, and SIP hosts behind `@`; what `allowsTarget` compares with. */
export const TARGET_PATTERN = '^(\\+?[0-9]{1,32}\\*?|@[A-Za-z0-9.:_-]+)$';

/**
 * Whether a target may be called where only some are; no pattern at all allows every one. Numbers are compared as they are
 * written, because without `+` they are dialled as they are.
 */
export function allowsTarget(patterns: readonly string[], target: string): boolean {
  const called = dialable(target);
  if (called === undefined) return false;
  if (patterns.length === 0) return true;
  const host = sipHost(called);
  return patterns.some((pattern) => {
    if (pattern.startsWith('@')) return host === pattern.slice(1).toLowerCase();
    if (host !== undefined) return false;
    return pattern.endsWith('*') ? called.startsWith(pattern.slice(0, -1)) : called === pattern;
  });
}

/** The host of a SIP URI in lower case, IPv6 without brackets; undefined for numbers. */
export function sipHost(target: string): string | undefined {
  const found = /^sips?:(?:[^@]*@)?(?:\[([^\]]+)\]|([^:;?]+))/i.exec(target);
  return (found?.[1] ?? found?.[2])?.toLowerCase();
}

/** A target for eyes that need not know the number: numbers masked, also as the user of a SIP URI. */
export function maskTarget(target: string): string {
  return target.replace(/^(sips?:)?(\+?[0-9]{7,})/i, (_, scheme: string | undefined, number: string) =>
    [scheme ?? '', maskPhone(number)].join(''),
  );
}
