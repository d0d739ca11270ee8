import type { GradeCode } from '#domain/outcome.ts';
import type { ExampleConversation } from '#domain/script.ts';
import type { HumanTraits, Intention } from './persona.ts';

/** What a person means to say, and the grade that it earns. */
export interface Conversation {
  readonly name: string;
  readonly lines: readonly string[];
  readonly grade: GradeCode | undefined;
}

/** For a call without a script: someone listens and is polite. */
const SMALL_TALK: Conversation = {
  name: 'small-talk',
  lines: ['你好，哪位？', '嗯，你说。', '好的，我知道了。'],
  grade: undefined,
};

const GRADE_OF: Readonly<Record<Intention, GradeCode | undefined>> = {
  strong: 'A',
  interested: 'B',
  'follow-up': 'C',
  none: 'D',
  refuse: 'E',
  'opt-out': undefined,
  'wants-human': undefined,
  'call-back': undefined,
};

/** How an example conversation shows what it is about, in its name or its tags. */
const TOPICS: Readonly<Partial<Record<Intention, RegExp>>> = {
  'opt-out': /opt-?out|退订|勿扰|不再来电|拒绝来电|不要再打|别打|拉黑|投诉/i,
  'wants-human': /human|agent|人工|客服|专员/i,
  'call-back': /call-?back|回电|回拨|改天|再联系|没空|忙|稍后/i,
};
const NOT_A_PERSON = /voicemail|assistant|fax|语音信箱|留言|助理|传真/i;

/** The conversation a person has: one of the script's examples that fits the intention, else any of them. */
export function conversationOf(examples: readonly ExampleConversation[], traits: HumanTraits): Conversation {
  const spoken = examples.filter(isSpokenByPerson);
  const fitting = [
    spoken.filter((example) => fits(example, traits.intention)),
    spoken.filter((example) => example.expectGrade === GRADE_OF[traits.intention]),
  ].find((examples) => examples.length > 0);
  const choices = fitting ?? spoken;
  const chosen = choices[Math.floor(traits.conversationDraw * choices.length)];
  if (chosen === undefined) return SMALL_TALK;
  return { name: chosen.name, lines: chosen.turns.map((turn) => turn.callee), grade: chosen.expectGrade };
}

function isSpokenByPerson(example: ExampleConversation): boolean {
  return (
    example.expectGrade !== 'F' &&
    !NOT_A_PERSON.test(subject(example)) &&
    example.turns.length > 0 &&
    example.turns.some((turn) => turn.callee !== '')
  );
}

function fits(example: ExampleConversation, intention: Intention): boolean {
  const topic = TOPICS[intention];
  if (topic !== undefined) return topic.test(subject(example));
  if (example.expectGrade !== GRADE_OF[intention]) return false;
  return !Object.values(TOPICS).some((other) => other.test(subject(example)));
}

function subject(example: ExampleConversation): string {
  return [example.name, ...(example.expectTags ?? [])].join(' ');
}
