import type { SipResponse } from '../messages/message.ts';
import type { Peer, SipTransport } from '../transport/transport.ts';
import { nextInviteClient } from './invite-client.ts';
import type { InviteClientState } from './invite-client.ts';
import type { Lingerer } from './linger.ts';

/** Who hears 2xx that come after the first: repeated ones, and those of other forks. */
export interface LateResponses {
  onResponse(response: SipResponse): void;
}

/**
 * What is left of a client transaction behind its final response, for as long as a repetition may come (timers D, K, M).
 * A busy user agent holds ten thousands: they keep text to repeat, no messages, no bytes and no timers of their own.
 */
export class LingeringClient implements Lingerer {
  dueMs = 0;
  next: Lingerer | undefined;
  readonly key: string;
  /** Until the call is over the sender of the INVITE, then whatever it leaves behind. */
  late: LateResponses | undefined;
  /** The ACK of a refusal. */
  ack: string | undefined;
  readonly #state: InviteClientState | undefined;
  readonly #to: Peer;
  readonly #transport: SipTransport;
  readonly #ended: (lingering: LingeringClient) => void;

  /** `state` of the INVITE's machine; undefined for other methods, which have nothing to repeat. */
  constructor(options: {
    readonly key: string;
    readonly state: InviteClientState | undefined;
    readonly to: Peer;
    readonly transport: SipTransport;
    readonly ended: (lingering: LingeringClient) => void;
  }) {
    this.key = options.key;
    this.#state = options.state;
    this.#to = options.to;
    this.#transport = options.transport;
    this.#ended = options.ended;
  }

  onResponse(response: SipResponse): void {
    if (this.#state === undefined) return;
    const event = { type: 'response', status: response.status } as const;
    for (const effect of nextInviteClient(this.#state, event, this.#transport.reliable).effects) {
      if (effect.type === 'pass') this.late?.onResponse(response);
      else if (effect.type === 'send-ack' && this.ack !== undefined)
        this.#transport.send(Buffer.from(this.ack), this.#to);
    }
  }

  end(): void {
    this.#ended(this);
  }
}
