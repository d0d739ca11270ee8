import type { ReceivedFrame } from '#telephony/rtp/engine.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { ASSISTANT_LINES, VOICEMAIL_GREETINGS } from './announcements.ts';
import type { AnsweringParty } from './callee.ts';
import { NETWORK_VOICE, type SoundBank } from './sound-bank.ts';
import { SpeechEar } from './speech-ear.ts';
import { Talker } from './talker.ts';

/** Machines that pick up instead of a person. */
export type AnsweringMachine = 'voicemail' | 'call-assistant' | 'fax';

/** How long a mailbox records and a fax machine waits for the other one, before `pace`. */
const MAILBOX_RECORDS_MS = 20_000;
const FAX_WAITS_MS = 25_000;
/** Silence after which an assistant ends the call by itself. */
const ASSISTANT_WAITS_MS = 7_000;
const PICK_UP_PAUSE_MS = 400;
const HANGOVER_MS = 800;

/** A mailbox, a call assistant or a fax machine on the line; hangs up by itself in the end. */
export class MachineAnswerer implements AnsweringParty {
  readonly said: { kind: 'machine'; text: string }[] = [];
  readonly heard: string[] = [];
  readonly #machine: AnsweringMachine;
  readonly #sounds: SoundBank;
  readonly #codec: G711Codec;
  readonly #pace: number;
  readonly #talker: Talker;
  readonly #ear = new SpeechEar();
  readonly #onHangUp: () => void;
  readonly #variant: number;
  /** What happens when the clock reaches it; replaced by every new step. */
  #due: { readonly atMs: number; readonly run: () => void } | undefined;
  #onOtherStopped: (() => void) | undefined;
  #atMs = 0;
  #newUtterance = true;
  #answered = false;

  constructor(options: {
    readonly machine: AnsweringMachine;
    /** Any number; picks the words. */
    readonly variant: number;
    readonly sounds: SoundBank;
    readonly codec: G711Codec;
    readonly pace: number;
    readonly sendText: (text: string) => void;
    readonly onHangUp: () => void;
  }) {
    this.#machine = options.machine;
    this.#sounds = options.sounds;
    this.#codec = options.codec;
    this.#pace = options.pace;
    this.#onHangUp = options.onHangUp;
    this.#variant = Math.abs(Math.trunc(options.variant));
    this.#talker = new Talker({ sendText: options.sendText, background: undefined });
  }

  answered(atMs: number): void {
    this.#answered = true;
    this.#atMs = atMs;
    this.#after(PICK_UP_PAUSE_MS, () => this.#begin());
  }

  onFrame(rx: ReceivedFrame, tx: Uint8Array): void {
    if (!this.#answered) return;
    this.#atMs = rx.atMs;
    const change = this.#ear.push(rx.kind === 'none' ? undefined : rx.pcm, HANGOVER_MS);
    if (change === 'started') this.#newUtterance = true;
    if (change === 'stopped' && !this.#talker.speaking) this.#onOtherStopped?.();
    const interrupted = this.#machine === 'call-assistant' && this.#ear.speaking;
    if (this.#due !== undefined && rx.atMs >= this.#due.atMs && !this.#talker.speaking && !interrupted) {
      const { run } = this.#due;
      this.#due = undefined;
      run();
    }
    this.#talker.fill(tx);
  }

  onText(text: string): void {
    if (this.#newUtterance || this.heard.length === 0) this.heard.push('');
    this.#newUtterance = false;
    this.heard[this.heard.length - 1] += text;
  }

  #begin(): void {
    switch (this.#machine) {
      case 'voicemail':
        return this.#say(VOICEMAIL_GREETINGS[this.#variant % VOICEMAIL_GREETINGS.length]!, () =>
          this.#talker.say('', this.#sounds.tone('beep', this.#codec), () =>
            this.#after(MAILBOX_RECORDS_MS * this.#pace, this.#onHangUp),
          ),
        );
      case 'call-assistant': {
        let replies = 0;
        const farewell = (): void => {
          this.#onOtherStopped = undefined;
          this.#say(ASSISTANT_LINES.farewell, () => this.#after(300, this.#onHangUp));
        };
        this.#onOtherStopped = () => {
          const reply = ASSISTANT_LINES.replies[replies++];
          if (reply === undefined) farewell();
          else this.#say(reply, () => this.#after(ASSISTANT_WAITS_MS, farewell));
        };
        return this.#say(ASSISTANT_LINES.openings[this.#variant % ASSISTANT_LINES.openings.length]!, () =>
          this.#after(ASSISTANT_WAITS_MS, farewell),
        );
      }
      case 'fax':
        this.said.push({ kind: 'machine', text: 'CED' });
        return this.#talker.say('', this.#sounds.tone('fax', this.#codec), () =>
          this.#after(FAX_WAITS_MS * this.#pace, this.#onHangUp),
        );
    }
  }

  #say(text: string, ended: () => void): void {
    this.#due = undefined;
    void this.#sounds.phrase(text, NETWORK_VOICE, this.#codec).then((clip) => {
      this.said.push({ kind: 'machine', text });
      this.#talker.say(text, clip, ended);
    });
  }

  #after(delayMs: number, run: () => void): void {
    this.#due = { atMs: this.#atMs + delayMs, run };
  }
}
