import { HUNG_UP_BY_OPERATOR } from '#domain/call.ts';
import type { Attempt } from '#domain/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { callOver } from './bridge/refusals.ts';
import type { CallBridge } from './bridge/call-bridge.ts';
import type { TakeLine } from './bridge/outside-target.ts';
import type { Trunk } from './trunk.ts';
import type { CallMessage, Seat, WorkerCallEvents, WorkerPool } from './worker-pool.ts';

/** What a call tells while it goes on. */
export interface CallObserver {
  onState(state: 'dialing' | 'ringing' | 'talking'): void;
  onSaid(speaker: 'callee' | 'platform', text: string): void;
  /** The callee asked not to be called again; to be acted on at once. */
  onOptOut(): void;
}

/**
 * Ends a call for an operator, whom its timeline then names by `by`: CANCEL, a refusal or BYE, and BYE to whoever else
 * takes part. Does nothing where the call is ending already; throws `conflict` where it is over.
 */
export type OperatorHangUp = (by: string) => void;

/** How an operator ends a call; undefined once it is over by anything else. */
export function hangUpForOperator(call: {
  readonly over: () => boolean;
  /** Why it was hung up. */
  readonly reason: () => string | undefined;
  readonly hangUp: (by: string) => void;
}): OperatorHangUp | undefined {
  const isOver = (): boolean => call.over() && call.reason() !== HUNG_UP_BY_OPERATOR;
  if (isOver()) return undefined;
  return (by) => {
    if (isOver()) throw callOver();
    // It ends already, of itself or by the operator who was faster.
    if (call.reason() === undefined) call.hangUp(by);
  };
}

/** What the main thread's half of a call is made of, whoever began the call. */
export interface CallSideOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The one that it goes out or came in by; second calls go out there. */
  readonly trunk: Trunk;
  readonly rtp: { readonly address: string };
  readonly pool: Pick<WorkerPool, 'seat'>;
  /** Committed. */
  readonly attempt: Attempt;
  readonly observer: CallObserver;
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
  /** How second calls find their trunk; undefined: over this one, uncounted. */
  readonly takeLine?: TakeLine | undefined;
  /** Whom second calls may go to; anybody unless set. */
  readonly transferTargets?: readonly string[] | undefined;
}

/** Seats the call on a worker and asks that for ports; throws `unavailable` while there is no worker. */
export function takeSeat(
  { attempt, pool, trunk }: Pick<CallSideOptions, 'attempt' | 'pool' | 'trunk'>,
  /** `beganMs` of the process-wide clock. */
  began: { readonly beganAt: Date; readonly beganMs: number },
  events: WorkerCallEvents,
): Seat {
  const seat = pool.seat(attempt.id, events);
  const codec = frameCodecOf(trunk.route.codecs[0] ?? 'PCMA');
  const scriptKey = `${attempt.script.id}@${attempt.script.version}`;
  if (!seat.knows(scriptKey)) seat.post({ type: 'script', key: scriptKey, script: attempt.script, codec });
  seat.post({
    type: 'open',
    call: attempt.id,
    ...(attempt.direction === 'inbound' ? { inbound: true } : {}),
    scriptKey,
    variables: attempt.variables,
    timeZone: attempt.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    dialedMs: began.beganMs,
    dialedAt: began.beganAt,
    codec,
    tonePlan: trunk.route.tonePlan,
  });
  return seat;
}

/** Tells the observer, whose faults are its own: the call goes on. */
export function tellObserver(
  { attempt, log, observer }: Pick<CallSideOptions, 'attempt' | 'log' | 'observer'>,
  tell: (observer: CallObserver) => void,
): void {
  try {
    tell(observer);
  } catch (error) {
    log.error({ call: attempt.id, err: error }, 'call observer failed');
  }
}

/** What the worker says of the talk, the same on both kinds of calls. */
export function onTalk(
  o: Pick<CallSideOptions, 'attempt' | 'log' | 'observer'>,
  message: Extract<CallMessage, { type: 'said' | 'opted-out' | 'hang-up' | 'bridge' }>,
  call: { readonly bridge: CallBridge | undefined; hangUp(reason: string): void },
): void {
  switch (message.type) {
    case 'said':
      return tellObserver(o, (observer) => observer.onSaid(message.speaker, message.text));
    case 'opted-out':
      return tellObserver(o, (observer) => observer.onOptOut());
    case 'hang-up':
      return call.hangUp(message.reason);
    case 'bridge':
      return call.bridge?.onWorker(message.event);
  }
}
