import type { Timer } from '#platform/clock.ts';
import type { LocalMedia, NegotiatedMedia } from '../../sdp/media.ts';
import type { HeaderField, Headers } from '../messages/headers.ts';
import type { SipResponse } from '../messages/message.ts';
import { ALLOW } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { sdpOf } from './call.ts';
import type { Acknowledgement, SessionRequest, SessionRequestHandlers } from './session.ts';
import type { Negotiated, SessionMedia } from './session-media.ts';
import { agreedByAnswer, askInterval, readMinSe, SESSION_SECONDS } from './session-timer.ts';
import type { SessionTimer } from './session-timer.ts';

/** A re-INVITE that meets 491 is tried this often. */
const MAX_GLARES = 5;

/** What changes need of their session. */
export interface ChangeHost {
  readonly media: SessionMedia;
  readonly timer: SessionTimer;
  /** Whether the Call-ID is ours: who waits how long after glare. */
  readonly owner: boolean;
  readonly contact: HeaderField;
  /** Whether an answer of ours to an INVITE of the peer still waits for its ACK. */
  readonly unacknowledged: () => boolean;
  /** What the peer said when the call was answered. */
  readonly peerHeaders: () => Headers;
  request(method: string, parts: SessionRequest, handlers: SessionRequestHandlers): void;
  acknowledge(sequence: number, authorization: readonly HeaderField[]): Acknowledgement;
  /** A 2xx may move the peer. */
  refreshTarget(response: SipResponse): void;
  onMediaChanged(media: NegotiatedMedia): void;
  /** The peer has lost the dialog or does not answer any more. */
  onLost(detail: string): void;
}

/**
 * What we change in a session that is there (RFC 3261 §14.1): one re-INVITE at a time, tried again after glare, and the
 * refreshes of the session timer (RFC 4028 §10).
 */
export class SessionChanges {
  readonly #context: AgentContext;
  readonly #host: ChangeHost;
  #glare: Timer | undefined;
  #changing: ((result: Negotiated) => void) | undefined;
  #deferred: (() => void) | undefined;
  #minSeSeconds = 0;
  #over = false;

  constructor(context: AgentContext, host: ChangeHost) {
    this.#context = context;
    this.#host = host;
  }

  /** Offers the change; resolves when it is agreed, refused or the call is over. */
  change(change: Partial<LocalMedia>): Promise<Negotiated> {
    return new Promise((resolve) => {
      const refuse = (detail: string): void => resolve({ ok: false, status: undefined, detail });
      if (this.#over) return refuse('call ended');
      if (this.#changing !== undefined || this.#host.media.pending === 'ours')
        return refuse('another change is under way');
      this.#changing = resolve;
      this.#offer(change, MAX_GLARES);
    });
  }

  /** The ACK of the peer's INVITE came: what waited for it goes out. */
  acknowledged(): void {
    const offer = this.#deferred;
    this.#deferred = undefined;
    if (!this.#over) offer?.();
  }

  close(): void {
    this.#over = true;
    this.#deferred = undefined;
    this.#glare?.cancel();
    this.#finishChange({ ok: false, status: undefined, detail: 'call ended' });
  }

  #offer(change: Partial<LocalMedia>, glaresLeft: number): void {
    // RFC 3261 §14.1: no INVITE while one of the peer is under way; its ACK could be taken for a part of ours.
    if (this.#host.unacknowledged()) {
      this.#deferred = () => this.#offer(change, glaresLeft);
      return;
    }
    if (this.#host.media.pending !== undefined) return this.#waitGlare(change, glaresLeft);
    const sdp = this.#host.media.offer(change);
    if (sdp === undefined) return this.#finishChange({ ok: false, status: undefined, detail: 'no audio to change' });
    this.#reinvite(sdp, (status, answer) => {
      if (status === 491 && glaresLeft > 1) {
        this.#host.media.withdraw();
        this.#waitGlare(change, glaresLeft - 1);
        return;
      }
      const result =
        answer === undefined
          ? { ok: false as const, status, detail: status === undefined ? 'no response' : 'refused' }
          : this.#host.media.accept(answer);
      if (!result.ok) this.#host.media.withdraw();
      else this.#host.onMediaChanged(result.media);
      this.#finishChange(result);
    });
  }

  /** RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms. */
  #waitGlare(change: Partial<LocalMedia>, glaresLeft: number): void {
    if (glaresLeft === 0) return this.#finishChange({ ok: false, status: 491, detail: 'glare' });
    this.#glare = this.#context.clock.setTimer(this.#glareMs(), () => this.#offer(change, glaresLeft));
  }

