/** RFC 3711 §3.3.2: at least 64 packets. */
const WINDOW = 64;

/** Which packets a receiver has taken, so that none is taken twice. */
export class ReplayWindow {
  /** The highest index taken; -1 before the first. */
  highest = -1;
  /** Bit 0 of `#recent` is the highest index, bit 31 of `#older` the one 63 below. */
  #recent = 0;
  #older = 0;

  /** True where that index is new and not too old to know. */
  admits(index: number): boolean {
    if (index < 0) return false;
    const age = this.highest - index;
    if (age < 0 || this.highest < 0) return true;
    if (age >= WINDOW) return false;
    return age < 32 ? ((this.#recent >>> age) & 1) === 0 : ((this.#older >>> (age - 32)) & 1) === 0;
  }

  /** Marks an admitted index as taken; only after its packet has proved authentic. */
  take(index: number): void {
    const step = index - this.highest;
    if (this.highest < 0 || step >= WINDOW) {
      this.#older = 0;
      this.#recent = 1;
      this.highest = index;
    } else if (step > 0) {
      this.#shift(step);
      this.#recent |= 1;
      this.highest = index;
    } else if (step > -32) {
      this.#recent |= 1 << -step;
    } else {
      this.#older |= 1 << (-step - 32);
    }
  }

  #shift(by: number): void {
    if (by >= 32) {
      this.#older = by === 32 ? this.#recent : this.#recent << (by - 32);
      this.#recent = 0;
    } else {
      this.#older = (this.#older << by) | (this.#recent >>> (32 - by));
      this.#recent <<= by;
    }
  }
}
