import type { Timer } from '#platform/clock.ts';
import { createAnswer } from '../../sdp/offer-answer.ts';
import { localMediaOf } from '../../sdp/local-media.ts';
import type { NegotiatedMedia } from '../../sdp/media.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { writeSdp } from '../../sdp/write.ts';
import { T1_MS, T2_MS, TIMEOUT_MS } from '../transactions/timers.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import type { SipResponse } from '../messages/message.ts';
import type { AgentContext } from './agent-context.ts';

/** What becomes of an offer inside a call. */
export type Renegotiation =
  | { readonly ok: true; readonly sdp: string; readonly media: NegotiatedMedia | undefined }
  | { readonly ok: false; readonly status: 400 | 488; readonly detail: string };

/**
 * Answers a new offer with the session that is there (RFC 3264 §8): same address, ports and preferences, a higher
 * version. `offer` undefined (a re-INVITE without SDP) repeats our description as an offer.
 */
export function renegotiate(localSdp: string, offer: string | undefined): Renegotiation {
  if (offer === undefined) return { ok: true, sdp: localSdp, media: undefined };
  let remote;
  try {
    remote = parseSdp(offer);
  } catch {
    return { ok: false, status: 400, detail: 'SDP is malformed' };
  }
  const current = parseSdp(localSdp);
  const local = localMediaOf(current);
  if (local === undefined) return { ok: false, status: 488, detail: 'no audio session to change' };
  const result = createAnswer(remote, local);
  if (!result.ok) return { ok: false, status: 488, detail: result.reason };
  const origin = { ...current.origin, sessionVersion: String(BigInt(current.origin.sessionVersion) + 1n) };
  return { ok: true, sdp: writeSdp({ ...result.answer, origin }), media: result.media };
}

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
