import type { DialogResult, HangupSide } from '#domain/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import { dialogResult, next, startDialog } from '#dialog/interpreter.ts';
import type { DialogEffect, DialogEvent, DialogState } from '#dialog/interpreter.ts';
import type { BargePolicy } from '#domain/script.ts';
import type { AudioCodec } from '#telephony/sdp/media.ts';
import type { PhraseSource } from './phrase-source.ts';
import type { Transcript } from './transcript.ts';
import type { PhraseRequest } from './worker-protocol.ts';

type Say = Extract<DialogEffect, { type: 'say' }>;

/** The voice as the conversation uses it; `VoiceSession` is one. */
export interface Mouth {
  speak(utterance: {
    readonly id: number;
    readonly parts: readonly { readonly text: string; readonly audio: Uint8Array }[];
    readonly barge: BargePolicy;
  }): void;
  stop(): void;
}

export interface ConversationOptions {
  readonly clock: Clock;
  readonly script: CompiledScript;
  readonly variables: Readonly<Record<string, string>>;
  readonly timeZone: string;
  readonly codec: AudioCodec;
  readonly phrases: PhraseSource;
  readonly transcript: Transcript;
  readonly mouth: Mouth;
  readonly events: {
    /** What is about to be said, for real-time text. */
    onSay(text: string): void;
    onSaid(speaker: 'callee' | 'platform', text: string): void;
    onOptOut(): void;
    onHangUp(reason: string): void;
  };
}

interface CalleeTurn {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly endOfTurnMs: number;
}

/** Utterances that one decision asked for; the dialog hears `spoken` when the last of them is over. */
interface Batch {
  readonly says: Map<number, Say>;
  playedText: string;
  answering: { readonly turn: CalleeTurn; readonly decidedMs: number; readonly spokenMs: number } | undefined;
}

/** Feeds what happens on a call to the script and does what the script decides. Owned and closed by its call session. */
export class Conversation {
  readonly #o: ConversationOptions;
  #state: DialogState;
  #batch: Batch | undefined;
  #startedMs = new Map<number, number>();
  #nextUtterance = 1;
  #epoch = 0;
  #hangUpReason: string | undefined;
  #noReplyMs: number | undefined;
  #noReply: Timer | undefined;
  #timeLimit: Timer | undefined;
  #heldTurn: CalleeTurn | undefined;
  #over = false;
  #hungUp = false;

