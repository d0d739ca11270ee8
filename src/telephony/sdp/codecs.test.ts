import * as fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { clockHzOf } from './media.ts';
import type { AudioCodec, LocalMedia, SrtpPolicy } from './media.ts';
import { acceptAnswer, createAnswer, createOffer, createReoffer } from './offer-answer.ts';
import { parseSdp } from './parse.ts';
import { writeSdp } from './write.ts';

/** sdp-transform brings no types. */
const { parse: oracle, parseParams } = createRequire(import.meta.url)('sdp-transform') as {
  parse: (text: string) => {
    readonly media: readonly {
      readonly payloads: string;
      readonly rtp: readonly { payload: number; codec: string; rate: number; encoding?: number }[];
      readonly fmtp: readonly { payload: number; config: string }[];
    }[];
  };
  parseParams: (config: string) => Record<string, unknown>;
};

const CODECS: readonly AudioCodec[] = ['PCMA', 'PCMU', 'G722', 'opus'];
const OURS: LocalMedia = {
  address: '192.0.2.1',
  audioPort: 4000,
  textPort: undefined,
  codecs: ['opus', 'G722', 'PCMA'],
  dtmf: true,
  direction: 'sendrecv',
};
const THEIRS: LocalMedia = { ...OURS, address: '192.0.2.2', audioPort: 5000 };
const SESSION = 'v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n';
const OPUS = 'a=rtpmap:111 opus/48000/2\r\n';

function answerTo(text: string, local = OURS) {
  const result = createAnswer(parseSdp(text), local);
  if (!result.ok) throw new Error(result.reason);
  return { audio: result.media.audio, section: result.answer.media.find(({ port }) => port !== 0)! };
}

function agree(offering: LocalMedia, answering: LocalMedia) {
  const offer = createOffer(offering);
  const made = createAnswer(parseSdp(writeSdp(offer)), answering);
  if (!made.ok) return undefined;
  const accepted = acceptAnswer(offer, parseSdp(writeSdp(made.answer)));
  if (!accepted.ok) throw new Error(accepted.reason);
  return { ours: accepted.media.audio, theirs: made.media.audio };
}

