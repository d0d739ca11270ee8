import { describe, expect, it } from 'vitest';
import type { Attempt, FailedTrunk, FinishedCall } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { NetworkOutcome, OutcomeCode } from '#domain/outcome.ts';
import { ManualClock } from '#platform/clock.ts';
import { dialOverTrunks, isTrunksOwn } from './fail-over.ts';
import type { DialOverTrunks } from './fail-over.ts';
import { plainRoute } from './trunk-route.ts';
import { Trunk } from './trunk.ts';

function ended(outcome: NetworkOutcome, sipStatus?: number, more: Partial<FinishedCall> = {}): FinishedCall {
  return {
    outcome,
    sipStatus,
    ringMs: undefined,
    answeredMs: undefined,
    evidence: [{ kind: 'final-code', detail: `SIP ${sipStatus}`, suggests: outcome, confidence: 0.8 }],
    timeline: [],
    ...more,
  } as unknown as FinishedCall;
}

const attempt = {
  id: 'a' as AttemptId,
  trunk: 't1',
  standIns: { group: 'g', callerNumber: '100' },
} as unknown as Attempt;

/** A group of trunks each of which ends its dials as `ends` says; times are of a clock by hand. */
function group(ends: Readonly<Record<string, FinishedCall | Error>>, o: { fullTrunk?: string; takesMs?: number } = {}) {
  const clock = new ManualClock();
  const dialled: string[] = [];
  const asked: (readonly FailedTrunk[])[] = [];
  const began: Parameters<DialOverTrunks['dial']>[1][] = [];
  const abort = new AbortController();
  const names = Object.keys(ends);
  const trunks = new Map(
    names.map((name) => {
      const plain = plainRoute(name, { host: '192.0.2.1', port: 5060 });
      const channels = name === o.fullTrunk ? 0 : undefined;
      return [name, new Trunk({ ...plain, peers: [{ ...plain.peers[0], channels }] }, { clock })];
    }),
  );
  const run = () =>
    dialOverTrunks(
      {
        clock,
        trunk: (name) => trunks.get(name)!,
        failOver: (current, tried) => {
          asked.push([...tried]);
          const trunk = names[names.indexOf(current.trunk) + 1];
          return Promise.resolve(trunk === undefined ? undefined : { ...current, trunk });
        },
        dial: (current, from) => {
          dialled.push(`${current.trunk}${current.standIns === undefined ? ' last' : ''}`);
          began.push(from === undefined ? from : { ...from, timeline: [...from.timeline] });
          clock.advance(o.takesMs ?? 500);
          const end = ends[current.trunk]!;
          return end instanceof Error ? Promise.reject(end) : Promise.resolve({ finished: end, server: 'udp:s' });
        },
      },
      attempt,
      abort.signal,
    );
  return { run, dialled, asked, began, abort };
}

describe('the end of a dial', () => {
  it.each([
    ['trunk-unreachable', undefined, true],
    ['trunk-auth-failed', 407, true],
    ['trunk-auth-failed', 401, true],
    ['congestion', 503, true],
    ['congestion', 500, true],
    ['congestion', 480, false],
    ['busy', 486, false],
    ['rejected', 603, false],
    ['invalid-number', 404, false],
    ['unreachable', 408, false],
    ['media-refused', 488, false],
    ['operator-blocked', 403, false],
    ['cancelled', 487, false],
    ['lost', undefined, false],
    // A trunk's mapping makes nothing of a callee's answer the trunk's.
    ['congestion', 486, false],
  ] as const)('%s by %s: another trunk may be tried: %s', (outcome, status, expected) => {
    expect(isTrunksOwn(ended(outcome, status))).toBe(expected);
    expect(isTrunksOwn(ended(outcome, status, { ringMs: 800 }))).toBe(false);
    expect(isTrunksOwn(ended(outcome, status, { answeredMs: 800 }))).toBe(false);
  });

  it.each(['busy', 'invalid-number'] as const)('503 with a Reason of %s is the callee’s', (suggests: OutcomeCode) => {
    const evidence = [{ kind: 'reason', detail: 'Q.850', suggests, confidence: 0.4 }] as const;
    expect(isTrunksOwn(ended('congestion', 503, { evidence }))).toBe(false);
  });
});

describe('a dial over a group of trunks', () => {
  it('goes on until one takes it, and tells the next call when the first INVITE left and who was tried', async () => {
    const one = group({ t1: ended('congestion', 503), t2: ended('trunk-unreachable'), t3: ended('busy', 486) });
    expect(await one.run()).toMatchObject({ outcome: 'busy' });
    expect(one.dialled).toEqual(['t1', 't2', 't3']);
    expect(one.asked.at(-1)).toMatchObject([
      { trunk: 't1', server: 'udp:s', status: 503, outcome: 'congestion', detail: 'SIP 503' },
      { trunk: 't2', outcome: 'trunk-unreachable' },
    ]);
    expect(one.began.map((from) => from?.ms)).toEqual([0, 0, 0]);
    expect(one.began[2]?.timeline).toMatchObject([
      { type: 'trunk', atMs: 500, trunk: 't1', next: 't2', status: 503 },
      { type: 'trunk', atMs: 1000, trunk: 't2', next: 't3' },
    ]);
  });

  it('ends with what the last trunk said where none is left', async () => {
    const one = group({ t1: ended('congestion', 503), t2: ended('trunk-auth-failed', 407) });
    expect(await one.run()).toMatchObject({ outcome: 'trunk-auth-failed' });
    expect(one.dialled).toEqual(['t1', 't2']);
  });

  it('tries four trunks at the most, the fourth as if it were alone', async () => {
    const fails = ended('congestion', 503);
    const one = group({ t1: fails, t2: fails, t3: fails, t4: fails, t5: fails });
    await one.run();
    expect(one.dialled).toEqual(['t1', 't2', 't3', 't4 last']);
  });

  it('begins none later than 20 s after the first INVITE', async () => {
    const fails = ended('trunk-unreachable');
    const one = group({ t1: fails, t2: fails, t3: fails, t4: fails }, { takesMs: 10_000 });
    await one.run();
    expect(one.dialled).toEqual(['t1', 't2']);
  });

  it('goes no further once it was hung up', async () => {
    const one = group({ t1: ended('congestion', 503), t2: ended('answered') });
    one.abort.abort();
    expect(await one.run()).toMatchObject({ outcome: 'congestion' });
    expect(one.dialled).toEqual(['t1']);
  });

  it('leaves a trunk whose servers are full out, and says so where no other one is free', async () => {
    const one = group({ t1: ended('busy', 486), t2: ended('busy', 486) }, { fullTrunk: 't1' });
    expect(await one.run()).toMatchObject({ outcome: 'busy' });
    expect(one.dialled).toEqual(['t2']);
    expect(one.asked).toMatchObject([[{ trunk: 't1', outcome: 'congestion', detail: 'every server is full' }]]);
    await expect(group({ t1: ended('busy', 486) }, { fullTrunk: 't1' }).run()).rejects.toMatchObject({
      code: 'resource-exhausted',
    });
  });

  it('keeps what a trunk said where no INVITE leaves over the next one', async () => {
    const one = group({ t1: ended('congestion', 503), t2: new Error('no ports') });
    expect(await one.run()).toMatchObject({ outcome: 'congestion', sipStatus: 503 });
    await expect(group({ t1: new Error('no ports') }).run()).rejects.toThrow('no ports');
  });
});
