import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import type { DialStore } from './dial-store.ts';

const SETTLE_TRIES = 6;
const SETTLE_RETRY_MS = 250;
/** A dial that found no room is tried again after this: a call or two have ended by then. */
const NO_ROOM_MS = 2000;

/** What live calls are made of. */
export interface LiveCallsOptions {
  readonly store: Pick<DialStore, 'settle' | 'withdraw'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
  /** Asked when an attempt's slot has come: whether it may still be dialled. */
  readonly mayDial: (attempt: Attempt) => boolean;
  /** The call is over, its attempt not settled yet. */
  readonly onOutcome: (attempt: Attempt, outcome: CallOutcome) => void;
  /** The attempt is settled or taken back. */
  readonly onSettled: (attempt: Attempt) => void;
}

interface LiveCall {
  /** As it is committed now: its trunk may change before a phone rings. */
  attempt: Attempt;
  readonly abort: AbortController;
  readonly begin: () => void;
  readonly done: Promise<void>;
}

/** The committed attempts of this process, each from its slot to its settlement. */
export class LiveCalls {
  readonly #o: LiveCallsOptions;
  readonly #calls = new Map<AttemptId, LiveCall>();

  constructor(options: LiveCallsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#calls.size;
  }

  ids(): readonly AttemptId[] {
    return [...this.#calls.keys()];
  }

  campaignIds(): readonly CampaignId[] {
    return [...new Set([...this.#calls.values()].flatMap(({ attempt }) => attempt.campaignId ?? []))];
  }

  /** How many are live of a campaign, or on a trunk. */
  count(of: { readonly campaignId: CampaignId } | { readonly trunk: string }): number {
    let count = 0;
    for (const { attempt } of this.#calls.values()) {
      if ('trunk' in of ? attempt.trunk === of.trunk : attempt.campaignId === of.campaignId) count += 1;
    }
    return count;
  }

  /** Places the call when its slot comes, `atMs` on the monotonic clock. */
  launch(attempt: Attempt, atMs: number): void {
    const abort = new AbortController();
    const slot = Promise.withResolvers<void>();
    let timer: Timer | undefined = this.#o.clock.setTimer(
      Math.max(0, atMs - this.#o.clock.monotonicMs()),
      slot.resolve,
    );
    const begin = (): void => {
      timer?.cancel();
      timer = undefined;
      slot.resolve();
    };
    const done = slot.promise.then(() => this.#run(attempt, abort.signal));
    this.#calls.set(attempt.id, { attempt, abort, begin, done });
  }

  /** The dial went on over another trunk. */
  moved(attempt: Attempt): void {
    const call = this.#calls.get(attempt.id);
    if (call !== undefined) call.attempt = attempt;
  }

  /** Ends the calls of a campaign, or all; those whose slot has not come are taken back. */
  abort(reason: string, id?: CampaignId): void {
    for (const call of this.#calls.values()) {
      if (id !== undefined && call.attempt.campaignId !== id) continue;
      call.abort.abort(reason);
      call.begin();
    }
  }

  /** Begins every call now or takes it back, as `mayDial` says, and waits until all are over. */
  async finish(): Promise<void> {
    for (const call of this.#calls.values()) call.begin();
    await Promise.all([...this.#calls.values()].map((call) => call.done));
  }

  async #run(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#o;
    const dials = !signal.aborted && this.#o.mayDial(attempt);
    const outcome = dials ? await this.#outcomeOf(attempt, signal) : undefined;
    if (outcome === undefined) {
      const dueAt = new Date(clock.now().getTime() + (dials ? NO_ROOM_MS : 0));
      await this.#persist(attempt, () => store.withdraw(attempt, clock.now(), dueAt));
    } else {
      this.#o.onOutcome(this.#calls.get(attempt.id)?.attempt ?? attempt, outcome);
      await this.#persist(attempt, () => store.settle(attempt, outcome, clock.now()));
    }
    this.#calls.delete(attempt.id);
    this.#o.onSettled(attempt);
  }

  /** Undefined where no INVITE left for want of room, on the servers of the trunk or here: nobody's phone can have rung. */
  async #outcomeOf(attempt: Attempt, signal: AbortSignal): Promise<CallOutcome | undefined> {
    try {
      return await this.#o.placeCall(attempt, signal);
    } catch (error) {
      if (error instanceof AppError && (error.code === 'resource-exhausted' || error.code === 'unavailable')) {
        this.#o.log.info({ attemptId: attempt.id, why: error.text.en }, 'a dial found no room and is tried again');
        return undefined;
      }
      this.#o.log.error({ err: error, attemptId: attempt.id }, 'a call failed without an outcome');
      return lostOutcome(attempt.id, 'call-failed', this.#o.clock.now());
    }
  }

  /** Tries a write again while the database is away; what stays open then is settled as an orphan later. */
  async #persist(attempt: Attempt, write: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await write();
        return;
      } catch (error) {
        this.#o.log.error({ err: error, attemptId: attempt.id, tries }, 'an attempt could not be settled');
        if (tries >= SETTLE_TRIES) return;
        await new Promise<void>((resolve) => {
          this.#o.clock.setTimer(SETTLE_RETRY_MS * 2 ** (tries - 1), resolve);
        });
      }
    }
  }
}

/** The outcome of an attempt that ended without one. */
export function lostOutcome(attemptId: AttemptId, detail: string, now: Date): CallOutcome {
  return {
    attemptId,
    code: 'lost',
    evidence: [{ kind: 'platform', detail, suggests: 'lost', confidence: 1 }],
    confidence: 1,
    grade: 'F',
    gradeReason: 'not reached: lost',
    tags: [],
    slots: {},
    optedOut: false,
    callBackAt: undefined,
    endedAt: now,
  };
}
