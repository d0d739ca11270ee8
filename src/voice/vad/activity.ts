/** A voice activity detector of one call. `engine` states may be large: whoever opens one closes it. */
export interface VoiceActivity {
  /** Whether this 20 ms frame (160 samples at 8 kHz, 16-bit) holds speech. Keeps nothing of the frame. */
  push(pcm: Int16Array): boolean;
  /** Frees the state; may be called twice. `push` afterwards says false. */
  close(): void;
}
