import { describe, expect, it } from 'vitest';
import { Transcript, type SpokenTurn } from './transcript.ts';

const turn = (startMs: number, text: string, intent?: string): SpokenTurn => ({
  startMs,
  endMs: startMs + 500,
  text,
  interrupted: false,
  node: undefined,
  intent,
  latency: undefined,
});

describe('Transcript', () => {
  it('counts from the INVITE and orders by time, however late something is written down', () => {
    const transcript = new Transcript(10_000);
    transcript.turn('platform', turn(12_000.4, '再见'));
    transcript.turn('callee', turn(11_000, '喂'));
    transcript.add(10_700, { type: 'tag', tag: 'late' });
    transcript.add(10_200.6, { type: 'tag', tag: 'early' });
    expect(transcript.turns).toMatchObject([
      { index: 0, speaker: 'callee', startMs: 1000, endMs: 1500 },
      { index: 1, speaker: 'platform', startMs: 2000, endMs: 2500 },
    ]);
    expect(transcript.timeline).toEqual([
      { type: 'tag', tag: 'early', atMs: 201 },
      { type: 'tag', tag: 'late', atMs: 700 },
    ]);
  });

  it('names the intent of the last callee turn, once, and of no platform turn', () => {
    const transcript = new Transcript(0);
    transcript.understood('nobody-spoke');
    transcript.turn('callee', turn(0, '多少钱'));
    transcript.turn('callee', turn(1000, '怎么还'));
    transcript.turn('platform', turn(2000, '这样还'));
    transcript.understood('how');
    transcript.understood('other');
    expect(transcript.turns.map(({ intent }) => intent)).toEqual([undefined, 'how', undefined]);
  });

  it('never counts below zero', () => {
    const transcript = new Transcript(1000);
    transcript.add(900, { type: 'tag', tag: 'before' });
    expect(transcript.timeline).toMatchObject([{ atMs: 0 }]);
  });
});
