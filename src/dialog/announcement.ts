import type { Script } from '#domain/script.ts';
import type { Language, LocalText } from '#domain/text.ts';

/** What a caller hears whose call nobody planned for. */
export const CALL_BACK_ANNOUNCEMENT: LocalText = {
  zh: '感谢您的来电。我们的工作人员会尽快与您联系。如果您不希望再接到我们的电话，请现在告诉我。',
  en: 'Thank you for calling back. We will contact you soon. If you do not want any more calls from us, please say so now.',
};

const DISCLOSURE: LocalText = {
  zh: '您好，这里是智能语音助手，由人工智能为您服务，本次通话会录音。',
  en: 'Hello, this is an automated voice assistant powered by artificial intelligence; this call is recorded.',
};

/** Thanks and goodbye. */
const GOODBYE: LocalText = { zh: '好的，感谢您的来电，再见。', en: 'Thank you for your call. Goodbye.' };

/**
 * A script that says one thing, listens for a moment and hangs up. Whoever asks not to be called again is understood,
 * as in every script.
 */
export function announcementScript(o: {
  readonly text: string;
  readonly language: Language;
  readonly voice: string;
}): Script {
  const { text, language, voice } = o;
  const barge = { mode: 'semantic', graceMs: 500, ignoreWords: [] } as const;
  return {
    id: 'inbound-announcement',
    version: 0,
    name: { zh: '来电提示', en: 'Call-back announcement' }[language],
    language,
    variables: [],
    intents: [],
    nodes: [
      {
        id: 'announcement',
        type: 'start',
        stage: 'announcement',
        speech: [{ text }],
        barge,
        branches: (['positive', 'negative', 'refuse', 'neutral', 'unmatched'] as const).map((meaning) => ({
          meaning,
          next: 'goodbye',
        })),
        maxVisits: 1,
        scoreDelta: 0,
      },
      {
        id: 'goodbye',
        type: 'end',
        stage: 'end',
        speech: [{ text: GOODBYE[language] }],
        branches: [],
        maxVisits: 1,
        scoreDelta: 0,
      },
    ],
    knowledge: [],
    globals: [{ kind: 'silence', speech: [{ text: GOODBYE[language] }], action: 'hangup', max: 1 }],
    grades: [
      {
        code: 'C',
        priority: 1,
        expression: 'true',
        reason: { zh: '来电，只播放了提示', en: 'called back and heard the announcement' }[language],
      },
    ],
    tags: [],
    settings: {
      maxRounds: 3,
      maxSeconds: 60,
      greetDelayMs: 500,
      endOfTurnMs: 600,
      bargeInMs: 250,
      noReply: { waitMs: 3000, reprompts: 1, hangupMs: 1000 },
      aiDisclosure: DISCLOSURE[language],
      voice,
    },
    examples: [],
  };
}
