import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { CampaignSettings } from '#domain/campaign.ts';
import type { AttemptId, CampaignId, LeadId } from '#domain/ids.ts';
import type { HoldReason } from '#domain/contact.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { LocalText } from '#domain/text.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { openBus } from '#platform/bus.ts';
import { AppError } from '#platform/error.ts';
import { ManualClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { EMPTY_SCRIPT } from '../../test/support/campaign.ts';
import type { DialCampaign, DialStore, OfferedLines } from './dial-store.ts';
import { Dialer } from './dialer.ts';
import { dialTrunk } from '../../test/support/dial-trunk.ts';

const SETTINGS: CampaignSettings = {
  windows: [],
  redial: [],
  maxAttempts: 3,
  dailyCap: 5,
  callBacks: 'redial',
  maxConcurrentCalls: 40,
  maxCallsPerSecond: 20,
  ringTimeoutMs: 30_000,
  trunk: 'main',
  callerNumber: '+862100000000',
};

/** The store's contract in memory, so that days of dialing run in a second. `test/` has the real one. */
class MemoryStore implements DialStore {
  readonly campaign: { -readonly [Key in keyof DialCampaign]: DialCampaign[Key] };
  readonly due: { id: LeadId; atMs: number }[];
  readonly open = new Map<AttemptId, Attempt>();
  readonly settled: { attempt: Attempt; code: OutcomeCode }[] = [];
  withdrawn = 0;
  takes = 0;
  looks = 0;
  retryMs: ((code: OutcomeCode, number: number) => number | undefined) | undefined;
  failSettles = 0;
  readonly holds: (HoldReason | undefined)[] = [];
  readonly #numbers = new Map<LeadId, number>();

  constructor(clock: ManualClock, leads: number, settings: Partial<CampaignSettings> = {}) {
    this.campaign = {
      id: newId<'campaign'>(clock.now()),
      state: 'running',
      scriptId: newId<'script'>(),
      scriptVersion: 1,
      settings: { ...SETTINGS, ...settings },
    };
    this.due = Array.from({ length: leads }, () => ({ id: newId<'lead'>(clock.now()), atMs: clock.now().getTime() }));
  }

  beat = () => Promise.resolve();
  leave = () => Promise.resolve();
  takeOver = () => Promise.resolve();
  campaigns = () => {
    this.looks += 1;
    return Promise.resolve([this.campaign]);
  };
  hold = (_: CampaignId, reason: HoldReason | undefined) => {
    this.holds.push(reason);
    return Promise.resolve();
  };
  lease = () => Promise.resolve(new Set([this.campaign.id]));
  take(campaign: DialCampaign, o: { limit: number; lines: readonly OfferedLines[]; now: Date }) {
    const [line] = o.lines;
    this.takes += 1;
    const limit = Math.min(
      o.limit,
      (line?.channels ?? 0) - this.open.size,
      campaign.settings.maxConcurrentCalls - this.open.size,
    );
    const ready = this.due.filter((lead) => lead.atMs <= o.now.getTime()).slice(0, Math.max(0, limit));
    const attempts = ready.map((lead): Attempt => {
      this.due.splice(this.due.indexOf(lead), 1);
      const number = (this.#numbers.get(lead.id) ?? 0) + 1;
      this.#numbers.set(lead.id, number);
      return {
        id: newId<'attempt'>(o.now),
        campaignId: campaign.id,
        leadId: lead.id,
        contactId: newId<'contact'>(),
        number,
        phone: '+8613800000000' as PhoneNumber,
        callerNumber: campaign.settings.callerNumber,
        timeZone: 'Asia/Shanghai',
        trunk: line?.trunk ?? '',
        ringTimeoutMs: campaign.settings.ringTimeoutMs,
        script: EMPTY_SCRIPT,
        variables: {},
        createdAt: o.now,
      };
    });
    for (const attempt of attempts) this.open.set(attempt.id, attempt);
    return Promise.resolve({ attempts, denied: [], more: limit > 0 && ready.length === limit });
  }
  nextDueAt = () => {
    const first = Math.min(...this.due.map((lead) => lead.atMs));
    return Promise.resolve(this.due.length === 0 ? undefined : new Date(first));
  };
  move = () => Promise.resolve(false);
  settle(ref: Pick<Attempt, 'id'>, outcome: CallOutcome, now: Date) {
    if (this.failSettles > 0) {
      this.failSettles -= 1;
      return Promise.reject(new Error('connection lost'));
    }
    const attempt = this.open.get(ref.id);
    if (attempt === undefined) return Promise.resolve(false);
    this.open.delete(ref.id);
    this.settled.push({ attempt, code: outcome.code });
    const retryMs = this.retryMs?.(outcome.code, attempt.number);
    if (retryMs !== undefined) this.due.push({ id: attempt.leadId!, atMs: now.getTime() + retryMs });
    return Promise.resolve(true);
  }
  withdraw(ref: Pick<Attempt, 'id'>, _now: Date, dueAt: Date) {
    const attempt = this.open.get(ref.id)!;
    this.open.delete(ref.id);
    this.withdrawn += 1;
    this.#numbers.set(attempt.leadId!, attempt.number - 1);
    this.due.push({ id: attempt.leadId!, atMs: dueAt.getTime() });
    return Promise.resolve();
  }
  finish = () => {
    const done = this.campaign.state === 'running' && this.due.length === 0 && this.open.size === 0;
    if (done) this.campaign.state = 'finished';
    return Promise.resolve(done);
  };
  orphans = (_: unknown, liveIds: readonly AttemptId[]) =>
    Promise.resolve([...this.open.values()].filter((attempt) => !liveIds.includes(attempt.id)));
}

function outcomeOf(attempt: Attempt, code: OutcomeCode, endedAt: Date): CallOutcome {
  return {
    attemptId: attempt.id,
    code,
    evidence: [],
    confidence: 1,
    grade: code === 'answered' ? 'B' : 'F',
    gradeReason: '',
    tags: [],
    slots: {},
    optedOut: false,
    callBackAt: undefined,
    endedAt,
  };
}

/** A dialer on a manual clock, whose calls last `callMs` and end as `code` says. */
function bench(
  leads: number,
  o: {
    settings?: Partial<CampaignSettings>;
    callMs?: (attempt: Attempt) => number;
    code?: (attempt: Attempt) => OutcomeCode;
    place?: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
    channels?: number;
    callsPerSecond?: number;
    room?: () => number;
    hold?: () => LocalText | undefined;
  } = {},
) {
  const clock = new ManualClock();
  const store = new MemoryStore(clock, leads, o.settings);
  const bus = openBus(silentLog);
  const placed: { attempt: Attempt; atMs: number }[] = [];
  let talking = 0;
  const peak = { talking: 0 };
  const dialer = new Dialer({
    store,
    clock,
    log: silentLog,
    bus,
    trunks: [
      dialTrunk({
        name: 'main',
        channels: o.channels ?? 100,
        callsPerSecond: o.callsPerSecond ?? 100,
        ...(o.hold === undefined ? {} : { hold: o.hold }),
      }),
    ],
    ...(o.room === undefined ? {} : { room: o.room }),
    findOutcomes: () => Promise.resolve(new Map()),
    placeCall: (attempt, signal) => {
      expect(store.open.has(attempt.id)).toBe(true);
      placed.push({ attempt, atMs: clock.monotonicMs() });
      if (o.place !== undefined) return o.place(attempt, signal);
      talking += 1;
      peak.talking = Math.max(peak.talking, talking);
      return new Promise((resolve) => {
        const end = (code: OutcomeCode) => {
          talking -= 1;
          timer.cancel();
          resolve(outcomeOf(attempt, code, clock.now()));
        };
        const timer = clock.setTimer(o.callMs?.(attempt) ?? 2000, () => end(o.code?.(attempt) ?? 'answered'));
        signal.addEventListener('abort', () => end('cancelled'));
      });
    },
  });
  const run = async (ms: number, stepMs = 50): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      for (let turn = 0; turn < 4; turn += 1) await setImmediate();
    }
  };
  const changed = () => bus.publish('campaign-changed', { campaignId: store.campaign.id });
  return { clock, store, bus, dialer, placed, peak, run, changed };
}

