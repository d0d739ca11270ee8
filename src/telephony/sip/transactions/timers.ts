/** Round-trip estimate (RFC 3261 §17.1.1.1). */
export const T1_MS = 500;
/** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
export const T2_MS = 4_000;
/** Longest time a message stays in the network. */
export const T4_MS = 5_000;
/** 64·T1: timers B, F, H, J, L and M. */
export const TIMEOUT_MS = 64 * T1_MS;
/** Timer D over an unreliable transport. */
export const TIMER_D_MS = 32_000;

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** Timers behind a final response: all that happens until they end is that a repetition is taken or answered. */
export const LINGER_TIMERS: ReadonlySet<TimerName> = new Set(['D', 'I', 'J', 'K', 'L', 'M']);

/** What a transaction machine asks its surroundings to do; `start` of a running timer restarts it. */
export type TransactionEffect =
  | { readonly type: 'send' }
  | { readonly type: 'send-ack' }
  | { readonly type: 'pass' }
  | { readonly type: 'timeout' }
  | { readonly type: 'transport-error' }
  | { readonly type: 'start'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly type: 'stop'; readonly timer: TimerName }
  | { readonly type: 'terminated' };

export interface TransactionStep<State> {
  readonly state: State;
  readonly effects: readonly TransactionEffect[];
}

/** Shared so that the common steps allocate nothing. */
export const NOTHING: readonly TransactionEffect[] = [];
