import type { AttemptId } from '#domain/ids.ts';
import type { Attempt, FinishedCall } from '#domain/call.ts';
import { AppError } from '#platform/error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { IncomingCall, SipUserAgent } from '#telephony/sip/user-agent.ts';
import { AnsweredCall } from './answered-call.ts';
import type { CallControl } from './bridge/call-bridge.ts';
import type { TakeLine } from './bridge/outside-target.ts';
import { dialOverTrunks } from './fail-over.ts';
import type { DialOverTrunks, FailOver } from './fail-over.ts';
import { PlacedCall } from './placed-call.ts';
import type { CallObserver, OperatorHangUp } from './call-side.ts';
import type { Trunk } from './trunk.ts';
import { WorkerPool } from './worker-pool.ts';
import type { PhraseRequest, WorkerLoad, WorkerSettings } from './worker-protocol.ts';

export interface CallCenterOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sip: SipUserAgent;
  readonly trunk: (name: string) => Trunk | undefined;
  /** How second calls find their trunk; undefined: over that of the call, uncounted. */
  readonly takeLine?: TakeLine;
  /** Whom second calls may go to; anybody unless set. */
  readonly transferTargets?: readonly string[];
  /** How a dial goes on over another trunk of its group; undefined where it does not. */
  readonly failOver?: FailOver;
  readonly workers: number;
  readonly rtp: { readonly address: string; readonly first: number; readonly last: number };
  readonly recordingsDirectory: string;
  readonly fingerprints: unknown;
  /** A WAV file that plays while a callee waits; the built-in music where it is not there. */
  readonly holdMusicFile?: string;
  readonly earlyMedia?: WorkerSettings['earlyMedia'];
  readonly logLevel: WorkerSettings['logLevel'];
  /** Where the call workers write their log; standard error unless set. */
  readonly logFd?: WorkerSettings['logFd'];
  /** Ready-to-send G.711 of a phrase, or undefined where it cannot be spoken. */
  readonly phrase: (request: PhraseRequest) => Promise<Uint8Array | undefined>;
}

/** Places calls. The owner closes it before the SIP user agent. */
export interface CallCenter {
  /**
   * Dials, over another trunk of the group where one fails before a phone can ring, and resolves when the call is over and its recording finished. Aborting the signal hangs up; it still
   * resolves. Rejects with AppError `resource-exhausted`, `unavailable` or `invalid-input` when no INVITE could leave.
   */
  placeCall(attempt: Attempt, signal: AbortSignal, observer: CallObserver): Promise<FinishedCall>;
  /** The same for a call that came in: rings, answers after the script's greet delay. Rejects when it could do neither. */
  answerCall(
    incoming: IncomingCall,
    attempt: Attempt,
    signal: AbortSignal,
    observer: CallObserver,
  ): Promise<FinishedCall>;
  readonly liveCalls: number;
  /** How many calls the media ports are enough for. */
  readonly capacity: number;
  /** The latest report of every call worker, with its age. */
  readonly workerLoads: readonly (WorkerLoad & { readonly ageMs: number })[];
  /** Transfers and listeners of a call that talks; undefined for every other one. */
  control(id: AttemptId): CallControl | undefined;
  /** Ends a call, be it ringing or talking; undefined where none is, also while a dial goes from one trunk to the next. */
  operatorHangUp(id: AttemptId): OperatorHangUp | undefined;
  /** JSON of a `FingerprintLibrary`: the announcements that calls placed from now on know. */
  teach(fingerprints: unknown): void;
  /** Hangs up every call politely, waits for their ends, then ends the workers. */
  close(reason: string): Promise<void>;
}

/** How long `close` waits for BYE and CANCEL to be answered. */
const HANG_UP_WAIT_MS = 6000;

/** Starts the call workers and waits until each has its media engine. */
export async function openCallCenter(options: CallCenterOptions): Promise<CallCenter> {
  const pool = new WorkerPool({
    log: options.log,
    workers: options.workers,
    ports: options.rtp,
    settings: {
      address: options.rtp.address,
      recordingsDirectory: options.recordingsDirectory,
      fingerprints: options.fingerprints,
      holdMusicFile: options.holdMusicFile,
      earlyMedia: options.earlyMedia,
      logLevel: options.logLevel,
      logFd: options.logFd,
    },
    phrase: options.phrase,
  });
  try {
    await pool.ready();
  } catch (error) {
    await pool.close();
    throw error;
  }
  const live = new Map<AttemptId, PlacedCall | AnsweredCall>();
  let closed: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    const ends = [...live.values()].map((call) => call.done.catch(() => undefined));
    for (const call of live.values()) call.hangUp('shutdown');
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(ends),
      new Promise((resolve) => {
        timer = setTimeout(resolve, HANG_UP_WAIT_MS);
      }),
    ]);
    clearTimeout(timer);
    await pool.close();
  };

  /** Follows a call to its end. */
  const follow = async (call: PlacedCall | AnsweredCall, id: AttemptId, signal: AbortSignal): Promise<FinishedCall> => {
    live.set(id, call);
    const onAbort = (): void => call.hangUp('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) call.hangUp('cancelled');
    try {
      return await call.done;
    } finally {
      signal.removeEventListener('abort', onAbort);
      live.delete(id);
    }
  };
  const trunkOf = (name: string): Trunk => {
    if (closed !== undefined) throw closing();
    const trunk = options.trunk(name);
    if (trunk === undefined) throw unknownTrunk(name);
    return trunk;
  };

  return {
    get liveCalls() {
      return live.size;
    },
    get capacity() {
      return pool.capacity;
    },
    get workerLoads() {
      return pool.loads;
    },
    control: (id) => live.get(id)?.control,
    operatorHangUp: (id) => live.get(id)?.operatorHangUp,
    async placeCall(attempt, signal, observer) {
      const dial: DialOverTrunks['dial'] = async (now, began) => {
        const trunk = trunkOf(now.trunk);
        const call = new PlacedCall({ ...options, pool, trunk, attempt: now, observer, began });
        const finished = await follow(call, now.id, signal);
        return { finished, server: call.server };
      };
      const { clock, failOver } = options;
      return dialOverTrunks({ clock, trunk: trunkOf, failOver, dial }, attempt, signal);
    },
    async answerCall(incoming, attempt, signal, observer) {
      const trunk = trunkOf(attempt.trunk);
      return follow(new AnsweredCall({ ...options, pool, trunk, incoming, attempt, observer }), attempt.id, signal);
    },
    teach: (fingerprints) => pool.teach(fingerprints),
    close: () => (closed ??= close()),
  };
}

function unknownTrunk(name: string): AppError {
  return new AppError('unavailable', {
    zh: `线路「${name}」没有配置，请在配置的 trunks 中添加或为任务换一条线路。`,
    en: `Trunk "${name}" is not configured; add it under trunks or choose another one for the campaign.`,
  });
}

function closing(): AppError {
  return new AppError(
    'unavailable',
    { zh: '平台正在关闭，不再拨打。', en: 'The platform is closing and places no more calls.' },
    { retryable: true },
  );
}
