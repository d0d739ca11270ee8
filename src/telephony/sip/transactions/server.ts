import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { messageText } from '../messages/write.ts';
import type { Peer, SipTransport } from '../transport/transport.ts';
import { INVITE_SERVER_START, nextInviteServer } from './invite-server.ts';
import type { InviteServerEvent, InviteServerState } from './invite-server.ts';
import { LingeringServer } from './lingering-server.ts';
import { nextNonInviteServer, NON_INVITE_SERVER_START } from './non-invite-server.ts';
import type { NonInviteServerEvent, NonInviteServerState } from './non-invite-server.ts';
import { TimerSet } from './timer-set.ts';
import type { StartTimer } from './timer-set.ts';
import { LINGER_TIMERS } from './timers.ts';
import type { TransactionStep } from './timers.ts';

/** Where server transactions are kept, by what RFC 3261 §17.2.3 compares. */
export interface ServerHome {
  /** Over without a final response that could come again. */
  ended(key: string): void;
  /** Over with one: `left` takes the place of the transaction for this long. */
  linger(left: LingeringServer, delayMs: number): void;
  readonly forget: (left: LingeringServer) => void;
}

/** A server transaction: runs the machine of its method and keeps the last response to repeat it. */
export class ServerTransaction {
  readonly request: SipRequest;
  /** Where the request came from. */
  readonly source: Peer;
  /** Called when a final response other than 2xx was never acknowledged, and when the transaction is over. */
  onEnded: (() => void) | undefined;
  /** Of the last response. */
  toTag: string | undefined;
  readonly #to: Peer;
  readonly #transport: SipTransport;
  readonly #timers: TimerSet;
  readonly #key: string;
  /** Undefined once it is over. */
  #home: ServerHome | undefined;
  #text: string | undefined;
  #invite: InviteServerState | undefined;
  #other: NonInviteServerState | undefined;

  constructor(options: {
    request: SipRequest;
    to: Peer;
    source: Peer;
    transport: SipTransport;
    timer: StartTimer;
    key: string;
    home: ServerHome;
  }) {
    this.request = options.request;
    this.source = options.source;
    this.#to = options.to;
    this.#transport = options.transport;
    this.#key = options.key;
    this.#home = options.home;
    this.#timers = new TimerSet(options.timer, (timer) => this.#onTimer(timer));
    if (options.request.method === 'INVITE') this.#invite = INVITE_SERVER_START;
    else this.#other = NON_INVITE_SERVER_START;
  }

  /** Whether a final response may still be sent. */
  get open(): boolean {
    return this.#invite === undefined
      ? this.#other?.name === 'trying' || this.#other?.name === 'proceeding'
      : this.#invite.name === 'proceeding';
  }

  /** Sends a response; ignored when the state does not allow it. */
  respond(response: SipResponse): void {
    const accepted = this.#invite?.name === 'accepted';
    if (!this.open && !accepted) return;
    if (!accepted || this.#text === undefined) this.#text = messageText(response);
    this.toTag = tagOf(response.to);
    const event = { type: 'respond', status: response.status } as const;
    if (this.#invite === undefined) this.#otherEvent(event);
    else this.#inviteEvent(event);
  }

  /** The request came again. */
  onRepeat(): void {
    if (this.#invite === undefined) this.#otherEvent({ type: 'request' });
    else this.#inviteEvent({ type: 'invite' });
  }

  /** An ACK came; true when it is the user's (it acknowledges a 2xx). */
  onAck(): boolean {
    const passes = this.#invite?.name === 'accepted';
    this.#inviteEvent({ type: 'ack' });
    return passes;
  }

  /** Ends at once, without telling anybody. */
  destroy(): void {
    this.#timers.stopAll();
    this.onEnded = undefined;
    const home = this.#home;
    this.#home = undefined;
    home?.ended(this.#key);
  }

  #onTimer(timer: string): void {
    if (this.#invite === undefined) this.#otherEvent({ type: 'timer', timer });
    else this.#inviteEvent({ type: 'timer', timer });
  }

  #inviteEvent(event: InviteServerEvent): void {
    if (this.#invite === undefined) return;
    const step = nextInviteServer(this.#invite, event, this.#transport.reliable);
    this.#invite = step.state;
    this.#run(step);
  }

  #otherEvent(event: NonInviteServerEvent): void {
    if (this.#other === undefined) return;
    const step = nextNonInviteServer(this.#other, event, this.#transport.reliable);
    this.#other = step.state;
    this.#run(step);
  }

  #run(step: TransactionStep<unknown>): void {
    for (const effect of step.effects) {
      switch (effect.type) {
        case 'send':
          if (this.#text !== undefined) this.#transport.send(Buffer.from(this.#text), this.#to);
          break;
        case 'start':
          if (LINGER_TIMERS.has(effect.timer)) this.#leave(effect.delayMs);
          else this.#timers.start(effect.timer, effect.delayMs);
          break;
        case 'stop':
          this.#timers.stop(effect.timer);
          break;
        case 'terminated': {
          const told = this.onEnded;
          this.destroy();
          told?.();
          break;
        }
        case 'timeout':
        case 'transport-error':
        case 'pass':
        case 'send-ack':
          break;
      }
    }
  }

  #leave(delayMs: number): void {
    const home = this.#home;
    if (home === undefined) return;
    this.#home = undefined;
    const left = new LingeringServer({
      key: this.#key,
      onEnded: this.onEnded,
      accepted: this.#invite?.name === 'accepted',
      toTag: this.toTag,
      response: this.#invite === undefined ? this.#text : undefined,
      to: this.#to,
      transport: this.#transport,
      ended: home.forget,
    });
    this.onEnded = undefined;
    home.linger(left, delayMs);
  }
}
