import type { Clock, Timer } from '#platform/clock.ts';
import { parseDecimal, parseParams } from '../messages/grammar.ts';
import type { HeaderField, Headers } from '../messages/headers.ts';

/** The least interval that we agree to (RFC 4028 §5: 90 s is the least there is). */
export const MIN_SE_SECONDS = 90;
/** What we ask for (RFC 4028 §4 recommends 1800 s). */
export const SESSION_SECONDS = 1_800;

/** A Session-Expires value (RFC 4028 §4). */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** What was agreed: how long the session lives without a refresh, and whether the refresh is ours. */
export interface SessionInterval {
  readonly seconds: number;
  readonly ours: boolean;
}

/** Reads Session-Expires; undefined where it is missing or malformed. */
export function readSessionExpires(headers: Headers): SessionExpires | undefined {
  const value = headers.get('Session-Expires');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const seconds = parseDecimal((semicolon < 0 ? value : value.slice(0, semicolon)).trim(), 9);
  const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
  if (seconds === undefined || params === undefined) return undefined;
  const refresher = params.get('refresher')?.toLowerCase();
  return { seconds, refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined };
}

/** Min-SE of a message; 90 s where it has none (RFC 4028 §5). */
export function readMinSe(headers: Headers): number {
  return Math.max(parseDecimal(headers.get('Min-SE')?.split(';', 1)[0]?.trim() ?? '', 9) ?? 0, MIN_SE_SECONDS);
}

/** Whether the peer knows an extension. */
export function supports(headers: Headers, option: string): boolean {
  return [...headers.all('Supported'), ...headers.all('Require')].some((value) =>
    value.split(',').some((one) => one.trim().toLowerCase() === option),
  );
}

/** The fields with which a request asks for an interval (§7.1); `refresher` only inside a session. */
export function askInterval(seconds: number, minSeconds: number, refresher?: 'uac' | 'uas'): readonly HeaderField[] {
  const fields: HeaderField[] = [
    ['Session-Expires', refresher === undefined ? String(seconds) : `${seconds};refresher=${refresher}`],
  ];
  if (minSeconds > MIN_SE_SECONDS) fields.push(['Min-SE', String(minSeconds)]);
  return fields;
}

/** What a 2xx to our request agreed (§7.2); undefined: the session never expires. */
export function agreedByAnswer(headers: Headers): SessionInterval | undefined {
  const expires = readSessionExpires(headers);
  if (expires === undefined) return undefined;
  return { seconds: Math.max(expires.seconds, MIN_SE_SECONDS), ours: expires.refresher !== 'uas' };
}

/** How we answer the interval of a request (§9): too small, or what to agree to and what the 2xx says. */
export function answerInterval(
  headers: Headers,
):
  | { readonly ok: false; readonly headers: readonly HeaderField[] }
  | { readonly ok: true; readonly interval: SessionInterval | undefined; readonly headers: readonly HeaderField[] } {
  const expires = readSessionExpires(headers);
  if (expires === undefined) return { ok: true, interval: undefined, headers: [] };
  const knows = supports(headers, 'timer');
  if (expires.seconds < MIN_SE_SECONDS && knows) return { ok: false, headers: [['Min-SE', String(MIN_SE_SECONDS)]] };
  const seconds = Math.max(expires.seconds, readMinSe(headers));
  // A peer without timers cannot refresh (§9, table 2).
  const refresher = knows ? (expires.refresher ?? 'uac') : 'uas';
  const fields: HeaderField[] = [['Session-Expires', `${seconds};refresher=${refresher}`]];
  if (refresher === 'uac') fields.push(['Require', 'timer']);
  return { ok: true, interval: { seconds, ours: refresher === 'uas' }, headers: fields };
}

/** Runs an agreed interval (RFC 4028 §10): refresh at half of it, or BYE at its end less the lesser of 32 s and a third. */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #refresh: () => void;
  readonly #expired: () => void;
  #timers: readonly Timer[] = [];
  #interval: SessionInterval | undefined;

  constructor(clock: Clock, refresh: () => void, expired: () => void) {
    this.#clock = clock;
    this.#refresh = refresh;
    this.#expired = expired;
  }

  get interval(): SessionInterval | undefined {
    return this.#interval;
  }

  /** The session was set up or refreshed; undefined: it never expires. */
  restart(interval: SessionInterval | undefined): void {
    this.stop();
    this.#interval = interval;
    if (interval === undefined) return;
    const ms = interval.seconds * 1_000;
    const end = this.#clock.setTimer(ms - Math.min(32_000, ms / 3), this.#expired);
    this.#timers = interval.ours ? [this.#clock.setTimer(ms / 2, this.#refresh), end] : [end];
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }
}
