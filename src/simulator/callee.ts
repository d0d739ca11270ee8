import type { ReceivedFrame } from '#telephony/rtp/engine.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import {
  next,
  startCallee,
  type CalleeEvent,
  type CalleeHangUp,
  type CalleeState,
  type SaidKind,
} from './callee-machine.ts';
import type { HumanTraits } from './persona.ts';
import { CALLEE_VOICES, type SoundBank } from './sound-bank.ts';
import { SpeechEar } from './speech-ear.ts';
import { Talker } from './talker.ts';

/** Pause after which the other side has finished: longer than a synthesiser's pauses between sentences. */
const HANGOVER_MS = 900;
/** While this side talks, a platform that was interrupted is silent only briefly. */
const HANGOVER_WHILE_TALKING_MS = 300;
const TICK_FRAMES = 5;

/** What an answering party does with the media of its call. */
export interface AnsweringParty {
  /** Picked up: frames flow from now on. */
  answered(atMs: number): void;
  onFrame(rx: ReceivedFrame, tx: Uint8Array): void;
  onText(text: string): void;
  readonly said: readonly { readonly kind: SaidKind | 'machine'; readonly text: string }[];
  /** One entry per utterance of the other side. */
  readonly heard: readonly string[];
}

/** A person on the line: listens to audio and real-time text, answers in both. */
export class Callee implements AnsweringParty {
  readonly said: { kind: SaidKind; text: string }[] = [];
  readonly heard: string[] = [];
  readonly #sounds: SoundBank;
  readonly #codec: G711Codec;
  readonly #voice: string;
  readonly #talker: Talker;
  readonly #ear = new SpeechEar();
  readonly #onHangUp: (reason: CalleeHangUp) => void;
  #state: CalleeState;
  #atMs = 0;
  #frames = 0;
  #newUtterance = true;
  #answered = false;

  constructor(options: {
    readonly lines: readonly string[];
    readonly traits: HumanTraits;
    readonly sounds: SoundBank;
    readonly codec: G711Codec;
    readonly sendText: (text: string) => void;
    readonly onHangUp: (reason: CalleeHangUp) => void;
  }) {
    this.#sounds = options.sounds;
    this.#codec = options.codec;
    this.#onHangUp = options.onHangUp;
    this.#voice = CALLEE_VOICES[Math.floor(options.traits.voiceDraw * CALLEE_VOICES.length)] ?? CALLEE_VOICES[0]!;
    this.#state = startCallee(options.lines, options.traits);
    this.#talker = new Talker({ sendText: options.sendText, background: undefined });
    for (const line of options.lines) if (line !== '') void this.#speech(line);
  }

  /** Lines of the conversation that were said at least once. */
  get linesSaid(): number {
    return this.#state.nextLine;
  }

  answered(atMs: number): void {
    this.#answered = true;
    this.#atMs = atMs;
    this.#talker.background(this.#sounds.noise(this.#codec));
    this.#feed({ type: 'answered', atMs });
  }

  onFrame(rx: ReceivedFrame, tx: Uint8Array): void {
    if (!this.#answered) return;
    this.#atMs = rx.atMs;
    const hangoverMs = this.#state.speaking === undefined ? HANGOVER_MS : HANGOVER_WHILE_TALKING_MS;
    const change = this.#ear.push(rx.kind === 'none' ? undefined : rx.pcm, hangoverMs);
    if (change === 'started') {
      this.#newUtterance = true;
      this.#feed({ type: 'other-started', atMs: rx.atMs });
    }
    if (change === 'stopped') this.#feed({ type: 'other-stopped', atMs: rx.atMs });
    if (++this.#frames % TICK_FRAMES === 0) this.#feed({ type: 'tick', atMs: rx.atMs });
    this.#talker.fill(tx);
  }

  onText(text: string): void {
    if (this.#newUtterance || this.heard.length === 0) this.heard.push('');
    this.#newUtterance = false;
    this.heard[this.heard.length - 1] += text;
    this.#feed({ type: 'other-text', text, atMs: this.#atMs });
  }

  #feed(event: CalleeEvent): void {
    const step = next(this.#state, event);
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'hang-up') {
        this.#talker.stop();
        this.#onHangUp(effect.reason);
      } else void this.#say(effect.kind, effect.text);
    }
  }

  async #say(kind: SaidKind, text: string): Promise<void> {
    const clip = await this.#speech(text);
    if (this.#state.gone) return;
    this.said.push({ kind, text });
    this.#talker.say(text, clip, () => this.#feed({ type: 'own-speech-ended', atMs: this.#atMs }));
  }

  #speech(text: string): Promise<Uint8Array> {
    return this.#sounds.phrase(text, this.#voice, this.#codec, { noisy: true });
  }
}
