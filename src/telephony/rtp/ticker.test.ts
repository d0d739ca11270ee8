import { ManualClock } from '#platform/clock.ts';
import { expect, test } from 'vitest';
import { Ticker, type Ticked } from './ticker.ts';

interface Member extends Ticked {
  /** Of each frame that was ticked. */
  readonly deadlines: number[];
  /** Of each tick. */
  readonly ticks: number[];
  readonly sent: number[];
  skipped: number;
}

/** Keeps to the contract of a leg, which sends what it is asked for where `knows` says so. */
function member(knows = true): Member {
  let nextMs: number | undefined;
  return {
    deadlines: [],
    ticks: [],
    sent: [],
    skipped: 0,
    send(deadlineMs) {
      nextMs ??= deadlineMs;
      if (knows && this.sent.at(-1) !== deadlineMs) this.sent.push(deadlineMs);
      return knows;
    },
    tick(deadlineMs) {
      this.ticks.push(deadlineMs);
      for (nextMs ??= deadlineMs; nextMs <= deadlineMs; nextMs += 20) this.deadlines.push(nextMs);
    },
    skip(deadlineMs) {
      const frames = nextMs === undefined ? 0 : (deadlineMs - nextMs) / 20;
      nextMs = deadlineMs;
      this.skipped += frames;
      return frames;
    },
  };
}

test('members tick every 20 ms, spread over the phases', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock);
  const members = Array.from({ length: 20 }, member);
  for (const one of members) ticker.add(one);
  clock.advance(2000);
  const starts = new Set(members.map(({ deadlines }) => deadlines[0]! % 20));
  expect([...starts].toSorted((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  for (const { deadlines } of members) {
    expect(deadlines).toHaveLength(100);
    for (let i = 1; i < deadlines.length; i++) expect(deadlines[i]! - deadlines[i - 1]!).toBe(20);
  }
  expect(ticker.framesDropped).toBe(0);
});

/** A clock whose timers fire late, as those of a busy loop do. */
class BusyClock extends ManualClock {
  lateMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.lateMs;
  }
}

test('up to ten frames are made up for at once', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const one = member();
  ticker.add(one);
  clock.advance(40);
  const before = one.deadlines.length;
  clock.lateMs = 190;
  clock.advance(20);
  expect(one.deadlines.length - before).toBe(10);
  expect([one.skipped, ticker.framesDropped]).toEqual([0, 0]);
});

test('what lies further back is given up, counted, and media time passes without it', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const one = member();
  ticker.add(one);
  clock.advance(40);
  clock.lateMs = 1000;
  clock.advance(40);
  expect(one.skipped).toBe(40);
  expect(ticker.framesDropped).toBe(40);
  const { deadlines } = one;
  expect((deadlines.at(-1)! - deadlines[0]!) / 20 + 1).toBe(deadlines.length + one.skipped);
  expect(clock.monotonicMs() - deadlines.at(-1)!).toBeLessThanOrEqual(20);
  clock.lateMs = 2000;
  clock.advance(40);
  expect(ticker.latenessP99Ms).toBeGreaterThanOrEqual(190);
});

test('the age of the newest frame tells a loop that is stuck from one that rests', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  expect(ticker.frameAgeMs).toBe(0);
  const one = member();
  ticker.add(one);
  clock.advance(200);
  expect(ticker.frameAgeMs).toBeLessThan(20);
  clock.lateMs = 300;
  expect(ticker.frameAgeMs).toBeGreaterThanOrEqual(300);
  clock.advance(20);
  expect(ticker.frameAgeMs).toBeLessThanOrEqual(20);
  ticker.remove(one);
  clock.advance(1000);
  expect(ticker.frameAgeMs).toBe(0);
});

