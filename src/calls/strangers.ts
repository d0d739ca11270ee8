import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';

const LINE_MS = 60_000;
const LOOK_MS = 1_000;
/** Sources remembered at once; a scan from more addresses than that is counted without lines of their own. */
const MAX_SOURCES = 1000;

interface Source {
  readonly sinceMs: number;
  unlogged: number;
}

/** Requests from addresses that may not call us: counted, and told in the log once a minute a source. */
export class Strangers {
  /** Since the start. */
  requests = 0;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #sources = new Map<string, Source>();
  /** Looking through all sources for each request of a flood with forged addresses would cost more than the flood. */
  #lookAgainMs = 0;

  constructor(options: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  note(source: string, method: string): void {
    this.requests++;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#sources.get(source);
    if (known !== undefined && nowMs - known.sinceMs < LINE_MS) {
      known.unlogged++;
      return;
    }
    if (known === undefined && this.#sources.size >= MAX_SOURCES) this.#forget(nowMs);
    if (known === undefined && this.#sources.size >= MAX_SOURCES) return;
    this.#sources.set(source, { sinceMs: nowMs, unlogged: 0 });
    this.#log.warn(
      { source, method, alike: known?.unlogged ?? 0 },
      'SIP request from an address that no trunk and no inbound.allow names',
    );
  }

  #forget(nowMs: number): void {
    if (nowMs < this.#lookAgainMs) return;
    this.#lookAgainMs = nowMs + LOOK_MS;
    for (const [source, { sinceMs }] of this.#sources) if (nowMs - sinceMs >= LINE_MS) this.#sources.delete(source);
  }
}
