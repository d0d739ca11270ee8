import type { Attempt, CallOutcome, FailedTrunk } from '#domain/call.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { LocalText } from '#domain/text.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { AttemptRef, DialCampaign, DialStore, OrphanScope } from './dial-store.ts';
import { moveToNext } from './fail-over.ts';
import { inOrder, Lines } from './lines.ts';
import type { DialTrunk } from './lines.ts';
import { LiveCalls, lostOutcome } from './live-calls.ts';
import { Pace } from './pace.ts';
import { Waker } from './waker.ts';

/** What a dialer is made of. */
export interface DialerOptions {
  readonly store: DialStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly trunks: readonly DialTrunk[];
  /** From 0 to below 1, for the choice among trunks. */
  readonly random?: () => number;
  /** How many more calls this node takes now, 0 while it is busy; absent: any number. */
  readonly room?: () => number;
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

/** A trunk that takes no calls is looked at this often. */
const HOLD_LOOK_MS = 1000;

/** A busy node looks again after this: its load is measured as often. */
const BUSY_RETRY_MS = 1000;

/** A campaign that failed is tried again after this. */
const FAULT_RETRY_MS = 5000;

/** How long `close` waits for aborted calls to end. */
const CLOSE_MS = 10_000;

/**
 * Dials the leads of every campaign this node leads, within lines and rate. It sleeps until the next lead or slot
 * falls due, a call ends, or a campaign changes. Calls it has begun run on through pauses; `drain` waits for them,
 * `close` ends them.
 */
export class Dialer {
  readonly #o: DialerOptions;
  readonly #lines: ReadonlyMap<string, Lines>;
  readonly #paces = new Map<CampaignId, { readonly pace: Pace; readonly callsPerSecond: number }>();
  readonly #live: LiveCalls;
  readonly #waker: Waker;
  #status: readonly DialStatus[] = [];
  /** Campaigns whose leads say that the platform is busy. */
  readonly #busy = new Set<CampaignId>();
  /** Campaigns whose attempts may still be started. */
  #dialling: ReadonlySet<CampaignId> = new Set();
  #phase: 'new' | 'running' | 'draining' | 'closed' = 'new';
  #unsubscribe: (() => void) | undefined;
  #lastLookMs = -Infinity;
  #looks = 0;
  #beatDueMs = 0;
  #recoverDueMs = 0;

