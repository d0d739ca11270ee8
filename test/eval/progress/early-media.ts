/** The labelled early media: tones of three plans, taught and untaught announcements, music and speech. */
import type { TonePlan } from '#telephony/progress/cadence.ts';
import { ANNOUNCEMENTS, ASSISTANT_LINES, VOICEMAIL_GREETINGS } from '#simulator/announcements.ts';
import { join, silence } from '../../support/progress-audio.ts';
import { seeded, sentence } from './material.ts';
import type { Material, Sound } from './material.ts';
import { cadence, toneAt } from './signals.ts';

/** What a case is; `expected` names its row of the matrix, for announcements `taught:LABEL`. */
export interface EarlyCase {
  readonly expected: string;
  readonly name: string;
  readonly plan: TonePlan;
  /** The call ends with it, so that the best guess counts where nothing is certain. */
  readonly ends?: boolean;
  /** Made anew for each line, with its own level and frequency where those vary. */
  readonly make: (next: () => number) => Int16Array;
}

/** A recording that is taught before the cases are heard. */
export interface Lesson extends Sound {
  readonly label: string;
}

const TONE_MS = 11_000;

type ToneShape = readonly [
  label: string,
  plan: TonePlan,
  hz: readonly number[],
  onOffMs: readonly number[],
  offHz: number,
];

/** `offHz`: how far an exchange may be off, by the specification or as usual. */
const TONES: readonly ToneShape[] = [
  ['ringback', 'cn', [450], [1000, 4000], 25],
  ['busy', 'cn', [450], [350, 350], 25],
  ['congestion', 'cn', [450], [700, 700], 25],
  ['ringback', 'eu', [425], [1000, 4000], 15],
  ['ringback', 'eu', [400, 450], [400, 200, 400, 2000], 8],
  ['busy', 'eu', [425], [500, 500], 15],
  ['congestion', 'eu', [425], [250, 250], 15],
  ['ringback', 'us', [440, 480], [2000, 4000], 5],
  ['busy', 'us', [480, 620], [500, 500], 5],
  ['congestion', 'us', [480, 620], [250, 250], 5],
  ['fax-cng', 'cn', [1100], [500, 3000], 20],
  ['fax-ced', 'cn', [2100], [3300, 8000], 10],
];

const SITS: readonly (readonly [string, TonePlan, readonly (readonly [number, number])[]])[] = [
  [
    'sit',
    'cn',
    [
      [950, 330],
      [1400, 330],
      [1800, 330],
    ],
  ],
  [
    'sit',
    'eu',
    [
      [950, 330],
      [1400, 330],
      [1800, 330],
    ],
  ],
  [
    'sit-intercept',
    'us',
    [
      [913.8, 274],
      [1370.6, 274],
      [1776.7, 380],
    ],
  ],
  [
    'sit-vacant',
    'us',
    [
      [985.2, 380],
      [1370.6, 274],
      [1776.7, 380],
    ],
  ],
  [
    'sit-reorder',
    'us',
    [
      [913.8, 274],
      [1428.5, 380],
      [1776.7, 380],
    ],
  ],
  [
    'sit-no-circuit',
    'us',
    [
      [985.2, 380],
      [1428.5, 380],
      [1776.7, 380],
    ],
  ],
];

/** Levels of −40 to −3 dBm0, frequencies within tolerance, begun anywhere. */
export function toneCases(): EarlyCase[] {
  const level = (next: () => number): number => -40 + 37 * next();
  const cadences = TONES.map(([expected, plan, hz, onOffMs, offHz]): EarlyCase => ({
    expected,
    plan,
    name: `${plan} ${expected} ${hz.join('+')}`,
    make(next) {
      const shift = (2 * next() - 1) * offHz;
      const whole = cadence(
        hz.map((each) => each + shift),
        onOffMs,
        TONE_MS,
        level(next),
      );
      const begin = expected.startsWith('fax') ? 0 : Math.floor(next() * 8 * onOffMs.reduce((a, b) => a + b, 0) * 0.5);
      return whole.subarray(begin);
    },
  }));
  const sits = SITS.map(([expected, plan, tones]): EarlyCase => ({
    expected,
    plan,
    name: `${plan} ${expected}`,
    make(next) {
      const dbm0 = level(next);
      return join(silence(200), ...tones.map(([hz, ms]) => toneAt([hz], ms, dbm0)), silence(600));
    },
  }));
  return [...cadences, ...sits];
}

const TEACHER = 'zh-female';
const OTHER_VOICES = ['zh-male', 'zh-female-2', 'zh-male-2', 'zh-female-3', 'zh-male-3', 'cmn+f4', 'cmn+m5'] as const;
/** Announcements of the teacher's voice that are never taught, with the phrases of those that are. */
const STRANGERS = [
  ['您好，您拨打的电话已启用来电提醒功能，请稍后再拨。', 'zh'],
  ['对不起，您拨打的用户正在使用短信呼服务，请稍后再拨。', 'zh'],
  ['您拨打的号码正在呼叫转移中，请稍候，请不要挂机。', 'zh'],
  ['您好，您拨打的电话号码前请加拨零。', 'zh'],
  ['对不起，您的主叫号码未开通此项业务，详情请咨询当地运营商。', 'zh'],
  ['Sorry, the subscriber you dialed has call reminding service. Please redial later.', 'en'],
  ['Sorry, the number you dialed is being forwarded. Please hold on.', 'en'],
  ['Sorry, please dial zero before the number you dialed.', 'en'],
] as const;
const HUMAN_LABELS = ['invalid-number', 'suspended', 'powered-off', 'out-of-coverage', 'busy', 'no-answer'] as const;
const TAUGHT_PROMPTS: Readonly<Record<string, string>> = {
  'cannot-complete-as-dialed': 'invalid-number',
  'number-not-answering': 'no-answer',
  'all-circuits-busy-now': 'congestion',
  'ss-noservice': 'suspended',
  'feature-not-avail-line': 'incoming-barred',
  'simul-call-limit-reached': 'busy',
};

