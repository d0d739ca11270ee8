/** Who answers: labelled people and machines after the answer, heard as a call hears them. */
import { AnsweringMachineDetector } from '#telephony/progress/answering-machine.ts';
import { ASSISTANT_LINES, VOICEMAIL_GREETINGS } from '#simulator/announcements.ts';
import type { VoiceActivity } from '#voice/vad/activity.ts';
import { join, silence } from '../../support/progress-audio.ts';
import { overLine } from './line.ts';
import type { Line } from './line.ts';
import { seeded } from './material.ts';
import type { Material } from './material.ts';
import { cadence, toneAt } from './signals.ts';

/** One answer; `text` is what a recogniser hears, where one is taken to be there. */
export interface AnswerCase {
  readonly expected: 'human' | 'voicemail' | 'call-assistant' | 'fax' | 'ivr';
  readonly name: string;
  readonly pcm: Int16Array;
  readonly text?: { readonly words: string; readonly atMs: number };
}

/** What became of one. */
export interface Answered {
  readonly expected: string;
  readonly got: string;
  readonly evidence: string;
  readonly name: string;
  readonly line: string;
  readonly beeps: number;
  readonly decidedMs: number | undefined;
}

const HUMAN_GREETINGS = [
  '喂',
  '喂|你好',
  '你好',
  '你好|请问|谁',
  '谁|是',
  '喂|什么|事',
  '你好|我|在|开会',
  '请问|什么|事情',
  '我|现在|不|方便',
];
const HUMAN_SAYS = [
  '喂？',
  '您好，哪位？',
  '你好，请问什么事？',
  '您好，这里是云山学堂，请问您找哪位？',
  '喂，你好，我现在在开车，有什么事情你说吧。',
];
const VOICES = ['zh-male', 'zh-female-2', 'zh-male-2', 'zh-female-3', 'cmn+m5', 'cmn+f4'] as const;
const IVR_SAYS = [
  '欢迎致电云山银行，普通话请按1，人工服务请按0。',
  'Thank you for calling. For sales, press one. For support, press two.',
];
const MORE_MAILBOXES = [
  'Hi, you have reached my voicemail. Please leave a message after the tone.',
  'The person you are calling is not available. At the tone, please record your message.',
];
/** Frequency, milliseconds, times: record tones of mailboxes. */
const BEEPS: readonly (readonly [number, number, number])[] = [
  [1000, 500, 1],
  [1400, 400, 1],
  [440, 1000, 1],
  [850, 250, 1],
  [2000, 180, 3],
  [500, 600, 1],
  [1209, 120, 1],
  [660, 2000, 1],
];

/** Every answer of the evaluation. */
export async function answerCases({ words, clips, prompts, say }: Material, seed: number): Promise<AnswerCase[]> {
  const cases: AnswerCase[] = [];
  const next = seeded(seed + 77);
  const pause = (low: number, high: number): Int16Array => silence(20 * Math.round((low + (high - low) * next()) / 20));
  const human = (name: string, greeting: Int16Array, reply: Int16Array): void => {
    cases.push({
      expected: 'human',
      name,
      pcm: join(pause(100, 900), greeting, pause(1200, 3500), reply, pause(1500, 4000), reply),
    });
  };
  const spoken = (line: string): Int16Array | undefined => {
    const parts = line.split('|').map((word) => words.get(word));
    return parts.some((part) => part === undefined) ? undefined : join(...parts.map((part) => part!));
  };
  const all = [...words.values()];
  for (let round = 0; round < 12; round++)
    for (const line of HUMAN_GREETINGS) {
      const greeting = spoken(line);
      const reply =
        all.length === 0
          ? silence(500)
          : join(...Array.from({ length: 3 + (round % 6) }, () => all[Math.floor(next() * all.length)]!));
      if (greeting !== undefined) human(`words ${line}`, greeting, reply);
    }
  for (const voice of VOICES)
    for (const line of HUMAN_SAYS)
      human(`${voice} ${line}`, await say(line, voice, 'zh'), await say('好的，你说。', voice, 'zh'));
  for (const [name, pcm] of clips) human(`clip ${name}`, pcm, pcm);
  let turn = 0;
  for (const voice of ['zh-female', ...VOICES])
    for (const [text, language] of [
      ...VOICEMAIL_GREETINGS.map((each) => [each, 'zh'] as const),
      ...MORE_MAILBOXES.map((each) => [each, 'en'] as const),
    ]) {
      const [hz, ms, times] = BEEPS[turn++ % BEEPS.length]!;
      const beep = join(
        ...Array.from({ length: times }, () => join(toneAt([hz], ms, -12 - 10 * next()), silence(200))),
      );
      const greeting = await say(text, voice, language);
      cases.push({
        expected: 'voicemail',
        name: `${voice} ${hz} Hz ${ms} ms ×${times}`,
        pcm: join(pause(300, 1200), greeting, pause(100, 900), beep, silence(2500)),
      });
    }
  for (const name of ['vm-intro', 'vm-nobodyavail', 'vm-rec-unv', 'vm-goodbye'])
    for (const [hz, ms] of BEEPS) {
      const prompt = prompts.get(name);
      if (prompt !== undefined && prompt.length > 12_000)
        cases.push({
          expected: 'voicemail',
          name: `${name} ${hz} Hz`,
          pcm: join(pause(300, 900), prompt, pause(100, 700), toneAt([hz], ms, -15), silence(2500)),
        });
    }
  for (const voice of ['zh-female', 'zh-male'])
    for (const words_ of ASSISTANT_LINES.openings) {
      const pcm = join(pause(200, 500), await say(words_, voice, 'zh'));
      cases.push({
        expected: 'call-assistant',
        name: `${voice} ${words_}`,
        pcm: join(pcm, silence(3000)),
        text: { words: words_, atMs: pcm.length / 8 },
      });
    }
  for (const words_ of IVR_SAYS) {
    const pcm = join(pause(200, 500), await say(words_, 'zh-female', /\p{Script=Han}/u.test(words_) ? 'zh' : 'en'));
    cases.push({
      expected: 'ivr',
      name: words_,
      pcm: join(pcm, silence(3000)),
      text: { words: words_, atMs: pcm.length / 8 },
    });
  }
  for (let i = 0; i < 6; i++)
    cases.push(
      {
        expected: 'fax',
        name: 'CED',
        pcm: join(pause(200, 1500), toneAt([2085 + 5 * i], 3000, -10 - 4 * i), silence(500)),
      },
      {
        expected: 'fax',
        name: 'CNG',
        pcm: join(pause(200, 1500), cadence([1082 + 6 * i], [500, 3000], 7500, -10 - 4 * i)),
      },
    );
  return cases;
}

/** Hears an answer over a line. */
export function hearAnswer(one: AnswerCase, line: Line, activity: VoiceActivity, seed: number): Answered {
  const machine = new AnsweringMachineDetector();
  let beeps = 0;
  let decidedMs: number | undefined;
  let told = false;
  for (const { pcm, atMs } of overLine(one.pcm, line, seed)) {
    if (machine.push(pcm, activity.push(pcm), atMs) !== undefined) beeps++;
    if (one.text !== undefined && !told && atMs >= one.text.atMs) {
      machine.hear(one.text.words, atMs);
      told = true;
    }
    if (decidedMs === undefined && machine.verdict !== 'unknown' && machine.verdict !== 'human') decidedMs = atMs;
  }
  activity.close();
  return {
    expected: one.expected,
    got: machine.verdict,
    evidence: machine.evidence,
    name: one.name,
    line: line.name,
    beeps,
    decidedMs,
  };
}
