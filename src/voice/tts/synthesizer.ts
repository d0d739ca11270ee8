import type { Language } from '#domain/text.ts';

/** How a text is to be spoken. `voice` is one of the engine's names, for example `zh-female`. */
export interface SynthesisOptions {
  readonly voice: string;
  readonly language: Language;
  readonly signal?: AbortSignal | undefined;
}

/** A speech synthesis engine. Every engine passes `test/conformance/synthesizer.ts`. */
export interface Synthesizer {
  /** Names engine and version: part of the key under which its audio is cached. */
  readonly engine: string;
  /**
   * Speaks one text: 8 kHz mono 16-bit, level about −20 dBFS, trimmed. Text with nothing to say gives no samples.
   * @throws AppError `invalid-input` (unknown voice), `aborted`, `timeout`, `unavailable`
   */
  synthesize(text: string, options: SynthesisOptions): Promise<Int16Array>;
  /** Ends the engine; what is under way fails with `aborted`. */
  close(): void;
}
