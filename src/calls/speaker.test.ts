import { expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { compileScript } from '#dialog/compile.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { Speaker } from './speaker.ts';
import { Transcript } from './transcript.ts';

it('reports one interruption once, and what is said during the fade on its own', () => {
  const spoken: { readonly interrupted: boolean; readonly playedText: string }[] = [];
  const speaker = new Speaker({
    clock: new ManualClock(),
    script: compileScript(sampleScripts()[0]!),
    codec: 'PCMA',
    phrases: { peek: () => new Uint8Array(160), get: () => Promise.resolve(undefined) },
    transcript: new Transcript(0),
    mouth: { speak: () => undefined },
    onSay: () => undefined,
    onSpoken: (end) => spoken.push(end),
  });
  const say = (text: string): void =>
    speaker.say(
      { type: 'say', node: 'n', speech: [{ text }], barge: { mode: 'always', graceMs: 0, ignoreWords: [] } },
      undefined,
    );
  say('一');
  say('二');
  speaker.interrupted();
  say('三');
  speaker.ended({ id: 1, playedText: '', startMs: 0, endMs: 1, interrupted: true });
  expect(spoken).toEqual([]);
  speaker.ended({ id: 2, playedText: '', startMs: 1, endMs: 1, interrupted: true });
  expect(spoken).toEqual([{ interrupted: true, playedText: '' }]);
  speaker.ended({ id: 3, playedText: '三', startMs: 1, endMs: 9, interrupted: false });
  expect(spoken).toEqual([
    { interrupted: true, playedText: '' },
    { interrupted: false, playedText: '三' },
  ]);
  expect(speaker.busy).toBe(false);
});
