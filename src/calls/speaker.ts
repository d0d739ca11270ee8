import type { Clock } from '#platform/clock.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import type { DialogEffect } from '#dialog/interpreter.ts';
import type { BargePolicy } from '#domain/script.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import type { PhraseSource } from './phrase-source.ts';
import type { Transcript } from './transcript.ts';
import { requestFor } from './warming.ts';

type Say = Extract<DialogEffect, { type: 'say' }>;

/** The voice as the conversation uses it; `VoiceSession` is one. */
export interface Mouth {
  speak(utterance: {
    readonly id: number;
    readonly parts: readonly { readonly text: string; readonly audio: Uint8Array }[];
    readonly barge: BargePolicy;
  }): void;
  /** Fades out what plays and drops what waits; each is reported as ended. */
  stop(): void;
}

/** What the voice says when an utterance is over. */
export interface UtteranceEnd {
  readonly id: number;
  readonly playedText: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly interrupted: boolean;
}

/** The callee turn that an utterance answers; times of the call's own clock. */
export interface Answered {
  readonly endMs: number;
  readonly endOfTurnMs: number;
  readonly decidedMs: number;
}

export interface SpeakerOptions {
  readonly clock: Clock;
  readonly script: CompiledScript;
  readonly codec: G711Codec;
  readonly phrases: Pick<PhraseSource, 'peek' | 'get'>;
  readonly transcript: Transcript;
  readonly mouth: Mouth;
  /** The utterance goes to the voice now. */
  readonly onSay: (text: string) => void;
  /** Once an utterance, and once for all that one interruption cut short. */
  readonly onSpoken: (end: { readonly interrupted: boolean; readonly playedText: string }) => void;
}

/** An utterance that was asked for and is not over. */
interface Pending {
  readonly say: Say;
  /** The turn it replies to, where that ended in our silence: only then is there a reply latency to speak of. */
  readonly answering: Answered | undefined;
  spokenMs: number | undefined;
  startedMs: number | undefined;
  /** The callee took the floor while it played or waited to. */
  cut: boolean;
}

const NO_AUDIO = new Uint8Array(0);

/**
 * What the platform says on one call: gets the audio of each utterance, hands them to the voice in the order in which
 * they were asked for, and writes down what was played.
 */
export class Speaker {
  readonly #o: SpeakerOptions;
  readonly #pending = new Map<number, Pending>();
  /** The last utterance whose audio is not here yet; later ones queue behind it. */
  #audio: Promise<void> | undefined;
  /** End of the last thing we said. */
  #quietSinceMs = -Infinity;
  #nextId = 1;
  #closed = false;

  constructor(options: SpeakerOptions) {
    this.#o = options;
  }

  /** Whether something is playing or on its way. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /** Speaks at once where all audio is here, else as soon as it is; a phrase that cannot be had is left out. */
  say(say: Say, answering: Answered | undefined): void {
    const { script, codec, phrases } = this.#o;
    const id = this.#nextId++;
    const prompt = !this.busy && answering !== undefined && answering.endMs >= this.#quietSinceMs;
    const measured = prompt ? answering : undefined;
    this.#pending.set(id, { say, answering: measured, spokenMs: undefined, startedMs: undefined, cut: false });
    const wanted = say.speech.map((part) => requestFor(script.source, part, codec));
    const here = wanted.map((phrase) => phrases.peek(phrase));
    if (this.#audio === undefined && here.every((audio) => audio !== undefined)) {
      this.#speak(id, here);
      return;
    }
    const fetched = Promise.all(wanted.map(async (phrase) => phrases.get(phrase)));
    const mine: Promise<void> = (this.#audio ?? Promise.resolve())
      .then(() => fetched)
      .then((audio) => {
        if (this.#audio === mine) this.#audio = undefined;
        this.#speak(id, audio);
      });
    this.#audio = mine;
  }

  /** The callee took the floor: what waits for its audio is dropped; what plays ends by itself. */
  interrupted(): void {
    let dropped = false;
    for (const [id, pending] of this.#pending) {
      if (pending.spokenMs === undefined) dropped = this.#pending.delete(id);
      else pending.cut = true;
    }
    if (dropped && !this.busy) this.#o.onSpoken({ interrupted: true, playedText: '' });
  }

  /** Stops what plays and drops what waits. */
  hush(): void {
    if (this.#closed) return;
    this.interrupted();
    this.#o.mouth.stop();
  }

  started(id: number, atMs: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.startedMs = atMs;
  }

  ended(end: UtteranceEnd): void {
    const pending = this.#pending.get(end.id);
    if (pending === undefined) return;
    this.#pending.delete(end.id);
    this.#quietSinceMs = end.endMs;
    if (end.playedText !== '') this.#write(pending, end);
    if (pending.cut && [...this.#pending.values()].some((other) => other.cut)) return;
    this.#o.onSpoken({ interrupted: end.interrupted || pending.cut, playedText: end.playedText });
  }

  /** Nothing goes to the voice any more; what was playing may still be reported by `ended`. */
  close(): void {
    this.#closed = true;
  }

  #speak(id: number, audio: readonly (Uint8Array | undefined)[]): void {
    const pending = this.#pending.get(id);
    if (this.#closed || pending === undefined) return;
    pending.spokenMs = this.#o.clock.monotonicMs();
    const { speech, barge } = pending.say;
    this.#o.onSay(speech.map((part) => part.text).join(''));
    const parts = speech.map((part, index) => ({ text: part.text, audio: audio[index] ?? NO_AUDIO }));
    this.#o.mouth.speak({ id, parts, barge });
  }

  #write(pending: Pending, end: UtteranceEnd): void {
    const { say, answering } = pending;
    const startMs = pending.startedMs ?? end.startMs;
    const spokenMs = pending.spokenMs ?? startMs;
    this.#o.transcript.turn('platform', {
      startMs,
      endMs: end.endMs,
      text: end.playedText,
      interrupted: end.interrupted,
      node: say.node,
      intent: say.intent,
      latency:
        answering === undefined
          ? undefined
          : {
              voiceToVoiceMs: Math.round(startMs - answering.endMs),
              endOfTurnMs: Math.round(answering.endOfTurnMs),
              thinkMs: Math.round(spokenMs - answering.decidedMs),
              playoutMs: Math.max(0, Math.round(startMs - spokenMs)),
            },
    });
  }
}