describe('wideband codecs', () => {
  it('are offered in the order of the list, as a second implementation reads it', () => {
    const [audio] = oracle(writeSdp(createOffer(OURS))).media;
    expect(audio?.payloads).toBe('96 9 8 100 101');
    expect(audio?.rtp).toEqual([
      { payload: 96, codec: 'opus', rate: 48_000, encoding: 2 },
      { payload: 9, codec: 'G722', rate: 8_000 },
      { payload: 8, codec: 'PCMA', rate: 8_000 },
      { payload: 100, codec: 'telephone-event', rate: 48_000 },
      { payload: 101, codec: 'telephone-event', rate: 8_000 },
    ]);
    expect(parseParams(audio?.fmtp[0]?.config ?? '')).toEqual({
      maxplaybackrate: 8_000,
      'sprop-maxcapturerate': 8_000,
      useinbandfec: 1,
    });
  });

  it('are recognised by their static type and by name in any case, and Opus only with two channels', () => {
    expect(answerTo(`${SESSION}m=audio 6000 RTP/AVP 9 8\r\n`).audio).toMatchObject({ codec: 'G722', payloadType: 9 });
    expect(answerTo(`${SESSION}m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 g722/8000\r\n`).audio.codec).toBe('G722');
    expect(answerTo(`${SESSION}m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 OPUS/48000/2\r\n`).audio.codec).toBe('opus');
    for (const wrong of ['opus/48000', 'opus/16000/2', 'G722/16000'])
      expect(createAnswer(parseSdp(`${SESSION}m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 ${wrong}\r\n`), OURS).ok).toBe(
        false,
      );
  });

  it('are sent under the far end’s payload types and received under ours', () => {
    const offer = createOffer(OURS);
    const answer = `${SESSION}m=audio 6000 RTP/AVP 111 110\r\n${OPUS}a=rtpmap:110 telephone-event/48000\r\n`;
    const accepted = acceptAnswer(offer, parseSdp(answer));
    expect(accepted).toMatchObject({
      ok: true,
      media: {
        audio: {
          codec: 'opus',
          payloadType: 111,
          dtmfPayloadType: 110,
          dtmfRateHz: 48_000,
          receives: {
            audio: [
              { codec: 'opus', payloadType: 96 },
              { codec: 'G722', payloadType: 9 },
              { codec: 'PCMA', payloadType: 8 },
            ],
            events: [
              { payloadType: 100, rateHz: 48_000 },
              { payloadType: 101, rateHz: 8_000 },
            ],
          },
        },
      },
    });
  });

  it('take keys at the clock of the codec that was chosen', () => {
    const events = 'a=rtpmap:101 telephone-event/8000\r\na=rtpmap:100 telephone-event/48000\r\n';
    const both = (formats: string) => answerTo(`${SESSION}m=audio 6000 RTP/AVP ${formats}\r\n${OPUS}${events}`);
    expect(both('111 101 100').audio).toMatchObject({ dtmfPayloadType: 100, dtmfRateHz: 48_000 });
    expect(both('111 101 100').section.formats).toEqual(['111', '100']);
    expect(both('8 111 100 101').audio).toMatchObject({ dtmfPayloadType: 101, dtmfRateHz: 8_000 });
    expect(both('8 100').audio.dtmfPayloadType).toBeUndefined();
    // Many offer events of 8 kHz alone, whatever the codec.
    expect(both('111 101').audio).toMatchObject({ dtmfPayloadType: 101, dtmfRateHz: 8_000 });
  });

  it('heed what the far end asks of Opus', () => {
    const wishes = (config: string) =>
      answerTo(`${SESSION}m=audio 6000 RTP/AVP 111\r\n${OPUS}a=fmtp:111 ${config}\r\n`).audio.opus!;
    expect(wishes('maxaveragebitrate=12000; UseInbandFEC=1;cbr=1;usedtx=1')).toEqual({
      fec: true,
      cbr: true,
      maxBitsPerSecond: 12_000,
    });
    expect(wishes('useinbandfec=0;maxaveragebitrate=x;stereo')).toEqual({
      fec: false,
      cbr: false,
      maxBitsPerSecond: undefined,
    });
    expect(wishes('maxaveragebitrate=100').maxBitsPerSecond).toBeUndefined();
  });

  it.each([
    ['a=ptime:30\r\n', 30],
    ['a=ptime:60\r\na=maxptime:40\r\n', 40],
    ['a=maxptime:10\r\n', 10],
    ['a=maxptime:5\r\n', 20],
    ['a=ptime:1000\r\n', 20],
    ['a=ptime:x\r\n', 20],
    ['', 20],
  ])('send packets as long as %j asks', (lines, ptimeMs) => {
    expect(answerTo(`${SESSION}m=audio 6000 RTP/AVP 8\r\n${lines}`).audio.ptimeMs).toBe(ptimeMs);
  });

  it('take an IPv6 address, and leave out of the answer what is not taken: rtcp-mux, bundles, bandwidth', () => {
    const offer =
      'v=0\r\no=- 1 2 IN IP6 2001:db8::2\r\ns=-\r\nc=IN IP6 2001:db8::2\r\nb=AS:80\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n' +
      `m=audio 6000 RTP/AVP 111 8\r\nb=TIAS:64000\r\n${OPUS}a=rtcp-mux\r\na=mid:0\r\nm=video 6000 RTP/AVP 96\r\na=rtcp-mux\r\na=mid:1\r\n`;
    const made = createAnswer(parseSdp(offer), { ...OURS, address: '2001:db8::1' });
    if (!made.ok) throw new Error(made.reason);
    const text = writeSdp(made.answer);
    expect(text).toMatch(
      /^v=0\r\no=- \d+ \d+ IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 /,
    );
    expect(text).not.toMatch(/rtcp-mux|BUNDLE|mid:|b=/);
    expect(text).toContain('m=video 0 RTP/AVP 96\r\n');
    expect(made.media.audio).toMatchObject({ remoteAddress: '2001:db8::2', remotePort: 6000, remoteRtcpPort: 6001 });
  });

  it('keep their payload types in later offers, and give none of them another meaning', () => {
    const theirs = `${SESSION}m=audio 6000 RTP/AVP 101 96\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:96 telephone-event/48000\r\n`;
    const made = createAnswer(parseSdp(theirs), OURS);
    if (!made.ok) throw new Error(made.reason);
    const [audio] = oracle(writeSdp(createReoffer(made.answer, OURS))).media;
    const types = Object.fromEntries(audio!.rtp.map(({ codec, rate, payload }) => [`${codec}/${rate}`, payload]));
    expect(types).toMatchObject({ 'opus/48000': 101, 'telephone-event/48000': 96, 'G722/8000': 9, 'PCMA/8000': 8 });
    expect(types['telephone-event/8000']).toBeGreaterThan(96);
    expect(new Set(Object.values(types)).size).toBe(5);
  });

  it('are agreed between any two lists, alike on both sides and the offerer’s first', () => {
    const list = fc.uniqueArray(fc.constantFrom(...CODECS), { minLength: 1 });
    const policies = fc.constantFrom<SrtpPolicy>('off', 'optional', 'required');
    fc.assert(
      fc.property(list, list, fc.boolean(), fc.boolean(), policies, policies, (one, other, a, b, sends, takes) => {
        const agreed = agree(
          { ...OURS, codecs: one, dtmf: a, srtp: sends },
          { ...THEIRS, codecs: other, dtmf: b, srtp: takes },
        );
        const first = one.find((codec) => other.includes(codec));
        const neither = sends === 'off' ? takes === 'required' : sends === 'required' && takes === 'off';
        expect(agreed === undefined).toBe(first === undefined || neither);
        if (agreed === undefined) return;
        const { ours, theirs } = agreed;
        const keys = a && b ? clockHzOf(ours.codec) : undefined;
        expect([ours.codec, theirs.codec]).toEqual([first, first]);
        expect(ours.payloadType).toBe(theirs.payloadType);
        expect([ours.dtmfRateHz, theirs.dtmfRateHz]).toEqual([keys, keys]);
        expect(ours.srtp === undefined).toBe(theirs.srtp === undefined);
        for (const [side, other] of [
          [ours, theirs],
          [theirs, ours],
        ] as const)
          expect(side.receives!.audio.map(({ payloadType }) => payloadType)).toContain(other.payloadType);
      }),
      { numRuns: 500 },
    );
  });

  it('never share a payload type within a section, whatever was answered before', () => {
    const dynamic = fc.uniqueArray(fc.integer({ min: 96, max: 127 }), { minLength: 3, maxLength: 3 });
    const list = fc.uniqueArray(fc.constantFrom(...CODECS), { minLength: 1 });
    fc.assert(
      fc.property(dynamic, list, ([opus, slow, fast], codecs) => {
        const made = createAnswer(
          parseSdp(
            `${SESSION}m=audio 6000 RTP/AVP ${opus} 8 ${slow} ${fast}\r\na=rtpmap:${opus} opus/48000/2\r\na=rtpmap:${slow} telephone-event/8000\r\na=rtpmap:${fast} telephone-event/48000\r\n`,
          ),
          { ...OURS, codecs: ['opus', 'PCMA'] },
        );
        if (!made.ok) throw new Error(made.reason);
        const again = createReoffer(made.answer, { ...OURS, codecs });
        const { formats } = again.media[0]!;
        const kept = codecs.includes('opus') ? formats.includes(String(opus)) : true;
        expect(new Set(formats).size).toBe(formats.length);
        expect(kept).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
