import type { Timer } from '#platform/clock.ts';
import type { SipResponse } from '../messages/message.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { T1_MS, T2_MS, TIMEOUT_MS } from '../transactions/timers.ts';
import type { AgentContext } from './agent-context.ts';

/** Repeats a 2xx until its ACK (RFC 3261 §13.3.1.4): T1 doubling to T2, given up after 64·T1. */
export class AnswerRetransmission {
  readonly #context: AgentContext;
  readonly #transaction: ServerTransaction;
  readonly #expired: () => void;
  #response: SipResponse | undefined;
  #repeat: Timer | undefined;
  #limit: Timer | undefined;

  constructor(context: AgentContext, transaction: ServerTransaction, response: SipResponse, expired: () => void) {
    this.#context = context;
    this.#transaction = transaction;
    this.#response = response;
    this.#expired = expired;
    transaction.respond(response);
    this.#schedule(T1_MS);
    this.#limit = context.clock.setTimer(TIMEOUT_MS, () => {
      this.stop();
      this.#expired();
    });
  }

  /** The sequence that the ACK must carry. */
  get sequence(): number {
    return this.#transaction.request.cseq.sequence;
  }

  get running(): boolean {
    return this.#response !== undefined;
  }

  /** The ACK came, or the call is over. */
  stop(): void {
    this.#repeat?.cancel();
    this.#limit?.cancel();
    this.#repeat = undefined;
    this.#limit = undefined;
    this.#response = undefined;
  }

  #schedule(delayMs: number): void {
    this.#repeat = this.#context.clock.setTimer(delayMs, () => {
      if (this.#response === undefined) return;
      this.#transaction.respond(this.#response);
      this.#schedule(Math.min(delayMs * 2, T2_MS));
    });
  }
}
