import { describe, expect, it } from 'vitest';
import type { GlobalHandler, Script } from '#domain/script.ts';
import { ManualClock } from '#platform/clock.ts';
import { compileScript } from '#dialog/compile.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { Conversation } from './conversation.ts';
import { Transcript } from './transcript.ts';
import type { PhraseRequest } from './worker-protocol.ts';

const NODE = { stage: 's', branches: [], maxVisits: 5, scoreDelta: 0 } as const;
const OPT_OUT: GlobalHandler = {
  kind: 'opt-out',
  match: { keywords: ['别打'] },
  speech: [{ text: '不再打扰。' }],
  action: 'hangup',
  max: 1,
};

/** A question with two answers; no handlers but the opt-out. */
function script(settings: Partial<Script['settings']> = {}): Script {
  const sample = sampleScripts()[0]!;
  return {
    ...sample,
    variables: [],
    intents: [],
    knowledge: [],
    grades: [],
    tags: [],
    examples: [],
    globals: [OPT_OUT],
    nodes: [
      {
        ...NODE,
        id: 'ask',
        type: 'start',
        speech: [{ text: '方便吗？' }],
        branches: [
          { meaning: 'positive', next: 'more' },
          { meaning: 'negative', next: 'bye' },
        ],
      },
      { ...NODE, id: 'more', type: 'say', speech: [{ text: '第一。' }], next: 'more-2' },
      {
        ...NODE,
        id: 'more-2',
        type: 'say',
        speech: [{ text: '第二。' }],
        branches: [{ meaning: 'positive', next: 'bye' }],
      },
      { ...NODE, id: 'bye', type: 'end', speech: [{ text: '再见。' }] },
    ],
    settings: {
      ...sample.settings,
      aiDisclosure: '智能语音。',
      maxSeconds: 100,
      noReply: { waitMs: 5000, reprompts: 1, hangupMs: 3000 },
      ...settings,
    },
  };
}

/** A conversation with a mouth and a phrase source that do only what the test says. */
function talk(options: { settings?: Partial<Script['settings']>; waiting?: boolean; missing?: boolean } = {}) {
  const clock = new ManualClock();
  const log: string[] = [];
  const asked: { text: string; resolve: (audio: Uint8Array | undefined) => void }[] = [];
  const transcript = new Transcript(0);
  const spoken: { id: number; text: string; audio: number }[] = [];
  const state = { calleeSpeaking: false, waiting: options.waiting === true };
  const audio = new Uint8Array(1600);
  const conversation = new Conversation({
    clock,
    script: compileScript(script(options.settings)),
    variables: {},
    timeZone: 'Asia/Shanghai',
    codec: 'PCMA',
    phrases: {
      peek: () => (state.waiting || options.missing === true ? undefined : audio),
      get: ({ text }: PhraseRequest) =>
        options.missing === true ? Promise.resolve(undefined) : new Promise((resolve) => asked.push({ text, resolve })),
    },
    transcript,
    mouth: {
      speak: ({ id, parts }) =>
        spoken.push({
          id,
          text: parts.map(({ text }) => text).join(''),
          audio: parts.reduce((sum, part) => sum + part.audio.length, 0),
        }),
      stop: () => log.push('hushed'),
    },
    calleeSpeaking: () => state.calleeSpeaking,
    events: {
      onSay: () => undefined,
      onSaid: (speaker, text) => log.push(`${speaker}: ${text}`),
      onOptOut: () => log.push('opt-out'),
      onHangUp: (reason) => log.push(`hang up: ${reason}`),
      onTransfer: () => undefined,
      onFault: () => log.push('fault'),
    },
  });
  const now = (): number => clock.monotonicMs();
  return {
    clock,
    log,
    asked,
    transcript,
    spoken,
    state,
    conversation,
    heard: (text: string) => conversation.heard({ text, startMs: now() - 900, endMs: now() - 600, endOfTurnMs: 600 }),
    /** Plays the last utterance that went to the mouth, to its end unless it is interrupted. */
    play(forMs = 200, interrupted = false, playedText?: string): void {
      const { id, text } = spoken.at(-1)!;
      const startMs = now();
      conversation.utteranceStarted(id, startMs);
      clock.advance(forMs);
      conversation.utteranceEnded({ id, playedText: playedText ?? text, startMs, endMs: now(), interrupted });
    },
    get texts() {
      return spoken.map(({ text }) => text);
    },
    /** Lets promises settle. */
    settled: () => new Promise(setImmediate),
  };
}

