import { randomBytes } from 'node:crypto';
import type { Clock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { EventPort } from './event-port.ts';
import { Histogram } from './histogram.ts';
import { RtpLeg } from './leg.ts';
import type { LegHandlers, MediaLeg } from './media-leg.ts';
import { loadLibc } from './libc.ts';
import { PolledPort } from './polled-port.ts';
import { PolledSockets } from './polled-sockets.ts';
import { PortPairs, type OpenPort, type PortPair } from './port-pairs.ts';
import { Ticker } from './ticker.ts';

export type { LegHandlers, MediaLeg, ReceivedFrame } from './media-leg.ts';

/** How a media engine is set up; `random` (numbers in [0, 1)) is for tests. */
export interface MediaEngineOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Local numeric address that all sockets bind. */
  readonly address: string;
  /** A leg takes two pairs of them: RTP and RTCP for audio and for text. */
  readonly ports: { readonly first: number; readonly last: number };
  readonly random?: () => number;
  /** `events` keeps to the sockets of Node where others would do, for tests and comparisons. */
  readonly sockets?: 'polled' | 'events';
}

/** How well an engine keeps up. */
export interface MediaLoad {
  readonly legs: number;
  /** How late frames were made, over the last 5 to 10 seconds: half a phase (1 ms) is rest, 20 ms is a loop that is full. */
  readonly tickLatenessP99Ms: number;
  /** How long ago the newest frame that was made fell due; 0 without legs. */
  readonly frameAgeMs: number;
  /** Frames of all legs that were given up since the engine opened. */
  readonly framesDropped: number;
}

/** All media of one thread: its ports, its one tick loop and its legs. */
export class MediaEngine {
  /** Time between audio packets of one leg as handed to the kernel, over all legs. */
  readonly sendIntervals = new Histogram(0.25, 800);
  readonly #options: MediaEngineOptions;
  readonly #ports: PortPairs;
  readonly #openAudio: OpenPort;
  readonly #ticker: Ticker;
  readonly #legs = new Set<RtpLeg>();
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  private constructor(options: MediaEngineOptions, polled: PolledSockets | undefined) {
    const { clock } = options;
    const open: OpenPort = (address, port) => EventPort.open(clock, address, port);
    this.#options = options;
    this.#ports = new PortPairs(options.address, options.ports, open);
    // What comes 50 times a second is read by the tick; what is rare may be an event (docs/decisions/0007).
    this.#openAudio = polled === undefined ? open : async (...where) => PolledPort.open(polled, ...where);
    this.#ticker = new Ticker(options.clock);
  }

  /** Throws `port-in-use` where the address cannot be bound at all. */
  static async open(options: MediaEngineOptions): Promise<MediaEngine> {
    const libc = options.sockets === 'events' ? undefined : await loadLibc();
    const engine = new MediaEngine(options, libc === undefined ? undefined : new PolledSockets(libc, options.clock));
    await engine.#ports.close(await engine.#ports.open(engine.#openAudio));
    return engine;
  }

  /**
   * Binds a leg's four sockets; throws `resource-exhausted` when no ports are left. The caller closes the leg. `labels` are
   * part of every line that it logs, to tell whose it is.
   */
  async openLeg(handlers: LegHandlers, labels: Readonly<Record<string, string>> = {}): Promise<MediaLeg> {
    if (this.#closed) throw new AppError('unavailable', { zh: '媒体引擎已关闭。', en: 'The media engine is closed.' });
    const [audio, text] = await Promise.allSettled([this.#ports.open(this.#openAudio), this.#ports.open()]);
    if (audio.status === 'rejected' || text.status === 'rejected' || this.#closed) {
      if (audio.status === 'fulfilled') await this.#ports.close(audio.value);
      if (text.status === 'fulfilled') await this.#ports.close(text.value);
      if (audio.status === 'rejected') throw audio.reason;
      if (text.status === 'rejected') throw text.reason;
      throw new AppError('unavailable', { zh: '媒体引擎已关闭。', en: 'The media engine is closed.' });
    }
    const leg = new RtpLeg({
      context: {
        clock: this.#options.clock,
        // Random and of no person or machine (RFC 7022 §4.2).
        cname: randomBytes(12).toString('base64'),
        random: this.#options.random ?? Math.random,
        sendIntervals: this.sendIntervals,
      },
      log: this.#options.log,
      labels,
      ticker: this.#ticker,
      audioPorts: audio.value,
      textPorts: text.value,
      handlers,
      onClosed: (closed) => this.#release(closed, [audio.value, text.value]),
    });
    this.#legs.add(leg);
    return leg;
  }

  /** What admission and health look at. */
  load(): MediaLoad {
    return {
      legs: this.#legs.size,
      tickLatenessP99Ms: this.#ticker.latenessP99Ms,
      frameAgeMs: this.#ticker.frameAgeMs,
      framesDropped: this.#ticker.framesDropped,
    };
  }

  /** Closes every leg and resolves when all ports are free; idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const leg of this.#legs) leg.close();
    await Promise.all(this.#closing);
  }

  #release(leg: RtpLeg, pairs: readonly PortPair[]): void {
    this.#legs.delete(leg);
    const closing = Promise.all(pairs.map((pair) => this.#ports.close(pair))).then(() => {
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }
}
