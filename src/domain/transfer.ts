import { maskPhone } from './phone.ts';

/** How a call is handed on: the callee's own line is asked to call elsewhere, or the platform calls and connects. */
export const TRANSFER_KINDS = ['blind', 'attended'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/**
 * Why a transfer did not come about: what the target did, `refused` where the callee's line does not let itself be
 * transferred, `no-channel` where the trunk has none free, `cancelled` where we gave up.
 */
export const TRANSFER_FAILURES = [
  'busy',
  'no-answer',
  'rejected',
  'invalid-number',
  'unreachable',
  'refused',
  'no-channel',
  'cancelled',
] as const;
export type TransferFailure = (typeof TRANSFER_FAILURES)[number];

/** Who listens in on a call: unheard, heard by the agent alone, or heard by everybody. */
export const LISTENER_ROLES = ['monitor', 'whisper', 'barge'] as const;
export type ListenerRole = (typeof LISTENER_ROLES)[number];

/** What became of a call's last transfer. */
export interface TransferRecord {
  readonly kind: TransferKind;
  /** Masked where it is a phone number. */
  readonly target: string;
  readonly result: 'connected' | TransferFailure;
  /** With the target, as far as the platform was there to see it: 0 after a blind transfer. */
  readonly talkMs: number;
}

/** A number without its visual separators, or a SIP URI as it is; undefined for what nobody could call. */
export function dialable(target: string): string | undefined {
  const text = target.trim();
  if (/^sips?:[^\s<>"@]*@?[^\s<>"@]+$/i.test(text)) return text;
  const digits = text.replaceAll(/[\s().-]/g, '');
  return /^\+?[0-9*#]{2,32}$/.test(digits) ? digits : undefined;
}

/** Whether a target can be called at all. */
export function isDialable(target: string): boolean {
  return dialable(target) !== undefined;
}

/** A target for eyes that need not know the number: numbers masked, also as the user of a SIP URI. */
export function maskTarget(target: string): string {
  return target.replace(/^(sips?:)?(\+?[0-9]{7,})/i, (_, scheme: string | undefined, number: string) =>
    [scheme ?? '', maskPhone(number)].join(''),
  );
}
