import { HUNG_UP_BY_OPERATOR } from '#domain/call.ts';
import type { FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { CallBridge, CallControl } from './bridge/call-bridge.ts';
import { openBridge } from './bridge/open-bridge.ts';
import type { CallEnd } from '#telephony/sip/user-agent.ts';
import { agreedMedia, localMedia } from './call-media.ts';
import { hangUpForOperator, onTalk, takeSeat, tellObserver } from './call-side.ts';
import type { CallSideOptions, OperatorHangUp } from './call-side.ts';
import { finishedCall, lostResult, WORKER_LOST } from './finished-call.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { CallMessage, Seat } from './worker-pool.ts';
import { TrunkCall } from './trunk-call.ts';
import { inviteOf } from './trunk-invite.ts';
import type { WorkerResult } from './worker-protocol.ts';

/** How sure an announcement of a dead number has to be before we stop listening to it. */
const DEAD_NUMBER_CONFIDENCE = 0.8;
/**
 * How long it must stand: announcements begin alike, and the fingerprint of 不在服务区 passes for 欠费 at 0.87 until it is
 * told apart 400 ms later.
 */
const DEAD_NUMBER_STANDS_MS = 1500;
const DEAD_NUMBER_LABELS: ReadonlySet<string> = new Set(['invalid-number', 'suspended', 'arrears', 'number-changed']);

/** What is said of calls that failed by no fault of the callee. */
const FAULT_LINES: Readonly<Partial<Record<NetworkOutcome, string>>> = {
  'trunk-unreachable': 'trunk could not be reached',
  'trunk-auth-failed': 'trunk refused our credentials',
  'media-refused': 'no media could be agreed on',
};

export interface PlacedCallOptions extends CallSideOptions {
  /** Where other trunks were tried before this one: when the first INVITE left, `ms` monotonic, and what was noted since. */
  readonly began?: { readonly at: Date; readonly ms: number; readonly timeline: readonly TimelineEvent[] } | undefined;
}

/**
 * The main thread's half of one outbound call: signalling here, media and conversation on the worker.
 *
 *   [opening] -- opened: INVITE --> [dialing] -- 200 --> [talking] -- SIP end: finish --> [finishing] -- finished --> done
 *       |                              '--------------- SIP end: finish ------------------^
 *       '-- no ports, no INVITE: done rejects;  the worker dies: CANCEL or BYE, done resolves as `lost`
 */
export class PlacedCall {
  /** Resolves once with the facts of the call; rejects when no INVITE could leave. */
  readonly done: Promise<FinishedCall>;
  readonly #o: PlacedCallOptions;
  readonly #seat: Seat;
  readonly #dialedAt: Date;
  readonly #dialedMs: number;
  readonly #offsetMs: number;
  readonly #settle = Promise.withResolvers<FinishedCall>();
  readonly #timeline: TimelineEvent[];
  #sip: TrunkCall | undefined;
  #offer: SessionDescription | undefined;
  #end: CallEnd | undefined;
  #endedMs = 0;
  #ringMs: number | undefined;
  #answeredMs: number | undefined;
  #hangUpReason: string | undefined;
  #mediaRefused = false;
  /** From the answer to the end. */
  #bridge: CallBridge | undefined;
  /** Why the latest SDP of the far end was of no use. */
  #mediaFault: string | undefined;
  #dead: { readonly label: string; readonly timer: Timer } | undefined;
  #settled = false;

  /** Throws `unavailable` while there is no worker. */
  constructor(options: PlacedCallOptions) {
    this.#o = options;
    this.#dialedAt = options.began?.at ?? options.clock.now();
    this.#dialedMs = options.began?.ms ?? options.clock.monotonicMs();
    this.#timeline = [...(options.began?.timeline ?? [])];
    this.#offsetMs = threadOffsetMs(options.clock);
    this.done = this.#settle.promise;
    const began = { beganAt: this.#dialedAt, beganMs: this.#dialedMs + this.#offsetMs };
    this.#seat = takeSeat(options, began, {
      onMessage: (message) => this.#onWorker(message),
      onLost: () => this.#onWorkerLost('call worker ended'),
    });
  }

  /** CANCEL or BYE, whatever the state asks for; the call still ends through `done`. */
  hangUp(reason: string): void {
    if (this.#end !== undefined) return;
    this.#hangUpReason ??= reason;
    this.#sip?.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' });
  }

  /** The server that has the call, or had it last; undefined before the INVITE. */
  get server(): string | undefined {
    return this.#sip?.peer.key;
  }

  /** As `hangUp`, for an operator; undefined once the call is over by anything else. */
  get operatorHangUp(): OperatorHangUp | undefined {
    return hangUpForOperator({
      over: () => this.#end !== undefined,
      reason: () => this.#hangUpReason,
      hangUp: (by) => {
        this.#timeline.push({ type: 'hang-up', atMs: this.#elapsedMs(), by });
        this.hangUp(HUNG_UP_BY_OPERATOR);
      },
    });
  }

  /** Transfers and listeners; undefined while nobody talks. */
  get control(): CallControl | undefined {
    return this.#end === undefined ? this.#bridge : undefined;
  }

  #onWorker(message: CallMessage): void {
    switch (message.type) {
      case 'opened':
        this.#invite(message.audioPort, message.textPort);
        return;
      case 'failed':
        this.#onWorkerLost(message.message);
        return;
      case 'detected':
        this.#onDetected(message.detection);
        return;
      case 'said':
      case 'opted-out':
      case 'hang-up':
      case 'bridge':
        onTalk(this.#o, message, { bridge: this.#bridge, hangUp: (reason) => this.hangUp(reason) });
        return;
      case 'finished':
        this.#finish(message.result);
    }
  }

  #invite(audioPort: number, textPort: number): void {
    const { attempt, clock, sip, rtp, trunk } = this.#o;
    if (this.#hangUpReason !== undefined) return this.#onSipEnded(ourEnd('cancelled', 'cancelled before the INVITE'));
    const offer = createOffer(localMedia(trunk.route, rtp.address, { audioPort, textPort }));
    this.#offer = offer;
    try {
      const sdp = writeSdp(offer);
      this.#sip = new TrunkCall({
        clock,
        sip,
        trunk,
        ringTimeoutMs: attempt.ringTimeoutMs,
        elsewhere: attempt.standIns !== undefined,
        request: (peer, ringTimeoutMs) =>
          inviteOf(trunk.route, peer, attempt, { host: sip.address.address, sdp, ringTimeoutMs }),
        handlers: {
          onProgress: (progress) => this.#onProgress(progress.status, progress.sdp),
          onAnswered: (answer) => this.#onAnswered(answer.sdp),
          onDtmf: (digit) => this.#seat.post({ type: 'dtmf', call: attempt.id, digit }),
          onMediaChanged: (media) => this.#seat.post({ type: 'renegotiated', call: attempt.id, media }),
          onEnded: (end) => this.#onSipEnded(end),
        },
      });
    } catch (error) {
      // The worker frees the ports; nobody waits for its answer.
      this.#postFinish('platform', 'no INVITE');
      this.#fail(error);
      return;
    }
    tellObserver(this.#o, (observer) => observer.onState('dialing'));
  }

  #onProgress(status: number, sdp: string | undefined): void {
    if (status === 100) return;
    if (this.#ringMs === undefined) {
      this.#ringMs = this.#elapsedMs();
      tellObserver(this.#o, (observer) => observer.onState('ringing'));
    }
    this.#timeline.push({ type: 'progress', atMs: this.#elapsedMs(), status, earlyMedia: sdp !== undefined });
    const media = sdp === undefined ? undefined : this.#negotiate(sdp);
    if (media !== undefined) this.#seat.post({ type: 'early', call: this.#o.attempt.id, media });
  }

  #onAnswered(sdp: string): void {
    const answeredMs = this.#elapsedMs();
    this.#timeline.push({ type: 'answered', atMs: answeredMs });
    const media = this.#negotiate(sdp);
    if (media === undefined) {
      this.#mediaRefused = true;
      this.#hangUpReason ??= 'media-refused';
      this.#sip?.hangup({ protocol: 'Q.850', cause: 65, text: 'Bearer capability not implemented' });
      return;
    }
    this.#answeredMs = answeredMs;
    if (this.#sip !== undefined)
      this.#bridge = openBridge({
        ...this.#o,
        seat: this.#seat,
        callee: this.#sip,
        note: (entry) => this.#timeline.push({ ...entry, atMs: this.#elapsedMs() }),
        hangUp: (reason) => this.hangUp(reason),
      });
    this.#seat.post({ type: 'answered', call: this.#o.attempt.id, media });
    tellObserver(this.#o, (observer) => observer.onState('talking'));
  }

  #negotiate(sdp: string): NegotiatedMedia | undefined {
    if (this.#offer === undefined) return undefined;
    const agreed = agreedMedia(this.#offer, sdp, this.#o);
    if (agreed.media === undefined) this.#mediaFault = agreed.fault;
    return agreed.media;
  }

  #onDetected(detection: Detection): void {
    if (this.#end !== undefined || detection.kind !== 'announcement') return;
    const { label, confidence } = detection;
    if (confidence < DEAD_NUMBER_CONFIDENCE || label === this.#dead?.label) return;
    this.#dead?.timer.cancel();
    this.#dead = undefined;
    if (!DEAD_NUMBER_LABELS.has(label)) return;
    const timer = this.#o.clock.setTimer(DEAD_NUMBER_STANDS_MS, () => {
      if (this.#answeredMs === undefined && !this.#mediaRefused) this.hangUp('dead-number');
    });
    this.#dead = { label, timer };
  }

  #onSipEnded(end: CallEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#endedMs = this.#elapsedMs();
    this.#bridge?.close();
    this.#postFinish(end.by, (end.by === 'platform' ? this.#hangUpReason : undefined) ?? end.detail);
  }

  #postFinish(by: CallEnd['by'], detail: string): void {
    const endedMs = this.#dialedMs + this.#elapsedMs() + this.#offsetMs;
    this.#seat.post({ type: 'finish', call: this.#o.attempt.id, by, detail, endedMs });
  }

  /** The worker is gone or gave the call up: without media it is nobody's, so it ends, and what is known is kept. */
  #onWorkerLost(message: string): void {
    if (this.#settled) return;
    this.#o.log.error({ call: this.#o.attempt.id, message }, 'call lost its worker');
    this.#bridge?.close();
    if (this.#sip === undefined) {
      this.#fail(noWorker());
      return;
    }
    const unfinished = this.#end === undefined;
    this.#end ??= ourEnd('transport', WORKER_LOST);
    if (unfinished) {
      this.#endedMs = this.#elapsedMs();
      this.#sip.hangup({ protocol: 'Q.850', cause: 41, text: 'Temporary failure' });
    }
    if (unfinished || this.#answeredMs !== undefined) this.#hangUpReason = WORKER_LOST;
    this.#finish(lostResult(this.#endedMs, this.#end.by));
  }

  #finish(result: WorkerResult): void {
    const end = this.#end;
    if (end === undefined || this.#settled) return;
    this.#settled = true;
    this.#dead?.timer.cancel();
    this.#seat.leave();
    const facts = {
      attempt: this.#o.attempt,
      dialedAt: this.#dialedAt,
      end,
      endedMs: this.#endedMs,
      ringMs: this.#ringMs,
      answeredMs: this.#answeredMs,
      hangUpReason: this.#hangUpReason,
      overrides: this.#o.trunk.route.overrides,
      timeline: this.#timeline,
      transfer: this.#bridge?.record,
      legs: this.#bridge?.legs(result.legs, this.#dialedMs) ?? [],
    };
    const finished = finishedCall(facts, result);
    this.#logFault(end, finished);
    this.#settle.resolve(finished);
  }

  /** The one line about a call that failed by the trunk or by how we are set up for it. */
  #logFault({ status, detail }: CallEnd, { outcome }: FinishedCall): void {
    const line = FAULT_LINES[outcome];
    if (line === undefined) return;
    const { attempt, trunk } = this.#o;
    const why = outcome === 'media-refused' ? (this.#mediaFault ?? detail) : detail;
    this.#o.log.warn({ call: attempt.id, trunk: trunk.route.name, server: this.#sip?.peer.key, status, why }, line);
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#seat.leave();
    this.#settle.reject(error);
  }

  #elapsedMs(): number {
    return this.#o.clock.monotonicMs() - this.#dialedMs;
  }
}

function ourEnd(cause: CallEnd['cause'], detail: string): CallEnd {
  return { by: 'platform', cause, status: undefined, reasonPhrase: '', reason: undefined, detail };
}

function noWorker(): AppError {
  return new AppError(
    'resource-exhausted',
    {
      zh: '暂时没有可用的通话端口，稍后会自动重试。',
      en: 'No media ports are free now; the call is tried again later.',
    },
    { retryable: true },
  );
}
