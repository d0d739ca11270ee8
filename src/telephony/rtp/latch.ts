/** How long after latching the signalled address may still take its stream back from another source. */
const CORRECTION_MS = 1000;

/**
 * Symmetric RTP (RFC 4961, RFC 7362): media goes back to where it comes from. The first valid source is locked, so that
 * a stranger cannot take a stream over; only the signalled address itself may correct the lock, within a second.
 */
export class SourceLatch {
  address = '';
  port = 0;
  latched = false;
  /** Packets from elsewhere than the locked source. */
  strangers = 0;
  #signalledAddress = '';
  #signalledPort = 0;
  #latchedMs = 0;

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
    return this.latched && nowMs - this.#latchedMs > CORRECTION_MS;
  }

  /** True where a valid packet from there belongs to the stream; the first one locks its source. */
  admit(address: string, port: number, nowMs: number): boolean {
    if (this.latched && port === this.port && address === this.address) return true;
    const signalled = port === this.#signalledPort && address === this.#signalledAddress;
    if (this.latched && !(signalled && nowMs - this.#latchedMs < CORRECTION_MS)) {
      this.strangers++;
      return false;
    }
    this.latched = true;
    this.#latchedMs = nowMs;
    this.address = address;
    this.port = port;
    return true;
  }
}
