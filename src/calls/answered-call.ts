import { HUNG_UP_BY_OPERATOR } from '#domain/call.ts';
import type { FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { attestationOf } from '#telephony/sip/messages/identity.ts';
import type { CallEnd, HangupReason, IncomingCall } from '#telephony/sip/user-agent.ts';
import type { CallBridge, CallControl } from './bridge/call-bridge.ts';
import { openBridge } from './bridge/open-bridge.ts';
import { agreedMedia, localMedia } from './call-media.ts';
import { hangUpForOperator, onTalk, takeSeat, tellObserver } from './call-side.ts';
import type { CallSideOptions, OperatorHangUp } from './call-side.ts';
import { finishedCall, lostResult, WORKER_LOST } from './finished-call.ts';
import type { TrunkRoute } from './trunk-route.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { CallMessage, Seat } from './worker-pool.ts';
import type { WorkerResult } from './worker-protocol.ts';

export interface AnsweredCallOptions extends CallSideOptions {
  readonly incoming: IncomingCall;
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
    const { clock, attempt, incoming } = options;
    this.#arrivedAt = clock.now();
    this.#arrivedMs = clock.monotonicMs();
    this.#offsetMs = threadOffsetMs(clock);
    this.done = this.#settle.promise;
    const began = { beganAt: this.#arrivedAt, beganMs: this.#arrivedMs + this.#offsetMs };
    this.#seat = takeSeat(options, began, {
      onMessage: (message) => this.#onWorker(message),
      onLost: () => this.#onWorkerLost('call worker ended'),
    });
    const attestation = attestationOf(incoming.headers);
    if (attestation !== undefined) this.#timeline.push({ type: 'attestation', atMs: 0, level: attestation.level });
    incoming.onEnded = (end) => this.#onSipEnded(end);
    incoming.onDtmf = (digit) => this.#seat.post({ type: 'dtmf', call: attempt.id, digit });
    incoming.onMediaChanged = (media) => this.#seat.post({ type: 'renegotiated', call: attempt.id, media });
  }

  /** Refuses or hangs up, as the state demands; the call still ends through `done`. */
  hangUp(reason: string, sip: HangupReason = CLEARING): void {
    if (this.#end !== undefined) return;
    this.#hangUpReason ??= reason;
    this.#o.incoming.hangup(sip);
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
        this.#ring({ audioPort: message.audioPort, textPort: message.textPort });
        return;
      case 'failed':
        this.#onWorkerLost(message.message);
        return;
      case 'said':
      case 'opted-out':
      case 'hang-up':
      case 'bridge':
        onTalk(this.#o, message, { bridge: this.#bridge, hangUp: (reason) => this.hangUp(reason) });
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
    tellObserver(this.#o, (observer) => observer.onState('ringing'));
    this.#greeting = clock.setTimer(attempt.script.settings.greetDelayMs, () => this.#answer(ports));
  }

  #answer(ports: { readonly audioPort: number; readonly textPort: number }): void {
    const { incoming, rtp } = this.#o;
    const local = localMedia(this.#o.trunk.route, rtp.address, ports);
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
    const agreed =
      sdp === undefined ? { media: undefined, fault: 'ACK without an answer' } : agreedMedia(offer, sdp, this.#o);
    if (agreed.media !== undefined) return this.#talk(agreed.media);
    const reason = agreed.fault;
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
    tellObserver(this.#o, (observer) => observer.onState('talking'));
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
    this.#finish(lostResult(this.#endedMs, this.#end?.by ?? 'platform'));
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
      legs: this.#bridge?.legs(result.legs, this.#arrivedMs) ?? [],
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

  #elapsedMs(): number {
    return this.#o.clock.monotonicMs() - this.#arrivedMs;
  }
}

const CLEARING: HangupReason = { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' };

/** Whether an offer has anything that we can talk with; an INVITE without an offer always has. */
export function isAnswerable(sdp: string, route: Pick<TrunkRoute, 'codecs' | 'srtp'>): boolean {
  if (sdp === '') return true;
  try {
    const local = localMedia(route, '127.0.0.1', { audioPort: 1024, textPort: 1026 });
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
