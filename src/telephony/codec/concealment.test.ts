import { expect, test } from 'vitest';
import { Concealment } from './concealment.ts';

const PITCH_SAMPLES = 64;

/** A voice-like wave of a steady pitch with overtones. */
function voiceFrame(frame: number): Int16Array {
  return Int16Array.from({ length: 160 }, (_, i) => {
    const phase = (2 * Math.PI * (frame * 160 + i)) / PITCH_SAMPLES;
    return Math.round(5000 * Math.sin(phase) + 2500 * Math.sin(3 * phase));
  });
}

function rms(pcm: Int16Array): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

function heard(): Concealment {
  const concealment = new Concealment();
  for (let f = 0; f < 4; f++) concealment.good(voiceFrame(f));
  return concealment;
}

test('the first lost frame of a steady voice is nearly the voice itself', () => {
  const concealment = heard();
  const out = new Int16Array(160);
  concealment.lost(out);
  const truth = voiceFrame(4);
  const error = rms(out.map((sample, i) => sample - truth[i]!));
  expect(error / rms(truth)).toBeLessThan(0.15);
});

test('a longer loss fades and is silent after 60 ms', () => {
  const concealment = heard();
  const levels: number[] = [];
  for (let f = 0; f < 4; f++) {
    const out = new Int16Array(160);
    concealment.lost(out);
    levels.push(rms(out));
    expect(concealment.audible).toBe(f < 2);
  }
  expect(levels[1]).toBeLessThan(levels[0]!);
  expect(levels[2]).toBeLessThan(levels[1]!);
  expect(levels[3]).toBe(0);
});

test('sound comes back without a jump', () => {
  const concealment = heard();
  const out = new Int16Array(160);
  concealment.lost(out);
  const back = Int16Array.from({ length: 160 }, () => 8000);
  concealment.good(back);
  expect(Math.abs(back[0]! - out[159]!)).toBeLessThan(2500);
  expect(back[159]).toBe(8000);
});

test('after a chosen silence nothing old is repeated', () => {
  const concealment = heard();
  concealment.reset();
  const out = new Int16Array(160).fill(1);
  concealment.lost(out);
  expect(rms(out)).toBe(0);
});

test('only the lost part of a frame is patched', () => {
  const concealment = heard();
  const frame = voiceFrame(4);
  const holed = frame.slice().fill(0, 0, 80);
  concealment.patch(holed, 0, 80);
  expect(holed.subarray(80)).toEqual(frame.subarray(80));
  expect(rms(holed.subarray(0, 80))).toBeGreaterThan(1000);
});

test('what is made up depends on the last 60 ms alone, in whichever frame the loss comes', () => {
  // A low voice that grows louder: two of its periods reach into the frame before the last.
  const rising = (frame: number) =>
    Int16Array.from({ length: 160 }, (_, i) => 900 * (frame + 1) * Math.sin((2 * Math.PI * (frame * 160 + i)) / 110));
  const madeUp = (from: number) => {
    const concealment = new Concealment();
    for (let frame = from; frame < 10; frame++) concealment.good(rising(frame));
    const pcm = new Int16Array(160);
    concealment.lost(pcm);
    return Array.from(pcm);
  };
  const expected = madeUp(7);
  for (let from = 0; from < 7; from++) expect(madeUp(from)).toEqual(expected);
});
