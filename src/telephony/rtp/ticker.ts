import type { Clock, Timer } from '#platform/clock.ts';
import { Histogram } from './histogram.ts';

/** One call leg as the tick loop sees it; none of it may throw. Deadlines of one leg are multiples of a frame apart. */
export interface Ticked {
  /** Sends the frame of that deadline before it is ticked, once; false where what is in it depends on its tick. */
  send(deadlineMs: number): boolean;
  /** All frames are due, both ways, up to that of this deadline. */
  tick(deadlineMs: number): void;
  /** Media time passes without the frames before that deadline; returns how many were given up. */
  skip(deadlineMs: number): number;
}

export const FRAME_MS = 20;
/**
 * Members are spread over the 20 ms so that their packets do not leave in one burst. Timers count whole milliseconds, and a
 * wake costs as much as a frame, so that more phases would cost more than they spread.
 */
const PHASES = 10;
const PHASE_MS = FRAME_MS / PHASES;
/** A loop that is late makes up for that many frames; the rest is given up. */
const MAX_CATCH_UP_FRAMES = 10;
/**
 * A loop that is so late with what is to be sent sends for every member before it ticks the next one: what comes in can wait,
 * what goes out is heard as jitter.
 */
const SEND_FIRST_MS = 2;
/**
 * A busy thread ticks members several frames at a time while each frame is still sent in time: what a leg needs is then
 * fetched into the processor's cache less often, which is most of its cost, and its socket is read less often. The price is
 * that what comes in is heard later, by a frame less than are taken together. It goes to the next step above that share of
 * the thread's time, and back to the one before below the other.
 */
const STEPS = [
  { together: 1, from: 0, until: 0 },
  { together: 2, from: 0.5, until: 0.3 },
  { together: 4, from: 0.65, until: 0.4 },
] as const;
/** Members of a phase take turns, so that each of its frames has the same work. */
const LANES = 4;
/** Most that a member sends before its tick: what is made up for, and until its lane's turn. */
export const MOST_AHEAD_FRAMES = MAX_CATCH_UP_FRAMES + LANES;
const BUSY_WINDOW_MS = 1000;
/** Lateness is reported over the present and the previous window. */
const LATENESS_WINDOW_MS = 5000;
/** A window with fewer ticks counts as that many, the missing ones in time: one hiccup as calls begin is no overload. */
const LEAST_TICKS = 100;

