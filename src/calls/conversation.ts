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

interface UtteranceEnd {
  readonly id: number;
  readonly playedText: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly interrupted: boolean;
}

interface CalleeTurn {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly endOfTurnMs: number;
}

/** An utterance that was asked for and is not over. */
interface Pending {
  readonly say: Say;
  readonly answering: { readonly turn: CalleeTurn; readonly decidedMs: number } | undefined;
  /** Whether we were silent when the callee's turn ended: only then is there a reply latency to speak of. */
  readonly promptly: boolean;
  spokenMs: number | undefined;
  startedMs: number | undefined;
}

/** Feeds what happens on a call to the script and does what the script decides. Owned and closed by its call session. */
export class Conversation {
  readonly #o: ConversationOptions;
  #state: DialogState;
  readonly #pending = new Map<number, Pending>();
  /** Utterances whose audio is not here yet are spoken in the order in which they were asked for. */
  #audio: Promise<void> | undefined;
  #nextUtterance = 1;
  #quietSinceMs = -Infinity;
  #hangUpReason: string | undefined;
  #noReplyMs: number | undefined;
  #noReply: Timer | undefined;
  #timeLimit: Timer | undefined;
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
    const maxMs = this.#o.script.source.settings.maxSeconds * 1000;
    this.#timeLimit = this.#o.clock.setTimer(maxMs, () => this.#feed({ type: 'time-limit', atMs: this.#now() }));
    this.#feed({ type: 'answered', atMs: this.#now() });
  }

  /** A callee turn that is complete; empty text means that a voice was heard and nothing understood. */
  heard(turn: CalleeTurn): void {
    this.#cancelNoReply();
    if (turn.text !== '') {
      this.#o.transcript.turn('callee', {
        ...turn,
        interrupted: false,
        node: undefined,
        intent: undefined,
        latency: undefined,
      });
      this.#o.events.onSaid('callee', turn.text);
    }
    this.#feed({ type: 'heard', text: turn.text, atMs: this.#now() }, turn);
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

  /** The callee took the floor: what waits for its audio is dropped; what plays ends by itself. */
  interrupted(): void {
    const waiting = [...this.#pending].filter(([, pending]) => pending.spokenMs === undefined);
    for (const [id] of waiting) this.#pending.delete(id);
    if (waiting.length > 0 && this.#pending.size === 0) {
      this.#feed({ type: 'spoken', interrupted: true, playedText: '', atMs: this.#now() });
    }
  }

  utteranceStarted(id: number, atMs: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.startedMs = atMs;
  }

  utteranceEnded(u: UtteranceEnd): void {
    const pending = this.#pending.get(u.id);
    if (pending === undefined) return;
    this.#pending.delete(u.id);
    this.#quietSinceMs = u.endMs;
    if (u.playedText !== '') this.#write(pending, u);
    this.#feed({ type: 'spoken', interrupted: u.interrupted, playedText: u.playedText, atMs: this.#now() });
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
    this.#cancelNoReply();
    this.#timeLimit?.cancel();
  }

  #feed(event: DialogEvent, turn?: CalleeTurn): void {
    if (this.#over) return;
    const decidedMs = this.#now();
    const step = next(this.#state, event);
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect, turn === undefined ? undefined : { turn, decidedMs });
    if (!this.#hungUp) this.#settle();
  }

  #perform(effect: DialogEffect, cause: Pending['answering']): void {
    const atMs = this.#now();
    const { transcript, events } = this.#o;
    switch (effect.type) {
      case 'say':
        if (!this.#hungUp) this.#say(effect, cause);
        return;
      case 'listen':
        this.#noReplyMs = effect.noReplyMs;
        return;
      case 'hang-up':
        this.#hangUpReason = effect.reason;
        return;
      case 'transfer':
        // The dialog was started without agents and asks for none; should it, it hears at once that nobody is there.
        queueMicrotask(() => this.#feed({ type: 'transfer-failed', atMs: this.#now() }));
        return;
      case 'suppress':
        events.onOptOut();
        return;
      case 'tag':
        transcript.add(atMs, { type: 'tag', tag: effect.tag });
        return;
      case 'slot':
        transcript.add(atMs, { type: 'slot', name: effect.name, value: effect.value });
        return;
      case 'call-back':
        transcript.add(atMs, { type: 'slot', name: 'call-back', value: effect.at.toISOString() });
        return;
      case 'decision':
        transcript.add(atMs, { type: 'decision', node: effect.node, reason: effect.reason });
    }
  }

  #say(say: Say, answering: Pending['answering']): void {
    this.#cancelNoReply();
    this.#noReplyMs = undefined;
    if (say.intent !== undefined && answering !== undefined) this.#o.transcript.understood(say.intent);
    const id = this.#nextUtterance++;
    const promptly = this.#pending.size === 0 && answering !== undefined && answering.turn.endMs >= this.#quietSinceMs;
    this.#pending.set(id, { say, answering, promptly, spokenMs: undefined, startedMs: undefined });
    const wanted = say.speech.map((speech) => this.#phrase(speech));
    const here = wanted.map((phrase) => this.#o.phrases.peek(phrase));
    if (this.#audio === undefined && here.every((audio) => audio !== undefined)) {
      this.#speak(id, here);
      return;
    }
    const fetched = Promise.all(wanted.map(async (phrase) => this.#o.phrases.get(phrase)));
    const mine: Promise<void> = (this.#audio ?? Promise.resolve())
      .then(() => fetched)
      .then((audio) => {
        if (this.#audio === mine) this.#audio = undefined;
        this.#speak(id, audio);
      });
    this.#audio = mine;
  }

  #speak(id: number, audio: readonly (Uint8Array | undefined)[]): void {
    const pending = this.#pending.get(id);
    if (this.#over || pending === undefined) return;
    pending.spokenMs = this.#now();
    const { say } = pending;
    const text = say.speech.map((part) => part.text).join('');
    this.#o.events.onSay(text);
    this.#o.events.onSaid('platform', text);
    const parts = say.speech.map((part, index) => ({ text: part.text, audio: audio[index] ?? NO_AUDIO }));
    this.#o.mouth.speak({ id, parts, barge: say.barge });
  }

  #write(pending: Pending, u: UtteranceEnd): void {
    const { say, answering } = pending;
    const startMs = pending.startedMs ?? u.startMs;
    const spokenMs = pending.spokenMs ?? startMs;
    this.#o.transcript.turn('platform', {
      startMs,
      endMs: u.endMs,
      text: u.playedText,
      interrupted: u.interrupted,
      node: say.node,
      intent: say.intent,
      latency:
        answering === undefined || !pending.promptly
          ? undefined
          : {
              voiceToVoiceMs: Math.round(startMs - answering.turn.endMs),
              endOfTurnMs: Math.round(answering.turn.endOfTurnMs),
              thinkMs: Math.round(spokenMs - answering.decidedMs),
              playoutMs: Math.round(startMs - spokenMs),
            },
    });
  }

  /** While nothing is being said: end the call if that was decided, else wait for the callee. */
  #settle(): void {
    if (this.#over || this.#pending.size > 0) return;
    if (this.#hangUpReason !== undefined) {
      const reason = this.#hangUpReason;
      this.close();
      this.#o.events.onHangUp(reason);
      return;
    }
    if (this.#noReply === undefined) this.#armNoReply();
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

  #phrase(speech: Say['speech'][number]): PhraseRequest {
    const { source } = this.#o.script;
    return {
      text: speech.text,
      audio: speech.audio,
      voice: source.settings.voice,
      language: source.language,
      codec: this.#o.codec,
    };
  }

  #now(): number {
    return this.#o.clock.monotonicMs();
  }
}

const NO_AUDIO = new Uint8Array(0);
