/** How long after latching the signalled address may still take its stream back from another source. */
const CORRECTION_MS = 1000;
/** How long the locked source must have been silent before its stream may go on from another port. */
export const MOVE_SILENCE_MS = 500;
const LATCHED = 0;
const HEARD = 1;

/**
 * Symmetric RTP (RFC 4961, RFC 7362): media goes back to where it comes from. The first valid source is locked, so that
 * a stranger cannot take a stream over; only the signalled address itself may correct the lock, within a second. Where
 * the source falls silent and its stream goes on from elsewhere, as after a translation's port has changed, the lock
 * follows: from the same address with what only the source knows, from any address with what only the source can make.
 */
export class SourceLatch {
  address = '';
  port = 0;
  latched = false;
  /** Packets from elsewhere than the locked source. */
  strangers = 0;
  #signalledAddress = '';
  #signalledPort = 0;
  /** When the source was locked, and when it was heard last: a field with a fraction is a new object each time it is written. */
  readonly #times = new Float64Array(2);

  /** Takes the address that signalling named; a new one opens the lock, and the answer is true then. */
  expect(address: string, port: number): boolean {
    if (address === this.#signalledAddress && port === this.#signalledPort) return false;
    this.#signalledAddress = address;
    this.#signalledPort = port;
    this.address = address;
    this.port = port;
    this.latched = false;
    return true;
  }

  /** True once nothing but signalling can change the source any more. */
  settled(nowMs: number): boolean {
    return this.latched && nowMs - this.#times[LATCHED]! > CORRECTION_MS;
  }

  /** True once the locked source has been silent for so long that its stream may move. */
  silent(nowMs: number): boolean {
    return nowMs - this.#times[HEARD]! >= MOVE_SILENCE_MS;
  }

  /**
   * True where a valid packet from there belongs to the stream; the first one locks its source. `goesOn`: it has the
   * stream's own source number and comes next in its sequence; `authentic`: it was made with the far end's key.
   */
  admit(address: string, port: number, nowMs: number, goesOn = false, authentic = false): boolean {
    if (this.latched && port === this.port && address === this.address) {
      this.#times[HEARD] = nowMs;
      return true;
    }
    const signalled = port === this.#signalledPort && address === this.#signalledAddress;
    const corrects = signalled && nowMs - this.#times[LATCHED]! < CORRECTION_MS;
    const moves = goesOn && (authentic || address === this.address) && this.silent(nowMs);
    if (this.latched && !corrects && !moves) {
      this.strangers++;
      return false;
    }
    this.#times[HEARD] = nowMs;
    this.latched = true;
    this.#times[LATCHED] = nowMs;
    this.address = address;
    this.port = port;
    return true;
  }
}
