import { isIP } from 'node:net';
import type { Clock, Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type {
  CallEnd,
  HangupReason,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  SipUserAgent,
  TransferResult,
} from '#telephony/sip/user-agent.ts';
import type { SessionControl } from '#telephony/sip/user-agent/call.ts';
import type { Negotiated } from '#telephony/sip/user-agent/session-media.ts';
import type { LocalMedia } from '#telephony/sdp/media.ts';
import type { TrunkPeer } from './trunk-route.ts';
import type { Trunk } from './trunk.ts';

/** A server that says nothing for this long gives way to the next one, as among servers of one name. */
const SILENCE_MS = 4_000;
/** A name may stand for several servers, which the user agent tries in turn. */
const NAME_SILENCE_MS = 12_000;

const TOO_LATE: HangupReason = { protocol: 'SIP', cause: 408, text: 'Request Timeout' };
const SILENT: CallEnd = {
  by: 'network',
  cause: 'no-response',
  status: undefined,
  reasonPhrase: '',
  reason: undefined,
  detail: 'no response',
};

export interface TrunkCallOptions {
  readonly clock: Clock;
  readonly sip: Pick<SipUserAgent, 'placeCall'>;
  readonly trunk: Trunk;
  readonly request: (peer: TrunkPeer, ringTimeoutMs: number) => OutgoingCallRequest;
  readonly ringTimeoutMs: number;
  /** Whether another trunk may take the call where no server of this one does: then silence ends it, too. */
  readonly elsewhere?: boolean;
  readonly handlers: OutgoingCallHandlers;
}

/**
 * A call over the servers of a trunk: the next one after 503, silence or a failing transport, as long as none has shown
 * progress (RFC 3263 §4.3, between servers that no DNS record joins).
 */
export class TrunkCall implements OutgoingCall {
  readonly #o: TrunkCallOptions;
  readonly #startMs: number;
  #peers: readonly TrunkPeer[];
  #peer: TrunkPeer;
  #call: OutgoingCall;
  #free: () => void = () => undefined;
  #silence: Timer | undefined;
  #progressed = false;
  #hungUp = false;
  /** Given up for silence: what is still said is nobody's. */
  #over = false;

  /** Throws what `placeCall` throws, and `resource-exhausted` while every server is full. */
  constructor(options: TrunkCallOptions) {
    this.#o = options;
    this.#startMs = options.clock.monotonicMs();
    const [first, ...others] = options.trunk.order();
    if (first === undefined) throw trunkFull(options.trunk.route.name);
    this.#peer = first;
    this.#peers = others;
    this.#call = this.#place(first);
  }

  get callId(): string {
    return this.#call.callId;
  }

  /** The server that has the call. */
  get peer(): TrunkPeer {
    return this.#peer;
  }

  get replaceable(): SessionControl['replaceable'] {
    return this.#call.replaceable;
  }

  hangup(reason?: HangupReason): void {
    this.#hungUp = true;
    this.#silence?.cancel();
    this.#call.hangup(reason);
  }

  hold(): Promise<Negotiated> {
    return this.#call.hold();
  }

  resume(): Promise<Negotiated> {
    return this.#call.resume();
  }

  change(media: Partial<LocalMedia>): Promise<Negotiated> {
    return this.#call.change(media);
  }

  transfer(...to: Parameters<SessionControl['transfer']>): Promise<TransferResult> {
    return this.#call.transfer(...to);
  }

  sendDigit(digit: string): ReturnType<SessionControl['sendDigit']> {
    return this.#call.sendDigit(digit);
  }

  #place(peer: TrunkPeer): OutgoingCall {
    const { clock, handlers, request, ringTimeoutMs, sip, trunk } = this.#o;
    this.#peer = peer;
    const current = (): boolean => this.#peer === peer && !this.#over;
    let responded = false;
    const heard = (): void => {
      this.#silence?.cancel();
      if (!responded) trunk.heard(peer);
      responded = true;
    };
    const leftMs = Math.max(1000, ringTimeoutMs - (clock.monotonicMs() - this.#startMs));
    const call = sip.placeCall(request(peer, leftMs), {
      ...handlers,
      onProgress: (progress) => {
        if (!current()) return;
        heard();
        this.#progressed ||= progress.status > 100;
        handlers.onProgress(progress);
      },
      onAnswered: (answer) => {
        if (!current()) return;
        heard();
        this.#progressed = true;
        handlers.onAnswered(answer);
      },
      onEnded: (end) => {
        if (!current()) return;
        this.#silence?.cancel();
        this.#free();
        if (end.status !== undefined) heard();
        const fault = faultOf(end);
        if (fault !== undefined) trunk.failed(peer, fault, responded);
        // A call that we cancelled before any response says nothing.
        else if (responded) trunk.answered(peer);
        if (fault === undefined || !this.#next()) handlers.onEnded(end);
      },
    });
    this.#free = trunk.take(peer);
    if (this.#peers.length > 0 || this.#o.elsewhere === true)
      this.#silence = clock.setTimer(isIP(peer.host) === 0 ? NAME_SILENCE_MS : SILENCE_MS, () => this.#onSilence(peer));
    return call;
  }

  /** The server has not said a word: the next one, or another trunk, is tried. */
  #onSilence(peer: TrunkPeer): void {
    this.#o.trunk.failed(peer, 'no response', false);
    const silent = this.#call;
    const free = this.#free;
    if (!this.#next()) {
      if (this.#o.elsewhere !== true || this.#progressed || this.#hungUp) return;
      this.#over = true;
      free();
      silent.hangup(TOO_LATE);
      this.#o.handlers.onEnded(SILENT);
      return;
    }
    // Its end is nobody's any more; should it answer after all, the user agent hangs it up.
    free();
    silent.hangup(TOO_LATE);
  }

  /** Goes to the next server; false where there is none or the call is past that. */
  #next(): boolean {
    const [peer, ...others] = this.#peers;
    if (peer === undefined || this.#progressed || this.#hungUp) return false;
    this.#peers = others;
    const before = this.#peer;
    try {
      this.#call = this.#place(peer);
    } catch {
      // The user agent closes or is full: the call ends with what the server before said.
      this.#peer = before;
      return false;
    }
    return true;
  }
}

/** What is the server's fault in an end, for which the next one is tried; undefined where it is not. */
function faultOf({ cause, status, detail }: CallEnd): string | undefined {
  if (cause === 'no-response') return 'no response';
  if (cause === 'transport') return detail;
  return cause === 'rejected' && status === 503 ? 'SIP 503' : undefined;
}

/** Every server of the trunk has as many calls as it takes. */
export function trunkFull(name: string): AppError {
  return new AppError(
    'resource-exhausted',
    {
      zh: `线路「${name}」的所有服务器都已满，稍后会自动重试。`,
      en: `Every server of trunk "${name}" is full; the call is tried again later.`,
    },
    { retryable: true },
  );
}
