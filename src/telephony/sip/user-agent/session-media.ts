import { localMediaOf } from '../../sdp/local-media.ts';
import type { LocalMedia, NegotiatedMedia } from '../../sdp/media.ts';
import { acceptAnswer, createAnswer, createReoffer, nextVersion } from '../../sdp/offer-answer.ts';
import { parseSdp } from '../../sdp/parse.ts';
import type { SessionDescription } from '../../sdp/parse.ts';
import { writeSdp } from '../../sdp/write.ts';

/** What became of an offer, ours or the peer's. `status` is what a refused offer is answered with. */
export type Negotiated =
  | { readonly ok: true; readonly media: NegotiatedMedia }
  | { readonly ok: false; readonly status: number | undefined; readonly detail: string };

/**
 * The offer/answer state of one dialog (RFC 3264 §8, RFC 6337): what we described last, what we are ready for, and whose
 * offer waits for its answer. Descriptions are read only when something changes: most calls never do.
 */
export class SessionMedia {
  /** Whose offer has no answer yet. */
  pending: 'ours' | 'theirs' | undefined;
  #first: string | undefined;
  #current: SessionDescription | undefined;
  #ready: LocalMedia | undefined;
  /** An offer of ours that is not answered yet. */
  #offered: { readonly description: SessionDescription; readonly ready: LocalMedia | undefined } | undefined;
  /** Versions of refused offers are not used again. */
  #version: string | undefined;

  /** `sdp` undefined where the dialog starts without a description of ours. */
  constructor(sdp: string | undefined, pending?: 'ours' | 'theirs') {
    this.#first = sdp;
    this.pending = pending;
  }

  /** Whether we have described our side. */
  get described(): boolean {
    return this.#first !== undefined;
  }

  /** Our first description, as an answer or, `pending`, as an offer; `ready` where we could do more than it says. */
  describe(sdp: string, pending?: 'ours', ready?: LocalMedia): void {
    this.#first = sdp;
    this.#current = undefined;
    this.#ready = ready;
    this.pending = pending;
  }

  /** What we last sent, to repeat it without a change. */
  get text(): string | undefined {
    return this.#current === undefined ? this.#first : writeSdp(this.#current);
  }

  /** Answers an offer with what we are ready for: same address and ports, the next version where anything changed. */
  answer(offer: string): { readonly sdp: string; readonly result: Negotiated } {
    const refuse = (status: number, detail: string) => ({ sdp: '', result: { ok: false, status, detail } as const });
    const { current, ready } = this.#load();
    if (current === undefined || ready === undefined) return refuse(488, 'no audio session to change');
    let remote;
    try {
      remote = parseSdp(offer);
    } catch {
      return refuse(400, 'SDP is malformed');
    }
    const made = createAnswer(remote, ready);
    if (!made.ok) return refuse(488, made.reason);
    this.#current = this.#successor(current, made.answer);
    return { sdp: writeSdp(this.#current), result: { ok: true, media: made.media } };
  }

  /** A changed offer of ours; undefined where there is no audio session. The answer goes to `accept`. */
  offer(change: Partial<LocalMedia>): string | undefined {
    const { current, ready } = this.#load();
    if (current === undefined || ready === undefined) return undefined;
    const wanted = { ...ready, ...change };
    const base = {
      ...current,
      origin: { ...current.origin, sessionVersion: this.#version ?? current.origin.sessionVersion },
    };
    const description = createReoffer(base, wanted);
    this.#version = description.origin.sessionVersion;
    this.#offered = { description, ready: wanted };
    this.pending = 'ours';
    return writeSdp(description);
  }

  /** Our description as an offer (a re-INVITE without SDP): all that we are ready for, not only what was agreed. */
  fullOffer(): string | undefined {
    return this.offer({});
  }

  /** Reads the answer to our offer; a bad one leaves the session as it was. */
  accept(answer: string): Negotiated {
    const offered = this.#offered ?? { description: this.#load().current, ready: this.#ready };
    this.withdraw();
    if (offered.description === undefined) return { ok: false, status: undefined, detail: 'no offer to answer' };
    try {
      const result = acceptAnswer(offered.description, parseSdp(answer));
      if (!result.ok) return { ok: false, status: undefined, detail: result.reason };
      this.#current = offered.description;
      this.#ready = offered.ready;
      return { ok: true, media: result.media };
    } catch {
      return { ok: false, status: undefined, detail: 'SDP is malformed' };
    }
  }

  /** Our offer was refused: the session stays as it was (RFC 3261 §14.1). */
  withdraw(): void {
    this.#offered = undefined;
    this.pending = undefined;
  }

  #successor(current: SessionDescription, next: SessionDescription): SessionDescription {
    const same = { ...next, origin: current.origin };
    if (writeSdp(same) === writeSdp(current)) return same;
    this.#version = nextVersion(this.#version ?? current.origin.sessionVersion);
    return { ...next, origin: { ...current.origin, sessionVersion: this.#version } };
  }

  #load(): { readonly current: SessionDescription | undefined; readonly ready: LocalMedia | undefined } {
    if (this.#current === undefined && this.#first !== undefined) {
      try {
        this.#current = parseSdp(this.#first);
        this.#ready ??= localMediaOf(this.#current);
      } catch {
        // What the user of the stack wrote is not ours to mend; the session just cannot be changed.
        this.#current = undefined;
      }
    }
    return { current: this.#current, ready: this.#ready };
  }
}
