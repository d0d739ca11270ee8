import { describe, expect, it } from 'vitest';
import { announcementScript, CALL_BACK_ANNOUNCEMENT } from './announcement.ts';
import { compileScript } from './compile.ts';
import { dialogResult, next, startDialog } from './interpreter.ts';
import type { DialogEvent } from './interpreter.ts';
import { parseScript } from './script-schema.ts';

const script = announcementScript({ text: CALL_BACK_ANNOUNCEMENT.zh, language: 'zh', voice: 'cmn' });

/** What the script does, event by event. */
function talk(events: readonly DialogEvent[]) {
  let state = startDialog(compileScript(script), {
    variables: {},
    now: new Date('2026-01-05T02:00:00Z'),
    timeZone: 'Asia/Shanghai',
  });
  const effects = events.flatMap((event) => {
    const step = next(state, event);
    state = step.state;
    return step.effects;
  });
  const said = effects
    .flatMap((effect) => (effect.type === 'say' ? effect.speech.map(({ text }) => text) : []))
    .join('');
  return { said, hangsUp: effects.some(({ type }) => type === 'hang-up'), state };
}

describe('the announcement for calls that nobody planned for', () => {
  it('is a script like any other, in both languages', () => {
    expect(parseScript(structuredClone(script))).toEqual(script);
    const english = announcementScript({ text: CALL_BACK_ANNOUNCEMENT.en, language: 'en', voice: 'en' });
    expect(parseScript(structuredClone(english))).toEqual(english);
  });

  it('says who speaks, says its text and hangs up when nothing comes back', () => {
    const { said, hangsUp } = talk([
      { type: 'answered', atMs: 0 },
      { type: 'spoken', interrupted: false, playedText: '', atMs: 19_000 },
      { type: 'no-reply', atMs: 22_000 },
    ]);
    expect(said).toContain('人工智能');
    expect(said).toContain('感谢您的来电');
    expect(hangsUp).toBe(true);
  });

  it('understands whoever wants no more calls', () => {
    const { state, hangsUp } = talk([
      { type: 'answered', atMs: 0 },
      { type: 'heard', text: '以后不要再给我打电话了', atMs: 15_000 },
    ]);
    expect(hangsUp).toBe(true);
    expect(dialogResult(state, { hangupBy: 'platform', talkMs: 15_000 })).toMatchObject({ optedOut: true });
  });
});
