import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cryptoAttribute, cryptosOf, parseCrypto } from './crypto.ts';
import { localMediaOf } from './local-media.ts';
import { SRTP_SUITES, type LocalMedia, type SrtpPolicy } from './media.ts';
import { acceptAnswer, createAnswer, createOffer } from './offer-answer.ts';
import { parseSdp, type SessionDescription } from './parse.ts';
import { writeSdp } from './write.ts';

const KEY = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const local = (srtp?: SrtpPolicy): LocalMedia => ({
  address: '192.0.2.1',
  audioPort: 4000,
  textPort: 4004,
  codecs: ['PCMA'],
  dtmf: true,
  direction: 'sendrecv',
  srtp,
});
/** What the wire makes of a description. */
const sent = (description: SessionDescription) => parseSdp(writeSdp(description));
const offerText = (protocol: string, ...attributes: string[]) =>
  parseSdp(
    [
      'v=0',
      'o=- 1 2 IN IP4 192.0.2.2',
      's=-',
      'c=IN IP4 192.0.2.2',
      't=0 0',
      `m=audio 5000 ${protocol} 8`,
      ...attributes,
      '',
    ].join('\r\n'),
  );

describe('an a=crypto line', () => {
  it.each([
    [`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`, 1, 0],
    [`2 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|2^20`, 2, 0],
    [`3 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1048576|7:4`, 3, 4],
    [`4 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:1 WSH=128 -NOTE=x`, 4, 1],
  ])('is read: %s', (value, tag, mkiBytes) => {
    const line = parseCrypto(value);
    expect(line).toMatchObject({ tag, key: { mkiBytes } });
    expect(Buffer.from(line!.key.keySalt).toString('base64')).toBe(KEY);
  });

  it.each([
    '',
    `x AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
    `1 F8_128_HMAC_SHA1_80 inline:${KEY}`,
    `1 AES_CM_128_HMAC_SHA1_80 ${KEY}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY.slice(1)}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${KEY}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:0`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:129`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTP`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} KDR=3`,
  ])('is passed over: %s', (value) => {
    expect(parseCrypto(value)).toBeUndefined();
  });

  it('is read back as it was written, and anything at all is no fault', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 30, maxLength: 30 }),
        fc.constantFrom(...SRTP_SUITES),
        (keySalt, suite) => {
          const line = { tag: 1, key: { suite, keySalt, mkiBytes: 0 } };
          expect(parseCrypto(cryptoAttribute(line).value!)).toEqual(line);
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseCrypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${text}`)));
  });
});

describe('keys in offer and answer', () => {
  it.each([
    ['required', 'required', 'RTP/SAVP'],
    ['required', 'optional', 'RTP/SAVP'],
    ['optional', 'required', 'RTP/AVP'],
    ['optional', 'optional', 'RTP/AVP'],
  ] as const)('%s offered, %s answered: each side’s key is the other’s', (ours, theirs, protocol) => {
    const offer = sent(createOffer(local(ours)));
    expect(offer.media.map((section) => section.protocol)).toEqual([protocol, protocol]);
    const answered = createAnswer(offer, local(theirs));
    if (!answered.ok) throw new Error(answered.reason);
    const accepted = acceptAnswer(offer, sent(answered.answer));
    if (!accepted.ok) throw new Error(accepted.reason);
    const [near, far] = [accepted.media, answered.media];
    expect(near.audio.srtp).toEqual({ send: far.audio.srtp?.receive, receive: far.audio.srtp?.send });
    expect(near.text?.srtp).toEqual({ send: far.text?.srtp?.receive, receive: far.text?.srtp?.send });
    expect(near.audio.srtp?.send.suite).toBe('AES_CM_128_HMAC_SHA1_80');
    const keys = [near.audio.srtp, near.text?.srtp].flatMap((srtp) => [srtp?.send.keySalt, srtp?.receive.keySalt]);
    expect(new Set(keys.map((key) => Buffer.from(key!).toString('hex'))).size).toBe(4);
    expect(localMediaOf(offer)?.srtp).toBe(ours);
  });

  it.each([
    ['off', 'off', true],
    ['off', 'optional', true],
    ['optional', 'off', true],
    ['off', 'required', false],
    ['required', 'off', false],
  ] as const)('%s offered, %s answered: in the clear or not at all', (ours, theirs, agreed) => {
    const offer = sent(createOffer(local(ours)));
    const answered = createAnswer(offer, local(theirs));
    expect(answered.ok).toBe(agreed);
    const media = answered.ok ? acceptAnswer(offer, sent(answered.answer)) : undefined;
    const srtp = media?.ok === true ? [media.media.audio.srtp, media.media.text?.srtp] : [];
    expect(srtp.every((one) => one === undefined)).toBe(true);
    expect(media?.ok).toBe(agreed ? true : undefined);
  });

  it('the answer takes the offerer’s first usable key, under its tag', () => {
    const offer = offerText(
      'RTP/SAVP',
      `a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:${KEY}`,
      `a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|2^31`,
      `a=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
    );
    const answered = createAnswer(offer, local('optional'));
    const lines = answered.ok ? cryptosOf(answered.answer.media[0]!) : [];
    expect(lines).toMatchObject([{ tag: 7, key: { suite: 'AES_CM_128_HMAC_SHA1_32' } }]);
    const stranger = createAnswer(offerText('RTP/SAVP', `a=crypto:1 X inline:${KEY}`), local('optional'));
    expect(stranger).toEqual({ ok: false, reason: 'offer has no encryption key that we can use' });
  });

  it('an answer that drops the key, swaps it or makes one up is refused, not played in the clear', () => {
    const offer = createOffer(local('required'));
    const answerWith = (protocol: string, ...attributes: string[]) =>
      acceptAnswer({ ...offer, media: offer.media.slice(0, 1) }, offerText(protocol, ...attributes));
    expect(answerWith('RTP/SAVP')).toMatchObject({ ok: false, reason: 'answer has no encryption key' });
    expect(answerWith('RTP/AVP')).toMatchObject({ ok: false });
    expect(answerWith('RTP/SAVP', `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)).toMatchObject({ ok: false });
    expect(answerWith('RTP/SAVP', `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)).toMatchObject({ ok: false });
    expect(answerWith('RTP/SAVP', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)).toMatchObject({ ok: true });
  });

  it('without a policy nothing of it appears', () => {
    expect(writeSdp(createOffer(local()))).not.toMatch(/crypto|SAVP/);
    const answered = createAnswer(offerText('RTP/AVP', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`), local());
    expect(answered).toMatchObject({ ok: true, media: { audio: { srtp: undefined } } });
  });
});
