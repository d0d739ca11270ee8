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
    mouth: { speak: () => undefined, stop: () => undefined },
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

it('measures a reply only to a turn that ended while we were silent', () => {
  const transcript = new Transcript(0);
  const speaker = new Speaker({
    clock: new ManualClock(),
    script: compileScript(sampleScripts()[0]!),
    codec: 'PCMA',
    phrases: { peek: () => new Uint8Array(160), get: () => Promise.resolve(undefined) },
    transcript,
    mouth: { speak: () => undefined, stop: () => undefined },
    onSay: () => undefined,
    onSpoken: () => undefined,
  });
  const reply = (id: number, startMs: number, answeredTurnEndMs: number): void => {
    speaker.say(
      { type: 'say', node: 'n', speech: [{ text: '好' }], barge: { mode: 'always', graceMs: 0, ignoreWords: [] } },
      { endMs: answeredTurnEndMs, endOfTurnMs: 600, decidedMs: 0 },
    );
    speaker.ended({ id, playedText: '好', startMs, endMs: startMs + 1000, interrupted: false });
  };
  reply(1, 1600, 1000);
  // Said while the first reply played and answered after it: no wait that anybody felt.
  reply(2, 2600, 2000);
  reply(3, 5600, 5000);
  expect(transcript.turns.map((turn) => turn.latency?.voiceToVoiceMs)).toEqual([600, undefined, 600]);
});
