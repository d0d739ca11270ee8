import * as fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { AppError } from '#platform/error.ts';
import { localMediaOf } from './local-media.ts';
import type { Direction, LocalMedia } from './media.ts';
import { acceptAnswer, createAnswer, createOffer } from './offer-answer.ts';
import { parseSdp } from './parse.ts';
import { writeSdp } from './write.ts';

/** sdp-transform brings no types. */
const { parse: oracle } = createRequire(import.meta.url)('sdp-transform') as {
  parse: (text: string) => { readonly connection: unknown; readonly media: readonly unknown[] };
};

const OURS: LocalMedia = {
  address: '192.0.2.1',
  audioPort: 4000,
  textPort: 4004,
  codecs: ['PCMA', 'PCMU'],
  dtmf: true,
  direction: 'sendrecv',
};
const THEIRS: LocalMedia = { ...OURS, address: '192.0.2.2', audioPort: 5000, textPort: 5004 };
const HEAD = 'v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\ns=-\r\n';
const SESSION = `${HEAD}c=IN IP4 192.0.2.2\r\nt=0 0\r\n`;

function answerTo(text: string, local = OURS) {
  const result = createAnswer(parseSdp(text), local);
  if (!result.ok) throw new Error(result.reason);
  return result;
}

/** What is thrown that is not the reader's own refusal. */
function faultOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'protocol') return error;
  }
  return undefined;
}

