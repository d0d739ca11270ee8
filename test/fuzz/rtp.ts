// Feeds mutilated RTP, RTCP, real-time text, redundancy and SRTP keys to everything that reads them from the network.
// npm run fuzz rtp -- --inputs 1000000 [--seed 1]
import { ManualClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { AudioReceiver } from '#telephony/rtp/audio-receiver.ts';
import { MediaCrypto } from '#telephony/rtp/media-crypto.ts';
import { newRtpPacket, parseRtp } from '#telephony/rtp/packet.ts';
import { parseRed } from '#telephony/rtp/redundancy.ts';
import { RtcpSession } from '#telephony/rtp/rtcp-session.ts';
import { appendT140, cleanT140 } from '#telephony/rtp/t140.ts';
import { TextReceiver } from '#telephony/rtp/text-receiver.ts';
import { parseCrypto } from '#telephony/sdp/crypto.ts';
import type { AudioMedia, LocalMedia, SrtpKey, TextMedia } from '#telephony/sdp/media.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { FuzzWatch, generator, readCorpus, runFuzz } from './watch.ts';
import type { FuzzReport } from './watch.ts';

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

/** Runs that many mutations, the same ones for the same seed; stops at the first fault. */
export function fuzzRtp(inputs: number, seed: number): FuzzReport {
  const random = generator(seed);
  const targets = Object.entries(openTargets());
  const corpus = ['rtp', 'rtcp', 'srtp', 'text', 'sdp', 'crypto'].flatMap(readCorpus);
  const watch = new FuzzWatch(inputs);
  for (let input = 0; input < inputs; input++) {
    watch.base(input);
    const [target, feed] = targets[Math.floor(random() * targets.length)]!;
    const bytes = mutated(corpus, random);
    const fault = watch.time(() => feed(bytes.slice()));
    if (fault !== undefined) return watch.failed(input, target, Buffer.from(bytes), fault);
  }
  return watch.passed();
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

if (import.meta.main) await runFuzz('rtp', async (inputs, seed) => fuzzRtp(inputs, seed));
