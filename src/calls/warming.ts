import type { Script, Speech } from '#domain/script.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import { next, startDialog } from '#dialog/interpreter.ts';
import { fixedPhrases, PLACEHOLDER, renderText } from '#dialog/speech.ts';
import type { PhraseRequest } from './worker-protocol.ts';

/** The request for one piece of an utterance, in the script's voice. */
export function requestFor(
  script: Script,
  part: { readonly text: string; readonly audio?: string },
  codec: G711Codec,
): PhraseRequest {
  const { language, settings } = script;
  return { text: part.text, audio: part.audio, voice: settings.voice, language, codec };
}

/** Everything that a script may say to anybody: recorded prompts and fixed phrases. */
export function fixedRequests(script: CompiledScript, codec: G711Codec): PhraseRequest[] {
  const { source } = script;
  const speeches: readonly Speech[] = [
    ...[...source.nodes, ...source.globals].flatMap((owner) => owner.speech),
    ...source.knowledge.flatMap((entry) => entry.answers),
  ];
  const recorded = speeches.filter(({ text, audio }) => audio !== undefined && text.match(PLACEHOLDER) === null);
  const transcripts = new Set(recorded.map(({ text }) => text));
  const texts = fixedPhrases(script).filter((text) => !transcripts.has(text));
  return [...recorded, ...texts.map((text) => ({ text }))].map((part) => requestFor(source, part, codec));
}

/** What this contact will hear: first the greeting, then the values of all variables. */
export function requestsOfContact(
  script: CompiledScript,
  contact: { readonly variables: Readonly<Record<string, string>>; readonly now: Date; readonly timeZone: string },
  codec: G711Codec,
): PhraseRequest[] {
  const { source } = script;
  const before = startDialog(script, contact);
  const { effects } = next(before, { type: 'answered', atMs: 0 });
  const greeting = effects.flatMap((effect) => (effect.type === 'say' ? effect.speech : []));
  const values = source.variables.flatMap(({ name }) => renderText(script, before.data, `{${name}}`));
  return [...greeting, ...values].map((part) => requestFor(source, part, codec));
}
