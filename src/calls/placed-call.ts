import type { Attempt, FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { Clock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { decideNetworkOutcome } from '#telephony/progress/decide.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { CallEnd, OutgoingCall, SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { TrunkRoute } from './call-center.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { FromWorker, WorkerResult } from './worker-protocol.ts';

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
  readonly sip: SipUserAgent;
  readonly trunk: (name: string) => TrunkRoute | undefined;
  readonly rtp: { readonly address: string };
  readonly pool: WorkerPool;
  readonly attempt: Attempt;
  readonly observer: CallObserver;
}

/** How sure an announcement of a dead number has to be before we stop listening to it. */
const DEAD_NUMBER_CONFIDENCE = 0.8;
const DEAD_NUMBER_LABELS: ReadonlySet<string> = new Set(['invalid-number', 'suspended', 'arrears', 'number-changed']);

/** The main thread's half of one outbound call: signalling here, media and conversation on the worker. */
export class PlacedCall {
  /** Resolves once with the facts of the call; rejects when no INVITE could leave. */
  readonly done: Promise<FinishedCall>;
  readonly #o: PlacedCallOptions;
  readonly #seat: ReturnType<WorkerPool['seat']>;
  readonly #dialedAt: Date;
  readonly #dialedMs: number;
  readonly #offsetMs: number;
  readonly #timeline: TimelineEvent[] = [];
  readonly #detections: Detection[] = [];
  #resolve!: (call: FinishedCall) => void;
  #reject!: (error: unknown) => void;
  #sip: OutgoingCall | undefined;
  #offer: SessionDescription | undefined;
  #end: CallEnd | undefined;
  #endedMs = 0;
  #ringMs: number | undefined;
  #answeredMs: number | undefined;
  #hangUpReason: string | undefined;
  #codecRefused = false;
  #settled = false;

  constructor(options: PlacedCallOptions) {
    this.#o = options;
    this.#dialedAt = options.clock.now();
    this.#dialedMs = options.clock.monotonicMs();
    this.#offsetMs = threadOffsetMs(options.clock);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { attempt, pool } = options;
    this.#seat = pool.seat(attempt.id, {
      onMessage: (message) => this.#onWorker(message),
      onLost: () => this.#onWorkerLost(),
    });
    const route = options.trunk(attempt.trunk);
    if (route === undefined) {
      this.#fail(unknownTrunk(attempt.trunk));
      return;
    }
    const scriptKey = `${attempt.script.id}@${attempt.script.version}`;
    if (!this.#seat.knows(scriptKey)) this.#seat.post({ type: 'script', key: scriptKey, script: attempt.script });
    this.#seat.post({
      type: 'open',
      call: attempt.id,
      scriptKey,
      variables: attempt.variables,
      timeZone: 'Asia/Shanghai',
      dialedMs: this.#dialedMs + this.#offsetMs,
      dialedAt: this.#dialedAt,
      codec: route.codecs[0] ?? 'PCMA',
    });
  }

  /** CANCEL or BYE, whatever the state asks for; the call still ends through `done`. */
  hangUp(reason: string): void {
    this.#hangUpReason ??= reason;
    this.#sip?.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' });
  }

  #onWorker(message: Exclude<FromWorker, { type: 'ready' | 'phrase' | 'closed' }>): void {
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
        this.#o.observer.onSaid(message.speaker, message.text);
        return;
      case 'opted-out':
        this.#o.observer.onOptOut();
        return;
      case 'hang-up':
        this.hangUp(message.reason);
        return;
      case 'finished':
        this.#finish(message.result);
    }
  }

  #invite(audioPort: number, textPort: number): void {
    const { attempt, sip, rtp, trunk } = this.#o;
    const route = trunk(attempt.trunk);
    if (route === undefined) return this.#fail(unknownTrunk(attempt.trunk));
    if (this.#hangUpReason !== undefined) {
      return this.#onSipEnded({
        by: 'platform',
        cause: 'cancelled',
        status: undefined,
        reasonPhrase: '',
        reason: undefined,
        detail: 'cancelled before the INVITE',
      });
    }
    this.#offer = createOffer({
      address: rtp.address,
      audioPort,
      textPort,
      codecs: route.codecs,
      dtmf: true,
      direction: 'sendrecv',
    });
    this.#o.observer.onState('dialing');
    this.#sip = sip.placeCall(
      {
        callId: attempt.id,
        target: `sip:${formatNumber(attempt.phone, route.numberFormat)}@${host(route.host)}:${route.port}`,
        from: `sip:${formatNumber(attempt.callerNumber, route.numberFormat)}@${host(sip.address.address)}`,
        sdp: writeSdp(this.#offer),
        ringTimeoutMs: attempt.ringTimeoutMs,
        ...(route.credentials === undefined ? {} : { credentials: route.credentials }),
      },
      {
        onProgress: (progress) => this.#onProgress(progress.status, progress.sdp),
        onAnswered: (answer) => this.#onAnswered(answer.sdp),
        onDtmf: (digit) => this.#seat.post({ type: 'dtmf', call: attempt.id, digit }),
        onEnded: (end) => this.#onSipEnded(end),
      },
    );
  }

  #onProgress(status: number, sdp: string | undefined): void {
    if (status === 100) return;
    if (this.#ringMs === undefined) {
      this.#ringMs = this.#elapsedMs();
      this.#o.observer.onState('ringing');
    }
    this.#timeline.push({ type: 'progress', atMs: this.#elapsedMs(), status, earlyMedia: sdp !== undefined });
    const media = sdp === undefined ? undefined : this.#negotiate(sdp);
    if (media !== undefined) this.#seat.post({ type: 'early', call: this.#o.attempt.id, media });
  }

  #onAnswered(sdp: string): void {
    this.#answeredMs = this.#elapsedMs();
    this.#timeline.push({ type: 'answered', atMs: this.#answeredMs });
    const media = this.#negotiate(sdp);
    if (media === undefined) {
      this.#codecRefused = true;
      this.#sip?.hangup({ protocol: 'Q.850', cause: 65, text: 'Bearer capability not implemented' });
      return;
    }
    this.#o.observer.onState('talking');
    this.#seat.post({ type: 'answered', call: this.#o.attempt.id, media });
  }

  #negotiate(sdp: string): Extract<ReturnType<typeof acceptAnswer>, { ok: true }>['media'] | undefined {
    if (this.#offer === undefined) return undefined;
    try {
      const result = acceptAnswer(this.#offer, parseSdp(sdp));
      if (result.ok) return result.media;
      this.#o.log.warn({ call: this.#o.attempt.id, reason: result.reason }, 'SDP answer refused');
    } catch (error) {
      this.#o.log.warn({ call: this.#o.attempt.id, err: error }, 'SDP answer could not be read');
    }
    return undefined;
  }

  #onDetected(detection: Detection): void {
    this.#detections.push(detection);
    if (this.#answeredMs !== undefined || detection.kind !== 'announcement') return;
    if (DEAD_NUMBER_LABELS.has(detection.label) && detection.confidence >= DEAD_NUMBER_CONFIDENCE)
      this.hangUp('dead-number');
  }

  #onSipEnded(end: CallEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#endedMs = this.#elapsedMs();
    this.#seat.post({
      type: 'finish',
      call: this.#o.attempt.id,
      by: end.by,
      detail: this.#hangUpReason ?? end.detail,
      endedMs: this.#dialedMs + this.#endedMs + this.#offsetMs,
    });
  }

  /** The worker is gone: the call goes on without media for nobody, so it ends, and what is known is kept. */
  #onWorkerLost(message = 'call worker ended'): void {
    if (this.#settled) return;
    this.#o.log.error({ call: this.#o.attempt.id, message }, 'call lost its worker');
    if (this.#sip === undefined) {
      this.#fail(noWorker());
      return;
    }
    this.hangUp('worker-lost');
    this.#end ??= {
      by: 'platform',
      cause: 'transport',
      status: undefined,
      reasonPhrase: '',
      reason: undefined,
      detail: 'worker-lost',
    };
    this.#endedMs = this.#elapsedMs();
    this.#finish({
      dialog: undefined,
      timeline: [{ type: 'ended', atMs: Math.round(this.#endedMs), by: 'platform', detail: 'worker-lost' }],
      turns: [],
      recording: undefined,
      media: undefined,
      detections: this.#detections,
      callClass: 'unknown',
      callClassEvidence: '',
    });
  }

  #finish(result: WorkerResult): void {
    const end = this.#end;
    if (end === undefined || this.#settled) return;
    this.#settled = true;
    this.#seat.leave();
    const decided = decideNetworkOutcome({
      status: end.status,
      reason: end.reason,
      cause: end.cause,
      by: end.by,
      detections: result.detections,
      ringMs: this.#ringMs,
      answered: this.#answeredMs !== undefined && !this.#codecRefused,
      hangUpReason: this.#hangUpReason,
      callClass: result.callClass,
      callClassEvidence: result.callClassEvidence,
      overrides: this.#o.trunk(this.#o.attempt.trunk)?.overrides ?? {},
    });
    const answeredMs = this.#codecRefused ? undefined : this.#answeredMs;
    this.#resolve({
      attemptId: this.#o.attempt.id,
      dialedAt: this.#dialedAt,
      endedAt: this.#o.clock.now(),
      ringMs: round(this.#ringMs),
      answeredMs: round(answeredMs),
      talkMs: answeredMs === undefined ? 0 : Math.round(this.#endedMs - answeredMs),
      hangupBy: end.by,
      sipStatus: end.status,
      sipReason: end.reason,
      outcome: decided.outcome,
      evidence: decided.evidence,
      dialog: result.dialog,
      timeline: [...this.#timeline, ...result.timeline]
        .map((event) => ({ ...event, atMs: Math.round(event.atMs) }))
        .toSorted((a, b) => a.atMs - b.atMs),
      turns: result.turns,
      recording: result.recording,
      media: result.media,
    });
  }

  #fail(error: AppError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#seat.leave();
    this.#reject(error);
  }

  #elapsedMs(): number {
    return this.#o.clock.monotonicMs() - this.#dialedMs;
  }
}

function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

/** The number as the trunk wants it (RFC 3261 §19.1.1 user part, no visual separators). */
export function formatNumber(number: string, format: TrunkRoute['numberFormat']): string {
  const digits = number.replace(/^\+/, '');
  switch (format) {
    case 'plus':
      return number.startsWith('+') ? number : `+${digits}`;
    case 'e164':
      return digits;
    case 'national':
      if (!number.startsWith('+86')) return number.startsWith('+') ? `00${digits}` : digits;
      return /^861[3-9]\d{9}$/.test(digits) ? digits.slice(2) : `0${digits.slice(2)}`;
  }
}

function host(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function unknownTrunk(name: string): AppError {
  return new AppError('unavailable', {
    zh: `线路「${name}」没有配置，请在配置的 trunks 中添加或为任务换一条线路。`,
    en: `Trunk "${name}" is not configured; add it under trunks or choose another one for the campaign.`,
  });
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
