import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { PhraseCache } from '#voice/tts/phrase-cache.ts';
import { RecordedPrompts } from '#voice/tts/recorded-prompts.ts';
import type { PhraseRequest } from '#calls/worker-protocol.ts';

/** The voices of an installation: recorded prompts first, the cached synthesiser for the rest. */
export interface Speech {
  readonly cache: PhraseCache;
  phrase(request: PhraseRequest): Promise<Uint8Array | undefined>;
  /** Int16 mono at 8 kHz. */
  synthesize(text: string, options: { readonly voice: string; readonly language: 'zh' | 'en' }): Promise<Int16Array>;
  close(): Promise<void>;
}

/** Opens both; `name` is the voice for scripts that say `default`. Closed by the platform after the calls. */
export function openSpeech(o: {
  readonly log: Log;
  readonly cacheDirectory: string;
  readonly promptsDirectory: string;
}): Speech {
  const synthesizer = new EspeakSynthesizer({ log: o.log });
  const cache = new PhraseCache({ synthesizer, log: o.log, directory: o.cacheDirectory });
  const prompts = new RecordedPrompts(o.promptsDirectory);
  return {
    cache,
    async phrase({ text, audio, voice, language, codec }) {
      const recorded = audio === undefined ? undefined : await prompts.get(audio, codec);
      if (recorded !== undefined) return recorded;
      try {
        return await cache.get(text, { voice, language, codec });
      } catch (error) {
        if (error instanceof AppError && error.code === 'aborted') return undefined;
        throw error;
      }
    },
    synthesize: (text, options) => synthesizer.synthesize(text, options),
    async close() {
      await cache.close();
      synthesizer.close();
    },
  };
}
