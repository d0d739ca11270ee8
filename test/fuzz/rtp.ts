// Feeds mutilated RTP, RTCP, real-time text, redundancy and SRTP keys to everything that reads them from the network.
// node test/fuzz/rtp.ts --runs 1000000 [--seed 1]
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ManualClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { AudioReceiver } from '#telephony/rtp/audio-receiver.ts';
import { MediaCrypto } from '#telephony/rtp/media-crypto.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from '#telephony/rtp/packet.ts';
import { parseRed, writeRed } from '#telephony/rtp/redundancy.ts';
import { RtcpSession } from '#telephony/rtp/rtcp-session.ts';
import { writeRtcp } from '#telephony/rtp/rtcp.ts';
import { SrtcpSender } from '#telephony/rtp/srtcp.ts';
import { SrtpSender } from '#telephony/rtp/srtp.ts';
import { appendT140, cleanT140 } from '#telephony/rtp/t140.ts';
import { TextReceiver } from '#telephony/rtp/text-receiver.ts';
import { parseCrypto } from '#telephony/sdp/crypto.ts';
import type { AudioMedia, LocalMedia, SrtpKey, TextMedia } from '#telephony/sdp/media.ts';
import { createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';

const THERE = { remoteAddress: '127.0.0.1', remotePort: 9, direction: 'sendrecv' } as const;
const AUDIO: AudioMedia = {
  ...THERE,
  codec: 'PCMA',
  payloadType: 8,
  dtmfPayloadType: 101,
  ptimeMs: 20,
  remoteRtcpPort: 10,
};
const TEXT: TextMedia = { ...THERE, payloadType: 98, redPayloadType: 99, redundancy: 2 };
const KEY: SrtpKey = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  keySalt: Uint8Array.from({ length: 30 }, (_, i) => i * 7),
  mkiBytes: 0,
};
const LOCAL: LocalMedia = {
  address: '192.0.2.1',
  audioPort: 4000,
  textPort: 4002,
  codecs: ['PCMA', 'PCMU'],
  dtmf: true,
  direction: 'sendrecv',
  srtp: 'optional',
};

/** Memory that a run may end with beyond what it had after its first tenth. */
const GROWTH_BYTES = 8 * 1024 * 1024;

/** What a run found out; `failed` is the first input that broke something, in hexadecimal. */
export interface FuzzReport {
  readonly runs: number;
  readonly growthBytes: number;
  readonly grown: boolean;
  readonly failed: { readonly target: string; readonly input: string; readonly error: unknown } | undefined;
}

/** Runs that many mutations, the same ones for the same seed; stops at the first fault. */
export function fuzzRtp(runs: number, seed: number): FuzzReport {
  const random = generator(seed);
  const targets = Object.entries(openTargets());
  const corpus = seeds();
  const collect = collector();
  let baseBytes = 0;
  for (let run = 0; run < runs; run++) {
    if (run === Math.floor(runs / 10)) baseBytes = collect();
    const [target, feed] = targets[Math.floor(random() * targets.length)]!;
    const input = mutated(corpus, random);
    try {
      feed(input.slice());
    } catch (error) {
      const failed = { target, input: Buffer.from(input).toString('hex'), error };
      return { runs: run + 1, growthBytes: 0, grown: false, failed };
    }
  }
  const growthBytes = collect() - baseBytes;
  return { runs, growthBytes, grown: growthBytes > GROWTH_BYTES, failed: undefined };
}

