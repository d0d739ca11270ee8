import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';

/** Who or what answered. */
export type CallClass = 'unknown' | 'human' | 'voicemail' | 'call-assistant' | 'fax';

/** A greeting is only judged in this time after the answer; later the words belong to the conversation. */
const GREETING_WINDOW_MS = 15_000;
/** A beep is waited for longer: greetings of up to half a minute exist. */
const BEEP_WINDOW_MS = 40_000;
/** app_amd's prior: silence this long after a short greeting means that a person waits for us. */
const AFTER_GREETING_SILENCE_MS = 800;
/** app_amd's prior: more speech than this before the first pause is no "喂". */
const SHORT_GREETING_MS = 1500;
const FAX_TONE_MS = 400;
const BEEP_MS: readonly [number, number] = [140, 1500];
/** A beep only means a machine after it has spoken. */
const SPEECH_BEFORE_BEEP_MS = 800;
const FRAME_MS = 20;

/** What voicemail boxes say. */
const VOICEMAIL =
  /(嘀|滴|哔|提示音|信号音).{0,4}(声|音)?(之?后|后).{0,4}留言|请.{0,6}留言|语音信箱|留言信箱|leave (a|your) message|after the (tone|beep)|voice ?mail/i;
/** What call assistants of handsets and carriers say. */
const ASSISTANT =
  /(智能|语音|AI|来电|通信)(接听)?(助理|助手|秘书)|机主(现在|暂时|正在|不方便)|代(为)?接听|帮.{0,4}(转达|记录)|call (assistant|screening)|screening service/i;

/**
 * Decides while we already speak who answered: fax tone, words of the greeting, the beep, and last the rhythm of the
 * greeting. `unknown` and `human` may still become something else; a machine stays a machine.
 */
export class AnsweringMachineDetector {
  #verdict: CallClass = 'unknown';
  #evidence = '';
  #startMs: number | undefined;
  #voicedMs = 0;
  #silentMs = 0;
  #toneHz: number | undefined;
  #toneMs = 0;
  #heard = '';

  get verdict(): CallClass {
    return this.#verdict;
  }

  /** Static words for the call's evidence, for example `beep` or `greeting-words`. */
  get evidence(): string {
    return this.#evidence;
  }

  /** Takes 20 ms of what the callee sends (Int16 mono, 8 kHz) with the voice activity decision about it. */
  push(pcm: Int16Array, voiced: boolean, atMs: number): void {
    this.#startMs ??= atMs;
    const sinceMs = atMs - this.#startMs;
    if (sinceMs > BEEP_WINDOW_MS || this.#isMachine() || pcm.length !== FRAME_SAMPLES) return;
    this.#followTone(analyseFrame(pcm).toneHz);
    const pure = this.#toneHz !== undefined;
    if (voiced && !pure) {
      this.#voicedMs += FRAME_MS;
      this.#silentMs = 0;
    } else if (!pure) {
      this.#silentMs += FRAME_MS;
    }
    const shortGreeting = this.#voicedMs > 0 && this.#voicedMs <= SHORT_GREETING_MS;
    if (this.#verdict === 'unknown' && shortGreeting && this.#silentMs >= AFTER_GREETING_SILENCE_MS)
      this.#decide('human', 'short-greeting');
  }

  /** Takes recognised text of the callee. */
  hear(text: string, atMs: number): void {
    this.#startMs ??= atMs;
    if (this.#isMachine() || atMs - this.#startMs > GREETING_WINDOW_MS + BEEP_WINDOW_MS) return;
    this.#heard = `${this.#heard} ${text}`.slice(-400);
    if (atMs - this.#startMs > GREETING_WINDOW_MS && this.#verdict === 'human') return;
    if (ASSISTANT.test(this.#heard)) this.#decide('call-assistant', 'greeting-words');
    else if (VOICEMAIL.test(this.#heard)) this.#decide('voicemail', 'greeting-words');
  }

  #followTone(toneHz: number | undefined): void {
    const same = toneHz !== undefined && this.#toneHz !== undefined && Math.abs(toneHz - this.#toneHz) <= 50;
    if (same) {
      this.#toneMs += FRAME_MS;
      if (Math.abs(toneHz - 2100) <= 25 && this.#toneMs >= FAX_TONE_MS) this.#decide('fax', 'ced-2100');
      if (Math.abs(toneHz - 1100) <= 25 && this.#toneMs >= FAX_TONE_MS && this.#voicedMs < 200)
        this.#decide('fax', 'cng-1100');
      return;
    }
    const [shortest, longest] = BEEP_MS;
    const wasBeep =
      this.#toneHz !== undefined && this.#toneHz >= 350 && this.#toneMs >= shortest && this.#toneMs <= longest;
    if (wasBeep && toneHz === undefined && this.#voicedMs >= SPEECH_BEFORE_BEEP_MS) this.#decide('voicemail', 'beep');
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
