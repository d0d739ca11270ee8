import type { Clock } from '#platform/clock.ts';
import type { Libc } from './libc.ts';

/** Datagrams that one system call takes: a tick finds one, a loop that was late finds some. */
const BATCH = 16;
/** Longer datagrams are no RTP of a call and are dropped. */
const DATAGRAM_BYTES = 2048;
/** Of `struct sockaddr_in6`, the longest here. */
export const ADDRESS_BYTES = 28;
/** Sizes and offsets of 64-bit Linux, which glibc and musl share: `struct mmsghdr`, `iovec`, `cmsghdr` with a `timespec`. */
const HEADER_BYTES = 64;
const NAME_LENGTH_AT = 8;
const VECTOR_AT = 16;
const VECTOR_COUNT_AT = 24;
const CONTROL_AT = 32;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;
const RECEIVED_BYTES_AT = 56;
const VECTOR_BYTES = 16;
const CONTROL_BYTES = 64;
const NAME_BYTES = 32;
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const CLOCK_REALTIME = 0;

const HEADERS = 0;
const VECTORS = HEADERS + BATCH * HEADER_BYTES;
const NAMES = VECTORS + BATCH * VECTOR_BYTES;
const CONTROLS = NAMES + BATCH * NAME_BYTES;
const SCRATCH = CONTROLS + BATCH * CONTROL_BYTES;
const SCRATCH_BYTES = 64;
const OUT = SCRATCH + SCRATCH_BYTES;
const IN = OUT + DATAGRAM_BYTES;
const ALL_BYTES = IN + BATCH * DATAGRAM_BYTES;

/** The wall clock against the monotonic one is looked at anew after this. */
const OFFSET_VALID_MS = 10;
const COMPARISON_MS = 0.02;
const COMPARISONS = 5;
/** An arrival that lies further back was stamped before the wall clock was set. */
const MAX_AGE_MS = 30_000;

/**
 * The memory in which the polled sockets of a thread exchange datagrams and addresses with the kernel, prepared once, so that
 * nothing is allocated or set up for a packet. Its calls are not reentrant.
 */
export class PolledSockets {
  readonly libc: Libc;
  /** Scratch for one address or option, and where the kernel finds it. */
  readonly scratch: Uint8Array;
  readonly scratchAddress: number;
  /** What is sent next is written here. */
  readonly out: Uint8Array;
  readonly outAddress: number;
  /** True while received datagrams lie here. */
  receiving = false;
  readonly #clock: Clock;
  readonly #bytes = new Uint8Array(ALL_BYTES);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  readonly #headersAddress: number;
  readonly #names: readonly Uint8Array[];
  /** The views of the last datagrams: most are as long as the one before. */
  readonly #views: Uint8Array[];
  #offsetMs = 0;
  #offsetAtMs = Number.NEGATIVE_INFINITY;
  /** Whole seconds of the wall clock that times count from, so that they keep their fractions. */
  #epochSeconds = 0;

  constructor(libc: Libc, clock: Clock) {
    this.libc = libc;
    this.#clock = clock;
    const address = libc.addressOf(this.#bytes.buffer);
    this.#headersAddress = address + HEADERS;
    this.scratch = this.#bytes.subarray(SCRATCH, SCRATCH + SCRATCH_BYTES);
    this.scratchAddress = address + SCRATCH;
    this.out = this.#bytes.subarray(OUT, OUT + DATAGRAM_BYTES);
    this.outAddress = address + OUT;
    this.#names = Array.from({ length: BATCH }, (_, i) => {
      const at = NAMES + i * NAME_BYTES;
      return this.#bytes.subarray(at, at + ADDRESS_BYTES);
    });
    this.#views = Array.from({ length: BATCH }, (_, i) => this.#view(i, 0));
    const view = new DataView(this.#bytes.buffer);
    const pointer = (at: number, to: number): void => view.setBigUint64(at, BigInt(address + to), true);
    for (let i = 0; i < BATCH; i++) {
      const header = HEADERS + i * HEADER_BYTES;
      const vector = VECTORS + i * VECTOR_BYTES;
      pointer(header, NAMES + i * NAME_BYTES);
      pointer(header + VECTOR_AT, vector);
      pointer(header + CONTROL_AT, CONTROLS + i * CONTROL_BYTES);
      view.setUint32(header + VECTOR_COUNT_AT, 1, true);
      pointer(vector, IN + i * DATAGRAM_BYTES);
      view.setUint32(vector + 8, DATAGRAM_BYTES, true);
      this.#rearm(i);
    }
  }

