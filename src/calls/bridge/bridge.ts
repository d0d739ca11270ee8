import { FRAME_SAMPLES, encodeG711, linearTable, transcode } from '#telephony/codec/g711.ts';
import type { AudioCodec, G711Codec } from '#telephony/sdp/media.ts';
import { FrameLine, LineReader } from './frame-line.ts';
import type { SpokenFrame, WireFrame } from './frame-line.ts';
import { limit } from './limiter.ts';
import { hears } from './roles.ts';
import type { PartyRole } from './roles.ts';

/** One who takes part. */
interface Party {
  readonly id: string;
  role: PartyRole;
  readonly line: FrameLine;
  /** Whom this party hears, as long as roles stay. */
  ears: readonly LineReader[];
}

/** Frames by the way they took, for tests and benchmarks. */
export interface BridgeCounts {
  /** The octets of one party went to another as they were. */
  relayed: number;
  /** One party's octets in another law. */
  transcoded: number;
  mixed: number;
}

/** A listener's way to send a frame of another party in the wideband codec of both. */
export interface WireRelay {
  readonly codec: AudioCodec;
  send(wire: Uint8Array): void;
}

/** Scratch of this thread: one mix at a time. */
const sum = new Int32Array(FRAME_SAMPLES);
const pcm = new Int16Array(FRAME_SAMPLES);
const heard: SpokenFrame[] = [];

/**
 * The parties of one call, mixed on the tick of its worker: each hears the others of the listening matrix and never
 * themselves. Where a party hears a single voice, which is nearly always, its octets pass without being decoded. Knows
 * nothing of sockets; nothing to close.
 */
export class Bridge {
  readonly counts: BridgeCounts = { relayed: 0, transcoded: 0, mixed: 0 };
  readonly #parties = new Map<string, Party>();

  get size(): number {
    return this.#parties.size;
  }

  has(id: string): boolean {
    return this.#parties.has(id);
  }

  /** Adds a party, or gives one that is there another role. */
  set(id: string, role: PartyRole): void {
    const party = this.#parties.get(id);
    if (party === undefined) this.#parties.set(id, { id, role, line: new FrameLine(), ears: [] });
    else party.role = role;
    this.#listen();
  }

  remove(id: string): void {
    if (this.#parties.delete(id)) this.#listen();
  }

  /** 20 ms of what a party says; `wire` where it came in a wideband codec. */
  speak(id: string, codec: G711Codec, payload: Uint8Array, present = true, wire?: WireFrame): void {
    this.#parties.get(id)?.line.write(codec, payload, present, wire);
  }

  /**
   * Puts into `tx` what a party hears; false leaves it as it is, because nobody says anything. A single voice in the
   * listener's own wideband codec also goes to `relay`.
   */
  listen(id: string, codec: G711Codec, tx: Uint8Array, relay?: WireRelay): boolean {
    const party = this.#parties.get(id);
    if (party === undefined) return false;
    heard.length = 0;
    for (const ear of party.ears) {
      const frame = ear.take();
      if (frame?.present === true) heard.push(frame);
    }
    const [first] = heard;
    if (first === undefined) return false;
    if (heard.length > 1) {
      this.#mix(codec, tx);
    } else {
      tx.set(first.payload);
      if (first.codec !== codec) transcode(first.codec, codec, tx);
      const wideband = relay !== undefined && first.wireCodec === relay.codec;
      if (wideband) relay.send(first.wire);
      if (wideband || (first.codec === codec && relay === undefined)) this.counts.relayed++;
      else this.counts.transcoded++;
    }
    return true;
  }

  #mix(codec: G711Codec, tx: Uint8Array): void {
    sum.fill(0);
    for (const { codec: law, payload } of heard) {
      const linear = linearTable(law);
      for (let i = 0; i < FRAME_SAMPLES; i++) sum[i]! += linear[payload[i]!]!;
    }
    for (let i = 0; i < FRAME_SAMPLES; i++) pcm[i] = limit(sum[i]!);
    encodeG711(codec, pcm, tx);
    this.counts.mixed++;
  }

  #listen(): void {
    for (const party of this.#parties.values()) {
      const before = new Map(party.ears.map((ear) => [ear.line, ear]));
      party.ears = [...this.#parties.values()]
        .filter((other) => other !== party && hears(party.role, other.role))
        .map(({ line }) => before.get(line) ?? new LineReader(line));
    }
  }
}