/** What is taught: ten announcements of a carrier in two languages, human sentences with a common beginning, prompts. */
export async function lessons({ say, words, prompts }: Material, seed: number): Promise<Lesson[]> {
  const taught: Lesson[] = [];
  for (const [label, text] of Object.entries(ANNOUNCEMENTS))
    for (const language of ['zh', 'en'] as const)
      taught.push({ label, name: `${label}.${language}`, pcm: await say(text[language], TEACHER, language) });
  const beginning = humanBeginning(words);
  if (beginning !== undefined)
    for (const [i, label] of HUMAN_LABELS.entries())
      taught.push({
        label,
        name: `human ${label}`,
        pcm: join(beginning, sentence([...words.values()], 5, seeded(seed + 500 + i))),
      });
  for (const [name, label] of Object.entries(TAUGHT_PROMPTS)) {
    const pcm = prompts.get(name);
    if (pcm !== undefined && pcm.length > 2.4 * 8000) taught.push({ label, name: `prompt ${name}`, pcm });
  }
  return taught;
}

/** Each lesson as a network plays it: twice, begun in its first third. */
export function taughtCases(taught: readonly Lesson[]): EarlyCase[] {
  return taught.map(({ label, name, pcm }) => ({
    expected: `taught:${label}`,
    name,
    plan: 'cn',
    make: (next) => join(silence(300 * next()), pcm, silence(400), pcm).subarray(Math.floor((next() * pcm.length) / 3)),
  }));
}

/** Each lesson as a hurried exchange plays it: once, whole. */
export function onceCases(taught: readonly Lesson[]): EarlyCase[] {
  return taught.map(({ label, name, pcm }) => ({
    expected: `taught:${label}`,
    name: `once ${name}`,
    plan: 'cn',
    ends: true,
    make: (next) => join(silence(300 * next()), pcm, silence(300)),
  }));
}

/** Each lesson cut off after 60–90 % of it. */
export function cutCases(taught: readonly Lesson[]): EarlyCase[] {
  return taught.map(({ label, name, pcm }) => ({
    expected: `taught:${label}`,
    name: `cut ${name}`,
    plan: 'cn',
    ends: true,
    make: (next) => join(silence(300 * next()), pcm.subarray(0, Math.floor(pcm.length * (0.6 + 0.3 * next())))),
  }));
}

/** Speech that is no taught announcement: other voices, other texts, humans. */
export async function speechCases(material: Material, taught: readonly Lesson[], seed: number): Promise<EarlyCase[]> {
  const { say, words, prompts, clips } = material;
  const known = new Set(taught.map(({ name }) => name));
  const sounds: Sound[] = [];
  for (const [text, language] of STRANGERS)
    sounds.push({ name: `stranger ${text}`, pcm: await say(text, TEACHER, language) });
  for (const text of [...VOICEMAIL_GREETINGS, ...ASSISTANT_LINES.openings])
    sounds.push({ name: `stranger ${text}`, pcm: await say(text, TEACHER, 'zh') });
  for (const [i, [label, text]] of Object.entries(ANNOUNCEMENTS).entries())
    for (const language of ['zh', 'en'] as const)
      for (const voice of [OTHER_VOICES[i % 7]!, OTHER_VOICES[(i + 3) % 7]!])
        sounds.push({ name: `${voice} ${label}`, pcm: await say(text[language], voice, language) });
  const beginning = humanBeginning(words);
  const all = [...words.values()];
  if (beginning !== undefined)
    for (let i = 0; i < 30; i++) {
      const rest = sentence(all, 8, seeded(seed + 900 + i));
      sounds.push({ name: `human ${i}`, pcm: i % 2 === 0 ? rest : join(beginning, rest) });
    }
  for (const [name, pcm] of clips) sounds.push({ name: `clip ${name}`, pcm });
  for (const [name, pcm] of prompts)
    if (pcm.length > 2.5 * 8000 && !known.has(`prompt ${name}`)) sounds.push({ name: `prompt ${name}`, pcm });
  return sounds.map(({ name, pcm }) => ({
    expected: 'speech',
    name,
    plan: 'cn',
    make: (next) => join(silence(400 * next()), pcm, silence(500), pcm),
  }));
}

/** 彩铃 and music on hold. */
export function musicCases({ music }: Pick<Material, 'music'>): EarlyCase[] {
  return music.map(({ name, pcm }) => ({ expected: 'music', name, plan: 'cn', make: () => pcm }));
}

/** Silence and line noise. */
export function silenceCases(): EarlyCase[] {
  return [{ expected: 'silence', name: 'silence', plan: 'cn', make: () => silence(8000) }];
}

function humanBeginning(words: Material['words']): Int16Array | undefined {
  const parts = ['你好', '用户', '号码', '电话'].map((word) => words.get(word));
  const known = parts.filter((part) => part !== undefined);
  return known.length < 3 ? undefined : join(...known);
}
