import { Concealment } from '../codec/concealment.ts';
import { decodeG711, encodeG711, FRAME_SAMPLES, silentFrame, transcode } from '../codec/g711.ts';
import { opusSamples } from '../codec/opus.ts';
import { frameCodecOf, type AudioCodec, type AudioMedia, type G711Codec } from '../sdp/media.ts';
import { DtmfReceiver, type DtmfEvent } from './dtmf.ts';
import { DtmfToneDetector } from './dtmf-tones.ts';
import { JitterBuffer, type Pushed } from './jitter-buffer.ts';
import { LossRuns } from './loss-runs.ts';
import type { ReceivedFrame } from './media-leg.ts';
import { extendCounter, type RtpPacket } from './packet.ts';
import { payloadMeanings, type PayloadMeaning } from './payload-types.ts';
import { Reception } from './reception.ts';
import { WIRE_FORMATS, WireDecoder } from './wire-decoder.ts';

/** Below that peak (−48 dBFS) a change of delay is not heard. */
const QUIET_PEAK = 130;
/** A new source replaces the present one at its second packet, or at once when that one has been silent so long. */
const SOURCE_SILENCE_MS = 100;
/** Timestamps start one cycle up, so that none from before the first is negative. */
const TIMESTAMP_BASE = 0x100000000;
/** The jitter buffer counts in units of 8 kHz. */
const BUFFER_HZ = 8000;
const NO_PAYLOAD = new Uint8Array(0);
const TIMESTAMP = 0;
const ARRIVAL = 1;

/** The octets and samples of whichever frame is at hand: those of all receivers of a thread, so that they stay in the cache. */
const framePayload = new Uint8Array(FRAME_SAMPLES);
const framePcm = new Int16Array(FRAME_SAMPLES);
/**
 * The payloads that were looked at last, by the place of their datagrams: polled sockets hand out the same memory again and
 * again, some 2 KiB apart, and nearly always in the same shape.
 */
const PLACES = 16;
const PLACE_BITS = 11;
const payloadsOf: Uint8Array[] = Array.from({ length: PLACES }, () => NO_PAYLOAD);
const lastPayloads: Uint8Array[] = Array.from({ length: PLACES }, () => NO_PAYLOAD);

/** The receiving half of an audio stream: RTP packets in, one frame every 20 ms out. Knows nothing of sockets. */
export class AudioReceiver {
  readonly reception = new Reception(BUFFER_HZ);
  /** What was missing when it was due. */
  readonly losses = new LossRuns();
  /** What the last `pull` made. Its arrays are those of every receiver. */
  readonly frame: ReceivedFrame;
  late = 0;
  /** Packets with a payload type nobody negotiated, or too long. */
  unusable = 0;
  duplicates = 0;
  readonly #buffer = new JitterBuffer();
  readonly #concealment = new Concealment();
  readonly #dtmf: DtmfReceiver;
  readonly #onDtmf: (event: DtmfEvent) => void;
  /** Only where keys do not come as telephone-events. */
  #tones: DtmfToneDetector | undefined;
  /** Of the frames. */
  #codec: G711Codec;
  #wireCodec: AudioCodec;
  #meanings: readonly (PayloadMeaning | undefined)[];
  /** Only where something else than G.711 has been negotiated or has come. */
  #wide: WireDecoder | undefined;
  #clockHz = BUFFER_HZ;
  /** The extended timestamp (−1 for none) and arrival of the last packet: a field with a fraction is a new object at each write. */
  readonly #last = new Float64Array([-1, 0]);
  #nextSource = -1;
  #nextSequence = -1;
  #quiet = true;

