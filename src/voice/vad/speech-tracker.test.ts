import { expect, it } from 'vitest';
import { SpeechTracker } from './speech-tracker.ts';

function edges(frames: string): string[] {
  const tracker = new SpeechTracker({ onsetMs: 96, silenceMs: 200 });
  return Array.from(frames, (frame, index) => {
    const edge = tracker.push(frame === '#', (index + 1) * 20);
    return edge === 'none' ? '' : `${edge}@${(index + 1) * 20} ${tracker.startMs}-${tracker.endMs}/${tracker.voicedMs}`;
  }).filter((edge) => edge !== '');
}

it('starts after 100 ms of voice, dates the start back, and stops after 200 ms of silence', () => {
  expect(edges('..########..........')).toEqual(['start@140 40-140/100', 'stop@400 40-200/160']);
});

it('bridges gaps shorter than the silence', () => {
  expect(edges('######.........######..........')).toEqual(['start@100 0-100/100', 'stop@620 0-420/240']);
});

it('takes clicks for nothing', () => {
  expect(edges('####......##..##..##..##....##')).toEqual([]);
});