describe('the dialer', () => {
  it('dials 3,000 leads once each, within lines and rate, and finishes the campaign', async () => {
    const { store, dialer, placed, peak, run } = bench(3000, {
      callMs: (attempt) => 300 + (attempt.id.charCodeAt(35) % 7) * 300,
    });
    await dialer.start({ exclusive: true });
    await run(160_000);
    expect(store.campaign.state).toBe('finished');
    expect(placed.length).toBe(3000);
    expect(new Set(placed.map(({ attempt }) => attempt.leadId)).size).toBe(3000);
    expect(peak.talking).toBeLessThanOrEqual(40);
    for (let n = 20; n < placed.length; n += 1) {
      expect(placed[n]!.atMs - placed[n - 20]!.atMs).toBeGreaterThanOrEqual(950);
    }
    // 3,000 calls at 20 a second are 150 s; a scheduler that lost slots to its own ticks would need longer.
    expect(placed.at(-1)!.atMs).toBeLessThan(152_000);
    await dialer.close();
  });

  it('keeps within the lines of the trunk when they are fewer than the campaign wants', async () => {
    const { dialer, placed, peak, run } = bench(60, { channels: 7, callMs: () => 3000 });
    await dialer.start({ exclusive: true });
    await run(30_000);
    expect(peak.talking).toBe(7);
    expect(placed.length).toBe(60);
    await dialer.close();
  });

  it('dials nothing while the trunk takes no calls, says why, and goes on when it does', async () => {
    let hold: LocalText | undefined = { zh: '线路不可达', en: 'unreachable' };
    const { dialer, placed, run } = bench(3, { hold: () => hold });
    await dialer.start({ exclusive: true });
    await run(10_000);
    expect(placed).toEqual([]);
    expect(dialer.status()).toMatchObject([{ leader: true, hold: { en: 'unreachable' } }]);
    hold = undefined;
    await run(5000);
    expect(placed.length).toBe(3);
    await dialer.close();
  });

  it('sleeps until the next retry falls due instead of asking for it all the time', async () => {
    const { store, dialer, placed, run } = bench(1, {
      code: (attempt) => (attempt.number === 1 ? 'busy' : 'answered'),
    });
    store.retryMs = (code) => (code === 'busy' ? 600_000 : undefined);
    await dialer.start({ exclusive: true });
    await run(590_000, 1000);
    expect(placed.length).toBe(1);
    // One heartbeat in 5 s, and little else.
    expect(store.looks).toBeLessThan(590 / 5 + 10);
    await run(20_000, 1000);
    expect(placed.map(({ attempt }) => attempt.number)).toEqual([1, 2]);
    expect(placed[1]!.atMs - placed[0]!.atMs).toBeGreaterThanOrEqual(600_000);
    expect(store.campaign.state).toBe('finished');
    await dialer.close();
  });

  it('starts nothing more once paused, lets calls run on, and goes on after a resume', async () => {
    const { store, dialer, placed, run, changed } = bench(200, { callMs: () => 10_000 });
    await dialer.start({ exclusive: true });
    await run(1000);
    store.campaign.state = 'paused';
    changed();
    // The slot of this very moment may still be used: the dialer has to read the state first.
    await run(50);
    const atPause = placed.length;
    expect(atPause).toBeLessThanOrEqual(21);
    await run(30_000);
    expect(placed.length).toBe(atPause);
    expect(store.settled.length).toBe(atPause);
    expect(store.settled.every(({ code }) => code === 'answered')).toBe(true);
    expect(store.open.size).toBe(0);
    store.campaign.state = 'running';
    changed();
    await run(90_000);
    expect(store.campaign.state).toBe('finished');
    expect(store.settled.length).toBe(200);
    await dialer.close();
  });

  it('ends live calls when the campaign is cancelled', async () => {
    const { store, dialer, placed, run, changed } = bench(200, { callMs: () => 60_000 });
    await dialer.start({ exclusive: true });
    await run(1000);
    store.campaign.state = 'cancelled';
    changed();
    await run(500);
    expect(placed.length).toBeGreaterThan(10);
    expect(store.settled.map(({ code }) => code)).toEqual(placed.map(() => 'cancelled'));
    expect(dialer.liveCalls).toBe(0);
    await dialer.close();
  });

  it('settles a call that throws as lost, and goes on', async () => {
    const { store, dialer, run } = bench(3, {
      place: () => Promise.reject(new Error('no port left')),
    });
    store.retryMs = (code, number) => (code === 'lost' && number < 2 ? 10_000 : undefined);
    await dialer.start({ exclusive: true });
    await run(60_000);
    expect(store.settled.map(({ code }) => code)).toEqual(Array(6).fill('lost'));
    expect(store.campaign.state).toBe('finished');
    await dialer.close();
  });

  it('settles again when the database was away, and as an orphan when it was away for long', async () => {
    const { store, dialer, run } = bench(1);
    store.failSettles = 3;
    await dialer.start({ exclusive: true });
    await run(8000);
    expect(store.settled.map(({ code }) => code)).toEqual(['answered']);
    await dialer.close();

    const away = bench(1);
    away.store.failSettles = 6;
    await away.dialer.start({ exclusive: true });
    await away.run(40_000);
    expect(away.store.settled.map(({ code }) => code)).toEqual(['lost']);
    await away.dialer.close();
  });

  it('rests a bad trunk, says so, and tries again later', async () => {
    const { dialer, placed, run } = bench(100, { callMs: () => 100, code: () => 'congestion' });
    await dialer.start({ exclusive: true });
    await run(10_000);
    const beforeRest = placed.length;
    expect(beforeRest).toBeLessThan(30);
    expect(dialer.status()[0]?.hold).toMatchObject({ zh: expect.stringContaining('main') });
    await run(15_000);
    expect(placed.length).toBe(beforeRest);
    await run(15_000);
    expect(placed.length).toBeGreaterThan(beforeRest);
    await dialer.close();
  });

  it('takes no leads while the node is busy, lets them say so, and goes on when it is not', async () => {
    let room = 3;
    const { store, dialer, placed, run } = bench(100, { callMs: () => 60_000, room: () => room });
    await dialer.start({ exclusive: true });
    await run(200);
    expect(placed.length).toBe(3);
    room = 0;
    await run(10_000);
    expect(placed.length).toBe(3);
    expect(dialer.status()[0]?.hold?.en).toContain('busy');
    expect(store.holds).toEqual(['platform-busy']);
    room = 50;
    await run(2000);
    expect(placed.length).toBeGreaterThan(3);
    expect(store.holds).toEqual(['platform-busy', undefined]);
    await Promise.all([dialer.close(), run(200)]);
  });

  it('dials more slowly by every slot that a call beside the campaigns takes', async () => {
    const { dialer, placed, run } = bench(100, { callMs: () => 100, settings: { maxCallsPerSecond: 1000 } });
    expect(dialer.takeSlot('main', 0)).toBe(0);
    expect(dialer.takeSlot('elsewhere', 0)).toBe(0);
    expect(dialer.takeSlot('main', 0)).toBeUndefined();
    let waitMs: number | undefined = 0;
    while (waitMs !== undefined) waitMs = dialer.takeSlot('main', 2000);
    await dialer.start({ exclusive: true });
    await run(1900);
    expect(placed).toHaveLength(0);
    await run(500);
    expect(placed.length).toBeGreaterThan(0);
    await Promise.all([dialer.close(), run(200)]);
  });

  it('waits for its calls when drained and dials nothing more', async () => {
    const { store, dialer, placed, run } = bench(200, { callMs: () => 5000 });
    await dialer.start({ exclusive: true });
    await run(1000);
    let drained = false;
    const drain = dialer.drain().then(() => {
      drained = true;
    });
    const live = placed.length;
    await run(3000);
    expect(drained).toBe(false);
    await run(5000);
    await drain;
    expect(placed.length).toBe(live);
    expect(store.settled.length).toBe(live);
    expect(store.open.size).toBe(0);
    await dialer.close();
  });

  it.each(['resource-exhausted', 'unavailable'] as const)(
    'does not count a dial that found no room (%s)',
    async (code) => {
      let refusals = 3;
      const { store, dialer, placed, run, clock } = bench(1, {
        place: (attempt) =>
          refusals-- > 0
            ? Promise.reject(new AppError(code, { zh: '线路已满。', en: 'Every line is taken.' }))
            : Promise.resolve(outcomeOf(attempt, 'answered', clock.now())),
      });
      await dialer.start({ exclusive: true });
      await run(12_000);
      expect(store.settled.map(({ attempt, code: outcome }) => [attempt.number, outcome])).toEqual([[1, 'answered']]);
      expect(store.withdrawn).toBe(3);
      for (let n = 1; n < 4; n += 1) expect(placed[n]!.atMs - placed[n - 1]!.atMs).toBeGreaterThanOrEqual(2000);
      await dialer.close();
    },
  );

  it('calls a dial lost that fails in another way, for a phone may have rung', async () => {
    const { store, dialer, run } = bench(1, { place: () => Promise.reject(new Error('out of memory')) });
    await dialer.start({ exclusive: true });
    await run(5000);
    expect(store.settled.map(({ code }) => code)).toEqual(['lost']);
    expect(store.withdrawn).toBe(0);
    await dialer.close();
  });

  it('ends its calls when closed, takes back what was not dialled yet, and is closed only once', async () => {
    const { store, dialer, placed, run } = bench(200, { callMs: () => 60_000, settings: { maxCallsPerSecond: 10 } });
    await dialer.start({ exclusive: true });
    await run(1000);
    const live = placed.length;
    const open = store.open.size;
    await Promise.all([dialer.close(), run(200)]);
    await dialer.close();
    expect(open).toBeGreaterThan(live);
    expect(store.settled.length).toBe(live);
    expect(store.withdrawn).toBe(open - live);
    expect(store.open.size).toBe(0);
  });
});
