import type { BargePolicy } from '#domain/script.ts';
import type { Clock } from '#platform/clock.ts';
import type { G711Codec } from './g711.ts';
import { Playout, type PlayoutEnd, type PlayoutItem } from './playout.ts';
import { type OpenRecognizer, type Recognizer, type RecognizerResult, Transcript } from './recognizer.ts';
import { TextRecognizer } from './rtt/recognizer.ts';
import { next, TURN_START, type TurnEffect, type TurnEvent, type TurnPhase, type TurnState } from './turn/machine.ts';
import type { VoiceSettings } from './turn/settings.ts';
import type { VoiceActivity } from './vad/activity.ts';
import { SpeechTracker } from './vad/speech-tracker.ts';

export { DEFAULT_VOICE_SETTINGS, type VoiceSettings } from './turn/settings.ts';

/** Something to say, as ready-to-send audio in the session's codec. */
export interface Utterance extends PlayoutItem {
  readonly barge: BargePolicy;
}

/** A turn of the callee that is over. `text` is empty when a voice was heard and no word understood. */
export interface CalleeTurn {
  readonly text: string;
  readonly startMs: number;
  /** Last sign of the callee: end of voice or last character. */
  readonly endMs: number;
  /** From `endMs` to the decision. */
  readonly endOfTurnMs: number;
  /** Rises with every turn; what was begun for a lower one is stale. */
  readonly epoch: number;
}

/** How one utterance ended. An utterance dropped before its first sample has no start event and an empty `playedText`. */
export interface UtteranceEnd {
  readonly id: number;
  readonly playedText: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly interrupted: boolean;
}

/** All times are `clock.monotonicMs` of the tick in which it happened. */
export interface VoiceHandlers {
  onTurn(turn: CalleeTurn): void;
  /** The callee began to speak or to type. */
  onSpeechStart(atMs: number): void;
  /** Text of the turn so far. */
  onPartial?(text: string): void;
  onBargeIn(action: 'duck' | 'pause' | 'resume' | 'interrupt', atMs: number): void;
  onUtteranceStart(utterance: { readonly id: number; readonly atMs: number }): void;
  onUtteranceEnd(end: UtteranceEnd): void;
}

/**
 * The voice of one call: received frames and typed text in, turns out; utterances in, frames to send out. It owns its
 * activity detector and recognisers and closes them. Handlers may call `speak` and `stop`.
 */
