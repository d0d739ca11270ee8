import type { Script } from '#domain/script.ts';
import { sampleScripts } from '#dialog/samples.ts';

/** A script that goes on asking for as long as the call does, in the rooms of a script that is shipped. */
export function soakScript(maxSeconds: number): Script {
  const [sample] = sampleScripts();
  if (sample === undefined) throw new Error('no sample script');
  const ask = { stage: 'ask', maxVisits: 1_000, scoreDelta: 0 } as const;
  return {
    ...sample,
    id: 'soak',
    version: 1,
    variables: [],
    intents: [],
    knowledge: [],
    globals: [],
    examples: [],
    tags: [],
    grades: sample.grades.slice(-1),
    nodes: [
      {
        ...ask,
        id: 'first',
        type: 'start',
        speech: [{ text: '请问方便吗？' }],
        branches: [
          { meaning: 'positive', next: 'second' },
          { meaning: 'negative', next: 'third' },
        ],
        unmatched: { short: 'second', long: 'third' },
      },
      {
        ...ask,
        id: 'second',
        type: 'say',
        speech: [{ text: '那我再问一句，行吗？' }],
        branches: [
          { meaning: 'positive', next: 'third' },
          { meaning: 'unmatched', next: 'first' },
        ],
      },
      {
        ...ask,
        id: 'third',
        type: 'say',
        speech: [{ text: '好的，我记下了。还有别的吗？' }],
        branches: [
          { meaning: 'positive', next: 'first' },
          { meaning: 'unmatched', next: 'second' },
        ],
      },
    ],
    settings: {
      ...sample.settings,
      aiDisclosure: '您好，我是智能语音。',
      greetDelayMs: 200,
      maxRounds: 1_000,
      maxSeconds,
      noReply: { waitMs: 4_000, reprompts: 100, hangupMs: 1_000 },
    },
  };
}