  constructor(options: ConversationOptions) {
    this.#o = options;
    this.#state = startDialog(options.script, {
      variables: options.variables,
      now: options.clock.now(),
      timeZone: options.timeZone,
    });
  }

  answered(): void {
    const maxMs = this.#o.script.script.settings.maxSeconds * 1000;
    this.#timeLimit = this.#o.clock.setTimer(maxMs, () => this.#feed({ type: 'time-limit', atMs: this.#now() }));
    this.#feed({ type: 'answered', atMs: this.#now() });
  }

  /** A callee turn that is complete. While we speak without being interrupted it waits for the end of our sentence. */
  heard(turn: CalleeTurn): void {
    this.#cancelNoReply();
    this.#o.transcript.turn('callee', {
      ...turn,
      interrupted: false,
      node: undefined,
      intent: undefined,
      latency: undefined,
    });
    this.#o.events.onSaid('callee', turn.text);
    if (this.#batch === undefined) this.#answer(turn);
    else
      this.#heldTurn = this.#heldTurn === undefined ? turn : { ...turn, text: `${this.#heldTurn.text} ${turn.text}` };
  }

  /** The callee began to speak or type: silence starts again afterwards. */
  noticed(): void {
    if (this.#noReply !== undefined) this.#armNoReply();
  }

  dtmf(digit: string): void {
    this.#o.transcript.add(this.#now(), { type: 'dtmf', digit });
    this.#feed({ type: 'dtmf', digit, atMs: this.#now() });
  }

  detected(kind: 'voicemail' | 'call-assistant' | 'fax'): void {
    this.#feed({ type: 'detected', kind, atMs: this.#now() });
  }

  /** The callee took the floor: what was queued behind the interrupted sentence is dropped. */
  interrupted(): void {
    this.#epoch++;
    this.#o.mouth.stop();
  }

  utteranceStarted(id: number, atMs: number): void {
    this.#startedMs.set(id, atMs);
  }

  utteranceEnded(u: {
    readonly id: number;
    readonly playedText: string;
    readonly startMs: number;
    readonly endMs: number;
    readonly interrupted: boolean;
  }): void {
    const batch = this.#batch;
    const say = batch?.says.get(u.id);
    if (batch === undefined || say === undefined) return;
    const startMs = this.#startedMs.get(u.id) ?? u.startMs;
    this.#startedMs.delete(u.id);
    batch.says.delete(u.id);
    batch.playedText += u.playedText;
    const { answering } = batch;
    batch.answering = undefined;
    if (u.playedText !== '') {
      this.#o.transcript.turn('platform', {
        startMs,
        endMs: u.endMs,
        text: u.playedText,
        interrupted: u.interrupted,
        node: say.node,
        intent: say.intent,
        latency:
          answering === undefined
            ? undefined
            : {
                voiceToVoiceMs: Math.round(startMs - answering.turn.endMs),
                endOfTurnMs: Math.round(answering.turn.endOfTurnMs),
                thinkMs: Math.round(answering.spokenMs - answering.decidedMs),
                playoutMs: Math.round(startMs - answering.spokenMs),
              },
      });
    }
    if (batch.says.size === 0 || u.interrupted) this.#batchEnded(u.interrupted);
  }

  /** The call is over; returns what the script knows. Later events do nothing. */
  finish(by: HangupSide, talkMs: number): DialogResult {
    if (!this.#hungUp) {
      this.#hungUp = true;
      this.#over = false;
      this.#feed({ type: 'hung-up', by, atMs: this.#now() });
    }
    this.close();
    return dialogResult(this.#state, { talkMs, hangupBy: by });
  }

  close(): void {
    this.#over = true;
    this.#epoch++;
    this.#cancelNoReply();
    this.#timeLimit?.cancel();
  }

  #answer(turn: CalleeTurn): void {
    const decidedMs = this.#now();
    this.#feed({ type: 'heard', text: turn.text, atMs: decidedMs }, turn);
  }

  #feed(event: DialogEvent, turn?: CalleeTurn): void {
    if (this.#over) return;
    const decidedMs = this.#now();
    const step = next(this.#state, event);
    this.#state = step.state;
    this.#apply(step.effects, turn === undefined ? undefined : { turn, decidedMs });
  }

  #apply(
    effects: readonly DialogEffect[],
    cause: { readonly turn: CalleeTurn; readonly decidedMs: number } | undefined,
  ): void {
    const says: Say[] = [];
    for (const effect of effects) {
      switch (effect.type) {
        case 'say':
          says.push(effect);
          break;
        case 'listen':
          this.#noReplyMs = effect.noReplyMs;
          break;
        case 'hang-up':
          this.#hangUpReason = effect.reason;
          break;
        case 'transfer':
          // Agents are not connected here; the wish is kept with the call and the sentence before it is still said.
          this.#o.transcript.add(this.#now(), { type: 'tag', tag: 'transfer-requested' });
          this.#hangUpReason = 'transfer-unavailable';
          break;
        case 'suppress':
          this.#o.events.onOptOut();
          break;
        case 'tag':
          this.#o.transcript.add(this.#now(), { type: 'tag', tag: effect.tag });
          break;
        case 'slot':
          this.#o.transcript.add(this.#now(), { type: 'slot', name: effect.name, value: effect.value });
          break;
        case 'call-back':
          this.#o.transcript.add(this.#now(), { type: 'slot', name: 'call-back', value: effect.at.toISOString() });
          break;
        case 'decision':
          this.#o.transcript.add(this.#now(), { type: 'decision', node: effect.node, reason: effect.reason });
          break;
      }
    }
    if (this.#hungUp) return;
    if (says.length > 0) this.#say(says, cause);
    else if (this.#batch === undefined) this.#settle();
  }

  #say(says: readonly Say[], cause: { readonly turn: CalleeTurn; readonly decidedMs: number } | undefined): void {
    this.#cancelNoReply();
    // A decision that speaks replaces what was still to be said.
    if (this.#batch !== undefined) this.#o.mouth.stop();
    const batch: Batch = { says: new Map(), playedText: '', answering: undefined };
    this.#batch = batch;
    const epoch = ++this.#epoch;
    const wanted = says.map((say) => say.speech.map((speech) => this.#phrase(speech)));
    const ready = wanted.map((parts) => parts.map((part) => this.#o.phrases.peek(part)));
    const go = (audio: readonly (readonly (Uint8Array | undefined)[])[]): void => {
      if (this.#over || this.#epoch !== epoch) return;
      if (cause !== undefined) batch.answering = { ...cause, spokenMs: this.#now() };
      const queued = says.map((say, index) => {
        const id = this.#nextUtterance++;
        batch.says.set(id, say);
        return {
          id,
          say,
          parts: say.speech.map((speech, part) => ({ text: speech.text, audio: audio[index]?.[part] ?? NO_AUDIO })),
        };
      });
      for (const { id, say, parts } of queued) {
        const text = parts.map((part) => part.text).join('');
        this.#o.events.onSay(text);
        this.#o.events.onSaid('platform', text);
        this.#o.mouth.speak({ id, parts, barge: say.barge });
      }
    };
    if (ready.every((parts) => parts.every((part) => part !== undefined))) go(ready);
    else void Promise.all(wanted.map((parts) => Promise.all(parts.map((part) => this.#o.phrases.get(part))))).then(go);
  }

  #batchEnded(interrupted: boolean): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#feed({ type: 'spoken', interrupted, playedText: batch.playedText, atMs: this.#now() });
    if (this.#batch !== undefined) return;
    const held = this.#heldTurn;
    this.#heldTurn = undefined;
    if (held !== undefined && this.#hangUpReason === undefined) this.#answer(held);
    else this.#settle();
  }

  /** Nothing is being said: end the call if that was decided, else wait for the callee. */
  #settle(): void {
    if (this.#over) return;
    if (this.#hangUpReason !== undefined) {
      const reason = this.#hangUpReason;
      this.close();
      this.#o.events.onHangUp(reason);
      return;
    }
    this.#armNoReply();
  }

  #armNoReply(): void {
    this.#cancelNoReply();
    if (this.#noReplyMs === undefined) return;
    this.#noReply = this.#o.clock.setTimer(this.#noReplyMs, () => {
      this.#noReply = undefined;
      this.#feed({ type: 'no-reply', atMs: this.#now() });
    });
  }

  #cancelNoReply(): void {
    this.#noReply?.cancel();
    this.#noReply = undefined;
  }

  #phrase(speech: { readonly text: string; readonly audio?: string }): PhraseRequest {
    const { script } = this.#o.script;
    return {
      text: speech.text,
      audio: speech.audio,
      voice: script.settings.voice,
      language: script.language,
      codec: this.#o.codec,
    };
  }

  #now(): number {
    return this.#o.clock.monotonicMs();
  }
}

const NO_AUDIO = new Uint8Array(0);
