import { BeepDetector } from './beep.ts';
import type { Beep } from './beep.ts';
import { machineWords } from './machine-words.ts';
import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';

/** Who or what answered. An `ivr` is a company's menu: answered, but not by a person. */
export type CallClass = 'unknown' | 'human' | 'voicemail' | 'call-assistant' | 'fax' | 'ivr';

/** Words of the greeting count this long after the answer; later they belong to the conversation. */
const GREETING_WINDOW_MS = 15_000;
/** A beep is waited for longer: greetings of up to half a minute exist. */
const BEEP_WINDOW_MS = 45_000;
/** app_amd's prior: silence this long after a short greeting means that a person waits for us. */
const AFTER_GREETING_SILENCE_MS = 800;
/** app_amd's prior: more speech than this before the first pause is no "喂". */
const SHORT_GREETING_MS = 1500;
/**
 * Nobody who picks up a telephone talks so long without waiting for an answer. app_amd says "machine" after 1.5 s, which
 * one in ten human greetings exceeds: "您好，这里是云山学堂，请问您找哪位".
 */
const MONOLOGUE_MS = 6500;
const MONOLOGUE_PAUSE_MS = 1000;
const CED_MS = 400;
const CNG_MS: readonly [number, number] = [400, 620];
/** A beep only means a machine after it has spoken. */
const SPEECH_BEFORE_BEEP_MS = 800;
const FRAME_MS = 20;

/**
 * Decides while we already speak who answered: fax tones, words of the greeting, the beep, and last the rhythm of the
 * greeting. `unknown` and `human` may still become something else; a machine stays a machine.
 */
export class AnsweringMachineDetector {
  readonly #beeps = new BeepDetector();
  #verdict: CallClass = 'unknown';
  #evidence = '';
  #startMs: number | undefined;
  #voicedMs = 0;
  /** Voice since the last pause that a person would leave for an answer. */
  #monologueMs = 0;
  #silentMs = 0;
  #toneHz: number | undefined;
  #toneMs = 0;
  #heard = '';
  #words = false;

  get verdict(): CallClass {
    return this.#verdict;
  }

  /** Static words for the call's evidence, for example `beep` or `greeting-words`. */
  get evidence(): string {
    return this.#evidence;
  }

  /**
   * Takes 20 ms of what the callee sends (Int16 mono, 8 kHz) with the voice activity decision about it. Returns a beep
   * once it is over, each one, because mailboxes beep several times and the last one counts.
   */
  push(pcm: Int16Array, voiced: boolean, atMs: number): Beep | undefined {
    this.#startMs ??= atMs;
    if (atMs - this.#startMs > BEEP_WINDOW_MS || pcm.length !== FRAME_SAMPLES) return undefined;
    const sound = analyseFrame(pcm);
    const beep = this.#beeps.push(sound);
    if (this.#verdict === 'fax') return undefined;
    this.#followFax(sound.secondHz === undefined ? sound.toneHz : undefined);
    if (this.#beeps.soundingHz === undefined) this.#followVoice(voiced);
    if (beep !== undefined && !this.#isMachine() && this.#voicedMs >= SPEECH_BEFORE_BEEP_MS)
      this.#decide('voicemail', 'beep');
    return beep;
  }

  /** Takes recognised text of the callee. */
  hear(text: string, atMs: number): void {
    this.#startMs ??= atMs;
    this.#words = true;
    if (this.#isMachine() || atMs - this.#startMs > GREETING_WINDOW_MS + BEEP_WINDOW_MS) return;
    this.#heard = `${this.#heard} ${text}`.slice(-400);
    if (atMs - this.#startMs > GREETING_WINDOW_MS && this.#verdict === 'human') return;
    const machine = machineWords(this.#heard);
    if (machine !== undefined) this.#decide(machine, 'greeting-words');
  }

  /** The callee's words are being recognised or typed, though no turn is over yet: they will tell more than the rhythm. */
  expectWords(): void {
    this.#words = true;
  }

  #followVoice(voiced: boolean): void {
    if (voiced) {
      this.#voicedMs += FRAME_MS;
      this.#monologueMs += FRAME_MS;
      this.#silentMs = 0;
    } else {
      this.#silentMs += FRAME_MS;
      if (this.#silentMs >= MONOLOGUE_PAUSE_MS) this.#monologueMs = 0;
    }
    if (this.#verdict !== 'unknown') return;
    const shortGreeting = this.#voicedMs > 0 && this.#voicedMs <= SHORT_GREETING_MS;
    if (shortGreeting && this.#silentMs >= AFTER_GREETING_SILENCE_MS) this.#decide('human', 'short-greeting');
    // Where words are understood they decide: a person may well explain something at length.
    if (this.#monologueMs >= MONOLOGUE_MS && !this.#words) this.#decide('voicemail', 'monologue');
  }

  /** ITU-T T.30: CED 2100 Hz for 2.6–4 s; CNG 1100 Hz for half a second, from a machine that has not spoken. */
  #followFax(toneHz: number | undefined): void {
    const same = toneHz !== undefined && this.#toneHz !== undefined && Math.abs(toneHz - this.#toneHz) <= 40;
    if (same) {
      this.#toneMs += FRAME_MS;
      if (!this.#isMachine() && Math.abs(toneHz - 2100) <= 25 && this.#toneMs >= CED_MS)
        this.#decide('fax', 'ced-2100');
      return;
    }
    const wasCng =
      this.#toneHz !== undefined &&
      Math.abs(this.#toneHz - 1100) <= 40 &&
      this.#toneMs >= CNG_MS[0] &&
      this.#toneMs <= CNG_MS[1];
    if (wasCng && !this.#isMachine() && this.#voicedMs < 200) this.#decide('fax', 'cng-1100');
    this.#toneHz = toneHz;
    this.#toneMs = toneHz === undefined ? 0 : FRAME_MS;
  }

  #isMachine(): boolean {
    return this.#verdict !== 'unknown' && this.#verdict !== 'human';
  }

  #decide(verdict: CallClass, evidence: string): void {
    this.#verdict = verdict;
    this.#evidence = evidence;
  }
}
