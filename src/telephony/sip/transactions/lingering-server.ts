import type { Peer, SipTransport } from '../transport/transport.ts';
import type { Lingerer } from './linger.ts';

/**
 * What is left of a server transaction behind its final response (timers I, J, L): it takes repetitions of the request,
 * and answers those of methods other than INVITE, whose 2xx are the user's business and whose refusals are acknowledged.
 */
export class LingeringServer implements Lingerer {
  dueMs = 0;
  next: Lingerer | undefined;
  readonly key: string;
  /** Called at the end. */
  readonly onEnded: (() => void) | undefined;
  /** Of the final response: a CANCEL that comes too late is answered with it (RFC 3261 §9.2). */
  readonly toTag: string | undefined;
  /** Whether an ACK that comes here acknowledges a 2xx. */
  readonly #accepted: boolean;
  readonly #response: string | undefined;
  readonly #to: Peer;
  readonly #transport: SipTransport;
  readonly #ended: (lingering: LingeringServer) => void;

  constructor(options: {
    readonly key: string;
    readonly onEnded: (() => void) | undefined;
    readonly accepted: boolean;
    readonly toTag: string | undefined;
    readonly response: string | undefined;
    readonly to: Peer;
    readonly transport: SipTransport;
    readonly ended: (lingering: LingeringServer) => void;
  }) {
    this.key = options.key;
    this.onEnded = options.onEnded;
    this.toTag = options.toTag;
    this.#accepted = options.accepted;
    this.#response = options.response;
    this.#to = options.to;
    this.#transport = options.transport;
    this.#ended = options.ended;
  }

  /** The request came again. */
  onRepeat(): void {
    if (this.#response !== undefined) this.#transport.send(Buffer.from(this.#response), this.#to);
  }

  /** An ACK came; true when it is the user's. */
  onAck(): boolean {
    return this.#accepted;
  }

  end(): void {
    this.#ended(this);
    this.onEnded?.();
  }
}
