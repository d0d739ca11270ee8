import { createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { LocalMedia } from '#telephony/sdp/media.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { SipMessage } from '#telephony/sip/messages/message.ts';
import { parseMessage } from '#telephony/sip/messages/parse.ts';
import type { Peer, SipTransport } from '#telephony/sip/transport/transport.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type {
  CallEnd,
  IncomingCall,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  UserAgentOptions,
} from '#telephony/sip/user-agent.ts';
import { ManualClock } from '#platform/clock.ts';
import type { Timer } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';

/** A clock that also knows how many of its timers are still running. */
export class CountingClock extends ManualClock {
  running = 0;

  override setTimer(delayMs: number, fire: () => void): Timer {
    let live = true;
    this.running++;
    const timer = super.setTimer(delayMs, () => {
      live = false;
      this.running--;
      fire();
    });
    return {
      cancel: () => {
        timer.cancel();
        if (live) this.running--;
        live = false;
      },
    };
  }
}

/** One message that a side sent; `lost` when the network swallowed it. */
export interface Sent {
  readonly from: number;
  readonly label: string;
  readonly text: string;
  readonly message: SipMessage | undefined;
  readonly atMs: number;
  readonly lost: boolean;
}

/** A network of fake UDP ports under a manual clock: 5 ms one way, and `lose` decides what never arrives. */
export class SipNetwork {
  readonly clock = new CountingClock();
  readonly log: Sent[] = [];
  lose: (sent: { readonly from: number; readonly label: string; readonly index: number }) => boolean = () => false;
  /** Changes what arrives; lengths must stay as they are. */
  rewrite: (text: string) => string = (text) => text;
  readonly #ports = new Map<number, SipTransport>();

  transport(port: number): SipTransport {
    const transport: SipTransport = {
      protocol: 'UDP',
      reliable: false,
      local: { address: '10.0.0.1', port },
      onDatagram: undefined,
      send: (bytes: Uint8Array, to: Peer) => this.#deliver(port, bytes, to),
      close: () => {
        this.#ports.delete(port);
        return Promise.resolve();
      },
    };
    this.#ports.set(port, transport);
    return transport;
  }

  agent(port: number, options: Partial<UserAgentOptions> = {}): SipUserAgent {
    const { clock } = this;
    const resolver = { srv: unknownName, addresses: unknownName };
    return SipUserAgent.on(this.transport(port), { clock, log: silentLog, product: 'test', resolver, ...options });
  }

  /** What was sent, as `port label`, lost ones marked. */
  get labels(): readonly string[] {
    return this.log.map((sent) => `${sent.from} ${sent.label}${sent.lost ? ' (lost)' : ''}`);
  }

  #deliver(from: number, bytes: Uint8Array, to: Peer): void {
    const parsed = parseMessage(bytes);
    const label = parsed.ok ? labelOf(parsed.message) : 'unreadable';
    const lost = this.lose({ from, label, index: this.log.length });
    const atMs = this.clock.monotonicMs();
    const text = Buffer.from(bytes).toString();
    this.log.push({ from, label, text, message: parsed.ok ? parsed.message : undefined, atMs, lost });
    if (lost) return;
    const copy = Buffer.from(this.rewrite(text));
    this.clock.setTimer(5, () => this.#ports.get(to.port)?.onDatagram?.(copy, { host: '10.0.0.1', port: from }));
  }
}

function unknownName(): Promise<never> {
  return Promise.reject(new Error('unknown name'));
}

function labelOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : `${message.status} ${message.cseq.method}`;
}

/** Media of a side for tests that send no media. */
export const testMedia: LocalMedia = {
  address: '10.0.0.1',
  audioPort: 4000,
  textPort: 4002,
  codecs: ['PCMA', 'PCMU'],
  dtmf: true,
  direction: 'sendrecv',
};

/** A call with everything that it told. */
export interface WatchedCall {
  readonly call: OutgoingCall;
  readonly progress: number[];
  readonly answers: string[];
  readonly digits: string[];
  readonly ends: CallEnd[];
  onAnswered: (() => void) | undefined;
  onEnded: (() => void) | undefined;
}

/** Places a call and records what it tells. */
export function placeWatched(
  agent: SipUserAgent,
  port: number,
  options: Partial<OutgoingCallRequest> = {},
  handlers: Partial<OutgoingCallHandlers> = {},
): WatchedCall {
  const progress: number[] = [];
  const answers: string[] = [];
  const digits: string[] = [];
  const ends: CallEnd[] = [];
  const { address } = agent.address;
  const request = {
    callId: `call-${Math.abs(port)}-${nextCall++}`,
    target: `sip:13800000000@${address}:${port}`,
    from: `sip:4000@${address}`,
    sdp: writeSdp(createOffer({ ...testMedia, address })),
    ringTimeoutMs: 60_000,
    ...options,
  };
  const watched: WatchedCall = {
    progress,
    answers,
    digits,
    ends,
    onAnswered: undefined,
    onEnded: undefined,
    call: agent.placeCall(request, {
      onDtmf: (digit) => digits.push(digit),
      ...handlers,
      onProgress: (response) => {
        progress.push(response.status);
        handlers.onProgress?.(response);
      },
      onAnswered: (answer) => {
        answers.push(answer.sdp);
        handlers.onAnswered?.(answer);
        watched.onAnswered?.();
      },
      onEnded: (end) => {
        ends.push(end);
        watched.onEnded?.();
      },
    }),
  };
  return watched;
}

let nextCall = 1;

/** Answers a call with an SDP answer to its offer. */
export function accept(call: IncomingCall): void {
  const result = createAnswer(parseSdp(call.sdp), testMedia);
  if (!result.ok) throw new Error(result.reason);
  call.answer(writeSdp(result.answer), testMedia);
}
