import type { Log } from '#platform/log.ts';
import type { DtmfEvent } from './dtmf.ts';
import type { LegHandlers, ReceivedFrame } from './media-leg.ts';

/** The handlers of one leg, whose faults must not stop the tick of the others: the first one is logged, all are counted. */
export class GuardedHandlers implements LegHandlers {
  faults = 0;
  /** Once true, only frames are still handed on. */
  closed = false;
  readonly #handlers: LegHandlers;
  readonly #log: Log;
  readonly #labels: Readonly<Record<string, string>>;

  constructor(handlers: LegHandlers, log: Log, labels: Readonly<Record<string, string>>) {
    this.#handlers = handlers;
    this.#log = log;
    this.#labels = labels;
  }

  onFrame(rx: ReceivedFrame, tx: Uint8Array, sent: boolean): void {
    try {
      this.#handlers.onFrame(rx, tx, sent);
    } catch (error) {
      this.#fault(error);
    }
  }

  onSend(tx: Uint8Array, atMs: number): boolean {
    try {
      return this.#handlers.onSend?.(tx, atMs) ?? false;
    } catch (error) {
      this.#fault(error);
      return false;
    }
  }

  onText(text: string): void {
    this.#guard(() => this.#handlers.onText(text));
  }

  onDtmf(event: DtmfEvent): void {
    this.#guard(() => this.#handlers.onDtmf(event));
  }

  onRemoteRtp(): void {
    this.#guard(() => this.#handlers.onRemoteRtp?.());
  }

  onTimeout(): void {
    this.#guard(() => this.#handlers.onTimeout?.());
  }

  #guard(run: () => void): void {
    if (this.closed) return;
    try {
      run();
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    if (this.faults++ === 0) this.#log.error({ ...this.#labels, err: error }, 'media handler failed');
  }
}
