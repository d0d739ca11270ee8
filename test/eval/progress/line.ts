/** What a network does to sound before our detectors hear it, with our own receiver at its end. */
import { decodeG711, encodeG711 } from '#telephony/codec/g711.ts';
import { AudioReceiver } from '#telephony/rtp/audio-receiver.ts';
import { newRtpPacket } from '#telephony/rtp/packet.ts';
import { random } from '../../support/progress-audio.ts';
import { clamp, gaussian } from './signals.ts';

/** One line; levels are relative to the sound that is put in. */
export interface Line {
  readonly name: string;
  /** Codecs on the way, the last one ours; two of them are a transcoding. */
  readonly codecs: readonly ('PCMA' | 'PCMU')[];
  readonly gainDb: number;
  /** Noise below the sound's own level while it sounds; undefined for none. */
  readonly snrDb: number | undefined;
  readonly lossRatio: number;
  /** Packets come up to this much late. */
  readonly jitterMs: number;
}

/** One frame as a call worker gets it. */
export interface HeardFrame {
  readonly pcm: Int16Array;
  readonly atMs: number;
  readonly missing: boolean;
}

const FRAME = 160;

/** Sends sound over a line and pulls it frame by frame, from the first that is not `none` on. */
export function* overLine(pcm: Int16Array, line: Line, seed: number): Generator<HeardFrame> {
  const next = random(seed);
  // The generator's first draws are alike for seeds that are.
  for (let i = 0; i < 8; i++) next();
  const codec = line.codecs.at(-1)!;
  const payloads = encoded(pcm, line, next);
  const packets = payloads
    .map((payload, index) => ({
      payload,
      index,
      dueMs: index * 20 + line.jitterMs * next(),
      lost: next() < line.lossRatio,
    }))
    .filter(({ lost }) => !lost)
    .toSorted((a, b) => a.dueMs - b.dueMs);
  const receiver = new AudioReceiver(
    {
      codec,
      payloadType: codec === 'PCMA' ? 8 : 0,
      dtmfPayloadType: 101,
      ptimeMs: 20,
      remoteAddress: '127.0.0.1',
      remotePort: 4000,
      remoteRtcpPort: 4001,
      direction: 'sendrecv',
    },
    () => undefined,
  );
  const packet = newRtpPacket();
  let sent = 0;
  let started = false;
  const endMs = payloads.length * 20 + 60;
  for (let nowMs = 0; nowMs < endMs; nowMs += 20) {
    for (; sent < packets.length && packets[sent]!.dueMs <= nowMs; sent++) {
      const { payload, index } = packets[sent]!;
      packet.payloadType = codec === 'PCMA' ? 8 : 0;
      packet.sequence = (1000 + index) & 0xffff;
      packet.timestamp = (index * FRAME) >>> 0;
      packet.ssrc = 7;
      packet.marker = index === 0;
      packet.payloadStart = 0;
      packet.payloadEnd = payload.length;
      receiver.accept(packet, payload, packets[sent]!.dueMs);
    }
    const frame = receiver.pull(nowMs);
    started ||= frame.kind !== 'none';
    if (started) yield { pcm: frame.pcm, atMs: nowMs, missing: frame.kind !== 'audio' };
  }
}

function encoded(pcm: Int16Array, line: Line, next: () => number): Uint8Array[] {
  const gain = 10 ** (line.gainDb / 20);
  const noiseRms = line.snrDb === undefined ? 0 : activeRms(pcm) * gain * 10 ** (-line.snrDb / 20);
  const samples = Int16Array.from(pcm, (sample) =>
    clamp(sample * gain + (noiseRms === 0 ? 0 : gaussian(next) * noiseRms)),
  );
  const payloads: Uint8Array[] = [];
  const frame = new Int16Array(FRAME);
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    frame.set(samples.subarray(at, at + FRAME));
    const payload = new Uint8Array(FRAME);
    for (const [hop, codec] of line.codecs.entries()) {
      if (hop > 0) decodeG711(line.codecs[hop - 1]!, payload, frame);
      encodeG711(codec, frame, payload);
    }
    payloads.push(payload);
  }
  return payloads;
}

/** Level of the parts that sound: frames within 25 dB of the loudest. */
function activeRms(pcm: Int16Array): number {
  const powers: number[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    let power = 0;
    for (let i = at; i < at + FRAME; i++) power += pcm[i]! * pcm[i]!;
    powers.push(power / FRAME);
  }
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  const active = powers.filter((power) => power > loudest / 300);
  return Math.sqrt(active.reduce((sum, power) => sum + power, 0) / Math.max(1, active.length));
}
