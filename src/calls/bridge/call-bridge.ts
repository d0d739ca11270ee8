import type { SecondLeg, TimelineEvent } from '#domain/call.ts';
import { maskTarget } from '#domain/transfer.ts';
import type { ListenerRole, TransferFailure, TransferKind, TransferRecord } from '#domain/transfer.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import type { OutgoingCall, TransferResult } from '#telephony/sip/user-agent.ts';
import type { TimelineEntry } from '../transcript.ts';
import type { WorkerResult } from '../worker-protocol.ts';
import { CALLEE_LEG } from './bridge-protocol.ts';
import { KeySender } from './key-sender.ts';
import type { BridgeCommand, BridgeEvent, TransferWish } from './bridge-protocol.ts';
import { OutsideLeg } from './outside-leg.ts';
import type { OutsideTarget } from './outside-target.ts';
import { referFailureOf } from './refer-failure.ts';
import { alreadyTransferring, callOver, cannotTakeBack, notTransferring, tooManyListeners } from './refusals.ts';

/** A target rings this long unless somebody says otherwise. */
const RING_MS = 30_000;
/** Nobody talks longer; a forgotten pair of calls ends here. */
const MAX_TALK_MS = 4 * 3_600_000;
/** A line that agreed and then ends its reports without an outcome mostly hangs up at once. */
const HANG_UP_WAIT_MS = 5_000;
const MAX_LISTENERS = 4;

/** Who listens in on a call. */
export interface ListenerView {
  readonly id: string;
  readonly target: string;
  readonly role: ListenerRole;
  readonly state: 'calling' | 'listening';
}

/** Who takes part in a call beside the callee and the script; targets are masked. */
export interface BridgeView {
  readonly transfer:
    | { readonly kind: TransferKind; readonly target: string; readonly state: 'calling' | 'connected' }
    | undefined;
  /** What became of the last transfer. */
  readonly lastTransfer: TransferRecord | undefined;
  readonly listeners: readonly ListenerView[];
  /** The last listener who could not be reached. */
  readonly failedListener: FailedListener | undefined;
}

/** Somebody who was called to listen in and did not answer. */
export interface FailedListener {
  readonly id: string;
  readonly target: string;
  readonly reason: TransferFailure;
}

/** What may be done to a call that is going on; throws `conflict` where its state forbids it, `not-found` for listeners. */
export interface CallControl {
  readonly view: BridgeView;
  /** Begins a transfer; `onSettled` hears what becomes of it, as the timeline does. Throws `invalid-input` for a target. */
  transfer(wish: Pick<TransferWish, 'kind' | 'target'> & Partial<TransferWish>, by: string): void;
  /** Hangs the target up, or stops calling it; the script goes on. A blind transfer cannot be taken back. */
  endTransfer(): void;
  /** Calls somebody who then listens in; gives the listener's id. */
  listen(listener: { readonly target: string; readonly role: ListenerRole }, by: string): string;
  setRole(listener: string, role: ListenerRole): void;
  endListener(listener: string): void;
}

export interface CallBridgeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly rtpAddress: string;
  readonly post: (command: BridgeCommand) => void;
  /** The callee's call. */
  readonly callee: Pick<OutgoingCall, 'transfer' | 'sendDigit'>;
  /** How a target is called; throws `invalid-input`. */
  readonly target: (target: string) => OutsideTarget;
  readonly note: (entry: TimelineEntry) => void;
  /** The callee talks elsewhere now. */
  readonly hangUp: (reason: string) => void;
}

/** A transfer under way. */
interface Transfer {
  readonly kind: TransferKind;
  readonly target: string;
  readonly release: boolean;
  leg: OutsideLeg | undefined;
  /** The callee's line agreed to a blind one, which is out of our hands since. */
  accepted: boolean;
  answeredMs: number | undefined;
  /** An operator wants the callee back with the script. */
  takenBack: boolean;
  limit: Timer | undefined;
}

