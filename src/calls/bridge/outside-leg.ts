import type { TransferFailure } from '#domain/transfer.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import type { CallEnd, HangupReason, OutgoingCall } from '#telephony/sip/user-agent.ts';
import { agreedMedia, localMedia } from '../call-media.ts';
import { KeySender } from './key-sender.ts';
import type { BridgeCommand, BridgeEvent, LegRole } from './bridge-protocol.ts';
import type { OutsideLine, OutsideTarget } from './outside-target.ts';

/** A worker that has not bound a leg's ports by then is stuck, or the trunk has no turn for the call. */
const PORTS_MS = 5_000;
const CLEARING: HangupReason = { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' };

export interface OutsideLegOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Where the worker's media is reached. */
  readonly rtpAddress: string;
  readonly post: (command: BridgeCommand) => void;
  readonly to: OutsideTarget;
  readonly role: LegRole;
  readonly ringTimeoutMs: number;
  onAnswered(): void;
  /** Exactly once; `failure` is undefined after an answered call. */
  onEnded(failure: TransferFailure | undefined): void;
}

/**
 * The main thread's half of a second call beside one that is going on: ports on that call's worker, an INVITE, and its
 * place among the parties as soon as it is answered. Closed by `hangUp`.
 *
 *   [opening] -- ports, channel: INVITE --> [calling] -- 200: join --> [answered] -- BYE either way: leave --> [ended]
 *       '-- neither, hangUp -------------------- refused, hangUp: CANCEL, leave -----------------------------------^
 */
export class OutsideLeg {
  readonly id = newId<'leg'>();
  role: LegRole;
  readonly #o: OutsideLegOptions;
  readonly #waiting: Timer;
  #offer: SessionDescription | undefined;
  #sip: OutgoingCall | undefined;
  #keys: KeySender | undefined;
  #line: OutsideLine | undefined;
  #answeredMs: number | undefined;
  #endedMs: number | undefined;
  #state: 'opening' | 'calling' | 'answered' | 'ended' = 'opening';

  /** Asks for ports at once. */
  constructor(options: OutsideLegOptions) {
    this.#o = options;
    this.role = options.role;
    this.#waiting = options.clock.setTimer(PORTS_MS, () => this.#end('unreachable'));
    options.post({ do: 'open', leg: this.id });
  }

  get state(): 'opening' | 'calling' | 'answered' | 'ended' {
    return this.#state;
  }

  /** The answered call, for a transfer that replaces it. */
  get session(): OutgoingCall | undefined {
    return this.#state === 'answered' ? this.#sip : undefined;
  }