  constructor(options: DialerOptions) {
    this.#o = options;
    this.#lines = new Map(options.trunks.map((trunk) => [trunk.name, new Lines(trunk)]));
    this.#waker = new Waker(
      options.clock,
      () => this.#look(),
      (error) => options.log.error({ err: error }, 'the dialer could not look for leads'),
    );
    this.#live = new LiveCalls({
      ...options,
      mayDial: (attempt) => this.#mayDial(attempt),
      onOutcome: (attempt, outcome) => this.#note(attempt, outcome.code),
      onSettled: (attempt) => {
        this.#publishLead(attempt);
        this.#waker.at(this.#lastLookMs + TICK_MS);
      },
    });
  }

  /**
   * Settles what an earlier process left open, then dials. `exclusive`: nothing else works on this database, so every
   * open attempt is an orphan.
   */
  async start(options: { readonly exclusive: boolean }): Promise<{ readonly recovered: number }> {
    await this.#o.store.beat(this.#o.clock.now());
    if (options.exclusive) await this.#o.store.takeOver();
    const recovered = await this.recoverOrphans(options.exclusive ? { all: true } : { olderThanMs: NODE_GONE_MS });
    this.#phase = 'running';
    this.#beatDueMs = this.#o.clock.monotonicMs() + HEARTBEAT_MS;
    this.#recoverDueMs = this.#o.clock.monotonicMs() + RECOVERY_MS;
    this.#unsubscribe = this.#o.bus.subscribe('campaign-changed', () => this.#waker.at(-Infinity));
    this.#waker.at(-Infinity);
    return { recovered };
  }

  /** Calls in progress or about to be placed. */
  get liveCalls(): number {
    return this.#live.size;
  }

  /**
   * Takes the next slot of a trunk for a call that no campaign dials, and says how far away it is; undefined where that
   * is more than `withinMs`.
   */
  takeSlot(trunk: string, withinMs: number): number | undefined {
    const pace = this.#lines.get(trunk)?.pace;
    return pace === undefined ? 0 : pace.takeWithin(this.#o.clock.monotonicMs(), withinMs);
  }

  /** The trunks as this node uses them, for calls that no campaign dials. */
  get lines(): readonly Lines[] {
    return [...this.#lines.values()];
  }

  /**
   * Moves a dial whose trunk, the last of `tried`, did not take it to another one of the group, in the database too, and
   * waits for its slot there; undefined where none takes it or the dial is not to go on.
   */
  async failOver(attempt: Attempt, tried: readonly FailedTrunk[]): Promise<Attempt | undefined> {
    // A single call of a process that dials nothing else goes on, too.
    const single = attempt.campaignId === undefined && this.#phase === 'new';
    if (!single && !this.#mayDial(attempt)) return undefined;
    const random = this.#o.random ?? Math.random;
    const moved = await moveToNext({ ...this.#o, random }, [...this.#lines.values()], attempt, tried);
    const failed = tried.at(-1);
    if (moved === undefined || failed === undefined) return undefined;
    this.#note(attempt, failed.outcome);
    this.#live.moved(moved);
    this.#waker.at(this.#lastLookMs + TICK_MS);
    return moved;
  }

  /** The campaigns of the latest look, with what holds them. */
  status(): readonly DialStatus[] {
    return this.#status;
  }

  /** Ends open attempts that nobody works on: by their committed call, else as `lost`. Returns how many. */
  async recoverOrphans(scope: OrphanScope): Promise<number> {
    const { store, clock, log } = this.#o;
    const orphans = await store.orphans(scope, this.#live.ids(), clock.now());
    if (orphans.length === 0) return 0;
    const outcomes = await this.#o.findOutcomes(orphans.map((orphan) => orphan.id));
    let settled = 0;
    for (const orphan of orphans) {
      const outcome = outcomes.get(orphan.id) ?? lostOutcome(orphan.id, 'process-gone', clock.now());
      if (!(await store.settle(orphan, outcome, clock.now()))) continue;
      settled += 1;
      this.#publishLead(orphan);
    }
    log.info({ orphans: orphans.length, settled, recorded: outcomes.size }, 'attempts without a process were settled');
    return settled;
  }

  /** Dials nothing more and waits until the calls in progress are over; a cancel still ends them sooner. */
  async drain(): Promise<void> {
    if (this.#phase !== 'closed') this.#phase = 'draining';
    await this.#waker.idle();
    // Another node may dial the rest.
    await this.#o.store.leave();
    await this.#live.finish();
  }

  /** Ends the calls in progress, waits for them a bounded time, and gives up the leases. Idempotent. */
  async close(reason = 'shutdown'): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#unsubscribe?.();
    await this.#waker.stop();
    this.#live.abort(reason);
    let giveUp: Timer | undefined;
    const bound = new Promise<void>((resolve) => {
      giveUp = this.#o.clock.setTimer(CLOSE_MS, resolve);
    });
    await Promise.race([this.#live.finish(), bound]);
    giveUp?.cancel();
    if (this.#live.size > 0) this.#o.log.warn({ calls: this.#live.size }, 'calls did not end in time');
    await this.#o.store.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(): Promise<void> {
    const { clock, store } = this.#o;
    const nowMs = clock.monotonicMs();
    this.#lastLookMs = nowMs;
    if (nowMs >= this.#beatDueMs) {
      await store.beat(clock.now());
      this.#beatDueMs = nowMs + HEARTBEAT_MS;
    }
    if (nowMs >= this.#recoverDueMs) {
      await this.recoverOrphans({ olderThanMs: NODE_GONE_MS });
      this.#recoverDueMs = nowMs + RECOVERY_MS;
    }
    this.#waker.at(Math.min(this.#beatDueMs, this.#recoverDueMs));

    const campaigns = await store.campaigns(this.#live.campaignIds());
    for (const campaign of campaigns) {
      if (campaign.state === 'cancelled') this.#live.abort('campaign cancelled', campaign.id);
    }
    const running = campaigns.filter((campaign) => campaign.state === 'running');
    this.#dialling = new Set(running.map((campaign) => campaign.id));
    for (const id of this.#paces.keys()) if (!this.#dialling.has(id)) this.#paces.delete(id);
    if (this.#phase !== 'running') return;
    const led = await this.#lead(running);
    const status: DialStatus[] = [];
    // Another campaign comes first each time, so that none starves on a trunk they share.
    const first = running.length === 0 ? 0 : this.#looks++ % running.length;
    for (const campaign of [...running.slice(first), ...running.slice(0, first)]) {
      const leader = led.has(campaign.id);
      const hold = leader && this.#phase === 'running' ? await this.#dialSafely(campaign) : undefined;
      status.push({ campaignId: campaign.id, leader, hold });
    }
    this.#status = status;
  }

  async #lead(running: readonly DialCampaign[]): Promise<ReadonlySet<CampaignId>> {
    if (running.length === 0) return new Set();
    const now = this.#o.clock.now();
    const ids = running.map((campaign) => campaign.id);
    return await this.#o.store.lease(ids, now, new Date(now.getTime() + LEASE_MS));
  }

  /** A campaign that cannot be dialled must not stop the others. */
  async #dialSafely(campaign: DialCampaign): Promise<LocalText | undefined> {
    try {
      return await this.#dial(campaign);
    } catch (error) {
      this.#o.log.error({ err: error, campaignId: campaign.id }, 'a campaign could not be dialled');
      this.#waker.at(this.#o.clock.monotonicMs() + FAULT_RETRY_MS);
      return HOLDS.fault;
    }
  }

  /** One round for one campaign; returns what holds it and sees to the next look. */
  async #dial(campaign: DialCampaign): Promise<LocalText | undefined> {
    const { clock, store, bus } = this.#o;
    const room = this.#o.room?.() ?? Number.POSITIVE_INFINITY;
    await this.#sayBusy(campaign.id, room <= 0);
    if (room <= 0) {
      this.#waker.at(clock.monotonicMs() + BUSY_RETRY_MS);
      return HOLDS.busy;
    }
    const named = campaign.settings.trunk;
    const all = [...this.#lines.values()].filter(({ trunk }) => trunk.name === named || trunk.group === named);
    if (all.length === 0) return HOLDS.noTrunk(named);
    const nowMs = clock.monotonicMs();
    const usable = all.filter((lines) => lines.restsUntilMs(nowMs) === undefined && lines.trunk.hold() === undefined);
    if (usable.length === 0) return this.#held(all, nowMs);
    const free = new Map(
      usable.map((lines) => [lines, lines.trunk.freeChannels() - this.#live.count({ trunk: lines.trunk.name })]),
    );
    const trunksFree = [...free.values()].reduce((sum, one) => sum + Math.max(0, one), 0);
    const ownFree = Math.min(
      campaign.settings.maxConcurrentCalls - this.#live.count({ campaignId: campaign.id }),
      trunksFree,
      room,
    );
    // The end of a call wakes.
    if (ownFree <= 0) return undefined;
    const pace = this.#paceOf(campaign);
    const untilMs = nowMs + HORIZON_MS;
    const offered = inOrder(usable, this.#o.random ?? Math.random).map((lines) => ({
      trunk: lines.trunk.name,
      free: Math.max(0, Math.min(free.get(lines) ?? 0, lines.pace.countUntil(nowMs, untilMs))),
      channels: lines.trunk.freeChannels(),
      takes: lines.trunk.takes,
      group: all.length > 1 ? named : undefined,
      callerNumber: (phone: string, wanted: string) => lines.trunk.callerNumber(phone, wanted),
    }));
    const slots = Math.min(
      pace.countUntil(nowMs, untilMs),
      offered.reduce((sum, one) => sum + one.free, 0),
    );
    if (slots === 0) {
      const soonest = Math.min(...usable.map((lines) => lines.pace.nextMs(nowMs)));
      this.#waker.at(Math.max(pace.nextMs(nowMs), soonest) - HORIZON_MS / 2);
      return undefined;
    }
    const taken = await store.take(campaign, { limit: Math.min(slots, ownFree), lines: offered, now: clock.now() });
    for (const attempt of taken.attempts) {
      const lines = this.#lines.get(attempt.trunk);
      const atMs = Math.max(pace.nextMs(nowMs), lines?.pace.nextMs(nowMs) ?? nowMs);
      pace.take(atMs);
      lines?.pace.take(atMs);
      this.#live.launch(attempt, atMs);
      this.#publishLead(attempt);
    }
    for (const leadId of taken.denied) bus.publish('lead-changed', { campaignId: campaign.id, leadId });
    if (taken.more) {
      this.#waker.at(nowMs + TICK_MS);
      return undefined;
    }
    const dueAt = await store.nextDueAt(campaign.id);
    if (dueAt !== undefined) {
      // Due but not taken: the lines are busy with other nodes' calls, or the contact is in another call.
      const waitMs = dueAt.getTime() - clock.now().getTime();
      this.#waker.at(clock.monotonicMs() + Math.max(TICK_MS, waitMs));
    } else if (await store.finish(campaign.id, clock.now())) {
      bus.publish('campaign-changed', { campaignId: campaign.id });
    }
    return undefined;
  }

  /** Why none of the trunks takes calls, and when to look again. */
  #held(all: readonly Lines[], nowMs: number): LocalText {
    const rests = all.map((lines) => lines.restsUntilMs(nowMs) ?? nowMs + HOLD_LOOK_MS);
    this.#waker.at(Math.min(...rests));
    const [first] = all;
    const restsUntilMs = first?.restsUntilMs(nowMs);
    if (first !== undefined && restsUntilMs !== undefined)
      return HOLDS.trunkRests(first.trunk.name, restsUntilMs - nowMs);
    return first?.trunk.hold() ?? HOLDS.fault;
  }

  /** Lets the leads of a campaign say that the node is busy, and no longer when it is not. */
  async #sayBusy(id: CampaignId, busy: boolean): Promise<void> {
    if (busy === this.#busy.has(id)) return;
    await this.#o.store.hold(id, busy ? 'platform-busy' : undefined);
    if (busy) this.#busy.add(id);
    else this.#busy.delete(id);
    this.#o.bus.publish('campaign-changed', { campaignId: id });
  }

  #paceOf(campaign: DialCampaign): Pace {
    const callsPerSecond = campaign.settings.maxCallsPerSecond;
    const known = this.#paces.get(campaign.id);
    if (known?.callsPerSecond === callsPerSecond) return known.pace;
    const pace = new Pace(callsPerSecond);
    this.#paces.set(campaign.id, { pace, callsPerSecond });
    return pace;
  }

  #mayDial(attempt: Attempt): boolean {
    if (this.#phase !== 'running') return false;
    return attempt.campaignId === undefined || this.#dialling.has(attempt.campaignId);
  }

  #note(attempt: Attempt, outcome: OutcomeCode): void {
    const rests = this.#lines.get(attempt.trunk)?.note(outcome, this.#o.clock.monotonicMs());
    if (rests === true) {
      this.#o.log.warn({ trunk: attempt.trunk }, 'more than half of the recent calls failed; the trunk rests');
    }
  }

  #publishLead(attempt: AttemptRef): void {
    if (attempt.campaignId === undefined || attempt.leadId === undefined) return;
    this.#o.bus.publish('lead-changed', { campaignId: attempt.campaignId, leadId: attempt.leadId });
  }
}

const HOLDS = {
  busy: {
    zh: '平台繁忙，暂不拨打新电话，稍后自动继续。',
    en: 'The platform is busy and places no new calls; it goes on by itself.',
  },
  fault: {
    zh: '任务暂时无法拨打，详见日志，稍后自动重试。',
    en: 'The campaign cannot be dialled at the moment; the log says why. It is tried again shortly.',
  },
  noTrunk: (trunk: string): LocalText => ({
    zh: `配置中没有中继“${trunk}”，任务无法拨打。`,
    en: `The configuration has no trunk "${trunk}", so the campaign cannot be dialled.`,
  }),
  trunkRests: (trunk: string, forMs: number): LocalText => ({
    zh: `中继“${trunk}”最近的呼叫大半失败，暂停 ${Math.ceil(forMs / 1000)} 秒后再试。`,
    en: `Most recent calls on trunk "${trunk}" failed; dialling resumes in ${Math.ceil(forMs / 1000)} s.`,
  }),
};
