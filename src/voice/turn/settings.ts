/** Times of the turn machine, all in ms. */
export interface VoiceSettings {
  /** Voice that must gather before it counts as speech. */
  readonly onsetMs: number;
  /** Silence after which speech counts as stopped. */
  readonly silenceMs: number;
  /** From the last speech, or the last typed character, to the end of the turn, when the text looks finished. */
  readonly endOfTurnMs: number;
  /** The same when the text looks unfinished. */
  readonly holdMs: number;
  /** The turn ends this long after the last sign of speech, whatever engines still owe. */
  readonly hardStopMs: number;
  /** How long the text of spoken words is waited for when none has come at all. */
  readonly textWaitMs: number;
  /** Voice needed for a turn without any text: less is a cough. */
  readonly wordlessVoiceMs: number;
  /** Voice over our speech before it is paused. */
  readonly bargeInMs: number;
  /** Voice over our speech that interrupts without words. */
  readonly interruptMs: number;
  /** Silence after a pause before our speech goes on. */
  readonly resumeMs: number;
  /** An acknowledgement this close to the end of our speech counts as its answer. */
  readonly lateAnswerMs: number;
  /**
   * Typing that stops for this long is final; shorter when the talker also spoke and has stopped, yet longer than the
   * 300 ms for which senders of real-time text gather characters (RFC 4103 §5.1).
   */
  readonly textPauseMs: number;
  readonly textPauseAfterSpeechMs: number;
}

/** What peers use, measured or chosen within their ranges; calls override single values. */
export const DEFAULT_VOICE_SETTINGS: VoiceSettings = {
  onsetMs: 96,
  silenceMs: 200,
  endOfTurnMs: 300,
  holdMs: 2500,
  hardStopMs: 5000,
  textWaitMs: 1500,
  wordlessVoiceMs: 400,
  bargeInMs: 250,
  interruptMs: 700,
  resumeMs: 800,
  lateAnswerMs: 1200,
  textPauseMs: 900,
  textPauseAfterSpeechMs: 400,
};
