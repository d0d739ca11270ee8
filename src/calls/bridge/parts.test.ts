import { expect, test } from 'vitest';
import { decodeG711 } from '#telephony/codec/g711.ts';
import { silentLog } from '#platform/log.ts';
import { comfort } from './comfort.ts';
import { FrameLine, LineReader } from './frame-line.ts';
import { builtInHoldMusic, holdMusicOf, HoldPlayer, loadHoldMusic } from './hold-music.ts';
import { limit } from './limiter.ts';

function numbered(n: number): Uint8Array {
  return new Uint8Array(160).fill(n);
}

test('a frame waits for its reader less than one tick, whatever the phases', () => {
  // Both tick every 20 ms, `phase` ms apart: what is read is what was written last, for each offset.
  for (let phase = 0; phase < 20; phase++) {
    const line = new FrameLine();
    let reader: LineReader | undefined;
    for (let ms = 0; ms < 400; ms++) {
      if (ms % 20 === 0) line.write('PCMA', numbered(ms / 20), true);
      if (ms % 20 !== phase || ms < 100) continue;
      reader ??= new LineReader(line);
      const sequence = reader.take()!.payload[0]!;
      expect(ms - sequence * 20).toBe(phase);
    }
  }
});

test('nothing is read twice, and a stall is caught up with', () => {
  const line = new FrameLine();
  const reader = new LineReader(line);
  expect(reader.take()).toBeUndefined();
  line.write('PCMA', numbered(0), true);
  expect(reader.take()?.payload[0]).toBe(0);
  expect(reader.take()).toBeUndefined();
  // Two came at once: read in order, then the lag of one frame goes within half a second.
  line.write('PCMA', numbered(1), true);
  line.write('PCMA', numbered(2), true);
  const read: number[] = [];
  for (let n = 3; n < 60; n++) {
    read.push(reader.take()!.payload[0]!);
    line.write('PCMA', numbered(n), true);
  }
  expect(read[0]).toBe(1);
  expect(reader.waiting).toBe(1);
  expect(read.at(-1)).toBe(58);
  expect(new Set(read).size).toBe(read.length);
  // A reader that did not come for long goes on with the newest frame.
  for (let n = 60; n < 80; n++) line.write('PCMA', numbered(n), true);
  expect(reader.take()?.payload[0]).toBe(79);
});

test('the limiter leaves what fits alone, is odd, rises everywhere and ends at full scale', () => {
  expect([limit(0), limit(1), limit(-24_576), limit(24_576)]).toEqual([0, 1, -24_576, 24_576]);
  let before = -Infinity;
  for (let sum = -200_000; sum <= 200_000; sum += 37) {
    const bent = limit(sum);
    expect(bent).toBeGreaterThanOrEqual(before);
    expect(Math.abs(bent)).toBeLessThanOrEqual(32_767);
    expect(limit(-sum)).toBe(-bent);
    before = bent;
  }
  // No corner at the knee: the first steps beyond it are as wide as those below.
  expect(limit(24_676) - limit(24_576)).toBeGreaterThan(95);
});

test('hold music goes on where it stopped, loops, and is the same in both laws', () => {
  const music = builtInHoldMusic();
  expect(music.PCMA.length).toBe(12 * 8000);
  const once = new HoldPlayer(music);
  const tx = new Uint8Array(160);
  const frames = music.PCMA.length / 160;
  for (let i = 0; i < frames + 3; i++) {
    once.play(i % 2 === 0 ? 'PCMA' : 'PCMU', tx);
    const at = (i % frames) * 160;
    const law = i % 2 === 0 ? 'PCMA' : 'PCMU';
    expect(tx).toEqual(music[law].subarray(at, at + 160));
  }
  const pcm = new Int16Array(music.PCMA.length);
  decodeG711('PCMA', music.PCMA, pcm);
  const rms = Math.sqrt(pcm.reduce((all, sample) => all + sample * sample, 0) / pcm.length);
  expect(20 * Math.log10(rms / 32_768)).toBeGreaterThan(-32);
  expect(20 * Math.log10(rms / 32_768)).toBeLessThan(-20);
});

test('a loop that is no whole number of frames loops without a gap', () => {
  const octets = Uint8Array.from({ length: 250 }, (_, i) => i);
  const player = new HoldPlayer({ PCMA: octets, PCMU: octets });
  const all: number[] = [];
  const tx = new Uint8Array(160);
  for (let i = 0; i < 5; i++) {
    player.play('PCMA', tx);
    all.push(...tx);
  }
  expect(all).toEqual(Array.from({ length: 800 }, (_, i) => i % 250));
});

test('a file that cannot be used gives way to the built-in music, and says why where asked', async () => {
  expect(() => holdMusicOf(new Uint8Array(10))).toThrow('The recording cannot be used');
  expect((await loadHoldMusic('/nowhere/hold-music.wav', silentLog)).PCMA.length).toBe(12 * 8000);
});

test('comfort noise is quiet but not nothing', () => {
  const tx = new Uint8Array(160);
  const pcm = new Int16Array(160);
  for (const codec of ['PCMA', 'PCMU'] as const) {
    comfort(codec, 7, tx);
    decodeG711(codec, tx, pcm);
    expect(Math.max(...pcm)).toBeGreaterThan(4);
    expect(Math.max(...pcm)).toBeLessThan(64);
  }
});
