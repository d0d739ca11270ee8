import type { Attempt, FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { LocalMedia, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer, createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { attestationOf } from '#telephony/sip/messages/identity.ts';
import type { CallEnd, HangupReason, IncomingCall, SipUserAgent } from '#telephony/sip/user-agent.ts';

import type { CallBridge, CallControl } from './bridge/call-bridge.ts';
import { openBridge } from './bridge/open-bridge.ts';
import type { TakeChannel } from './bridge/outside-target.ts';
import { finishedCall, WORKER_LOST } from './finished-call.ts';
import type { CallObserver } from './placed-call.ts';
import type { TrunkRoute } from './trunk-route.ts';
import type { Trunk } from './trunk.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { CallMessage, Seat, WorkerPool } from './worker-pool.ts';
import type { WorkerResult } from './worker-protocol.ts';

export interface AnsweredCallOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The one that it came in by: second calls go out there. */
  readonly trunk: Trunk;
  readonly rtp: { readonly address: string };
  readonly pool: Pick<WorkerPool, 'seat'>;
  readonly incoming: IncomingCall;
  /** Committed, `inbound`. */
  readonly attempt: Attempt;
  readonly observer: CallObserver;
  /** For second calls; undefined where channels are not counted. */
  readonly takeChannel?: TakeChannel | undefined;
  /** Whom second calls may go to; anybody unless set. */
  readonly transferTargets?: readonly string[] | undefined;
  /** For second calls: transfers and listeners. */
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
}

/**
 * The main thread's half of one call that came in: signalling here, media and conversation on the worker.
 *
 *   [opening] -- opened: 180 --> [ringing] -- greet delay: 200 --> [talking] -- SIP end: finish --> [finishing] --> done
 *       |                           '------ CANCEL: finish -----------------------^
 *       '-- no ports: 503, done rejects;  the worker dies: 480 or BYE, done resolves as `lost`
 */
export class AnsweredCall {
  /** Resolves once with the facts of the call; rejects when nothing could be made ready for it. */
  readonly done: Promise<FinishedCall>;
  readonly #o: AnsweredCallOptions;
  readonly #seat: Seat;
  readonly #arrivedAt: Date;
  readonly #arrivedMs: number;
  readonly #offsetMs: number;
  readonly #settle = Promise.withResolvers<FinishedCall>();
  readonly #timeline: TimelineEvent[] = [];
  #greeting: Timer | undefined;
  #opened = false;
  #ringMs: number | undefined;
  #answeredMs: number | undefined;
  #end: CallEnd | undefined;
  #endedMs = 0;
  #hangUpReason: string | undefined;
  #settled = false;
  /** From the answer to the end. */
  #bridge: CallBridge | undefined;

  /** Throws `unavailable` while there is no worker. */
  constructor(options: AnsweredCallOptions) {
    this.#o = options;
    const { clock, attempt, pool, trunk, incoming } = options;
    this.#arrivedAt = clock.now();
    this.#arrivedMs = clock.monotonicMs();
    this.#offsetMs = threadOffsetMs(clock);
    this.done = this.#settle.promise;
    this.#seat = pool.seat(attempt.id, {
      onMessage: (message) => this.#onWorker(message),
      onLost: () => this.#onWorkerLost('call worker ended'),
    });
    const attestation = attestationOf(incoming.headers);
    if (attestation !== undefined) this.#timeline.push({ type: 'attestation', atMs: 0, level: attestation.level });
    incoming.onEnded = (end) => this.#onSipEnded(end);
    incoming.onDtmf = (digit) => this.#seat.post({ type: 'dtmf', call: attempt.id, digit });
    incoming.onMediaChanged = (media) => this.#seat.post({ type: 'renegotiated', call: attempt.id, media });
    const codec = frameCodecOf(trunk.route.codecs[0] ?? 'PCMA');
    const scriptKey = `${attempt.script.id}@${attempt.script.version}`;
    if (!this.#seat.knows(scriptKey))
      this.#seat.post({ type: 'script', key: scriptKey, script: attempt.script, codec });
    this.#seat.post({
      type: 'open',
      call: attempt.id,
      inbound: true,
      scriptKey,
      variables: attempt.variables,
      timeZone: attempt.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      dialedMs: this.#arrivedMs + this.#offsetMs,
      dialedAt: this.#arrivedAt,
      codec,
      tonePlan: trunk.route.tonePlan,
    });
  }

  /** Refuses or hangs up, as the state demands; the call still ends through `done`. */
  hangUp(reason: string, sip: HangupReason = CLEARING): void {
    if (this.#end !== undefined) return;
    this.#hangUpReason ??= reason;
    this.#o.incoming.hangup(sip);
  }

  /** Transfers and listeners; undefined while nobody talks. */
  get control(): CallControl | undefined {
    return this.#end === undefined ? this.#bridge : undefined;
  }

  #onWorker(message: CallMessage): void {
    switch (message.type) {
      case 'opened':
        this.#ring({ audioPort: message.audioPort, textPort: message.textPort });
        return;
      case 'failed':
        this.#onWorkerLost(message.message);
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
        return;
      case 'detected':
    }
  }

  #ring(ports: { readonly audioPort: number; readonly textPort: number }): void {
    this.#opened = true;
    if (this.#end !== undefined) {
      this.#postFinish();
      return;
    }
    const { incoming, attempt, clock } = this.#o;
    this.#ringMs = this.#elapsedMs();
    this.#timeline.push({ type: 'progress', atMs: this.#ringMs, status: 180, earlyMedia: false });
    incoming.progress(180);
    this.#tell((observer) => observer.onState('ringing'));
    this.#greeting = clock.setTimer(attempt.script.settings.greetDelayMs, () => this.#answer(ports));
  }

  #answer(ports: { readonly audioPort: number; readonly textPort: number }): void {
    const { incoming, rtp } = this.#o;
    const { route } = this.#o.trunk;
    const local: LocalMedia = {
      address: rtp.address,
      ...ports,
      codecs: route.codecs,
      dtmf: true,
      direction: 'sendrecv',
      srtp: route.srtp,
    };
    if (incoming.sdp === '') {
      const offer = createOffer(local);
      incoming.onAcknowledged = (answer) => this.#onLateAnswer(offer, answer);
      incoming.answer(writeSdp(offer), local);
      return;
    }
    const result = createAnswer(parseSdp(incoming.sdp), local);
    if (!result.ok) {
      this.#o.log.warn({ call: this.#o.attempt.id, reason: result.reason }, 'SDP offer refused');
      this.#hangUpReason ??= 'media-refused';
      incoming.reject(488);
      return;
    }
    incoming.answer(writeSdp(result.answer), local);
    this.#talk(result.media);
  }

  /** The answer to our offer comes with the ACK (RFC 3261 §13.2.1); one that cannot be used ends the call. */
  #onLateAnswer(offer: SessionDescription, sdp: string | undefined): void {
    let reason = 'ACK without an answer';
    try {
      const result = sdp === undefined ? undefined : acceptAnswer(offer, parseSdp(sdp));
      if (result?.ok === true) return this.#talk(result.media);
      reason = result?.reason ?? reason;
    } catch (error) {
      reason = String(error);
    }
    this.#o.log.warn({ call: this.#o.attempt.id, reason }, 'SDP answer refused');
    this.hangUp('media-refused', { protocol: 'SIP', cause: 488, text: 'Not acceptable here' });
  }

  #talk(media: NegotiatedMedia): void {
    if (this.#end !== undefined) return;
    this.#answeredMs = this.#elapsedMs();
    this.#timeline.push({ type: 'answered', atMs: this.#answeredMs });
    this.#bridge = openBridge({
      ...this.#o,
      seat: this.#seat,
      callee: this.#o.incoming,
      note: (entry) => this.#timeline.push({ ...entry, atMs: this.#elapsedMs() }),
      hangUp: (reason) => this.hangUp(reason),
    });
    this.#seat.post({ type: 'answered', call: this.#o.attempt.id, media });
    this.#tell((observer) => observer.onState('talking'));
  }

  #onSipEnded(end: CallEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#endedMs = this.#elapsedMs();
    this.#bridge?.close();
    this.#greeting?.cancel();
    // Before it has opened, the worker is told as soon as it has.
    if (this.#opened) this.#postFinish();
  }

  #postFinish(): void {
    const { by = 'network', detail = '' } = this.#end ?? {};
    this.#seat.post({
      type: 'finish',
      call: this.#o.attempt.id,
      by,
      detail: (by === 'platform' ? this.#hangUpReason : undefined) ?? detail,
      endedMs: this.#arrivedMs + this.#endedMs + this.#offsetMs,
    });
  }

  /** The worker is gone or gave the call up: without media it is nobody's, so it ends, and what is known is kept. */
  #onWorkerLost(message: string): void {
    if (this.#settled) return;
    this.#o.log.error({ call: this.#o.attempt.id, message }, 'call lost its worker');
    this.#bridge?.close();
    if (!this.#opened) {
      this.#settled = true;
      this.#seat.leave();
      this.#settle.reject(noWorker());
      return;
    }
    this.#hangUpReason = WORKER_LOST;
    this.#o.incoming.hangup({ protocol: 'Q.850', cause: 41, text: 'Temporary failure' });
    this.#finish({
      dialog: undefined,
      timeline: [{ type: 'ended', atMs: this.#endedMs, by: this.#end?.by ?? 'platform', detail: WORKER_LOST }],
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
    this.#seat.leave();
    const facts = {
      attempt: this.#o.attempt,
      dialedAt: this.#arrivedAt,
      end,
      endedMs: this.#endedMs,
      ringMs: this.#ringMs,
      answeredMs: this.#answeredMs,
      hangUpReason: this.#hangUpReason,
      overrides: {},
      timeline: this.#timeline,
      transfer: this.#bridge?.record,
    };
    const outcome = this.#outcome();
    const { by, cause } = end;
    this.#settle.resolve({
      ...finishedCall(facts, result),
      sipStatus: end.status ?? (this.#answeredMs === undefined ? undefined : 200),
      outcome,
      evidence: [{ kind: 'platform', detail: `inbound:${by}:${cause}`, suggests: outcome, confidence: 1 }],
    });
  }

  /** Callers who gave up before we answered have `cancelled`; what the network says about callees does not apply. */
  #outcome(): NetworkOutcome {
    if (this.#hangUpReason === WORKER_LOST) return 'lost';
    if (this.#answeredMs !== undefined) return 'answered';
    return this.#end?.by === 'callee' || this.#end?.by === 'platform' ? 'cancelled' : 'lost';
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
    return this.#o.clock.monotonicMs() - this.#arrivedMs;
  }
}

const CLEARING: HangupReason = { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' };

/** Whether an offer has anything that we can talk with; an INVITE without an offer always has. */
export function isAnswerable(sdp: string, route: Pick<TrunkRoute, 'codecs' | 'srtp'>): boolean {
  if (sdp === '') return true;
  try {
    const local: LocalMedia = {
      address: '127.0.0.1',
      audioPort: 1024,
      textPort: 1026,
      codecs: route.codecs,
      dtmf: true,
      direction: 'sendrecv',
      srtp: route.srtp,
    };
    return createAnswer(parseSdp(sdp), local).ok;
  } catch {
    return false;
  }
}

function noWorker(): AppError {
  return new AppError(
    'resource-exhausted',
    { zh: '暂时没有可用的通话端口，来电被拒接。', en: 'No media ports are free now; the incoming call is refused.' },
    { retryable: true },
  );
}