/**
 * The main thread's half of transfers and listeners of one answered call. Owned by the call, which closes it when it
 * ends; until then second legs come and go, and the callee's leg is never touched but by a transfer.
 *
 *   [script] -- blind: REFER --> [calling] -- 2xx reported --> the call ends, `transferred`
 *       |                            |-- agreed to, and the call ends without a report: `handed-over`
 *       |                            '-- refused: the script goes on
 *       '-- attended: second call --> [calling] -- answered --> [connected] -- target hangs up: the script goes on
 *                                        |                          '-- release: REFER with Replaces --> the call ends
 *                                        '-- busy, no answer, rejected, taken back: the script goes on
 */
export class CallBridge implements CallControl {
  readonly #o: CallBridgeOptions;
  readonly #listeners = new Map<string, { readonly leg: OutsideLeg; readonly target: string; readonly by: string }>();
  readonly #calleeKeys: KeySender;
  /** Who took part, in order of their coming. */
  readonly #answered: { readonly leg: OutsideLeg; readonly target: string }[] = [];
  #transfer: Transfer | undefined;
  #record: TransferRecord | undefined;
  #failedListener: FailedListener | undefined;
  #closed = false;

  constructor(options: CallBridgeOptions) {
    this.#o = options;
    const { callee, log, post } = options;
    const tones = (digits: string): void => {
      if (!this.#closed) post({ do: 'tones', leg: CALLEE_LEG, digits });
    };
    this.#calleeKeys = new KeySender({ log, control: callee, tones });
  }

  /** What became of the last transfer. */
  get record(): TransferRecord | undefined {
    return this.#record;
  }

  /**
   * Who took part and how they were heard, as the worker reports it by leg; `sinceMs` is what times count from, on the
   * clock.
   */
  legs(media: WorkerResult['legs'], sinceMs: number): readonly SecondLeg[] {
    const figures = new Map(media.map((one) => [one.leg, one.media]));
    return this.#answered.flatMap(({ leg, target }): SecondLeg[] => {
      const { fromMs, toMs } = leg.tookPart ?? {};
      if (fromMs === undefined || toMs === undefined) return [];
      const joinedMs = Math.round(fromMs - sinceMs);
      return [{ role: leg.role, target, joinedMs, leftMs: Math.round(toMs - sinceMs), media: figures.get(leg.id) }];
    });
  }

  get view(): BridgeView {
    const transfer = this.#transfer;
    return {
      transfer: transfer && {
        kind: transfer.kind,
        target: transfer.target,
        state: transfer.answeredMs === undefined ? 'calling' : 'connected',
      },
      listeners: [...this.#listeners.values()].map(({ leg, target }) => ({
        id: leg.id,
        target,
        role: roleOf(leg),
        state: leg.state === 'answered' ? 'listening' : 'calling',
      })),
      lastTransfer: this.#record,
      failedListener: this.#failedListener,
    };
  }

  transfer(wish: Pick<TransferWish, 'kind' | 'target'> & Partial<TransferWish>, by: string): void {
    if (this.#closed) throw callOver();
    if (this.#transfer !== undefined) throw alreadyTransferring();
    const to = this.#o.target(wish.target);
    const { kind, release = false, ringTimeoutMs = RING_MS } = wish;
    const target = maskTarget(wish.target);
    const transfer: Transfer = {
      kind,
      target,
      release,
      leg: undefined,
      accepted: false,
      answeredMs: undefined,
      takenBack: false,
      limit: undefined,
    };
    this.#transfer = transfer;
    this.#note('started', { by });
    this.#o.post({ do: 'hold' });
    if (kind === 'blind') {
      const onAccepted = (): void => void (transfer.accepted = true);
      this.#o.callee.transfer(to.uri, { report: true, onAccepted }).then(
        (result) => this.#onReferred(transfer, result),
        (error: unknown) => {
          this.#o.log.warn({ err: error }, 'a transfer could not be asked for');
          this.#fail(transfer, 'refused', '');
        },
      );
      return;
    }
    transfer.leg = new OutsideLeg({
      ...this.#o,
      to,
      role: 'agent',
      ringTimeoutMs,
      onAnswered: () => this.#onAnswered(transfer),
      onEnded: (failure) => {
        if (failure === undefined) this.#onTargetGone(transfer);
        else this.#fail(transfer, failure, '');
      },
    });
  }

  endTransfer(): void {
    const transfer = this.#transfer;
    if (transfer?.leg === undefined) throw transfer === undefined ? notTransferring() : cannotTakeBack();
    transfer.takenBack = true;
    transfer.leg.hangUp();
  }

  listen({ target, role }: { readonly target: string; readonly role: ListenerRole }, by: string): string {
    if (this.#closed) throw callOver();
    if (this.#listeners.size >= MAX_LISTENERS) throw tooManyListeners(MAX_LISTENERS);
    const to = this.#o.target(target);
    const masked = maskTarget(target);
    const leg: OutsideLeg = new OutsideLeg({
      ...this.#o,
      to,
      role,
      ringTimeoutMs: RING_MS,
      onAnswered: () => {
        this.#answered.push({ leg, target: masked });
        this.#listened(leg, 'joined', '');
      },
      onEnded: (failure) => {
        this.#listened(leg, failure === undefined ? 'ended' : 'failed', failure ?? '');
        if (failure !== undefined && failure !== 'cancelled')
          this.#failedListener = { id: leg.id, target: masked, reason: failure };
        this.#listeners.delete(leg.id);
      },
    });
    this.#listeners.set(leg.id, { leg, target: masked, by });
    this.#listened(leg, 'started', '');
    return leg.id;
  }

  setRole(id: string, role: ListenerRole): void {
    const { leg } = this.#listener(id);
    if (leg.role === role) return;
    leg.setRole(role);
    this.#listened(leg, 'role', '');
  }

  endListener(id: string): void {
    this.#listener(id).leg.hangUp();
  }

  onWorker(event: BridgeEvent): void {
    if (this.#closed) return;
    if (event.is === 'key' && event.leg === CALLEE_LEG) return this.#calleeKeys.send(event.digit);
    if (event.is !== 'wanted') {
      const leg = this.#transfer?.leg?.id === event.leg ? this.#transfer.leg : this.#listeners.get(event.leg)?.leg;
      leg?.onWorker(event);
      return;
    }
    try {
      this.transfer(event.wish, 'script');
    } catch (error) {
      const failure: TransferFailure =
        error instanceof AppError && error.code === 'invalid-input' ? 'invalid-number' : 'unreachable';
      this.#o.log.warn({ err: error }, 'a transfer that the script wanted could not begin');
      // Where an operator was faster, theirs goes on.
      if (this.#transfer !== undefined) return;
      const { kind, target } = event.wish;
      this.#record = { kind, target: maskTarget(target), result: failure, talkMs: 0 };
      this.#o.note({ type: 'transfer', action: 'failed', kind, target: maskTarget(target), reason: failure });
      this.#o.post({ do: 'resume', failure });
    }
  }

  /** The call is over: everybody else goes too. Idempotent. */
  close(): void {
    if (this.#closed) return;
    const transfer = this.#transfer;
    for (const { leg } of this.#listeners.values()) leg.hangUp();
    this.#closed = true;
    if (transfer === undefined) return;
    if (transfer.answeredMs !== undefined) this.#settle(transfer, 'connected');
    else if (!transfer.accepted) this.#settle(transfer, 'cancelled');
    else {
      this.#o.post({ do: 'handed-over' });
      this.#settle(transfer, 'handed-over');
    }
    transfer.leg?.hangUp();
  }

  #onAnswered(transfer: Transfer): void {
    if (this.#transfer !== transfer) return;
    transfer.answeredMs = this.#o.clock.monotonicMs();
    if (transfer.leg !== undefined) this.#answered.push({ leg: transfer.leg, target: transfer.target });
    transfer.limit = this.#o.clock.setTimer(MAX_TALK_MS, () => transfer.leg?.hangUp(), { unref: true });
    this.#note('answered', {});
    const replacing = transfer.leg?.session;
    if (!transfer.release || replacing === undefined) return;
    this.#o.callee.transfer({ replacing }, { report: true }).then(
      (result) => {
        if (this.#transfer !== transfer) return;
        if (result.ok) this.#left(transfer);
        // They go on talking through us.
        else this.#note('kept', { reason: `${result.status ?? ''} ${result.detail}`.trim() });
      },
      (error: unknown) => this.#o.log.warn({ err: error }, 'both ends could not be asked to talk without us'),
    );
  }

  #onTargetGone(transfer: Transfer): void {
    if (this.#transfer !== transfer) return;
    this.#settle(transfer, 'connected');
    if (!this.#closed) this.#o.post({ do: 'resume', failure: transfer.takenBack ? 'cancelled' : undefined });
  }

  #onReferred(transfer: Transfer, result: TransferResult): void {
    if (this.#transfer !== transfer) return;
    const fail = () => this.#fail(transfer, referFailureOf(result), `${result.status ?? ''} ${result.detail}`.trim());
    if (result.ok && result.status === undefined) {
      // It agreed and reports nothing.
      this.#o.post({ do: 'handed-over' });
      this.#settle(transfer, 'handed-over');
      this.#o.hangUp('transferred');
    } else if (result.ok) {
      this.#o.post({ do: 'connected' });
      this.#left(transfer);
    } else if (transfer.accepted && result.status === undefined)
      transfer.limit = this.#o.clock.setTimer(HANG_UP_WAIT_MS, fail);
    else fail();
  }

  /** The callee and the target have each other. */
  #left(transfer: Transfer): void {
    if (transfer.answeredMs === undefined) this.#note('answered', {});
    this.#settle(transfer, 'connected');
    this.#o.hangUp('transferred');
    transfer.leg?.hangUp();
  }

  #fail(transfer: Transfer, failure: TransferFailure, detail: string): void {
    if (this.#transfer !== transfer) return;
    this.#settle(transfer, failure, detail);
    if (!this.#closed) this.#o.post({ do: 'resume', failure });
  }

  #settle(transfer: Transfer, result: TransferRecord['result'], detail = ''): void {
    const { kind, target, answeredMs } = transfer;
    transfer.limit?.cancel();
    const talkMs = answeredMs === undefined ? 0 : Math.round(this.#o.clock.monotonicMs() - answeredMs);
    this.#record = { kind, target, result, talkMs };
    if (result === 'handed-over') this.#note(result, {});
    else if (result !== 'connected') this.#note('failed', { reason: result, ...(detail === '' ? {} : { detail }) });
    else this.#note('ended', { talkMs });
    this.#transfer = undefined;
  }

  #note(
    action: Extract<TimelineEvent, { type: 'transfer' }>['action'],
    more: { readonly by?: string; readonly reason?: string; readonly detail?: string; readonly talkMs?: number },
  ): void {
    const transfer = this.#transfer;
    if (transfer !== undefined)
      this.#o.note({ type: 'transfer', action, kind: transfer.kind, target: transfer.target, ...more });
  }

  #listened(leg: OutsideLeg, action: Extract<TimelineEvent, { type: 'listen' }>['action'], reason: string): void {
    const listener = this.#listeners.get(leg.id);
    if (listener === undefined) return;
    const { target, by } = listener;
    const why = reason === '' ? {} : { reason };
    this.#o.note({ type: 'listen', action, role: roleOf(leg), target, by, ...why });
  }

  #listener(id: string) {
    const listener = this.#listeners.get(id);
    if (listener === undefined)
      throw new AppError('not-found', { zh: '没有这个监听者。', en: 'Nobody with this id listens in on the call.' });
    return listener;
  }
}

function roleOf(leg: OutsideLeg): ListenerRole {
  return leg.role === 'agent' ? 'monitor' : leg.role;
}
