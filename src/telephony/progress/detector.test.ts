import { describe, expect, it } from 'vitest';
import { babble, degrade, frames, join, silence, tone } from '../../../test/support/progress-audio.ts';
import type { TonePlan } from './cadence.ts';
import { ProgressDetector } from './detector.ts';
import { FingerprintLibrary } from './fingerprint-library.ts';

function labels(pcm: Int16Array, o: { plan?: TonePlan; fingerprints?: FingerprintLibrary } = {}): string[] {
  const detector = new ProgressDetector({
    fingerprints: o.fingerprints ?? new FingerprintLibrary(),
    plan: o.plan ?? 'cn',
  });
  return [...frames(pcm)]
    .flatMap((frame) => detector.push(frame.pcm, frame.atMs))
    .filter(({ kind }) => kind !== 'sound')
    .map(({ label }) => label);
}

function cycles(count: number, on: Int16Array, offMs: number): Int16Array {
  return join(...Array.from({ length: count }, () => join(on, silence(offMs))));
}

const line = { gain: 0.6, snrDb: 20, lossRatio: 0.01, seed: 3 };

describe('tone cadences', () => {
  const cases: readonly [string, TonePlan, Int16Array, string][] = [
    ['Chinese ringback', 'cn', cycles(2, tone([450], 1000), 4000), 'ringback'],
    ['Chinese ringback of a switch 20 Hz off', 'cn', cycles(2, tone([430], 1000), 4000), 'ringback'],
    ['Chinese busy', 'cn', cycles(4, tone([450], 350), 350), 'busy'],
    ['Chinese congestion', 'cn', cycles(4, tone([450], 700), 700), 'congestion'],
    ['European busy', 'eu', cycles(4, tone([425], 500), 500), 'busy'],
    ['European congestion', 'eu', cycles(5, tone([425], 250), 250), 'congestion'],
    ['American ringback', 'us', cycles(2, tone([440, 480], 2000), 4000), 'ringback'],
    ['American busy', 'us', cycles(4, tone([480, 620], 500), 500), 'busy'],
    [
      'special information tone',
      'cn',
      join(tone([950], 330), tone([1400], 330), tone([1800], 330), silence(500)),
      'sit',
    ],
    ['fax answer tone', 'cn', tone([2100], 1500), 'fax-ced'],
    ['fax calling tone', 'cn', cycles(2, tone([1100], 500), 3000), 'fax-cng'],
  ];
  it.each(cases)('names %s on a clean line', (_, plan, pcm, label) => {
    expect(labels(pcm, { plan })).toEqual([label]);
  });
  it.each(cases)('names %s through A-law with noise at 20 dB and 1 % loss', (_, plan, pcm, label) => {
    expect(labels(degrade(pcm, line), { plan })).toEqual([label]);
  });
  it('hears no tone in speech-like sound, noise or silence', () => {
    expect(labels(babble(1, 20_000))).toEqual([]);
    expect(labels(degrade(silence(5000).fill(1), { ...line, snrDb: -40 }))).toEqual([]);
    expect(labels(silence(5000))).toEqual([]);
  });
  it('does not take a melody over 450 Hz for ringback', () => {
    const melody = join(...[392, 440, 494, 440, 392, 440].map((hz) => tone([hz, hz * 2], 300)));
    expect(labels(join(melody, melody, melody))).toEqual([]);
  });
});

describe('announcements', () => {
  const empty = babble(11, 5000);
  const off = babble(12, 5000);
  const library = new FingerprintLibrary();
  library.add('invalid-number', empty);
  library.add('powered-off', off);

  it('are recognised once from their middle on, through a bad line', () => {
    expect(
      labels(degrade(empty.subarray(8037), { gain: 0.4, snrDb: 20, lossRatio: 0.02, seed: 5 }), {
        fingerprints: library,
      }),
    ).toEqual(['invalid-number']);
    expect(labels(degrade(join(silence(730), off), line), { fingerprints: library })).toEqual(['powered-off']);
  });
  it('that nobody taught are not recognised', () => {
    expect(labels(babble(99, 8000), { fingerprints: library })).toEqual([]);
  });
  it('that begin alike are told apart by what follows, not by the shared beginning', () => {
    const shared = babble(20, 4000);
    const alike = new FingerprintLibrary();
    alike.add('busy', join(shared, babble(21, 3000)));
    alike.add('out-of-coverage', join(shared, babble(22, 3000)));
    expect(labels(shared, { fingerprints: alike })).toEqual([]);
    expect(labels(join(shared, babble(22, 3000)), { fingerprints: alike })).toEqual(['out-of-coverage']);
  });
  it('that are cut short count with less confidence when the call ends, and not while another one fits as well', () => {
    const shared = babble(20, 3000);
    const alike = new FingerprintLibrary();
    alike.add('busy', join(shared, babble(21, 3000)));
    alike.add('out-of-coverage', join(shared, babble(22, 3000)));
    alike.add('powered-off', off);
    const guess = (pcm: Int16Array): readonly [string, number] | undefined => {
      const detector = new ProgressDetector({ fingerprints: alike, plan: 'cn' });
      for (const frame of frames(pcm))
        expect(detector.push(frame.pcm, frame.atMs).filter(({ kind }) => kind === 'announcement')).toEqual([]);
      const found = detector.finish(pcm.length / 8);
      return found === undefined ? undefined : [found.label, found.confidence];
    };
    const [label, confidence] = guess(degrade(off.subarray(0, 24_000), { ...line, lossRatio: 0.05 }))!;
    expect(label).toBe('powered-off');
    expect(confidence).toBeGreaterThan(0.5);
    expect(confidence).toBeLessThan(0.85);
    expect(guess(shared)).toBeUndefined();
    expect(guess(off.subarray(0, 12_000))).toBeUndefined();
    expect(guess(babble(99, 6000))).toBeUndefined();
  });
  it('are recognised although a jitter buffer moves by two frames and conceals a burst within them', () => {
    const moved = join(off.subarray(0, 12_000), off.subarray(11_680, 24_000), off.subarray(23_680, 32_000));
    const detector = new ProgressDetector({ fingerprints: library, plan: 'cn' });
    const found = [...frames(moved)]
      .map(({ pcm, atMs }) => ({ pcm, atMs, missing: atMs >= 2100 && atMs < 2300 }))
      .flatMap(({ pcm, atMs, missing }) => detector.push(missing ? silence(20) : pcm, atMs, missing))
      .filter(({ kind }) => kind === 'announcement');
    expect(found.map((one) => one.label)).toEqual(['powered-off']);
  });
  it('are recognised although a late loop gave half a second of them up', () => {
    const detector = new ProgressDetector({ fingerprints: library, plan: 'cn' });
    const found = [...frames(off)]
      .filter(({ atMs }) => atMs < 2300 || atMs >= 2800)
      .flatMap(({ pcm, atMs }) => detector.push(pcm, atMs))
      .filter(({ kind }) => kind === 'announcement');
    expect(found.map((one) => one.label)).toEqual(['powered-off']);
  });
  it('survive being stored as JSON', () => {
    const restored = FingerprintLibrary.fromJson(JSON.parse(JSON.stringify(library.toJson())));
    expect(labels(off, { fingerprints: restored })).toEqual(['powered-off']);
  });
  it('of less than two seconds are refused, for they would match anything', () => {
    expect(new FingerprintLibrary().add('busy', babble(1, 1500))).toBe(false);
  });
});