  /** Sets an integer option of a socket; false where the system refuses. */
  setOption(fd: number, level: number, option: number, value: number): boolean {
    new DataView(this.scratch.buffer, this.scratch.byteOffset).setInt32(0, value, true);
    return this.libc.setsockopt(fd, level, option, this.scratchAddress, 4) === 0;
  }

  /** The kernel notes when each datagram of the socket arrives. */
  stampArrivals(fd: number): boolean {
    return this.setOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  }

  /** Takes up to a batch of datagrams without waiting: how many, or -1 with `errno`. */
  receive(fd: number): number {
    return this.libc.recvmmsg(fd, this.#headersAddress, BATCH, MSG_DONTWAIT, 0);
  }

  /** True where `receive` has left nothing behind. */
  isLast(count: number): boolean {
    return count < BATCH;
  }

  /** The bytes of a received datagram, to be read before the next `receive`; undefined where it was too long. */
  datagram(index: number): Uint8Array | undefined {
    const word = (HEADERS + index * HEADER_BYTES) >> 2;
    if ((this.#words[word + (FLAGS_AT >> 2)]! & MSG_TRUNC) !== 0) return undefined;
    const bytes = this.#words[word + (RECEIVED_BYTES_AT >> 2)]!;
    if (this.#views[index]!.length !== bytes) this.#views[index] = this.#view(index, bytes);
    return this.#views[index];
  }

  /** The socket address that it came from. */
  source(index: number): Uint8Array {
    return this.#names[index]!;
  }

  /** When it arrived, on the monotonic clock; `nowMs` where the kernel did not say. */
  arrivalMs(index: number, nowMs: number): number {
    const word = (CONTROLS + index * CONTROL_BYTES) >> 2;
    const length = this.#words[(HEADERS + index * HEADER_BYTES + CONTROL_LENGTH_AT) >> 2]!;
    if (length < 32 || this.#words[word + 2] !== SOL_SOCKET || this.#words[word + 3] !== SO_TIMESTAMPNS) return nowMs;
    if (nowMs - this.#offsetAtMs > OFFSET_VALID_MS || nowMs < this.#offsetAtMs) this.#compareClocks(nowMs);
    const wallMs = (this.#words[word + 4]! - this.#epochSeconds) * 1000 + this.#words[word + 6]! / 1e6;
    const atMs = Math.min(nowMs, wallMs + this.#offsetMs);
    return nowMs - atMs > MAX_AGE_MS ? nowMs : atMs;
  }

  /** Makes the place of a datagram that was read ready for another one. */
  done(index: number): void {
    this.#rearm(index);
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  #compareClocks(nowMs: number): void {
    const word = SCRATCH >> 2;
    // Anew where the thread was interrupted in between.
    for (let attempt = 0; attempt < COMPARISONS; attempt++) {
      const beforeMs = this.#clock.monotonicMs();
      this.libc.clock_gettime(CLOCK_REALTIME, this.scratchAddress);
      const afterMs = this.#clock.monotonicMs();
      this.#epochSeconds = this.#words[word]!;
      this.#offsetMs = (beforeMs + afterMs) / 2 - this.#words[word + 2]! / 1e6;
      if (afterMs - beforeMs < COMPARISON_MS) break;
    }
    this.#offsetAtMs = nowMs;
  }

  #rearm(index: number): void {
    const word = (HEADERS + index * HEADER_BYTES) >> 2;
    this.#words[word + (NAME_LENGTH_AT >> 2)] = ADDRESS_BYTES;
    this.#words[word + (CONTROL_LENGTH_AT >> 2)] = CONTROL_BYTES;
  }

  #view(index: number, bytes: number): Uint8Array {
    const at = IN + index * DATAGRAM_BYTES;
    return this.#bytes.subarray(at, at + bytes);
  }
}