  #glareMs(): number {
    const random = this.#context.random();
    return Math.round((this.#host.owner ? 2_100 + random * 1_900 : random * 2_000) / 10) * 10;
  }

  /** `done` hears the final status, undefined where none came, and the answer of a 2xx. */
  #reinvite(sdp: string, done: (status: number | undefined, answer: string | undefined) => void): void {
    let ack: Acknowledgement | undefined;
    const headers: HeaderField[] = [
      this.#host.contact,
      ['Allow', ALLOW],
      ['Supported', this.#context.supported],
      ...this.#askAgain(),
      ['Content-Type', 'application/sdp'],
    ];
    this.#host.request(
      'INVITE',
      { headers, body: sdp },
      {
        onResponse: (response, request, authorization) => {
          const { status } = response;
          if (status < 200) return;
          if (ack !== undefined) return ack.again();
          if (status >= 300) {
            if (this.#raiseInterval(response) && !this.#over) return this.#reinvite(sdp, done);
            if (this.#fatal(status)) return;
            return done(status, undefined);
          }
          this.#host.refreshTarget(response);
          ack = this.#host.acknowledge(request.cseq.sequence, authorization);
          if (this.#over) return;
          this.#host.timer.restart(agreedByAnswer(response.headers));
          done(status, sdpOf(response));
        },
        onFailed: (detail) => this.#host.onLost(detail),
      },
    );
  }

  /** Our turn to keep the session alive (RFC 4028 §10): UPDATE where the peer knows it, else a re-INVITE without change. */
  refresh(): void {
    // A change under way refreshes as well.
    if (this.#over || this.#changing !== undefined || this.#host.media.pending !== undefined) return;
    if (/(?:^|[\s,])UPDATE(?:[\s,]|$)/i.test(this.#host.peerHeaders().all('Allow').join(','))) return this.#update();
    const sdp = this.#host.media.text;
    // An INVITE of the peer that waits for its ACK has just refreshed the session.
    if (sdp === undefined || this.#host.unacknowledged()) return;
    this.#host.media.pending = 'ours';
    this.#reinvite(sdp, (status) => {
      this.#host.media.withdraw();
      if (status === 491) this.#glare = this.#context.clock.setTimer(this.#glareMs(), () => this.refresh());
    });
  }

  #update(): void {
    this.#host.request(
      'UPDATE',
      { headers: [this.#host.contact, ['Supported', this.#context.supported], ...this.#askAgain()] },
      {
        onResponse: (response) => {
          const { status } = response;
          if (status < 200 || this.#over) return;
          if (status < 300) {
            this.#host.refreshTarget(response);
            this.#host.timer.restart(agreedByAnswer(response.headers));
          } else if (this.#raiseInterval(response)) this.#update();
          else if (status === 491) this.#glare = this.#context.clock.setTimer(this.#glareMs(), () => this.refresh());
          else this.#fatal(status);
        },
        onFailed: (detail) => this.#host.onLost(detail),
      },
    );
  }

  #askAgain(): readonly HeaderField[] {
    const { interval } = this.#host.timer;
    if (interval === undefined) return [];
    const seconds = Math.max(interval.seconds, this.#minSeSeconds);
    return askInterval(seconds, this.#minSeSeconds, interval.ours ? 'uac' : 'uas');
  }

  /** 422: whether a longer interval may help (RFC 4028 §7.3). */
  #raiseInterval(response: SipResponse): boolean {
    if (response.status !== 422) return false;
    const least = readMinSe(response.headers);
    if (least <= this.#minSeSeconds || least > SESSION_SECONDS * 48) return false;
    this.#minSeSeconds = least;
    return true;
  }

  /** 481 and 408 mean that the peer has lost the dialog (RFC 3261 §12.2.1.2). */
  #fatal(status: number): boolean {
    if (status !== 481 && status !== 408) return false;
    this.#host.onLost(`answered with ${status}`);
    return true;
  }

  #finishChange(result: Negotiated): void {
    const done = this.#changing;
    this.#changing = undefined;
    done?.(result);
  }
}
