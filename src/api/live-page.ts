import type { LiveMessage } from '#domain/api.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import { viewCampaign } from '#campaigns/view.ts';
import { summariesOf } from '#outcomes/calls.ts';
import type { Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { trunkHeld } from './context.ts';
import type { ApiContext } from './context.ts';
import type { LiveCalls } from './live-calls.ts';

/** Changes are gathered this long, so that a page is at most this much behind and never flooded. */
const GATHER_MS = 250;
const PING_MS = 25_000;
/** A page that does not read falls behind by at most this much, then it is dropped and connects again. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** What a page needs of a WebSocket; the `ws` package has it. */
export interface PageSocket {
  readonly bufferedAmount: number;
  send(data: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'close' | 'pong', listener: () => void): unknown;
}

/** One browser page that follows a campaign. It lives as long as its socket. */
export class LivePage {
  readonly #context: ApiContext;
  readonly #calls: LiveCalls;
  readonly #socket: PageSocket;
  readonly #campaignId: CampaignId;
  readonly #isSignedIn: () => Promise<boolean>;
  readonly #expiresAt: Date | undefined;
  #subscriptions: readonly (() => void)[] = [];
  #ended: AttemptId[] = [];
  #gathering: Timer | undefined;
  #pinging: Timer | undefined;
  #expiring: Timer | undefined;
  #sending = false;
  #changedMeanwhile = false;
  #heard = true;
  #closed = false;

  constructor(o: {
    readonly context: ApiContext;
    readonly calls: LiveCalls;
    readonly socket: PageSocket;
    readonly campaignId: CampaignId;
    /** Undefined for the local operator, whose token does not run out. */
    readonly expiresAt: Date | undefined;
    readonly isSignedIn: () => Promise<boolean>;
  }) {
    this.#context = o.context;
    this.#calls = o.calls;
    this.#socket = o.socket;
    this.#campaignId = o.campaignId;
    this.#expiresAt = o.expiresAt;
    this.#isSignedIn = o.isSignedIn;
  }

  /** Subscribes and sends the snapshot. */
  start(): void {
    const { bus, clock } = this.#context;
    const mine = (event: { readonly campaignId: CampaignId | undefined }): void => {
      if (event.campaignId === this.#campaignId) this.#change();
    };
    this.#subscriptions = [
      bus.subscribe('call-state', mine),
      bus.subscribe('lead-changed', mine),
      bus.subscribe('campaign-changed', mine),
      bus.subscribe('call-recorded', (event) => {
        if (event.campaignId === this.#campaignId) this.#ended.push(event.attemptId);
        mine(event);
      }),
    ];
    this.#socket.on('close', () => this.#release());
    this.#socket.on('pong', () => (this.#heard = true));
    if (this.#expiresAt !== undefined) {
      const leftMs = this.#expiresAt.getTime() - clock.now().getTime();
      this.#expiring = clock.setTimer(leftMs, () => this.#signedOut(), { unref: true });
    }
    this.#pinging = clock.setTimer(PING_MS, () => this.#ping(), { unref: true });
    this.#update('snapshot');
  }

  #change(): void {
    if (this.#closed) return;
    if (this.#sending) {
      this.#changedMeanwhile = true;
      return;
    }
    this.#gathering ??= this.#context.clock.setTimer(GATHER_MS, () => {
      this.#gathering = undefined;
      this.#update('change');
    });
  }

  /** One at a time: a slow database makes fewer updates, never more of them at once. */
  #update(type: LiveMessage['type']): void {
    this.#sending = true;
    this.#send(type)
      .catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'not-found') {
          this.#socket.close(4404, 'no such campaign');
          return;
        }
        this.#context.log.warn({ err: error }, 'live page could not be updated');
        this.#socket.close(1011, 'try again');
      })
      .finally(() => {
        this.#sending = false;
        if (!this.#changedMeanwhile) return;
        this.#changedMeanwhile = false;
        this.#change();
      });
  }

  async #send(type: LiveMessage['type']): Promise<void> {
    const { db, clock } = this.#context;
    if (!(await this.#isSignedIn())) {
      this.#signedOut();
      return;
    }
    const ids = type === 'snapshot' ? [] : this.#ended.splice(0);
    const [campaign, ended] = await Promise.all([
      viewCampaign(db, this.#campaignId, clock.now(), trunkHeld(this.#context)),
      summariesOf(db, ids),
    ]);
    if (this.#closed) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      // A close frame would wait behind everything that is not read.
      this.#socket.terminate();
      return;
    }
    const calls = this.#calls.ofCampaign(this.#campaignId);
    const at = clock.now().toISOString();
    const message: LiveMessage =
      type === 'snapshot' ? { type, campaign, calls, at } : { type, campaign, calls, ended, at };
    this.#socket.send(JSON.stringify(message));
  }

  #ping(): void {
    if (!this.#heard) {
      this.#socket.terminate();
      return;
    }
    this.#heard = false;
    this.#socket.ping();
    this.#isSignedIn().then(
      (signedIn) => signedIn || this.#signedOut(),
      () => undefined,
    );
    this.#pinging = this.#context.clock.setTimer(PING_MS, () => this.#ping(), { unref: true });
  }

  #signedOut(): void {
    if (!this.#closed) this.#socket.close(4401, 'signed out');
  }

  #release(): void {
    this.#closed = true;
    for (const timer of [this.#gathering, this.#pinging, this.#expiring]) timer?.cancel();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }
}