/** Everything that reads from the network; all live as long as the run, so that what they hoard is seen. */
function openTargets(): Readonly<Record<string, (bytes: Uint8Array) => void>> {
  const clock = new ManualClock();
  const packet = newRtpPacket();
  const ignore = (): void => undefined;
  const events = new AudioReceiver(AUDIO, ignore);
  const tones = new AudioReceiver({ ...AUDIO, dtmfPayloadType: undefined }, ignore);
  const text = new TextReceiver(TEXT, ignore);
  const crypto = new MediaCrypto();
  crypto.use({ send: KEY, receive: KEY });
  const rtcp = new RtcpSession({
    clock,
    cname: 'fuzz',
    random: () => 0.5,
    sent: { ssrc: 7, packets: 5, octets: 800, timestamp: 1 },
    reception: events.reception,
    send: ignore,
  });
  const decoder = new TextDecoder();
  const listen = (receiver: AudioReceiver) => (bytes: Uint8Array) => {
    clock.advance(20);
    const frame = receiver.pull(clock.monotonicMs());
    if (frame.payload.length !== 160 || frame.pcm.length !== 160) throw new Error('frame is not whole');
    if (parseRtp(bytes, packet)) receiver.accept(packet, bytes, clock.monotonicMs());
  };
  return {
    audio: listen(events),
    tones: listen(tones),
    text: (bytes) => {
      clock.advance(20);
      if (parseRtp(bytes, packet)) text.accept(packet, bytes, clock.monotonicMs());
      text.poll(clock.monotonicMs());
    },
    rtcp: (bytes) => {
      rtcp.accept(bytes, clock.monotonicMs());
      rtcp.poll(clock.monotonicMs());
      const { remoteLossRatio = 0, roundTripMs = 0 } = rtcp;
      if (!(remoteLossRatio >= 0 && remoteLossRatio <= 1 && roundTripMs >= 0)) throw new Error('figure out of range');
    },
    srtp: (bytes) => void crypto.unprotectRtp(bytes),
    srtcp: (bytes) => void crypto.unprotectRtcp(bytes),
    red: (bytes) => void parseRed(bytes),
    t140: (bytes) => void appendT140('abc', cleanT140(decoder.decode(bytes))),
    crypto: (bytes) => void parseCrypto(decoder.decode(bytes)),
    sdp: (bytes) => {
      try {
        const answered = createAnswer(parseSdp(decoder.decode(bytes)), LOCAL);
        if (answered.ok) parseSdp(writeSdp(answered.answer));
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'protocol')) throw error;
      }
    },
  };
}

/** Well-formed inputs of every kind, from which all others are made. */
function seeds(): readonly Uint8Array[] {
  const encoder = new TextEncoder();
  const rtp = (payloadType: number, payload: Uint8Array, sequence = 1): Uint8Array => {
    const bytes = new Uint8Array(12 + payload.length);
    writeRtpHeader(bytes, sequence === 1, payloadType, sequence, sequence * 160, 7);
    bytes.set(payload, 12);
    return bytes;
  };
  const data = encoder.encode('你好\u0008\u2028\uFEFF');
  const red = writeRed(
    [
      { payloadType: 98, offset: 300, data },
      { payloadType: 98, offset: 0, data },
    ],
    98,
    data,
  );
  const block = {
    ssrc: 7,
    fractionLost: 3,
    cumulativeLost: 1,
    highest: 9,
    jitterUnits: 8,
    lastReport: 1,
    delay: 2,
  };
  const sender = { ntpSeconds: 1, ntpFraction: 2, timestamp: 3, packets: 4, octets: 5 };
  const report = writeRtcp({ ssrc: 7, cname: 'fuzz', sender, block, bye: true });
  const audio = Array.from({ length: 6 }, (_, i) => rtp(8, new Uint8Array(160).fill(i * 40), i + 1));
  return [
    ...audio,
    rtp(0, new Uint8Array(80)),
    rtp(13, new Uint8Array(1)),
    rtp(101, Uint8Array.of(5, 0x8a, 3, 0x20)),
    rtp(98, data),
    rtp(99, red),
    red,
    data,
    report,
    new SrtpSender(KEY).protect(audio[0]!).slice(),
    new SrtcpSender(KEY).protect(report),
    encoder.encode('1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4 WSH=64'),
    encoder.encode(writeSdp(createOffer(LOCAL))),
    encoder.encode(writeSdp(createOffer({ ...LOCAL, srtp: 'required' }))),
  ];
}

/** A seed with some bytes changed, cut, repeated or spliced with another one; now and then as it is. */
function mutated(corpus: readonly Uint8Array[], random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = () => corpus[below(corpus.length)]!;
  let bytes: Uint8Array = pick().slice();
  for (let steps = below(6); steps > 0; steps--) {
    const at = below(bytes.length + 1);
    const kind = below(6);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = joined(bytes.subarray(0, at), pick().subarray(below(40)));
    else if (kind === 2) bytes = joined(bytes.subarray(0, at), bytes.subarray(below(at + 1)));
    else if (at < bytes.length) {
      if (kind === 3) bytes[at]! ^= 1 << below(8);
      else bytes[at] = kind === 4 ? below(256) : [0, 0x7f, 0x80, 0xff][below(4)]!;
    }
    if (bytes.length > 2000) bytes = bytes.slice(0, 2000);
  }
  return bytes;
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}

/** Numbers in [0, 1) that depend on the seed alone: a linear congruence modulo 2³², whose high bits are good enough here. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}

/** Bytes in use once all garbage is gone. */
function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  });
  const report = fuzzRtp(Number(values.runs), Number(values.seed));
  process.stdout.write(`${JSON.stringify({ ...report, failed: report.failed?.target })}\n`);
  if (report.failed !== undefined) process.stderr.write(`${report.failed.input}\n${String(report.failed.error)}\n`);
  process.exitCode = report.failed === undefined && !report.grown ? 0 : 1;
}