interface Phase {
  /** Its members, by whose turn it is where frames are ticked together. */
  readonly lanes: readonly Ticked[][];
  /** Members of all lanes. */
  size: number;
  /** Of its next frame. */
  deadlineMs: number;
  /** Of the next frame that its members were not asked to send before. */
  sendMs: number;
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
  #step = 0;
  #busyMs = 0;
  #busySinceMs = 0;
  #newestDeadlineMs = 0;
  /** The least `sendMs`. */
  #sendDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#phases = Array.from({ length: PHASES }, () => ({
      lanes: Array.from({ length: LANES }, () => []),
      size: 0,
      deadlineMs: 0,
      sendMs: 0,
    }));
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
    const sizes = this.#phases.map(({ size }) => size);
    const index = sizes.indexOf(Math.min(...sizes));
    const phase = this.#phases[index]!;
    const nowMs = this.#clock.monotonicMs();
    if (sizes[index] === 0) {
      // The grid is fixed: phases keep their distance whenever they come to life.
      const frames = Math.floor((nowMs - index * PHASE_MS) / FRAME_MS) + 1;
      phase.deadlineMs = phase.sendMs = frames * FRAME_MS + index * PHASE_MS;
    }
    if (this.#timer === undefined && !this.#running) this.#newestDeadlineMs = nowMs;
    const crowds = phase.lanes.map((lane) => lane.length);
    phase.lanes[crowds.indexOf(Math.min(...crowds))]!.push(member);
    phase.size++;
    this.#findSendDue();
    this.#schedule();
  }

  /** Safe within a tick. */
  remove(member: Ticked): void {
    for (const phase of this.#phases)
      for (const lane of phase.lanes) {
        const index = lane.indexOf(member);
        if (index < 0) continue;
        lane.splice(index, 1);
        phase.size--;
      }
    if (this.#phases.every(({ size }) => size === 0)) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #schedule(): void {
    if (this.#running) return;
    let dueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PHASES; i++) {
      const phase = this.#phases[i]!;
      if (phase.size > 0 && phase.deadlineMs < dueMs) dueMs = phase.deadlineMs;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    this.#running = true;
    const startMs = this.#clock.monotonicMs();
    // The oldest frame first, so that a phase that catches up does not starve the others; sockets get their turn after a few.
    for (let runs = 0; runs < PHASES * MAX_CATCH_UP_FRAMES; runs++) {
      const nowMs = this.#clock.monotonicMs();
      const phase = this.#oldest();
      if (phase === undefined || phase.deadlineMs > nowMs) break;
      this.#sendOverdue(nowMs);
      this.#runPhase(phase, nowMs);
    }
    this.#running = false;
    this.#measure(startMs, this.#clock.monotonicMs());
    this.#schedule();
  }

  #measure(startMs: number, endMs: number): void {
    this.#busyMs += endMs - startMs;
    const windowMs = endMs - this.#busySinceMs;
    if (windowMs < BUSY_WINDOW_MS) return;
    const share = this.#busyMs / windowMs;
    if (share > (STEPS[this.#step + 1]?.from ?? 1)) this.#step++;
    else if (share < STEPS[this.#step]!.until) this.#step--;
    this.#busyMs = 0;
    this.#busySinceMs = endMs;
  }

  #oldest(): Phase | undefined {
    let oldest: Phase | undefined;
    for (let i = 0; i < PHASES; i++) {
      const phase = this.#phases[i]!;
      if (phase.size > 0 && (oldest === undefined || phase.deadlineMs < oldest.deadlineMs)) oldest = phase;
    }
    return oldest;
  }

  #runPhase(phase: Phase, nowMs: number): void {
    this.#giveUp(phase, nowMs);
    const frames = Math.floor((nowMs - phase.deadlineMs) / FRAME_MS) + 1;
    for (let frame = 0; frame < frames; frame++) this.#countLateness(nowMs - phase.deadlineMs - frame * FRAME_MS);
    const newestMs = phase.deadlineMs + (frames - 1) * FRAME_MS;
    phase.deadlineMs = newestMs + FRAME_MS;
    phase.sendMs = Math.max(phase.sendMs, phase.deadlineMs);
    this.#newestDeadlineMs = Math.max(this.#newestDeadlineMs, newestMs);
    const { together } = STEPS[this.#step]!;
    // A lane whose turn fell into any of these frames has it now.
    const count = Math.floor(newestMs / FRAME_MS);
    const { lanes } = phase;
    if (together > 1) for (let l = 0; l < LANES; l++) sendOrTick(lanes[l]!, newestMs, (count + l) % together >= frames);
    this.#findSendDue();
    for (let l = 0; l < LANES; l++) {
      const lane = lanes[l]!;
      if ((count + l) % together >= frames) continue;
      // Backwards: a member that removes itself moves only those that had their turn.
      for (let i = lane.length - 1; i >= 0; i--) {
        this.#sendOverdue(this.#clock.monotonicMs());
        lane[i]?.tick(newestMs);
      }
    }
  }

  #giveUp(phase: Phase, nowMs: number): void {
    const behind = Math.floor((nowMs - phase.deadlineMs) / FRAME_MS) - MAX_CATCH_UP_FRAMES;
    if (behind <= 0) return;
    phase.deadlineMs += behind * FRAME_MS;
    phase.sendMs = Math.max(phase.sendMs, phase.deadlineMs);
    for (const lane of phase.lanes) for (const member of lane) this.framesDropped += member.skip(phase.deadlineMs);
  }

  #sendOverdue(nowMs: number): void {
    if (nowMs - this.#sendDueMs < SEND_FIRST_MS) return;
    this.#sendAhead(nowMs);
    this.#findSendDue();
  }

  #findSendDue(): void {
    let dueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PHASES; i++) {
      const phase = this.#phases[i]!;
      if (phase.size > 0 && phase.sendMs < dueMs) dueMs = phase.sendMs;
    }
    this.#sendDueMs = dueMs;
  }

  #sendAhead(nowMs: number): void {
    // What has waited longest leaves first: from the oldest phase on, they fall due in their order.
    const oldest = this.#phases.findIndex(({ size, sendMs }) => size > 0 && sendMs === this.#sendDueMs);
    for (let i = 0; i < PHASES; i++) {
      const phase = this.#phases[(oldest + i + PHASES) % PHASES]!;
      if (phase.size === 0) continue;
      this.#giveUp(phase, nowMs);
      while (phase.sendMs <= nowMs) {
        const deadlineMs = phase.sendMs;
        phase.sendMs += FRAME_MS;
        for (const lane of phase.lanes) for (let m = lane.length - 1; m >= 0; m--) lane[m]?.send(deadlineMs);
      }
    }
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

/** Sends the frame of every member of a lane; one that cannot before its tick is ticked where the others have to wait. */
function sendOrTick(lane: readonly Ticked[], deadlineMs: number, waits: boolean): void {
  for (let i = lane.length - 1; i >= 0; i--)
    if (lane[i]?.send(deadlineMs) === false && waits) lane[i]?.tick(deadlineMs);
}

function p99Of(ticks: Histogram): number {
  if (ticks.count < 2) return 0;
  return ticks.percentileMs(1 - (0.01 * Math.max(ticks.count, LEAST_TICKS)) / ticks.count);
}
