import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import type { LocalText } from '#domain/text.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { AttemptRef, DialCampaign, DialStore, OrphanScope } from './dial-store.ts';
import { Lines } from './lines.ts';
import type { TrunkLimits } from './lines.ts';
import { Pace } from './pace.ts';

/** What a dialer is made of. */
export interface DialerOptions {
  readonly store: DialStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly trunks: readonly TrunkLimits[];
  /** Makes the call and commits its record; ends soon after `signal` aborts. */
  readonly placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
  /** The committed outcomes of attempts whose process is gone. */
  readonly findOutcomes: (ids: readonly AttemptId[]) => Promise<ReadonlyMap<AttemptId, CallOutcome>>;
}

/** What a running campaign is doing on this node. */
export interface DialStatus {
  readonly campaignId: CampaignId;
  /** Whether this node leads it. */
  readonly leader: boolean;
  /** What keeps the whole campaign from being dialled; `undefined` while it is. */
  readonly hold: LocalText | undefined;
}

/** While there is work, leads are looked for at most this often. */
const TICK_MS = 250;

/** Slots are taken this far ahead: more than a tick, so that a late timer costs no slot. */
const HORIZON_MS = 400;

const HEARTBEAT_MS = 5000;
const LEASE_MS = 15_000;

/** A node not seen for this long is gone; long enough for a paused process or a slow database. */
const NODE_GONE_MS = 30_000;
const RECOVERY_MS = 15_000;

const SETTLE_TRIES = 6;
const SETTLE_RETRY_MS = 250;

/** How long `close` waits for aborted calls to end. */
const CLOSE_MS = 10_000;

interface LiveDial {
  readonly attempt: Attempt;
  readonly abort: AbortController;
  start: Timer | undefined;
  readonly done: Promise<void>;
}

/**
 * Dials the leads of every campaign this node leads, within lines and rate. It sleeps until the next lead or slot
 * falls due, a call ends, or a campaign changes. Calls it has begun run on through pauses; `drain` waits for them,
 * `close` ends them.
 */
export class Dialer {
  readonly #o: DialerOptions;
  readonly #lines: ReadonlyMap<string, Lines>;
  readonly #paces = new Map<CampaignId, { readonly pace: Pace; readonly callsPerSecond: number }>();
  readonly #live = new Map<AttemptId, LiveDial>();
  readonly #status = new Map<CampaignId, DialStatus>();
  /** Campaigns whose attempts may still be started. */
  #dialling: ReadonlySet<CampaignId> = new Set();
  #phase: 'new' | 'running' | 'draining' | 'closed' = 'new';
  #unsubscribe: (() => void) | undefined;
  #timer: Timer | undefined;
  #wakeAtMs = Infinity;
  #ticking: Promise<void> | undefined;
  #lastTickMs = -Infinity;
  #beatDueMs = 0;
  #recoverDueMs = 0;

  constructor(options: DialerOptions) {
    this.#o = options;
    this.#lines = new Map(options.trunks.map((trunk) => [trunk.name, new Lines(trunk)]));
  }

  /**
   * Settles what an earlier process left open, then dials. `exclusive`: nothing else works on this database, so every
   * open attempt is an orphan.
   */
  async start(options: { readonly exclusive: boolean }): Promise<{ readonly recovered: number }> {
    await this.#o.store.beat(this.#o.clock.now());
    const recovered = await this.recoverOrphans(options.exclusive ? { all: true } : { olderThanMs: NODE_GONE_MS });
    this.#phase = 'running';
    this.#beatDueMs = this.#o.clock.monotonicMs() + HEARTBEAT_MS;
    this.#recoverDueMs = this.#o.clock.monotonicMs() + RECOVERY_MS;
    this.#unsubscribe = this.#o.bus.subscribe('campaign-changed', () => this.#wakeNow());
    this.#wakeNow();
    return { recovered };
  }

  /** Calls in progress or about to be placed. */
  get liveCalls(): number {
    return this.#live.size;
  }

