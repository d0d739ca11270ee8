import type { BargePolicy } from '#domain/script.ts';
import { ManualClock } from '#platform/clock.ts';
import { DEFAULT_VOICE_SETTINGS, VoiceSession, type VoiceSettings } from '#voice/session.ts';
import type { OpenRecognizer } from '#voice/recognizer.ts';
import type { VoiceActivity } from '#voice/vad/activity.ts';

/** Everything a session told its handlers, in order. */
export type VoiceRecord =
  | { type: 'turn'; text: string; startMs: number; endMs: number; endOfTurnMs: number; epoch: number; atMs: number }
  | { type: 'speech-start'; atMs: number }
  | { type: 'partial'; text: string; atMs: number }
  | { type: 'barge-in'; action: 'duck' | 'pause' | 'resume' | 'interrupt'; atMs: number }
  | { type: 'utterance-start'; id: number; atMs: number }
  | { type: 'utterance-end'; id: number; playedText: string; startMs: number; endMs: number; interrupted: boolean };

export const SEMANTIC: BargePolicy = { mode: 'semantic', graceMs: 0, ignoreWords: [] };

const SILENCE = new Int16Array(160);
const VOICE = new Int16Array(160).fill(4000);

/** One session under a manual clock, with a detector that hears voice exactly in the frames that have it. */
export class ScriptedVoice {
  readonly clock = new ManualClock();
  readonly records: VoiceRecord[] = [];
  /** Every byte sent. */
  readonly sent: number[] = [];
  readonly session: VoiceSession;
  activityClosed = false;
  /** Called within `onTurn`, as a dialog would answer. */
  onTurn: ((text: string) => void) | undefined;
  readonly #tx = new Uint8Array(160);

  constructor(options: { settings?: Partial<VoiceSettings>; openRecognizer?: OpenRecognizer<Int16Array> } = {}) {
    const activity: VoiceActivity = {
      push: (pcm) => pcm[0] !== 0,
      close: () => {
        this.activityClosed = true;
      },
    };
    const now = (): number => this.clock.monotonicMs();
    this.session = new VoiceSession({
      clock: this.clock,
      codec: 'PCMA',
      settings: { ...DEFAULT_VOICE_SETTINGS, ...options.settings },
      activity,
      ...(options.openRecognizer === undefined ? {} : { openRecognizer: options.openRecognizer }),
      handlers: {
        onTurn: (turn) => {
          this.records.push({ type: 'turn', ...turn, atMs: now() });
          this.onTurn?.(turn.text);
        },
        onSpeechStart: (atMs) => this.records.push({ type: 'speech-start', atMs }),
        onPartial: (text) => this.records.push({ type: 'partial', text, atMs: now() }),
        onBargeIn: (action, atMs) => this.records.push({ type: 'barge-in', action, atMs }),
        onUtteranceStart: (start) => this.records.push({ type: 'utterance-start', ...start }),
        onUtteranceEnd: (end) => this.records.push({ type: 'utterance-end', ...end }),
      },
    });
  }

  /** Lets time pass, 20 ms at a time, with voice or silence on the line. */
  run(forMs: number, voiced = false): this {
    for (let passedMs = 0; passedMs < forMs; passedMs += 20) {
      this.clock.advance(20);
      this.session.onFrame(voiced ? VOICE : SILENCE, this.#tx, this.clock.monotonicMs());
      this.sent.push(...this.#tx);
    }
    return this;
  }

  voice(forMs: number): this {
    return this.run(forMs, true);
  }

  type(text: string): this {
    this.session.onText(text);
    return this;
  }

  /** An utterance of one part whose audio is a ramp, so that every sample says where it is from. */
  say(id: number, text: string, lengthMs: number, barge: BargePolicy = SEMANTIC): this {
    const audio = Uint8Array.from({ length: lengthMs * 8 }, (_, index) => loudByte(index));
    this.session.speak({ id, parts: [{ text, audio }], barge });
    return this;
  }

  of<Type extends VoiceRecord['type']>(type: Type): Extract<VoiceRecord, { type: Type }>[] {
    return this.records.filter((record): record is Extract<VoiceRecord, { type: Type }> => record.type === type);
  }

  get actions(): string[] {
    return this.of('barge-in').map((record) => record.action);
  }
}

/** One of 64 loud A-law bytes by position: never silent, so nothing in it looks like a pause between words. */
export function loudByte(index: number): number {
  return ((index % 64) + 0x80 + 0x20) ^ 0x55;
}
