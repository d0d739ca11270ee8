import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { buildRequest, messageText, writeMessage } from '../messages/write.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { Peer, SipTransport } from '../transport/transport.ts';
import { nextInviteClient, startInviteClient } from './invite-client.ts';
import type { InviteClientEvent, InviteClientState } from './invite-client.ts';
import { LingeringClient } from './lingering-client.ts';
import type { LateResponses } from './lingering-client.ts';
import { nextNonInviteClient, startNonInviteClient } from './non-invite-client.ts';
import type { NonInviteClientState } from './non-invite-client.ts';
import { TimerSet } from './timer-set.ts';
import type { StartTimer } from './timer-set.ts';
import { LINGER_TIMERS } from './timers.ts';
import type { TransactionStep } from './timers.ts';

/** What the sender of a request hears; after `onTimeout`, `onTransportError` or a final response nothing but 2xx of an INVITE. */
export interface ClientHandlers {
  onResponse(response: SipResponse): void;
  /** Timer B or F: nobody answered. */
  onTimeout(): void;
  onTransportError(error: Error): void;
}

/** What a transaction sends in place of a request whose transport fails before anybody answers (RFC 3261 §18.1.1). */
export interface TransactionFallback {
  readonly request: SipRequest;
  readonly transport: SipTransport;
  taken(): void;
}

/** Where client transactions are kept, by branch and method. */
export interface ClientHome {
  /** Over without a final response, or over a transport that repeats nothing. */
  ended(key: string): void;
  /** Over with one: `left` takes the place of the transaction for this long. */
  linger(left: LingeringClient, delayMs: number): void;
  readonly forget: (left: LingeringClient) => void;
}

/** The first comes half a second after the request, the second a second later. */
const REFUSALS = 2;

/** A client transaction: runs the machine of its method and does what the effects say. */
export class ClientTransaction {
  readonly to: Peer;
  #request: SipRequest;
  #transport: SipTransport;
  #fallback: TransactionFallback | undefined;
  readonly #timers: TimerSet;
  #handlers: ClientHandlers | undefined;
  readonly #key: string;
  /** Undefined once it is over. */
  #home: ClientHome | undefined;
  #left: LingeringClient | undefined;
  #bytes: Uint8Array;
  #ack: string | undefined;
  /** How often in a row the peer's host said that nobody listens there. */
  #refusals = 0;
  #invite: InviteClientState | undefined;
  #other: NonInviteClientState | undefined;

