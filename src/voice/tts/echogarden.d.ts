declare module '@echogarden/espeak-ng-emscripten' {
  interface EspeakWorker {
    get_samplerate(): number;
    /** 0 when the voice exists. */
    set_voice(identifier: string): number;
    set_rate(wordsPerMinute: number): void;
    set_pitch(pitch: number): void;
    set_range(range: number): void;
    /** Synchronous; `audio` is null at the end; returning true stops. */
    synthesize(text: string, onAudio: (audio: Int16Array | null, events: readonly unknown[]) => boolean): void;
  }
  export default function load(): Promise<{ readonly eSpeakNGWorker: new () => EspeakWorker }>;
}
