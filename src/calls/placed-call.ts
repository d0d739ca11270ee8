import type { Attempt, FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { CallBridge, CallControl } from './bridge/call-bridge.ts';
import { openBridge } from './bridge/open-bridge.ts';
import type { TakeChannel } from './bridge/outside-target.ts';
import type { CallEnd, SipUserAgent } from '#telephony/sip/user-agent.ts';
import { finishedCall, WORKER_LOST } from './finished-call.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { CallMessage, Seat, WorkerPool } from './worker-pool.ts';
import type { Trunk } from './trunk.ts';
import { TrunkCall } from './trunk-call.ts';
import { inviteOf } from './trunk-invite.ts';
import type { WorkerResult } from './worker-protocol.ts';

/** What a call tells while it goes on. */
export interface CallObserver {
  onState(state: 'dialing' | 'ringing' | 'talking'): void;
  onSaid(speaker: 'callee' | 'platform', text: string): void;
  /** The callee asked not to be called again; to be acted on at once. */
  onOptOut(): void;
}

export interface PlacedCallOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
  readonly trunk: Trunk;
  readonly rtp: { readonly address: string };
  readonly pool: Pick<WorkerPool, 'seat'>;
  readonly attempt: Attempt;
  readonly observer: CallObserver;
  /** For second calls; undefined where channels are not counted. */
  readonly takeChannel?: TakeChannel | undefined;
  /** Whom second calls may go to; anybody unless set. */
  readonly transferTargets?: readonly string[] | undefined;
}

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
  readonly #timeline: TimelineEvent[] = [];
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
    this.#dialedAt = options.clock.now();
    this.#dialedMs = options.clock.monotonicMs();
    this.#offsetMs = threadOffsetMs(options.clock);
    this.done = this.#settle.promise;
    const { attempt, pool, trunk } = options;
    this.#seat = pool.seat(attempt.id, {
      onMessage: (message) => this.#onWorker(message),
      onLost: () => this.#onWorkerLost('call worker ended'),
    });
    const codec = frameCodecOf(trunk.route.codecs[0] ?? 'PCMA');
    const scriptKey = `${attempt.script.id}@${attempt.script.version}`;
    if (!this.#seat.knows(scriptKey))
      this.#seat.post({ type: 'script', key: scriptKey, script: attempt.script, codec });
    this.#seat.post({
      type: 'open',
      call: attempt.id,
      scriptKey,
      variables: attempt.variables,
      timeZone: attempt.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      dialedMs: this.#dialedMs + this.#offsetMs,
      dialedAt: this.#dialedAt,
      codec,
      tonePlan: trunk.route.tonePlan,
    });
  }

  /** CANCEL or BYE, whatever the state asks for; the call still ends through `done`. */
  hangUp(reason: string): void {
    if (this.#end !== undefined) return;
    this.#hangUpReason ??= reason;
    this.#sip?.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' });
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
        this.#tell((observer) => observer.onSaid(message.speaker, message.text));
        return;
      case 'opted-out':
        this.#tell((observer) => observer.onOptOut());
        return;
      case 'hang-up':
        this.hangUp(message.reason);
        return;
      case 'bridge':
        this.#bridge?.onWorker(message.event);
        return;
      case 'finished':
        this.#finish(message.result);
    }
  }

  #invite(audioPort: number, textPort: number): void {
    const { attempt, clock, sip, rtp, trunk } = this.#o;
    if (this.#hangUpReason !== undefined) return this.#onSipEnded(ourEnd('cancelled', 'cancelled before the INVITE'));
    const { codecs, srtp } = trunk.route;
    const offer = createOffer({
      address: rtp.address,
      audioPort,
      textPort,
      codecs,
      dtmf: true,
      direction: 'sendrecv',
      srtp,
    });
    this.#offer = offer;
    try {
      const sdp = writeSdp(offer);
      this.#sip = new TrunkCall({
        clock,
        sip,
        trunk,
        ringTimeoutMs: attempt.ringTimeoutMs,
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
    this.#tell((observer) => observer.onState('dialing'));
  }

  #onProgress(status: number, sdp: string | undefined): void {
    if (status === 100) return;
    if (this.#ringMs === undefined) {
      this.#ringMs = this.#elapsedMs();
      this.#tell((observer) => observer.onState('ringing'));
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
    this.#tell((observer) => observer.onState('talking'));
  }

  #negotiate(sdp: string): NegotiatedMedia | undefined {
    if (this.#offer === undefined) return undefined;
    try {
      const result = acceptAnswer(this.#offer, parseSdp(sdp));
      if (result.ok) return result.media;
      this.#mediaFault = result.reason;
    } catch (error) {
      this.#mediaFault = error instanceof Error ? error.message : 'unreadable';
    }
    return undefined;
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
    this.#finish({
      dialog: undefined,
      timeline: [{ type: 'ended', atMs: this.#endedMs, by: this.#end.by, detail: WORKER_LOST }],
      turns: [],
      recording: undefined,
      media: undefined,
      detections: [],
      callClass: 'unknown',
      callClassEvidence: '',
    });
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

  /** An observer's fault is its own: the call goes on. */
  #tell(tell: (observer: CallObserver) => void): void {
    try {
      tell(this.#o.observer);
    } catch (error) {
      this.#o.log.error({ call: this.#o.attempt.id, err: error }, 'call observer failed');
    }
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