describe('SDP text', () => {
  it('is written so that a second implementation reads the same', () => {
    const text = writeSdp(createOffer(OURS));
    expect(text.endsWith('\r\n')).toBe(true);
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    const seen = oracle(text);
    expect(seen.connection).toEqual({ version: 4, ip: '192.0.2.1' });
    expect(seen.media).toMatchObject([
      {
        type: 'audio',
        port: 4000,
        protocol: 'RTP/AVP',
        payloads: '8 0 101',
        direction: 'sendrecv',
        ptime: 20,
        rtp: [
          { payload: 8, codec: 'PCMA', rate: 8000 },
          { payload: 0, codec: 'PCMU', rate: 8000 },
          { payload: 101, codec: 'telephone-event', rate: 8000 },
        ],
        fmtp: [{ payload: 101, config: '0-16' }],
      },
      {
        type: 'text',
        port: 4004,
        payloads: '99 98',
        rtp: [
          { payload: 98, codec: 't140', rate: 1000 },
          { payload: 99, codec: 'red', rate: 1000 },
        ],
        fmtp: [{ payload: 99, config: '98/98/98' }],
      },
    ]);
  });

  it('survives reading and writing with every kind of line in its place', () => {
    const text =
      'v=0\r\no=bob 2890844526 18446744073709551617 IN IP6 2001:db8::1\r\ns=a b\r\ni=info\r\nu=http://x\r\ne=a@b\r\np=+1\r\n' +
      'c=IN IP6 2001:db8::1\r\nb=AS:64\r\nt=0 0\r\nr=7d 1h 0\r\na=tool:x:y\r\na=recvonly\r\n' +
      'm=audio 4000/2 RTP/AVP 0\r\ni=x\r\nc=IN IP6 2001:db8::2\r\nb=AS:1\r\na=ptime:30\r\n';
    expect(writeSdp(parseSdp(text))).toBe(text);
    expect(parseSdp(text).media[0]?.connection).toEqual({ addressType: 'IP6', address: '2001:db8::2' });
  });

  it('takes bare line feeds and leaves unknown lines out', () => {
    expect(parseSdp(`${SESSION}x=what\r\nm=audio 1 RTP/AVP 8\r\n`.replaceAll('\r\n', '\n')).media).toHaveLength(1);
  });

  it.each([
    ['no v=', SESSION.slice(5)],
    ['no o=', 'v=0\r\ns=-\r\nt=0 0\r\n'],
    ['no s=', 'v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\nt=0 0\r\n'],
    ['no t=', `${HEAD}c=IN IP4 192.0.2.2\r\n`],
    ['c= behind t=', `${HEAD}t=0 0\r\nc=IN IP4 192.0.2.2\r\n`],
    ['s= twice', `${HEAD}s=x\r\nt=0 0\r\n`],
    ['no c= for a section', `${HEAD}t=0 0\r\nm=audio 1 RTP/AVP 8\r\n`],
    ['a port beyond 65535', `${SESSION}m=audio 70000 RTP/AVP 8\r\n`],
    ['no formats', `${SESSION}m=audio 4000 RTP/AVP\r\n`],
    ['a space in the type', `${SESSION}m =audio 4000 RTP/AVP 8\r\n`],
    ['an empty line inside', `${SESSION}\r\nm=audio 4000 RTP/AVP 8\r\n`],
    ['nothing', ''],
  ])('is refused with %s', (_what, text) => {
    expect(() => parseSdp(text)).toThrow(AppError);
  });

  it('never makes the reader throw anything but its own error', () => {
    const base = writeSdp(createOffer(OURS));
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(20), fc.string({ unit: 'binary', maxLength: 12 }), (at, cut, put) => {
        const broken = base.slice(0, at) + put + base.slice(at + cut);
        expect(faultOf(() => createAnswer(parseSdp(broken), OURS))).toBeUndefined();
        expect(faultOf(() => parseSdp(writeSdp(parseSdp(broken))))).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('offer and answer', () => {
  it('agree on codec, digits and text as both sides see them', () => {
    const offer = createOffer(OURS);
    const { answer, media: theirs } = answerTo(writeSdp(offer), THEIRS);
    const ours = acceptAnswer(offer, parseSdp(writeSdp(answer)));
    if (!ours.ok) throw new Error(ours.reason);
    expect(ours.media.audio).toEqual({
      codec: 'PCMA',
      payloadType: 8,
      dtmfPayloadType: 101,
      dtmfRateHz: 8000,
      receives: {
        audio: [
          { codec: 'PCMA', payloadType: 8 },
          { codec: 'PCMU', payloadType: 0 },
        ],
        events: [{ payloadType: 101, rateHz: 8000 }],
      },
      ptimeMs: 20,
      remoteAddress: '192.0.2.2',
      remotePort: 5000,
      remoteRtcpPort: 5001,
      direction: 'sendrecv',
    });
    expect(ours.media.text).toEqual({
      payloadType: 98,
      redPayloadType: 99,
      redundancy: 2,
      remoteAddress: '192.0.2.2',
      remotePort: 5004,
      direction: 'sendrecv',
    });
    expect(theirs.audio).toEqual({
      ...ours.media.audio,
      receives: { ...ours.media.audio.receives, audio: [{ codec: 'PCMA', payloadType: 8 }] },
      remoteAddress: '192.0.2.1',
      remotePort: 4000,
      remoteRtcpPort: 4001,
    });
  });

  it('keep number and order of sections and refuse with port 0 what is not wanted', () => {
    const { answer, media } = answerTo(
      `${SESSION}m=video 6000 RTP/AVP 31\r\nm=audio 6002 RTP/SAVP 8\r\nm=audio 6004 RTP/AVP 18 8\r\nm=audio 6006 RTP/AVP 0\r\nm=text 6008 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n`,
      { ...OURS, textPort: undefined },
    );
    expect(answer.media.map(({ kind, port }) => [kind, port])).toEqual([
      ['video', 0],
      ['audio', 0],
      ['audio', 4000],
      ['audio', 0],
      ['text', 0],
    ]);
    expect(media.text).toBeUndefined();
    expect(media.audio).toMatchObject({ codec: 'PCMA', remotePort: 6004 });
    expect(oracle(writeSdp(answer)).media).toHaveLength(5);
  });

  it('take the offerer’s first codec, static types without rtpmap and dynamic ones with it', () => {
    expect(answerTo(`${SESSION}m=audio 6000 RTP/AVP 0 8\r\n`).media.audio.codec).toBe('PCMU');
    const dynamic = answerTo(
      `${SESSION}m=audio 6000 RTP/AVP 97 100\r\na=rtpmap:97 pcma/8000/1\r\na=rtpmap:100 telephone-event/8000\r\n`,
    );
    expect(dynamic.media.audio).toMatchObject({ codec: 'PCMA', payloadType: 97, dtmfPayloadType: 100 });
    expect(dynamic.answer.media[0]?.formats).toEqual(['97', '100']);
    expect(createAnswer(parseSdp(`${SESSION}m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n`), OURS)).toMatchObject(
      { ok: false },
    );
  });

  const wanted: readonly (readonly [Direction, Direction, Direction])[] = [
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'recvonly', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
  ];
  it.each(wanted)('answer %s with what %s allows: %s', (remote, local, expected) => {
    const { media, answer } = answerTo(`${SESSION}m=audio 6000 RTP/AVP 8\r\na=${remote}\r\n`, {
      ...OURS,
      direction: local,
    });
    expect(media.audio.direction).toBe(expected);
    expect(answer.media[0]?.attributes.at(-1)?.name).toBe(expected);
  });

  it('understand hold by 0.0.0.0, a=rtcp, ptime and an address of the section', () => {
    expect(answerTo(`${HEAD}c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n`).media.audio.direction).toBe(
      'recvonly',
    );
    const audio = answerTo(
      `${SESSION}m=audio 6000 RTP/AVP 8\r\nc=IN IP4 192.0.2.9\r\na=rtcp:7001 IN IP4 192.0.2.9\r\na=ptime:30\r\n`,
    ).media.audio;
    expect(audio).toMatchObject({ remoteAddress: '192.0.2.9', remoteRtcpPort: 7001, ptimeMs: 30 });
  });

  it.each([
    ['no section', SESSION],
    ['the second section alone', `${SESSION}m=text 6000 RTP/AVP 98\r\n`],
    ['a section more', `${SESSION}m=audio 6000 RTP/AVP 8\r\nm=text 0 RTP/AVP 98\r\nm=video 0 RTP/AVP 31\r\n`],
    ['another order', `${SESSION}m=text 0 RTP/AVP 98\r\nm=audio 6000 RTP/AVP 8\r\n`],
    ['audio refused', `${SESSION}m=audio 0 RTP/AVP 8\r\nm=text 0 RTP/AVP 98\r\n`],
    ['a codec that was not offered', `${SESSION}m=audio 6000 RTP/AVP 18\r\nm=text 0 RTP/AVP 98\r\n`],
    ['another protocol', `${SESSION}m=audio 6000 RTP/SAVP 8\r\nm=text 0 RTP/AVP 98\r\n`],
  ])('refuse an answer with %s', (_what, text) => {
    expect(acceptAnswer(createOffer(OURS), parseSdp(text))).toMatchObject({ ok: false, reason: expect.any(String) });
  });

  it('take an answer that leaves out its last sections as one that refuses them', () => {
    const offer = createOffer(OURS);
    const whole = acceptAnswer(offer, parseSdp(`${SESSION}m=audio 6000 RTP/AVP 8\r\nm=text 0 RTP/AVP 98\r\n`));
    const short = acceptAnswer(offer, parseSdp(`${SESSION}m=audio 6000 RTP/AVP 8\r\n`));
    expect(whole).toMatchObject({ ok: true, leftOut: 0, media: { text: undefined } });
    expect(short).toEqual({ ...whole, leftOut: 1 });
  });

  it('give a description back as what it offers', () => {
    expect(localMediaOf(parseSdp(writeSdp(createOffer(OURS))))).toEqual(OURS);
  });
});

describe('bandwidth of RTCP (RFC 3556)', () => {
  const audio = 'm=audio 5000 RTP/AVP 8\r\n';
  it.each([
    ['none in the section', `${SESSION}${audio}b=RS:0\r\nb=RR:0\r\n`, true],
    ['none in the session', `${HEAD}c=IN IP4 192.0.2.2\r\nb=RS:0\r\nb=RR:0\r\nt=0 0\r\n${audio}`, true],
    [
      'some in the section against the session',
      `${HEAD}b=RS:0\r\nb=RR:0\r\nt=0 0\r\n${audio}c=IN IP4 192.0.2.2\r\nb=RR:800\r\n`,
      undefined,
    ],
    ['for receivers alone', `${SESSION}${audio}b=RS:0\r\nb=RR:2000\r\n`, undefined],
    ['nothing said', `${SESSION}${audio}`, undefined],
  ])('%s', (_, text, none) => {
    expect(answerTo(text).media.audio.withoutRtcp).toBe(none);
    const offer = createOffer({ ...OURS, textPort: undefined });
    const accepted = acceptAnswer(offer, parseSdp(text));
    expect(accepted.ok && accepted.media.audio.withoutRtcp).toBe(none);
  });

  it('is read for text apart from audio, with the port that a=rtcp names', () => {
    const text = 'm=text 5004 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\na=rtcp:5011\r\n';
    const lines = `${SESSION}${audio}${text.replace('a=', 'b=RS:0\r\nb=RR:0\r\na=')}`;
    const { media } = answerTo(lines);
    expect([media.audio.withoutRtcp, media.text?.withoutRtcp, media.text?.remoteRtcpPort]).toEqual([
      undefined,
      true,
      5011,
    ]);
    const accepted = acceptAnswer(createOffer(OURS), parseSdp(lines));
    expect(accepted.ok && accepted.media.text).toMatchObject({ withoutRtcp: true, remoteRtcpPort: 5011 });
    const other = answerTo(`${SESSION}${audio.replace('8\r\n', '8\r\nb=RS:0\r\nb=RR:0\r\n')}${text}`).media;
    expect([other.audio.withoutRtcp, other.text?.withoutRtcp]).toEqual([true, undefined]);
  });
});
