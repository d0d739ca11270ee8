import type { Speech } from '#domain/script.ts';
import type { Language } from '#domain/text.ts';
import type { CompiledScript } from './compile.ts';
import { spokenVariable } from './entities/fill.ts';
import type { DialogData, SpeechPart } from './state.ts';

/** `{name}` in a text. */
export const PLACEHOLDER = /\{([\p{L}_][\p{L}\p{N}_]*)\}/gu;

/** The parts of a text: what is fixed, and each value on its own. Names without a value leave nothing. */
export function renderText(script: CompiledScript, data: DialogData, text: string): SpeechPart[] {
  const parts: SpeechPart[] = [];
  let from = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    add(parts, text.slice(from, match.index));
    add(parts, valueOf(script, data, match[1]!));
    from = match.index + match[0].length;
  }
  add(parts, text.slice(from));
  return parts;
}

/** A speech with its values filled in; a recorded prompt plays as it is. */
export function renderSpeech(script: CompiledScript, data: DialogData, speech: Speech): SpeechPart[] {
  if (speech.audio !== undefined && speech.text.match(PLACEHOLDER) === null)
    return [{ text: speech.text, audio: speech.audio }];
  return renderText(script, data, speech.text);
}

/** A text with its values as they are, for machines rather than ears. */
export function plainText(script: CompiledScript, data: DialogData, text: string): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) =>
    Object.hasOwn(data.slots, name) ? data.slots[name]!.value : givenValue(script, data, name),
  );
}

/** The n-th of several versions, counted from 0; the last one repeats. */
export function nthSpeech(speech: readonly Speech[], n: number): Speech | undefined {
  return speech[Math.min(Math.max(0, n), speech.length - 1)];
}

/** Every fixed phrase of a script, for warming a phrase cache. */
export function fixedPhrases(script: CompiledScript): string[] {
  const { source } = script;
  const texts = [
    source.settings.aiDisclosure,
    ...[...source.nodes, ...source.globals].flatMap((owner) => owner.speech.map((speech) => speech.text)),
    ...source.knowledge.flatMap((entry) => entry.answers.map((answer) => answer.text)),
    ...Object.values(BUILT_IN_SPEECH[source.language]),
  ];
  return [...new Set(texts.flatMap((text) => text.split(PLACEHOLDER).filter((_, index) => index % 2 === 0)))].filter(
    (text) => text.trim() !== '',
  );
}

function valueOf(script: CompiledScript, data: DialogData, name: string): string {
  if (Object.hasOwn(data.slots, name)) return data.slots[name]!.spoken;
  const variable = script.source.variables.find((known) => known.name === name);
  return spokenVariable(variable, givenValue(script, data, name), script.source.language);
}

function givenValue(script: CompiledScript, data: DialogData, name: string): string {
  const given = Object.hasOwn(data.variables, name) ? data.variables[name]! : '';
  if (given.trim() !== '') return given;
  return script.source.variables.find((known) => known.name === name)?.fallback ?? '';
}

function add(parts: SpeechPart[], text: string): void {
  if (text.trim() !== '') parts.push({ text });
}

/** Sentences for situations that a script does not word itself. */
export const BUILT_IN_SPEECH: Readonly<
  Record<
    Language,
    Readonly<
      Record<'closing' | 'optOut' | 'noAgent' | 'notTransferred' | 'takenBack' | 'silence' | 'unrecognised', string>
    >
  >
> = {
  zh: {
    closing: '那今天先不打扰您了，祝您生活愉快，再见。',
    optOut: '好的，已经为您登记，今后不再给您拨打此类电话，打扰您了，再见。',
    noAgent: '好的，我已经为您登记，稍后会有人工客服给您回电，请您留意接听，再见。',
    notTransferred: '不好意思，刚才没有接通，我们继续。',
    takenBack: '让您久等了，我们继续。',
    silence: '您好，请问您还在听吗？',
    unrecognised: '不好意思，我没有听清楚，麻烦您再说一遍好吗？',
  },
  en: {
    closing: "I won't keep you any longer. Thank you for your time, goodbye.",
    optOut: 'Understood. You are on our do-not-call list from now on. Sorry for the trouble, goodbye.',
    noAgent: 'Of course. I have made a note, and a colleague will call you back. Goodbye.',
    notTransferred: 'Sorry, nobody could take the call just now, so let us go on.',
    takenBack: 'Thank you for waiting; let us go on.',
    silence: 'Hello, are you still there?',
    unrecognised: "Sorry, I didn't catch that. Could you say it again, please?",
  },
};
