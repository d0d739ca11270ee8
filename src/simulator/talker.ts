import { Playout, type Clip } from './playout.ts';

/** Text runs a little ahead of the voice, so that it has arrived when the voice stops. */
const TEXT_LEAD = 0.8;
const FRAMES_PER_TEXT = 5;

/** One side of a call that speaks: audio, and the same words as real-time text at the pace of speech. */
export class Talker {
  readonly #playout = new Playout();
  readonly #sendText: (text: string) => void;
  #characters: readonly string[] = [];
  #sent = 0;
  #frame = 0;

  constructor(options: { readonly sendText: (text: string) => void; readonly background: Clip | undefined }) {
    this.#sendText = options.sendText;
    this.#playout.loop(options.background);
  }

  get speaking(): boolean {
    return this.#playout.playing;
  }

  /** Replaces what is being said; an empty `text` sends none. */
  say(text: string, clip: Clip, ended?: () => void): void {
    this.#flushText();
    this.#characters = Array.from(text);
    this.#sent = 0;
    this.#playout.play(clip, () => {
      this.#flushText();
      ended?.();
    });
  }

  /** Loops under the speech from now on. */
  background(clip: Clip | undefined): void {
    this.#playout.loop(clip);
  }

  stop(): void {
    this.#characters = [];
    this.#playout.stop();
  }

  /** Fills one frame to send. */
  fill(tx: Uint8Array): void {
    this.#playout.fill(tx);
    if (this.#characters.length === 0 || this.#frame++ % FRAMES_PER_TEXT !== 0) return;
    const due = Math.ceil(Math.min(1, this.#playout.progress / TEXT_LEAD) * this.#characters.length);
    this.#send(due);
  }

  #flushText(): void {
    this.#send(this.#characters.length);
    this.#characters = [];
  }

  #send(upTo: number): void {
    if (upTo <= this.#sent) return;
    this.#sendText(this.#characters.slice(this.#sent, upTo).join(''));
    this.#sent = upTo;
  }
}