test('a member may remove itself and others while it ticks', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock);
  const others = Array.from({ length: 6 }, member);
  const leaver: Ticked = {
    send: () => true,
    tick: () => {
      ticker.remove(leaver);
      ticker.remove(others[5]!);
    },
    skip: () => 0,
  };
  for (const other of others.slice(0, 3)) ticker.add(other);
  ticker.add(leaver);
  for (const other of others.slice(3)) ticker.add(other);
  clock.advance(200);
  for (const other of others.slice(0, 5)) expect(other.deadlines).toHaveLength(10);
  expect(others[5]!.deadlines.length).toBeLessThanOrEqual(1);
  for (const other of others) ticker.remove(other);
  clock.advance(200);
  for (const other of others.slice(0, 5)) expect(other.deadlines).toHaveLength(10);
});

test('a loop that was late is no longer called late once its members have gone', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const one = member();
  ticker.add(one);
  clock.advance(1000);
  clock.lateMs = 90;
  clock.advance(2000);
  expect(ticker.latenessP99Ms).toBeGreaterThan(50);
  ticker.remove(one);
  clock.advance(11_000);
  expect(ticker.latenessP99Ms).toBe(0);
});

test('one late tick as the first call begins is no overload, a second one is', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  ticker.add(member());
  clock.lateMs = 19;
  clock.advance(20);
  clock.lateMs = 0;
  clock.advance(200);
  expect(ticker.latenessP99Ms).toBeLessThan(2);
  clock.lateMs = 90;
  clock.advance(40);
  expect(ticker.latenessP99Ms).toBeGreaterThan(50);
});

test('a loop in time never sends before a tick', () => {
  const clock = new ManualClock();
  const ticker = new Ticker(clock);
  const members = Array.from({ length: 20 }, member);
  for (const one of members) ticker.add(one);
  clock.advance(500);
  expect(members.flatMap(({ sent }) => sent)).toEqual([]);
});

test('a loop that is late sends what is due for every member before it ticks any', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const order: string[] = [];
  const named = (name: string): Ticked => ({
    send: (deadlineMs) => order.push(`${name} send ${deadlineMs}`) > 0,
    tick: (deadlineMs) => void order.push(`${name} tick ${deadlineMs}`),
    skip: () => 0,
  });
  for (const name of ['a', 'b', 'c']) ticker.add(named(name));
  clock.advance(41);
  order.length = 0;
  clock.lateMs = 15;
  clock.advance(1);
  // It is 57 ms, and 60 ms is the next that is due for `a`.
  expect(order).toEqual(['b send 42', 'c send 44', 'b tick 42', 'c tick 44']);
});

test('of what is due the oldest leaves first', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const sent: number[] = [];
  for (let i = 0; i < 10; i++)
    ticker.add({ send: (deadlineMs) => sent.push(deadlineMs) > 0, tick: () => undefined, skip: () => 0 });
  clock.advance(75);
  clock.lateMs = 9;
  clock.advance(1);
  // It is 85 ms: phases of one round of frames and of the next.
  expect(sent.slice(0, 5)).toEqual([76, 78, 80, 82, 84]);
});

test('a member that was missed for long is ticked once, and nothing that is given up is sent', () => {
  const clock = new BusyClock();
  const ticker = new Ticker(clock);
  const one = member();
  ticker.add(one);
  clock.advance(40);
  const ticked = one.deadlines.length;
  clock.lateMs = 300;
  clock.advance(20);
  expect(one.skipped).toBe(5);
  expect(one.ticks).toHaveLength(ticked + 1);
  const after = one.deadlines.slice(ticked);
  expect(after).toHaveLength(11);
  expect(one.sent).toEqual(after);
});

/** A clock on which every tick takes that long. */
class SlowClock extends ManualClock {
  spentMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.spentMs;
  }
}

/** A member that takes some of the clock's time at each tick. */
function slow(inner: Member, clock: SlowClock, costMs: () => number): Ticked {
  return {
    send: (deadlineMs) => inner.send(deadlineMs),
    tick(deadlineMs) {
      clock.spentMs += costMs();
      inner.tick(deadlineMs);
    },
    skip: (deadlineMs) => inner.skip(deadlineMs),
  };
}