  constructor(media: AudioMedia, onDtmf: (event: DtmfEvent) => void) {
    this.#codec = frameCodecOf(media.codec);
    this.#wireCodec = media.codec;
    this.#meanings = payloadMeanings(media);
    this.#onDtmf = onDtmf;
    this.#dtmf = new DtmfReceiver(onDtmf);
    this.#listenForTones(media);
    this.frame = { kind: 'none', payload: framePayload, pcm: framePcm, wire: undefined, atMs: 0 };
    if (media.codec !== this.#codec) this.#widen();
  }

  /** The playout delay that the stream's jitter asks for at present. */
  get bufferMs(): number {
    return this.#buffer.targetMs;
  }

  /** Takes over what a renegotiation agreed; packets that wait were sent before it and are let go if the codec changed. */
  renegotiate(media: AudioMedia): void {
    if (media.codec !== this.#wireCodec) {
      this.#buffer.reset();
      this.#wide?.close();
      this.#wide = undefined;
      this.#wireCodec = media.codec;
      this.#codec = frameCodecOf(media.codec);
      if (media.codec !== this.#codec) this.#widen();
    }
    this.#meanings = payloadMeanings(media);
    this.#listenForTones(media);
  }

  /** True where a packet of this payload type belongs to the stream. */
  understands(payloadType: number): boolean {
    return this.#meanings[payloadType] !== undefined;
  }

  /** Frees what decoders hold; nothing may be pulled afterwards. */
  close(): void {
    this.#wide?.close();
  }

  /** Takes a packet that was read from `bytes`, whose payload may be transcoded in place. */
  accept(packet: RtpPacket, bytes: Uint8Array, nowMs: number): void {
    const meaning = this.#meanings[packet.payloadType];
    if (meaning === undefined) {
      this.unusable++;
      return;
    }
    if (!this.#admitSource(packet, nowMs)) return;
    const event = meaning.kind === 'event';
    if (meaning.kind === 'audio' && meaning.clockHz !== this.#clockHz) this.#changeClock(meaning.clockHz);
    const sequence = this.reception.count(packet.sequence, event ? undefined : packet.timestamp, nowMs);
    if (sequence < 0) return;
    this.#last[ARRIVAL] = nowMs;
    const payload = payloadIn(bytes, packet);
    if (event) {
      this.#dtmf.push(packet.timestamp, payload, nowMs, meaning.rateHz);
      this.#buffer.skip(sequence);
      this.losses.mark(sequence);
      return;
    }
    this.#last[TIMESTAMP] =
      this.#last[TIMESTAMP]! < 0
        ? TIMESTAMP_BASE + packet.timestamp
        : extendCounter(packet.timestamp, this.#last[TIMESTAMP]!, 32);
    const pushed =
      meaning.kind === 'audio'
        ? this.#pushAudio(meaning.codec, sequence, packet.marker, payload, nowMs)
        : this.#buffer.push(sequence, this.#timestampUnits(), packet.marker, NO_PAYLOAD, nowMs);
    if (pushed === 'kept') this.losses.mark(sequence);
    else if (pushed === 'late') this.late++;
    else if (pushed === 'duplicate') this.duplicates++;
    else if (pushed === 'dropped') this.unusable++;
  }

  /** Makes the frame that is due at `nowMs`; the same object every time. */
  pull(nowMs: number): ReceivedFrame {
    const { frame } = this;
    const buffer = this.#buffer;
    frame.atMs = nowMs;
    frame.payload.set(silentFrame(this.#codec));
    this.#dtmf.poll(nowMs);
    const wide = this.#wide;
    wide?.begin();
    const pulled = buffer.pull(nowMs, frame.payload, this.#quiet, wide);
    if (wide !== undefined && (pulled === 'audio' || wide.hidden)) {
      if (buffer.lostFrom < buffer.lostTo && !wide.hidden)
        this.#concealment.patch(frame.pcm, buffer.lostFrom, buffer.lostTo);
      else this.#concealment.good(frame.pcm);
      encodeG711(this.#codec, frame.pcm, frame.payload);
      frame.wire = wide.wire;
      frame.kind = pulled === 'audio' ? 'audio' : 'concealed';
    } else if (pulled === 'audio') {
      decodeG711(this.#codec, frame.payload, frame.pcm);
      frame.wire = undefined;
      if (buffer.lostFrom < buffer.lostTo) {
        this.#concealment.patch(frame.pcm, buffer.lostFrom, buffer.lostTo);
        encodeG711(this.#codec, frame.pcm, frame.payload);
      } else {
        this.#concealment.good(frame.pcm);
        frame.wire = frame.payload;
      }
      frame.kind = 'audio';
    } else if (pulled === 'lost' && this.reception.started && this.#concealment.audible) {
      this.#concealment.lost(frame.pcm);
      encodeG711(this.#codec, frame.pcm, frame.payload);
      frame.wire = undefined;
      frame.kind = 'concealed';
    } else {
      frame.wire = undefined;
      if (pulled === 'silent') this.#concealment.reset();
      frame.pcm.fill(0);
      frame.kind = 'none';
    }
    this.#quiet = isQuiet(frame.pcm);
    this.#tones?.push(frame.pcm, nowMs);
    return frame;
  }

  #listenForTones(media: AudioMedia): void {
    // That we offered events does not say that they come: what counts is that the far end agreed.
    if (media.dtmfPayloadType !== undefined) this.#tones = undefined;
    else this.#tones ??= new DtmfToneDetector(this.#onDtmf);
  }

  #widen(): void {
    this.#wide ??= new WireDecoder(this.#wireCodec, this.#codec, this.frame.pcm);
  }

  #pushAudio(codec: AudioCodec, sequence: number, marker: boolean, payload: Uint8Array, nowMs: number): Pushed {
    const timestamp = this.#timestampUnits();
    if (codec === 'PCMA' || codec === 'PCMU') {
      transcode(codec, this.#codec, payload);
      return this.#buffer.push(sequence, timestamp, marker, payload, nowMs);
    }
    this.#widen();
    const units = codec === 'opus' ? opusSamples(payload) : payload.length;
    if (units <= 0) return 'dropped';
    return this.#buffer.push(sequence, timestamp, marker, payload, nowMs, units, WIRE_FORMATS[codec]);
  }

  #timestampUnits(): number {
    return this.#clockHz === BUFFER_HZ
      ? this.#last[TIMESTAMP]!
      : Math.floor((this.#last[TIMESTAMP]! * BUFFER_HZ) / this.#clockHz);
  }

  /** Timestamps before and after cannot be compared (RFC 7160 §3.1). */
  #changeClock(clockHz: number): void {
    this.#clockHz = clockHz;
    this.#last[TIMESTAMP] = -1;
    this.#buffer.reset();
    this.reception.changeClock(clockHz);
  }

  /** A source other than the present one needs two packets in sequence, so that a stray one does no harm. */
  #admitSource(packet: RtpPacket, nowMs: number): boolean {
    const { reception } = this;
    if (reception.started && packet.ssrc === reception.ssrc) {
      this.#nextSource = -1;
      return true;
    }
    const proven = this.#nextSource === packet.ssrc && this.#nextSequence === packet.sequence;
    if (reception.started && !proven && nowMs - this.#last[ARRIVAL]! < SOURCE_SILENCE_MS) {
      this.#nextSource = packet.ssrc;
      this.#nextSequence = (packet.sequence + 1) & 0xffff;
      return false;
    }
    reception.restart(packet.ssrc, packet.sequence);
    this.losses.restart();
    this.#buffer.reset();
    this.#dtmf.reset();
    this.#tones?.reset();
    this.#wide?.reset();
    this.#last[TIMESTAMP] = -1;
    this.#nextSource = -1;
    return true;
  }
}

function payloadIn(bytes: Uint8Array, packet: RtpPacket): Uint8Array {
  const from = packet.payloadStart;
  const length = packet.payloadEnd - from;
  const place = (bytes.byteOffset >>> PLACE_BITS) % PLACES;
  const last = lastPayloads[place]!;
  if (bytes === payloadsOf[place] && last.length === length && last.byteOffset === bytes.byteOffset + from) return last;
  payloadsOf[place] = bytes;
  return (lastPayloads[place] = bytes.subarray(from, from + length));
}

function isQuiet(pcm: Int16Array): boolean {
  for (let i = 0; i < pcm.length; i += 4) if (pcm[i]! > QUIET_PEAK || pcm[i]! < -QUIET_PEAK) return false;
  return true;
}
