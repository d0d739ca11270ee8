import { Worker } from 'node:worker_threads';
import { AppError } from '#platform/error.ts';
import type { ErrorCode } from '#platform/error.ts';
import type { LocalText } from '#domain/text.ts';
import type { Clock } from '#platform/clock.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import type { Fingerprint } from '#telephony/progress/fingerprint.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import { cutLesson, lessonPrint, likenesses, listen } from '#telephony/progress/teach.ts';
import type { Lesson, Likeness } from '#telephony/progress/teach.ts';
import { readSoundFile } from './sound-file.ts';

/** What is to be found out about a recording; `fingerprints` is the JSON of a `FingerprintLibrary`. */
export interface AnalysisRequest {
  readonly bytes: Uint8Array;
  readonly fingerprints: unknown;
  /** Also what the detectors would tell of it as early media. */
  readonly listens: boolean;
}

/** What a recording holds. */
export interface RecordingAnalysis {
  /** The one that was taken. */
  readonly channel: 'mono' | 'left' | 'right';
  readonly lesson: Omit<Lesson, 'pcm'>;
  /** Undefined where the lesson is too short for one. */
  readonly print: Fingerprint | undefined;
  /** Taught announcements that it is like, the likest first. */
  readonly likenesses: readonly Likeness[];
  /** In order; empty unless asked for. */
  readonly heard: readonly Detection[];
}

/** What the thread sends back. */
export type AnalysisReply =
  | { readonly ok: true; readonly analysis: RecordingAnalysis }
  | { readonly ok: false; readonly code: ErrorCode; readonly text: LocalText };

/** Left is the callee in our recordings; a channel with less sound than this is the silent one. */
const MIN_CHANNEL_MS = 1000;
/** Ten minutes of 48 kHz stereo, the longest that is read, took 31 s on a busy machine of two cores (2026-11-26). */
const MOST_MS = 180_000;
/** Recordings that wait for their turn at the most. */
const MAX_WAITING = 8;

/** Analyses a recording on this thread; throws AppError `invalid-input` for what cannot be read. */
export function analyseRecording({ bytes, fingerprints, listens }: AnalysisRequest): RecordingAnalysis {
  const library = FingerprintLibrary.fromJson(fingerprints);
  const { pcm, lesson, channel } = lessonOf(bytes);
  const print = lessonPrint(lesson);
  const { fromMs, toMs, faults } = lesson;
  return {
    channel,
    lesson: { fromMs, toMs, faults },
    print,
    likenesses: print === undefined ? [] : likenesses(print, library),
    heard: listens ? listen(pcm, library) : [],
  };
}

function lessonOf(bytes: Uint8Array): Pick<RecordingAnalysis, 'channel'> & {
  readonly pcm: Int16Array;
  readonly lesson: Lesson;
} {
  const [left, right] = readSoundFile(bytes).channels;
  const lesson = cutLesson(left!);
  if (right === undefined) return { pcm: left!, lesson, channel: 'mono' };
  if (lesson.toMs - lesson.fromMs >= MIN_CHANNEL_MS) return { pcm: left!, lesson, channel: 'left' };
  return { pcm: right, lesson: cutLesson(right), channel: 'right' };
}

/** Analyses recordings one at a time, each on a thread of its own: calls are signalled on this one. */
export class RecordingAnalyst {
  readonly #clock: Clock;
  readonly #program: URL;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #worker: Worker | undefined;
  #closed = false;

  /** `program` is the thread's; another one is for tests. */
  constructor(clock: Clock, program = new URL('./recording-worker.ts', import.meta.url)) {
    this.#clock = clock;
    this.#program = program;
  }

  /** Throws AppError `invalid-input` for what cannot be read, `timeout`, and `unavailable` while too many wait. */
  async analyse(request: AnalysisRequest): Promise<RecordingAnalysis> {
    if (this.#waiting >= MAX_WAITING) throw tooMany();
    this.#waiting++;
    const mine = this.#turn.then(() => this.#run(request));
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }

  /** Gives up what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #run(request: AnalysisRequest): Promise<RecordingAnalysis> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closing());
      const worker = new Worker(this.#program, { workerData: request, name: 'recording' });
      this.#worker = worker;
      const limit = this.#clock.setTimer(MOST_MS, () => {
        reject(tooLong());
        void worker.terminate();
      });
      worker.once('message', (reply: AnalysisReply) => {
        if (reply.ok) resolve(reply.analysis);
        else reject(new AppError(reply.code, reply.text));
      });
      worker.once('error', reject);
      worker.once('exit', () => {
        limit.cancel();
        this.#worker = undefined;
        // After an answer this is nobody's any more.
        reject(closing());
      });
    });
  }
}

function tooMany(): AppError {
  return new AppError(
    'unavailable',
    {
      zh: '还有别的录音在分析，请稍后再试。',
      en: 'Other recordings are being analysed; try again in a moment.',
    },
    { retryable: true },
  );
}

function tooLong(): AppError {
  return new AppError('timeout', {
    zh: '录音分析超时，请先剪到提示音再试。',
    en: 'Analysing the recording took too long; cut it to the announcement and try again.',
  });
}

function closing(): AppError {
  return new AppError(
    'unavailable',
    { zh: '平台正在停止，没有分析录音。', en: 'The platform is stopping; the recording was not analysed.' },
    { retryable: true },
  );
}