describe('Conversation', () => {
  it('writes nothing down of what the callee says to somebody else, but an opt-out', async () => {
    const { conversation, log, transcript } = talk();
    const turn = (text: string) => ({ text, startMs: 0, endMs: 100, endOfTurnMs: 10 });
    conversation.answered();
    conversation.hold();
    log.length = 0;
    const before = transcript.turns.length;
    conversation.heard(turn('账号是四二一'));
    conversation.dtmf('4');
    expect([log, transcript.turns.length - before]).toEqual([[], 0]);
    conversation.heard(turn('别打了'));
    expect(log).toEqual(['opt-out', 'callee: 别打了']);
    expect(transcript.turns.at(-1)).toMatchObject({ text: '别打了', intent: 'opt-out' });
    expect(transcript.timeline.filter(({ type }) => type === 'dtmf')).toEqual([]);
  });

  it('greets with the disclosure and answers what was heard, with latencies', () => {
    const call = talk();
    call.conversation.answered();
    expect(call.texts).toEqual(['智能语音。方便吗？']);
    call.play();
    call.clock.advance(1000);
    call.heard('不方便');
    expect(call.texts).toEqual(['智能语音。方便吗？', '再见。']);
    call.clock.advance(20);
    call.play();
    expect(call.transcript.turns).toMatchObject([
      { speaker: 'platform', text: '智能语音。方便吗？', node: 'ask', startMs: 0, endMs: 200, latency: undefined },
      { speaker: 'callee', text: '不方便', startMs: 300, endMs: 600 },
      {
        speaker: 'platform',
        text: '再见。',
        node: 'bye',
        startMs: 1220,
        latency: { voiceToVoiceMs: 620, endOfTurnMs: 600, thinkMs: 0, playoutMs: 20 },
      },
    ]);
  });

  it('hangs up only after the goodbye has been played and has left the jitter buffer', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.heard('不方便');
    call.clock.advance(60_000);
    expect(call.log).not.toContainEqual(expect.stringMatching(/^hang up/));
    call.play();
    call.clock.advance(199);
    expect(call.log).not.toContainEqual(expect.stringMatching(/^hang up/));
    call.clock.advance(1);
    expect(call.log.at(-1)).toBe('hang up: end:bye');
    call.clock.advance(200_000);
    expect(call.log.filter((line) => line.startsWith('hang up'))).toHaveLength(1);
  });

  it('waits for a reply from the end of its own words, and again after a noise', () => {
    const call = talk();
    call.conversation.answered();
    call.play(20_000);
    call.clock.advance(4000);
    call.conversation.noticed();
    call.clock.advance(4000);
    call.heard('');
    call.clock.advance(4999);
    expect(call.texts).toHaveLength(1);
    call.clock.advance(1);
    expect(call.texts).toHaveLength(2);
  });

  it('never takes somebody who is speaking for silent', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.state.calleeSpeaking = true;
    call.clock.advance(30_000);
    expect(call.texts).toHaveLength(1);
    call.state.calleeSpeaking = false;
    call.clock.advance(5000);
    expect(call.texts).toHaveLength(2);
  });

  it('ends after the last reprompt in silence', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.clock.advance(5000);
    call.play();
    call.clock.advance(3000);
    call.play();
    call.clock.advance(200);
    expect(call.log.at(-1)).toBe('hang up: silence');
  });

  it('drops what waits for its audio when it is interrupted, and listens', async () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.state.waiting = true;
    call.heard('方便');
    expect(call.asked.map(({ text }) => text)).toEqual(['第一。']);
    call.conversation.interrupted();
    call.asked[0]!.resolve(new Uint8Array(800));
    await call.settled();
    expect(call.texts).toEqual(['智能语音。方便吗？']);
    // The dialog heard that nothing of it was played and waits for the callee.
    call.clock.advance(5000);
    call.asked.splice(0).forEach(({ resolve }) => resolve(new Uint8Array(800)));
    expect(call.log).not.toContainEqual(expect.stringMatching(/^hang up/));
  });

  it('tells the script once that it was interrupted, however many utterances that ended', () => {
    const call = talk();
    call.conversation.answered();
    const first = call.spoken[0]!;
    // Answered while speaking: a second utterance queues behind the first.
    call.heard('别打了');
    const second = call.spoken[1]!;
    call.conversation.utteranceStarted(first.id, 0);
    call.conversation.interrupted();
    call.clock.advance(300);
    const end = { startMs: 0, endMs: 300, interrupted: true };
    call.conversation.utteranceEnded({ id: first.id, playedText: '智能', ...end });
    call.clock.advance(250);
    expect(call.log).not.toContainEqual(expect.stringMatching(/^hang up/));
    call.conversation.utteranceEnded({ id: second.id, playedText: '', ...end });
    call.clock.advance(200);
    expect(call.log.at(-1)).toMatch(/^hang up: opt-out/);
    expect(call.transcript.turns.filter(({ speaker }) => speaker === 'platform')).toMatchObject([
      { text: '智能', interrupted: true },
    ]);
  });

  it('reports an opt-out while the callee is still on the line', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.heard('别打了');
    expect(call.log).toContain('opt-out');
    expect(call.log).not.toContainEqual(expect.stringMatching(/^hang up/));
    call.conversation.hungUp('callee');
    expect(call.conversation.result('callee', 1000)).toMatchObject({ optedOut: true });
  });

  it('hears an opt-out said into the goodbye', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.heard('不方便');
    call.play();
    call.heard('别打了');
    expect(call.log).toContain('opt-out');
  });

  it('says goodbye at the time limit and hangs up after it', () => {
    const call = talk({ settings: { maxSeconds: 10, noReply: { waitMs: 60_000, reprompts: 1, hangupMs: 60_000 } } });
    call.conversation.answered();
    call.play();
    call.clock.advance(10_000);
    expect(call.texts).toHaveLength(2);
    call.play();
    call.clock.advance(200);
    expect(call.log.at(-1)).toBe('hang up: time-limit');
  });

  it('speaks in the order in which it was asked, though the later audio comes first', async () => {
    const call = talk({ waiting: true });
    call.conversation.answered();
    call.heard('别打了');
    const [disclosure, question, goodbye] = call.asked;
    goodbye!.resolve(new Uint8Array(10));
    await call.settled();
    expect(call.spoken).toEqual([]);
    disclosure!.resolve(new Uint8Array(10));
    question!.resolve(new Uint8Array(10));
    await call.settled();
    expect(call.texts).toEqual(['智能语音。方便吗？', '不再打扰。']);
  });

  it('goes on by text where no audio can be had', async () => {
    const call = talk({ missing: true });
    call.conversation.answered();
    await call.settled();
    expect(call.spoken).toEqual([{ id: 1, text: '智能语音。方便吗？', audio: 0 }]);
    expect(call.log).toEqual(['platform: 智能语音。方便吗？']);
    call.play(0);
    call.heard('不方便');
    await call.settled();
    expect(call.texts.at(-1)).toBe('再见。');
  });

  it('writes down what was played until the callee hung up, and nothing that comes later', async () => {
    const call = talk();
    call.conversation.answered();
    const { id } = call.spoken[0]!;
    call.conversation.utteranceStarted(id, 0);
    call.clock.advance(100);
    call.conversation.hungUp('callee');
    call.conversation.utteranceEnded({ id, playedText: '智能', startMs: 0, endMs: 100, interrupted: true });
    const logged = [...call.log];
    call.heard('方便');
    call.conversation.dtmf('1');
    call.conversation.detected('fax');
    call.conversation.answered();
    call.clock.advance(1_000_000);
    await call.settled();
    expect(call.log).toEqual(logged);
    expect(call.transcript.turns).toMatchObject([{ text: '智能', interrupted: true }]);
    expect(call.transcript.timeline).toEqual([]);
    expect(call.conversation.result('callee', 100)).toMatchObject({ endReason: 'hung-up-by-callee' });
  });

  it('writes down no more keys than a person presses', () => {
    const call = talk();
    call.conversation.answered();
    for (let i = 0; i < 1500; i++) call.conversation.dtmf('4');
    expect(call.transcript.timeline.filter(({ type }) => type === 'dtmf')).toHaveLength(1000);
  });

  it('speaks on through nodes that do not wait, one after the other', () => {
    const call = talk();
    call.conversation.answered();
    call.play();
    call.heard('方便');
    call.play();
    expect(call.texts).toEqual(['智能语音。方便吗？', '第一。', '第二。']);
  });
});