export class VoiceSession {
  readonly #clock: Clock;
  readonly #settings: VoiceSettings;
  readonly #activity: VoiceActivity;
  readonly #handlers: VoiceHandlers;
  readonly #tracker: SpeechTracker;
  readonly #playout: Playout<Utterance>;
  readonly #typed = new Transcript();
  readonly #spoken = new Transcript();
  readonly #text: Recognizer<string>;
  readonly #audio: Recognizer<Int16Array> | undefined;
  readonly #events: TurnEvent[] = [];
  #state: TurnState = TURN_START;
  #running = false;
  #speaking = false;
  #nowMs: number;
  #startedMs = 0;
  #closed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly codec: G711Codec;
    readonly settings: VoiceSettings;
    readonly activity: VoiceActivity;
    readonly handlers: VoiceHandlers;
    /** A recogniser of speech; without one only typed text is understood. */
    readonly openRecognizer?: OpenRecognizer<Int16Array>;
  }) {
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#activity = options.activity;
    this.#handlers = options.handlers;
    this.#nowMs = options.clock.monotonicMs();
    this.#tracker = new SpeechTracker(options.settings);
    this.#playout = new Playout<Utterance>(options.codec, {
      onStart: (utterance) => this.#onPlayoutStart(utterance),
      onEnd: (utterance, end) => this.#onPlayoutEnd(utterance, end),
      onSilent: () => this.#dispatch({ type: 'playout-end', atMs: this.#nowMs }),
    });
    this.#text = new TextRecognizer(options.settings, (result) => this.#onResult(this.#typed, result));
    this.#audio = options.openRecognizer?.((result) => this.#onResult(this.#spoken, result));
  }

  /** Whether something is playing, paused or waiting to play. */
  get speaking(): boolean {
    return this.#playout.busy;
  }

  get phase(): TurnPhase {
    return this.#state.phase;
  }

  /** One 20 ms tick: `pcm` is what was received, `tx` is filled with what to send. `atMs` is the end of the frame. */
  onFrame(pcm: Int16Array, tx: Uint8Array, atMs: number): void {
    this.hear(pcm, atMs);
    this.say(tx, atMs);
  }

  /** Fills `tx` with the next 20 ms to send, which may be asked for before the frame of the same `atMs` is heard. */
  say(tx: Uint8Array, atMs: number): void {
    if (this.#closed) return;
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#playout.pull(tx);
  }

  /** Takes 20 ms that were received. */
  hear(pcm: Int16Array, atMs: number): void {
    if (this.#closed) return;
    this.#nowMs = Math.max(this.#nowMs, atMs);
    const edge = this.#tracker.push(this.#activity.push(pcm), atMs);
    if (edge === 'start') {
      this.#speaking = true;
      this.#handlers.onSpeechStart(atMs);
      this.#dispatch({ type: 'speech-start', atMs, startMs: this.#tracker.startMs });
    } else if (edge === 'stop') {
      this.#speaking = false;
      const { endMs, voicedMs } = this.#tracker;
      this.#dispatch({ type: 'speech-stop', atMs, endMs, voicedMs });
    }
    this.#audio?.push(pcm, atMs);
    this.#audio?.tick(atMs);
    this.#text.tick(atMs);
    // A decision that falls due while voice gathers waits the few frames until it is speech or a click.
    if (atMs >= this.#state.wakeAtMs && !this.#tracker.gathering)
      this.#dispatch({ type: 'tick', atMs, voicedMs: this.#voicedMs() });
  }

  /** Characters the callee typed, in order, with erasures and line ends as T.140 has them. */
  onText(text: string): void {
    if (this.#closed) return;
    this.#nowMs = Math.max(this.#nowMs, this.#clock.monotonicMs());
    this.#text.push(text, this.#nowMs);
  }

  /** Says this after whatever is playing. Its first sample leaves with the next frame when nothing is. */
  speak(utterance: Utterance): void {
    if (!this.#closed) this.#playout.enqueue(utterance);
  }

  /** Fades out what is playing and drops what waits; `onUtteranceEnd` follows for all of it. */
  stop(): void {
    if (!this.#closed) this.#playout.interrupt();
  }

  /** Ends the session: what is playing is reported as interrupted, no turn follows. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#playout.clear();
    this.#playout.clear();
    this.#text.close();
    this.#audio?.close();
    this.#activity.close();
  }

  #voicedMs(): number {
    return this.#speaking ? this.#tracker.voicedMs : 0;
  }

  #onResult(transcript: Transcript, result: RecognizerResult): void {
    if (this.#closed || !transcript.apply(result)) return;
    // Who types and speaks at once is saying one thing: what was typed is exact.
    const heard = this.#typed.empty ? this.#spoken : this.#typed;
    const { text } = heard;
    if (this.#state.heard === undefined && text !== '') this.#handlers.onSpeechStart(result.atMs);
    this.#handlers.onPartial?.(text);
    const { atMs } = result;
    this.#dispatch({ type: 'text', atMs, text, final: heard.final, voicedMs: this.#voicedMs() });
  }

  #onPlayoutStart(utterance: Utterance): void {
    this.#startedMs = this.#nowMs;
    this.#handlers.onUtteranceStart({ id: utterance.id, atMs: this.#nowMs });
    const event = { type: 'playout-start', policy: utterance.barge, voicedMs: this.#voicedMs() } as const;
    this.#dispatch({ ...event, atMs: this.#nowMs });
  }

  #onPlayoutEnd(utterance: Utterance, end: PlayoutEnd): void {
    this.#handlers.onUtteranceEnd({
      id: utterance.id,
      playedText: end.playedText,
      startMs: end.started ? this.#startedMs : this.#nowMs,
      endMs: this.#nowMs,
      interrupted: end.interrupted,
    });
  }

  /** Runs the machine; events that effects cause are handled after the effects of the one before. */
  #dispatch(event: TurnEvent): void {
    if (this.#closed) return;
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let head = this.#events.shift(); head !== undefined; head = this.#events.shift()) {
        const step = next(this.#state, head, this.#settings);
        this.#state = step.state;
        for (const effect of step.effects) this.#perform(effect, head.atMs);
      }
    } finally {
      this.#running = false;
    }
  }

  #perform(effect: TurnEffect, atMs: number): void {
    switch (effect.type) {
      case 'duck':
        this.#playout.duck();
        this.#handlers.onBargeIn('duck', atMs);
        return;
      case 'pause':
        this.#playout.pause();
        this.#handlers.onBargeIn('pause', atMs);
        return;
      case 'resume':
        this.#playout.resume();
        this.#handlers.onBargeIn('resume', atMs);
        return;
      case 'interrupt':
        this.#handlers.onBargeIn('interrupt', atMs);
        this.#playout.interrupt();
        return;
      case 'request-final':
        this.#text.finish(atMs);
        this.#audio?.finish(atMs);
        return;
      case 'forget':
        this.#clearHeard();
        return;
      case 'commit': {
        this.#clearHeard();
        const { text, startMs, endMs, epoch } = effect;
        this.#handlers.onTurn({ text, startMs, endMs, endOfTurnMs: atMs - endMs, epoch });
      }
    }
  }

  #clearHeard(): void {
    this.#typed.clear();
    this.#spoken.clear();
    this.#text.commit();
    this.#audio?.commit();
  }
}