  /** The campaigns of the latest look, with what holds them. */
  status(): readonly DialStatus[] {
    return [...this.#status.values()];
  }

  /** Ends open attempts that nobody works on: by their committed call, else as `lost`. Returns how many. */
  async recoverOrphans(scope: OrphanScope): Promise<number> {
    const { store, clock, log } = this.#o;
    const orphans = await store.orphans(scope, [...this.#live.keys()], clock.now());
    if (orphans.length === 0) return 0;
    const outcomes = await this.#o.findOutcomes(orphans.map((orphan) => orphan.id));
    let settled = 0;
    for (const orphan of orphans) {
      const outcome = outcomes.get(orphan.id) ?? lostOutcome(orphan.id, 'process-gone', clock.now());
      if (!(await store.settle(orphan, outcome, clock.now()))) continue;
      settled += 1;
      this.#publishLead(orphan);
    }
    log.info(
      { orphans: orphans.length, settled, recorded: outcomes.size },
      'attempts of an ended process were settled',
    );
    return settled;
  }

  /** Dials nothing more and waits until the calls in progress are over. */
  async drain(): Promise<void> {
    if (this.#phase !== 'closed') this.#phase = 'draining';
    this.#stopTimer();
    await this.#ticking;
    for (const live of this.#live.values()) this.#startNow(live);
    await Promise.all([...this.#live.values()].map((live) => live.done));
  }

  /** Ends the calls in progress, waits for them a bounded time, and gives up the leases. Idempotent. */
  async close(reason = 'shutdown'): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#unsubscribe?.();
    this.#stopTimer();
    await this.#ticking;
    for (const live of this.#live.values()) {
      live.abort.abort(reason);
      this.#startNow(live);
    }
    let giveUp: Timer | undefined;
    const bound = new Promise<void>((resolve) => {
      giveUp = this.#o.clock.setTimer(CLOSE_MS, resolve);
    });
    await Promise.race([Promise.all([...this.#live.values()].map((live) => live.done)), bound]);
    giveUp?.cancel();
    if (this.#live.size > 0) this.#o.log.warn({ calls: this.#live.size }, 'calls did not end in time');
    await this.#o.store.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #wakeNow(): void {
    this.#wakeAt(-Infinity);
  }

  #wakeSoon(): void {
    this.#wakeAt(this.#lastTickMs + TICK_MS);
  }

  /** Looks again at that moment, or as soon as the look in progress is over. */
  #wakeAt(atMs: number): void {
    if (this.#phase !== 'running' || atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    if (this.#ticking === undefined) this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    const delayMs = Math.max(0, this.#wakeAtMs - this.#o.clock.monotonicMs());
    this.#timer = this.#o.clock.setTimer(delayMs, () => {
      this.#wakeAtMs = Infinity;
      this.#ticking = this.#tick()
        .catch((error: unknown) => {
          this.#o.log.error({ err: error }, 'the dialer could not look for leads');
          this.#wakeAt(this.#o.clock.monotonicMs() + 1000);
        })
        .finally(() => {
          this.#ticking = undefined;
          if (this.#phase === 'running') this.#arm();
        });
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#wakeAtMs = Infinity;
  }

  async #tick(): Promise<void> {
    const { clock, store } = this.#o;
    const nowMs = clock.monotonicMs();
    this.#lastTickMs = nowMs;
    if (nowMs >= this.#beatDueMs) {
      await store.beat(clock.now());
      this.#beatDueMs = nowMs + HEARTBEAT_MS;
    }
    if (nowMs >= this.#recoverDueMs) {
      await this.recoverOrphans({ olderThanMs: NODE_GONE_MS });
      this.#recoverDueMs = nowMs + RECOVERY_MS;
    }
    this.#wakeAt(Math.min(this.#beatDueMs, this.#recoverDueMs));

    const ownIds = [...new Set([...this.#live.values()].flatMap(({ attempt }) => attempt.campaignId ?? []))];
    const campaigns = await store.campaigns(ownIds);
    const running = campaigns.filter((campaign) => campaign.state === 'running');
    for (const campaign of campaigns) if (campaign.state === 'cancelled') this.#abort(campaign.id);
    this.#dialling = new Set(running.map((campaign) => campaign.id));
    const now = clock.now();
    const led =
      running.length === 0
        ? new Set<CampaignId>()
        : await store.lease([...this.#dialling], now, new Date(now.getTime() + LEASE_MS));
    this.#status.clear();
    for (const campaign of running) {
      const leader = led.has(campaign.id);
      const hold = leader && this.#phase === 'running' ? await this.#dial(campaign) : undefined;
      this.#status.set(campaign.id, { campaignId: campaign.id, leader, hold });
    }
  }

  /** One round for one campaign; returns what holds it and sees to the next wake. */
  async #dial(campaign: DialCampaign): Promise<LocalText | undefined> {
    const { clock, store, bus } = this.#o;
    const lines = this.#lines.get(campaign.settings.trunk);
    if (lines === undefined) return HOLDS.noTrunk(campaign.settings.trunk);
    const nowMs = clock.monotonicMs();
    const restsUntilMs = lines.restsUntilMs(nowMs);
    if (restsUntilMs !== undefined) {
      this.#wakeAt(restsUntilMs);
      return HOLDS.trunkRests(campaign.settings.trunk, restsUntilMs - nowMs);
    }
    const pace = this.#paceOf(campaign);
    const untilMs = nowMs + HORIZON_MS;
    const limit = Math.min(pace.countUntil(nowMs, untilMs), lines.pace.countUntil(nowMs, untilMs));
    if (limit === 0) {
      this.#wakeAt(Math.max(pace.nextMs(nowMs), lines.pace.nextMs(nowMs)) - HORIZON_MS / 2);
      return undefined;
    }
    const taken = await store.take(campaign, { limit, channels: lines.channels, now: clock.now() });
    for (const attempt of taken.attempts) {
      const atMs = Math.max(pace.nextMs(nowMs), lines.pace.nextMs(nowMs));
      pace.take(atMs);
      lines.pace.take(atMs);
      this.#launch(attempt, atMs);
    }
    for (const leadId of taken.denied) bus.publish('lead-changed', { campaignId: campaign.id, leadId });
    if (taken.more) {
      this.#wakeSoon();
      return undefined;
    }
    const dueAt = await store.nextDueAt(campaign.id);
    if (dueAt !== undefined) {
      // Due already but not taken: all lines are busy, and the end of a call wakes; the tick covers other nodes' calls.
      const waitMs = dueAt.getTime() - clock.now().getTime();
      this.#wakeAt(clock.monotonicMs() + Math.max(TICK_MS, waitMs));
    } else if (await store.finish(campaign.id, clock.now())) {
      bus.publish('campaign-changed', { campaignId: campaign.id });
    }
    return undefined;
  }

  #paceOf(campaign: DialCampaign): Pace {
    const callsPerSecond = campaign.settings.maxCallsPerSecond;
    const known = this.#paces.get(campaign.id);
    if (known?.callsPerSecond === callsPerSecond) return known.pace;
    const pace = new Pace(callsPerSecond);
    this.#paces.set(campaign.id, { pace, callsPerSecond });
    return pace;
  }

  #launch(attempt: Attempt, atMs: number): void {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const abort = new AbortController();
    const start = this.#o.clock.setTimer(Math.max(0, atMs - this.#o.clock.monotonicMs()), begin);
    const done = begun.then(() => this.#call(attempt, abort.signal));
    this.#live.set(attempt.id, { attempt, abort, start: { cancel: () => (start.cancel(), begin()) }, done });
    this.#publishLead(attempt);
  }

  /** Does not wait for the slot: the attempt is either withdrawn or belongs to a call that is on its way. */
  #startNow(live: LiveDial): void {
    live.start?.cancel();
    live.start = undefined;
  }

  #abort(id: CampaignId): void {
    for (const live of this.#live.values()) {
      if (live.attempt.campaignId === id) live.abort.abort('campaign cancelled');
    }
  }

  async #call(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#o;
    try {
      if (signal.aborted || this.#phase !== 'running' || !this.#mayDial(attempt)) {
        await this.#persist(attempt, () => store.withdraw(attempt, clock.now()));
        return;
      }
      const outcome = await this.#outcomeOf(attempt, signal);
      const lines = this.#lines.get(attempt.trunk);
      if (lines?.note(outcome.code, clock.monotonicMs()) === true) {
        log.warn({ trunk: attempt.trunk }, 'more than half of the recent calls failed; the trunk rests');
      }
      await this.#persist(attempt, () => store.settle(attempt, outcome, clock.now()));
    } finally {
      this.#live.delete(attempt.id);
      this.#publishLead(attempt);
      this.#wakeSoon();
    }
  }

  #mayDial(attempt: Attempt): boolean {
    return attempt.campaignId === undefined || this.#dialling.has(attempt.campaignId);
  }

  async #outcomeOf(attempt: Attempt, signal: AbortSignal): Promise<CallOutcome> {
    try {
      return await this.#o.placeCall(attempt, signal);
    } catch (error) {
      this.#o.log.error({ err: error, attemptId: attempt.id }, 'a call failed without an outcome');
      return lostOutcome(attempt.id, 'call-failed', this.#o.clock.now());
    }
  }

  /** Tries a write again while the database is away; what stays open then is settled as an orphan later. */
  async #persist(attempt: Attempt, write: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await write();
        return;
      } catch (error) {
        this.#o.log.error({ err: error, attemptId: attempt.id, tries }, 'an attempt could not be settled');
        if (tries >= SETTLE_TRIES) return;
        await new Promise<void>((resolve) => {
          this.#o.clock.setTimer(SETTLE_RETRY_MS * 2 ** (tries - 1), resolve);
        });
      }
    }
  }

  #publishLead(attempt: AttemptRef): void {
    if (attempt.campaignId === undefined || attempt.leadId === undefined) return;
    this.#o.bus.publish('lead-changed', { campaignId: attempt.campaignId, leadId: attempt.leadId });
  }
}

const HOLDS = {
  noTrunk: (trunk: string): LocalText => ({
    zh: `配置中没有中继“${trunk}”，任务无法拨打。`,
    en: `The configuration has no trunk "${trunk}", so the campaign cannot be dialled.`,
  }),
  trunkRests: (trunk: string, forMs: number): LocalText => ({
    zh: `中继“${trunk}”最近的呼叫大半失败，暂停 ${Math.ceil(forMs / 1000)} 秒后再试。`,
    en: `Most recent calls on trunk "${trunk}" failed; dialling resumes in ${Math.ceil(forMs / 1000)} s.`,
  }),
};

/** The outcome of an attempt that ended without one. */
function lostOutcome(attemptId: AttemptId, detail: string, now: Date): CallOutcome {
  return {
    attemptId,
    code: 'lost',
    evidence: [{ kind: 'platform', detail, suggests: 'lost', confidence: 1 }],
    confidence: 1,
    grade: 'F',
    gradeReason: 'not reached: lost',
    tags: [],
    slots: {},
    optedOut: false,
    callBackAt: undefined,
    endedAt: now,
  };
}
