import type { Clock, Timer } from '#platform/clock.ts';
import { Histogram } from './histogram.ts';

/** One call leg as the tick loop sees it. */
export interface Ticked {
  /** A frame of 20 ms is due; must not throw. */
  tick(deadlineMs: number): void;
  /** That many frames were given up: media time passes without them. */
  skip(frames: number): void;
}

export const FRAME_MS = 20;
/**
 * Members are spread over the 20 ms so that their packets do not leave in one burst. Timers count whole milliseconds, and a
 * wake costs as much as a frame, so that more phases would cost more than they spread.
 */
const PHASES = 10;
const PHASE_MS = FRAME_MS / PHASES;
/** A loop that is late makes up for that many frames; the rest is given up. */
const MAX_CATCH_UP_FRAMES = 5;
/** Lateness is reported over the present and the previous window. */
const LATENESS_WINDOW_MS = 5000;
/** A window with fewer ticks counts as that many, the missing ones in time: one hiccup as calls begin is no overload. */
const LEAST_TICKS = 100;

interface Phase {
  readonly members: Ticked[];
  deadlineMs: number;
}

/** The one loop that drives all legs of an engine: absolute deadlines on the monotonic clock, one timer at a time. */
export class Ticker {
  framesDropped = 0;
  readonly #clock: Clock;
  readonly #phases: readonly Phase[];
  #timer: Timer | undefined;
  #running = false;
  #lateness = new Histogram(0.5, 400);
  #previousLateness = new Histogram(0.5, 400);
  #windowStartMs = 0;
  #newestDeadlineMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#phases = Array.from({ length: PHASES }, () => ({ members: [], deadlineMs: 0 }));
  }

  /** Worst of the present and the previous window; what lies further back is forgotten, even where nothing has ticked since. */
  get latenessP99Ms(): number {
    this.#turnWindows(this.#clock.monotonicMs());
    return Math.max(p99Of(this.#lateness), p99Of(this.#previousLateness));
  }

  /** How long ago the newest frame that was made fell due: grows while the loop is stuck; 0 without members. */
  get frameAgeMs(): number {
    if (this.#timer === undefined && !this.#running) return 0;
    return Math.max(0, this.#clock.monotonicMs() - this.#newestDeadlineMs);
  }

  /** Gives a member the least crowded phase; its first tick is within 20 ms. */
  add(member: Ticked): void {
    let index = 0;
    for (let i = 1; i < PHASES; i++)
      if (this.#phases[i]!.members.length < this.#phases[index]!.members.length) index = i;
    const phase = this.#phases[index]!;
    const nowMs = this.#clock.monotonicMs();
    if (phase.members.length === 0) {
      // The grid is fixed: phases keep their distance whenever they come to life.
      const frames = Math.floor((nowMs - index * PHASE_MS) / FRAME_MS) + 1;
      phase.deadlineMs = frames * FRAME_MS + index * PHASE_MS;
    }
    if (this.#timer === undefined && !this.#running) this.#newestDeadlineMs = nowMs;
    phase.members.push(member);
    this.#schedule();
  }

  /** Safe within a tick. */
  remove(member: Ticked): void {
    for (const phase of this.#phases) {
      const index = phase.members.indexOf(member);
      if (index >= 0) phase.members.splice(index, 1);
    }
    if (this.#phases.every((phase) => phase.members.length === 0)) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #schedule(): void {
    if (this.#running) return;
    let dueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PHASES; i++) {
      const phase = this.#phases[i]!;
      if (phase.members.length > 0 && phase.deadlineMs < dueMs) dueMs = phase.deadlineMs;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    this.#running = true;
    // Rounds of one frame a phase: a phase that catches up does not starve the others; sockets get their turn after a few.
    let ran = true;
    for (let round = 0; ran && round < MAX_CATCH_UP_FRAMES; round++) {
      ran = false;
      for (let i = 0; i < PHASES; i++) ran = this.#runPhase(this.#phases[i]!) || ran;
    }
    this.#running = false;
    this.#schedule();
  }

  #runPhase(phase: Phase): boolean {
    if (phase.members.length === 0) return false;
    const lateMs = this.#clock.monotonicMs() - phase.deadlineMs;
    if (lateMs < 0) return false;
    const behind = Math.floor(lateMs / FRAME_MS) - MAX_CATCH_UP_FRAMES;
    if (behind > 0) {
      phase.deadlineMs += behind * FRAME_MS;
      this.framesDropped += behind * phase.members.length;
      for (const member of phase.members) member.skip(behind);
    }
    this.#countLateness(lateMs);
    const deadlineMs = phase.deadlineMs;
    phase.deadlineMs += FRAME_MS;
    this.#newestDeadlineMs = Math.max(this.#newestDeadlineMs, deadlineMs);
    // Backwards: a member that removes itself moves only those that had their turn.
    for (let i = phase.members.length - 1; i >= 0; i--) phase.members[i]?.tick(deadlineMs);
    return true;
  }

  #countLateness(lateMs: number): void {
    this.#turnWindows(this.#clock.monotonicMs());
    this.#lateness.add(lateMs);
  }

  #turnWindows(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs <= LATENESS_WINDOW_MS) return;
    this.#windowStartMs = nowMs;
    const finished = this.#lateness;
    this.#lateness = this.#previousLateness;
    this.#previousLateness = finished;
    this.#lateness.clear();
    if (elapsedMs > 2 * LATENESS_WINDOW_MS) this.#previousLateness.clear();
  }
}

function p99Of(ticks: Histogram): number {
  if (ticks.count < 2) return 0;
  return ticks.percentileMs(1 - (0.01 * Math.max(ticks.count, LEAST_TICKS)) / ticks.count);
}
