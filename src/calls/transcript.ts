import type { TimelineEvent, Turn, TurnLatency } from '#domain/call.ts';

type WithoutTime<Event> = Event extends { readonly atMs: number } ? Omit<Event, 'atMs'> : never;
/** A timeline event before its time is known. */
export type TimelineEntry = WithoutTime<TimelineEvent>;

export interface SpokenTurn {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly interrupted: boolean;
  readonly node: string | undefined;
  readonly intent: string | undefined;
  readonly latency: TurnLatency | undefined;
}

/** A call's turns and timeline as they happen, on the call's own clock: milliseconds since the INVITE left. */
export class Transcript {
  readonly #originMs: number;
  readonly #timeline: TimelineEvent[] = [];
  readonly #turns: Omit<Turn, 'index'>[] = [];

  /** `originMs` is the moment of the INVITE on the clock that the other methods' times come from. */
  constructor(originMs: number) {
    this.#originMs = originMs;
  }

  add(atMs: number, entry: TimelineEntry): void {
    this.#timeline.push({ ...entry, atMs: this.#relative(atMs) });
  }

  turn(speaker: Turn['speaker'], turn: SpokenTurn): void {
    this.#turns.push({ ...turn, speaker, startMs: this.#relative(turn.startMs), endMs: this.#relative(turn.endMs) });
  }

  /** Names the intent of the last thing the callee said, once it is understood. */
  understood(intent: string): void {
    const index = this.#turns.findLastIndex((turn) => turn.speaker === 'callee');
    const turn = this.#turns[index];
    if (turn !== undefined && turn.intent === undefined) this.#turns[index] = { ...turn, intent };
  }

  get timeline(): readonly TimelineEvent[] {
    return this.#timeline.toSorted((a, b) => a.atMs - b.atMs);
  }

  /** In the order in which they began. */
  get turns(): readonly Turn[] {
    return this.#turns.toSorted((a, b) => a.startMs - b.startMs).map((turn, index) => ({ ...turn, index }));
  }

  #relative(atMs: number): number {
    return Math.max(0, Math.round(atMs - this.#originMs));
  }
}
