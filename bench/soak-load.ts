import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt, FinishedCall } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Script } from '#domain/script.ts';
import type { CallCenter } from '#calls/call-center.ts';
import { newId } from '#platform/id.ts';
import { randomFor, type Random } from '#simulator/random.ts';

const PUMP_MS = 100;
/** Calls that begin a second at the most: a soak is about lasting, not about setting up. */
const STARTS_PER_PUMP = 3;
/** Share of the calls that the platform takes back or hangs up at a random moment. */
const ABORT_CHANCE = 0.06;

/** What became of the calls so far. */
export interface Tally {
  placed: number;
  finished: number;
  answered: number;
  failed: number;
  recorded: number;
  talkMs: number;
  packetsSent: number;
  packetsReceived: number;
  /** By outcome and who hung up. */
  readonly ends: Record<string, number>;
}

/** Keeps as many calls going as asked, each of them to somebody else, and deletes their recordings. */
export class SoakLoad {
  readonly tally: Tally = {
    placed: 0,
    finished: 0,
    answered: 0,
    failed: 0,
    recorded: 0,
    talkMs: 0,
    packetsSent: 0,
    packetsReceived: 0,
    ends: {},
  };
  readonly #center: CallCenter;
  readonly #script: Script;
  readonly #trunk: string;
  readonly #recordings: string;
  readonly #random: Random;
  readonly #live = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #pump: NodeJS.Timeout;

  constructor(options: {
    readonly center: CallCenter;
    readonly script: Script;
    readonly recordings: string;
    readonly trunk: string;
    readonly calls: number;
    readonly seed: number;
  }) {
    this.#center = options.center;
    this.#script = options.script;
    this.#trunk = options.trunk;
    this.#recordings = options.recordings;
    this.#random = randomFor('soak-platform', options.seed);
    this.#pump = setInterval(() => {
      for (let started = 0; started < STARTS_PER_PUMP && this.#live.size < options.calls; started++) this.#place();
    }, PUMP_MS);
  }

  /** Hangs up whatever still goes on and waits for the ends. */
  async stop(): Promise<void> {
    clearInterval(this.#pump);
    this.#stop.abort();
    await Promise.all(this.#live);
  }

  #place(): void {
    const index = this.tally.placed++;
    const now = new Date();
    const attempt: Attempt = {
      id: newId<'attempt'>(now),
      campaignId: undefined,
      leadId: undefined,
      contactId: undefined,
      number: 1,
      phone: `+86139${String(index % 100_000_000).padStart(8, '0')}` as PhoneNumber,
      callerNumber: '+862100000000',
      timeZone: 'Asia/Shanghai',
      trunk: this.#trunk,
      ringTimeoutMs: this.#random.integer(4_000, 8_000),
      script: this.#script,
      variables: {},
      createdAt: now,
    };
    const abort = new AbortController();
    const onStop = (): void => abort.abort();
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    const timer = this.#random.chance(ABORT_CHANCE)
      ? setTimeout(() => abort.abort(), this.#random.integer(0, 20_000))
      : undefined;
    const observer = { onState: () => undefined, onSaid: () => undefined, onOptOut: () => undefined };
    const done: Promise<void> = this.#center
      .placeCall(attempt, abort.signal, observer)
      .then(
        (finished) => this.#count(finished),
        () => void this.tally.failed++,
      )
      .finally(() => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener('abort', onStop);
        this.#live.delete(done);
      });
    this.#live.add(done);
  }

  async #count({ outcome, hangupBy, answeredMs, talkMs, recording, media }: FinishedCall): Promise<void> {
    const { tally } = this;
    tally.finished++;
    const end = `${outcome} by ${hangupBy}`;
    tally.ends[end] = (tally.ends[end] ?? 0) + 1;
    if (answeredMs !== undefined) tally.answered++;
    tally.talkMs += talkMs;
    tally.packetsSent += media?.packetsSent ?? 0;
    tally.packetsReceived += media?.packetsReceived ?? 0;
    if (recording === undefined) return;
    tally.recorded++;
    await rm(join(this.#recordings, recording.path), { force: true });
  }
}