test('while a loop catches up, what a member sends waits for the tick of one other at the most', () => {
  const clock = new SlowClock();
  const ticker = new Ticker(clock);
  let dearTicks = 0;
  const lateMs: number[] = [];
  const members = Array.from({ length: 80 }, () => member());
  for (const one of members) {
    const ticked = slow(one, clock, () => (dearTicks-- > 0 ? 2.5 : 0));
    ticker.add({
      ...ticked,
      send(deadlineMs) {
        lateMs.push(clock.monotonicMs() - deadlineMs);
        return ticked.send(deadlineMs);
      },
    });
  }
  clock.advance(1000);
  // Eight of a phase are 20 ms: every phase falls further behind.
  dearTicks = 80;
  clock.advance(1000);
  expect(ticker.latenessP99Ms).toBeGreaterThan(50);
  expect(lateMs.length).toBeGreaterThan(200);
  expect(Math.max(...lateMs)).toBeLessThan(2 + 2.5);
  expect(ticker.framesDropped).toBe(0);
  for (const { deadlines } of members)
    for (let i = 1; i < deadlines.length; i++) expect(deadlines[i]! - deadlines[i - 1]!).toBe(20);
});

test.each([
  { costMs: 6, together: 2 },
  { costMs: 9, together: 4 },
])('a thread whose ticks take $costMs ms ticks $together frames at a time, sends each in time, and goes back', (o) => {
  const clock = new SlowClock();
  const ticker = new Ticker(clock);
  let costMs = 0;
  const [scripted, bridged] = [member(), member(false)];
  for (const one of [scripted, bridged]) ticker.add(slow(one, clock, () => costMs));
  const run = (): { readonly scripted: number; readonly bridged: number } => {
    const before = [scripted.ticks.length, bridged.ticks.length] as const;
    clock.advance(1000);
    return { scripted: scripted.ticks.length - before[0], bridged: bridged.ticks.length - before[1] };
  };
  clock.advance(2000);
  expect(run()).toEqual({ scripted: 50, bridged: 50 });
  expect(scripted.sent).toEqual([]);
  costMs = o.costMs;
  clock.advance(3000);
  const busy = run();
  // Time goes by in ticks too, so that there are more of them than in a second.
  expect(busy.bridged / busy.scripted).toBeCloseTo(o.together, 0);
  expect(scripted.sent.length).toBeGreaterThan(50);
  costMs = 0;
  clock.advance(5000);
  expect(run()).toEqual({ scripted: 50, bridged: 50 });
  expect(scripted.skipped + bridged.skipped + ticker.framesDropped).toBe(0);
  for (const { deadlines } of [scripted, bridged])
    for (let i = 1; i < deadlines.length; i++) expect(deadlines[i]! - deadlines[i - 1]!).toBe(20);
});

test('where frames are ticked together members take turns, so that every frame has its share of the work', () => {
  const clock = new SlowClock();
  const ticker = new Ticker(clock);
  const members = Array.from({ length: 80 }, () => member());
  for (const one of members) ticker.add(slow(one, clock, () => 0.5));
  clock.advance(3000);
  const sinceMs = Math.max(...members.flatMap(({ ticks }) => ticks));
  clock.advance(1000);
  const perFrame = new Map<number, number>();
  for (const { ticks } of members)
    for (const atMs of ticks) if (atMs > sinceMs) perFrame.set(atMs, (perFrame.get(atMs) ?? 0) + 1);
  const [, ...whole] = [...perFrame.keys()].toSorted((a, b) => a - b);
  // 8 members a phase, a quarter of them in each of its frames.
  expect(new Set(whole.map((atMs) => perFrame.get(atMs)))).toEqual(new Set([2]));
  expect(whole.length).toBeGreaterThan(300);
});