  /** From when to when it took part, on the clock; undefined before it was answered. */
  get tookPart(): { readonly fromMs: number; readonly toMs: number } | undefined {
    const fromMs = this.#answeredMs;
    return fromMs === undefined ? undefined : { fromMs, toMs: this.#endedMs ?? this.#o.clock.monotonicMs() };
  }

  onWorker(event: Exclude<BridgeEvent, { is: 'wanted' }>): void {
    switch (event.is) {
      case 'opened':
        if (this.#state === 'opening') void this.#ready(event.audioPort, event.textPort);
        return;
      case 'failed':
        this.#end('unreachable');
        return;
      case 'key':
        this.#keys?.send(event.digit);
        return;
      case 'silent':
        this.hangUp({ protocol: 'Q.850', cause: 102, text: 'Media timeout' });
    }
  }

  setRole(role: LegRole): void {
    this.role = role;
    if (this.#state === 'answered') this.#o.post({ do: 'role', leg: this.id, role });
  }

  /** CANCEL or BYE; before an answer this is why there was none. */
  hangUp(reason: HangupReason = CLEARING): void {
    if (this.#state === 'ended') return;
    this.#sip?.hangup(reason);
    // BYE is reported at once; a CANCEL need not be waited for by anybody here.
    this.#end('cancelled');
  }

  async #ready(audioPort: number, textPort: number): Promise<void> {
    const { line } = this.#o.to;
    if (typeof line !== 'function') return this.#invite(line, { audioPort, textPort });
    const found = await line();
    if (typeof found === 'string') return this.#end(found);
    // Nobody waits for it any more.
    if (this.#state !== 'opening') return found.free();
    this.#invite(found, { audioPort, textPort });
  }

  #invite(line: OutsideLine, ports: { readonly audioPort: number; readonly textPort: number }): void {
    this.#line = line;
    this.#waiting.cancel();
    this.#state = 'calling';
    const { rtpAddress, ringTimeoutMs, log } = this.#o;
    const offer = createOffer(localMedia(line, rtpAddress, ports));
    this.#offer = offer;
    try {
      this.#sip = line.place(
        { callId: newId<'call'>(), sdp: writeSdp(offer), ringTimeoutMs },
        {
          onProgress: () => undefined,
          onAnswered: ({ sdp }) => this.#answered(sdp),
          onDtmf: (digit) => this.#o.post({ do: 'digit', leg: this.id, digit }),
          onMediaChanged: (media) => this.#o.post({ do: 'media', leg: this.id, media }),
          onEnded: (end) => this.#end(transferFailureOf(end)),
        },
      );
    } catch (error) {
      log.warn({ err: error }, 'a second call could not be placed');
      const code = error instanceof AppError ? error.code : 'invalid-input';
      // Every server of the trunk is full.
      if (code === 'resource-exhausted') this.#end('no-channel');
      else this.#end(code === 'invalid-input' ? 'invalid-number' : 'unreachable');
    }
  }

  #answered(sdp: string): void {
    if (this.#state !== 'calling') return;
    const media = this.#negotiate(sdp);
    if (media === undefined) {
      this.#sip?.hangup({ protocol: 'Q.850', cause: 65, text: 'Bearer capability not implemented' });
      this.#end('unreachable');
      return;
    }
    this.#state = 'answered';
    this.#answeredMs = this.#o.clock.monotonicMs();
    const { log, post } = this.#o;
    if (this.#sip !== undefined)
      this.#keys = new KeySender({
        log,
        control: this.#sip,
        tones: (digits) => post({ do: 'tones', leg: this.id, digits }),
      });
    this.#o.post({ do: 'join', leg: this.id, role: this.role, media });
    this.#o.onAnswered();
  }

  #negotiate(sdp: string): NegotiatedMedia | undefined {
    if (this.#offer === undefined) return undefined;
    const agreed = agreedMedia(this.#offer, sdp, { log: this.#o.log, trunk: this.#line?.trunk });
    if (agreed.media === undefined) this.#o.log.warn({ reason: agreed.fault }, 'SDP answer of a second call refused');
    return agreed.media;
  }

  #end(failure: TransferFailure): void {
    if (this.#state === 'ended') return;
    const answered = this.#state === 'answered';
    this.#state = 'ended';
    this.#endedMs = this.#o.clock.monotonicMs();
    this.#waiting.cancel();
    this.#line?.free();
    this.#o.post({ do: 'leave', leg: this.id });
    this.#o.onEnded(answered ? undefined : failure);
  }
}

/** What a call that was not answered says about its target (RFC 3261 §21, Q.850 where a Reason says more). */
export function transferFailureOf(end: Pick<CallEnd, 'cause' | 'status' | 'reason'>): TransferFailure {
  const cause = Number(/Q\.850\s*;\s*cause\s*=\s*(\d+)/i.exec(end.reason ?? '')?.[1]);
  if (end.cause === 'ring-timeout') return 'no-answer';
  if (end.cause === 'cancelled') return 'cancelled';
  if (cause === 17) return 'busy';
  if (cause === 18 || cause === 19) return 'no-answer';
  if (cause === 21) return 'rejected';
  if (cause === 1 || cause === 28) return 'invalid-number';
  switch (end.status) {
    case 486:
    case 600:
      return 'busy';
    case 408:
    case 480:
      return 'no-answer';
    case 603:
    case 607:
      return 'rejected';
    case 404:
    case 410:
    case 484:
    case 604:
      return 'invalid-number';
    default:
      return 'unreachable';
  }
}
