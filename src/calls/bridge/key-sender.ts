import type { Log } from '#platform/log.ts';
import { sendDtmf } from '#telephony/send-dtmf.ts';
import type { SessionControl } from '#telephony/sip/user-agent/call.ts';

export interface KeySenderOptions {
  readonly log: Log;
  readonly control: Pick<SessionControl, 'sendDigit'>;
  /** Has the worker send them in the leg's audio. */
  readonly tones: (digits: string) => void;
}

/**
 * The main thread's part in passing keys on to a far end without telephone-events: by INFO, one after the other, and as
 * tones of the worker where INFO does not bring them across; after that always so, as nobody waits for INFO twice.
 */
export class KeySender {
  readonly #o: KeySenderOptions;
  #sent: Promise<void> = Promise.resolve();
  #way: 'info' | 'tones' = 'info';

  constructor(options: KeySenderOptions) {
    this.#o = options;
  }

  /** Queues a key behind those before it. */
  send(digit: string): void {
    this.#sent = this.#sent.then(() => this.#send(digit));
  }

  async #send(digit: string): Promise<void> {
    const { control, log, tones } = this.#o;
    if (this.#way === 'tones') return tones(digit);
    try {
      const way = await sendDtmf({ control, leg: { sendDtmf: tones }, media: { dtmfPayloadType: undefined } }, digit);
      if (way === 'tones') this.#way = way;
    } catch (error) {
      log.warn({ err: error }, 'a key could not be passed on');
    }
  }
}