  constructor(options: {
    request: SipRequest;
    to: Peer;
    handlers: ClientHandlers;
    transport: SipTransport;
    fallback?: TransactionFallback | undefined;
    timer: StartTimer;
    key: string;
    home: ClientHome;
  }) {
    this.#request = options.request;
    this.#fallback = options.fallback;
    this.to = options.to;
    this.#handlers = options.handlers;
    this.#transport = options.transport;
    this.#key = options.key;
    this.#home = options.home;
    this.#bytes = writeMessage(options.request);
    this.#timers = new TimerSet(options.timer, (timer) => {
      this.#event({ type: 'timer', timer });
      if (timer === 'A' || timer === 'E') this.#askForRefusal();
    });
  }

  /** The request as it was sent: its Via names the transport that it took. */
  get request(): SipRequest {
    return this.#request;
  }

  /** Where a CANCEL has to follow: with the transport that the request took. */
  get sentTo(): Peer {
    return { ...this.to, protocol: this.#transport.protocol };
  }

  /** Sends the request; called once by the layer. */
  start(): void {
    const { reliable } = this.#transport;
    if (this.request.method === 'INVITE') {
      const step = startInviteClient(reliable);
      this.#invite = step.state;
      this.#run(step);
    } else {
      const step = startNonInviteClient(reliable);
      this.#other = step.state;
      this.#run(step);
    }
  }

  get #unanswered(): boolean {
    return this.#invite?.name === 'calling' || this.#other?.name === 'trying';
  }

  onResponse(response: SipResponse): void {
    if (this.#refusals > 0 && this.#unanswered) this.#transport.refusals?.deceived(this.to);
    this.#event({ type: 'response', status: response.status }, response);
  }

  /** Ends an INVITE transaction whose CANCEL had no effect (RFC 3261 §9.1). */
  abandon(): void {
    if (this.#invite !== undefined) this.#event({ type: 'abandon' });
  }

  /** Who hears 2xx from now on, where the call is over that asked for the first. */
  leaveTo(late: LateResponses): void {
    if (this.#left?.late !== undefined) this.#left.late = late;
  }

  /** Ends at once, without telling anybody. */
  destroy(): void {
    this.#timers.stopAll();
    this.#handlers = undefined;
    const home = this.#home;
    this.#home = undefined;
    home?.ended(this.#key);
  }

  #event(event: InviteClientEvent, response?: SipResponse): void {
    const { reliable } = this.#transport;
    if (this.#invite !== undefined) {
      const step = nextInviteClient(this.#invite, event, reliable);
      this.#invite = step.state;
      this.#run(step, response);
    } else if (this.#other !== undefined && event.type !== 'abandon') {
      const step = nextNonInviteClient(this.#other, event, reliable);
      this.#other = step.state;
      this.#run(step, response);
    }
  }

  #run(step: TransactionStep<unknown>, response?: SipResponse, failure?: Error): void {
    for (const effect of step.effects) {
      switch (effect.type) {
        case 'send':
          this.#transport.send(this.#bytes, this.to, this.#onSendFailed);
          break;
        case 'send-ack':
          if (response !== undefined) this.#ack ??= messageText(ackFor(this.#request, response));
          if (this.#ack !== undefined) this.#transport.send(Buffer.from(this.#ack), this.to);
          break;
        case 'pass':
          if (response !== undefined) this.#handlers?.onResponse(response);
          break;
        case 'timeout':
          this.#handlers?.onTimeout();
          break;
        case 'transport-error':
          this.#handlers?.onTransportError(failure ?? new Error('transport failed'));
          break;
        case 'start':
          if (LINGER_TIMERS.has(effect.timer)) this.#leave(effect.delayMs);
          else this.#timers.start(effect.timer, effect.delayMs);
          break;
        case 'stop':
          this.#timers.stop(effect.timer);
          break;
        case 'terminated':
          this.destroy();
          break;
      }
    }
  }

  #leave(delayMs: number): void {
    const home = this.#home;
    if (home === undefined) return;
    this.#home = undefined;
    const left = new LingeringClient({
      key: this.#key,
      state: this.#invite,
      to: this.to,
      transport: this.#transport,
      ended: home.forget,
    });
    left.ack = this.#ack;
    if (this.#invite?.name === 'accepted') left.late = this.#handlers;
    this.#left = left;
    home.linger(left, delayMs);
  }

  /**
   * A datagram to a closed port is lost without a word to its sender. Where a request that begins something stays without
   * an answer, the peer's host is asked with each repetition; two refusals in a row are as good as a failing transport.
   */
  #askForRefusal(): void {
    const { refusals } = this.#transport;
    if (refusals === undefined || !this.#unanswered || tagOf(this.#request.to) !== undefined) return;
    void refusals.check(this.to).then((refused) => {
      this.#refusals = refused ? this.#refusals + 1 : 0;
      if (this.#refusals < REFUSALS || !this.#unanswered) return;
      this.#onSendFailed(new Error(`connect ECONNREFUSED ${this.to.host}:${this.to.port}`));
    });
  }

  readonly #onSendFailed = (error: Error): void => {
    const event = { type: 'transport-error' } as const;
    if (this.#home === undefined) return;
    const fallback = this.#fallback;
    this.#fallback = undefined;
    if (fallback !== undefined && this.#unanswered) {
      fallback.taken();
      this.#timers.stopAll();
      this.#request = fallback.request;
      this.#bytes = writeMessage(fallback.request);
      this.#transport = fallback.transport;
      this.start();
      return;
    }
    if (this.#invite !== undefined) {
      const step = nextInviteClient(this.#invite, event, this.#transport.reliable);
      this.#invite = step.state;
      this.#run(step, undefined, error);
    } else if (this.#other !== undefined) {
      const step = nextNonInviteClient(this.#other, event, this.#transport.reliable);
      this.#other = step.state;
      this.#run(step, undefined, error);
    }
  };
}

/** The ACK of a final response other than 2xx: same branch, To of the response (RFC 3261 §17.1.1.3). */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const fields: HeaderField[] = [
    ['Via', invite.headers.get('Via') ?? ''],
    ['Max-Forwards', '70'],
    ['From', invite.headers.get('From') ?? ''],
    ['To', response.headers.get('To') ?? ''],
    ['Call-ID', invite.callId],
    ['CSeq', `${invite.cseq.sequence} ACK`],
  ];
  for (const route of invite.headers.all('Route')) fields.push(['Route', route]);
  return buildRequest('ACK', invite.uri, fields);
}
