import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loudByte } from '../../test/support/scripted-voice.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import { Playout, type PlayoutEnd, type PlayoutItem, textPlayed } from './playout.ts';

interface Ended extends PlayoutEnd {
  readonly id: number;
}

function queue(): {
  playout: Playout<PlayoutItem>;
  ended: Ended[];
  started: number[];
  pull: (frames: number) => number[];
} {
  const ended: Ended[] = [];
  const started: number[] = [];
  const playout = new Playout<PlayoutItem>('PCMA', {
    onStart: (item) => started.push(item.id),
    onEnd: (item, end) => ended.push({ id: item.id, ...end }),
    onSilent: () => undefined,
  });
  const pull = (frames: number): number[] => {
    const out: number[] = [];
    const frame = new Uint8Array(160);
    for (let index = 0; index < frames; index += 1) {
      playout.pull(frame);
      out.push(...frame);
    }
    return out;
  };
  return { playout, ended, started, pull };
}

function item(id: number, ...lengths: number[]): PlayoutItem {
  let at = 0;
  return {
    id,
    parts: lengths.map((length, part) => ({
      text: '甲乙丙丁'[part]!.repeat(10),
      audio: Uint8Array.from({ length }, () => loudByte(at++)),
    })),
  };
}

function bytesOf(items: readonly PlayoutItem[]): number[] {
  return items.flatMap((each) => each.parts.flatMap((part) => [...part.audio]));
}

describe('the playout queue', () => {
  it('plays parts and items without a gap, then silence', () => {
    const { playout, pull, ended, started } = queue();
    const items = [item(1, 100, 50), item(2, 333), { id: 3, parts: [] }, item(4, 1)];
    for (const each of items) playout.enqueue(each);
    const out = pull(5);
    const bytes = bytesOf(items);
    expect(out.slice(0, bytes.length)).toEqual(bytes);
    expect(out.slice(bytes.length).every((byte) => byte === 0xd5)).toBe(true);
    expect(started).toEqual([1, 2, 3, 4]);
    expect(ended.map(({ id, interrupted }) => [id, interrupted])).toEqual([1, 2, 3, 4].map((id) => [id, false]));
    expect(playout.busy).toBe(false);
  });

  it('loses no sample over any pauses, and says none twice, when there is no pause between words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(6)),
        (lengths, pauses) => {
          const { playout, pull, ended } = queue();
          const one = item(1, ...lengths);
          playout.enqueue(one);
          for (const frames of pauses) {
            pull(frames);
            const before = playout.positionSamples;
            playout.pause();
            const held = pull(3);
            expect(held.slice(160).every((byte) => byte === 0xd5)).toBe(true);
            playout.resume();
            expect(playout.positionSamples).toBe(playout.busy ? before : 0);
          }
          pull(40);
          expect(ended).toMatchObject([
            { id: 1, interrupted: false, playedText: one.parts.map((part) => part.text).join('') },
          ]);
        },
      ),
    );
  });

  it('goes back to the pause between words when one is near', () => {
    const { playout, pull } = queue();
    const audio = Uint8Array.from({ length: 8000 }, (_, index) =>
      index >= 3200 && index < 3440 ? 0xd5 : loudByte(index),
    );
    playout.enqueue({ id: 1, parts: [{ text: '一二', audio }] });
    pull(30);
    playout.pause();
    pull(10);
    playout.resume();
    expect(playout.positionSamples).toBeGreaterThanOrEqual(3200);
    expect(playout.positionSamples).toBeLessThan(3440);
  });

  it('ducks by 12 dB and fades without a jump', () => {
    const { playout, pull } = queue();
    const level = encodeG711('PCMA', new Int16Array(3200).fill(8000));
    playout.enqueue({ id: 1, parts: [{ text: '长', audio: level }] });
    pull(2);
    playout.duck();
    const ducked = decodeG711('PCMA', Uint8Array.from(pull(4)));
    expect(20 * Math.log10(ducked.at(-1)! / 8000)).toBeCloseTo(-12, 0);
    for (let index = 1; index < ducked.length; index += 1)
      expect(Math.abs(ducked[index]! - ducked[index - 1]!)).toBeLessThan(900);
    playout.resume();
    expect(decodeG711('PCMA', Uint8Array.from(pull(2))).at(-1)).toBeGreaterThan(7500);
  });

  it('cuts the text at the sample where the fade out began', () => {
    const { playout, pull, ended } = queue();
    playout.enqueue(item(1, 1600, 1600));
    playout.enqueue(item(2, 100));
    pull(15);
    playout.interrupt();
    playout.enqueue(item(3, 160));
    pull(3);
    expect(ended).toEqual([
      { id: 1, playedText: `${'甲'.repeat(10)}${'乙'.repeat(5)}`, interrupted: true, started: true },
      { id: 2, playedText: '', interrupted: true, started: false },
      { id: 3, playedText: '甲'.repeat(10), interrupted: false, started: true },
    ]);
  });

  it('interrupts what is paused at once and what has not begun without a sound', () => {
    const { playout, pull, ended } = queue();
    playout.enqueue(item(1, 1600));
    pull(5);
    playout.pause();
    pull(2);
    playout.interrupt();
    expect(ended).toMatchObject([{ id: 1, playedText: '甲'.repeat(5), interrupted: true }]);
    playout.enqueue(item(2, 1600));
    playout.interrupt();
    expect(ended[1]).toMatchObject({ id: 2, playedText: '', started: false });
    expect(pull(2).every((byte) => byte === 0xd5)).toBe(true);
    playout.enqueue(item(3, 160));
    expect(pull(1)).toEqual(bytesOf([item(3, 160)]));
  });
});

it('cuts played text at characters, and at whole words where they are Latin', () => {
  expect(textPlayed('您好，请问', 0.5)).toBe('您好');
  expect(textPlayed('Hello there friend', 0.5)).toBe('Hello');
  expect(textPlayed('Hello', 0.5)).toBe('');
  expect(textPlayed('都说完了', 1)).toBe('都说完了');
});
