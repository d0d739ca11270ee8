import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { HmacSha1, tagMatches, writeTag } from './hmac-sha1.ts';
import { Keystream } from './keystream.ts';
import { writeRtpHeader } from './packet.ts';
import { AesCounter, setCounter } from './srtp-keys.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i * 11);
const SALT = Uint8Array.from({ length: 14 }, (_, i) => i * 7);

/** One packet by its own counter, as RFC 3711 §4.1.1 has it. */
function encrypted(packet: Uint8Array, index: number): Uint8Array {
  const out = packet.slice();
  const counter = new Uint8Array(16);
  setCounter(counter, SALT, packet, 8, index);
  new AesCounter(KEY).apply(counter, out, 12, out.length);
  return out;
}

test('keystream made ahead is the one of each packet, whatever comes when, from whom and how long', () => {
  const keystream = new Keystream(new AesCounter(KEY), SALT);
  let state = 5;
  const random = (below: number): number => (state = (state * 48_271) % 0x7fffffff) % below;
  let index = 65_500;
  for (let round = 0; round < 2000; round++) {
    // Mostly the next one; sometimes a late one, a gap, another source, a key press, silence or a long packet.
    const at = random(10) === 0 ? Math.max(0, index - random(40)) : (index += random(20) === 0 ? random(60) : 1);
    const ssrc = random(30) === 0 ? 9 : 8;
    const bytes = [160, 160, 160, 160, 4, 0, 320, 80][random(8)]!;
    const packet = new Uint8Array(12 + bytes).fill(round);
    writeRtpHeader(packet, false, 8, at & 0xffff, at * 160, ssrc);
    const expected = encrypted(packet, at);
    keystream.apply(packet, 12, packet.length, ssrc, at);
    expect(packet).toEqual(expected);
  }
});

test('digests are those of HMAC-SHA1, whatever the length of key and message', () => {
  for (const keyBytes of [0, 20, 64]) {
    const key = new Uint8Array(keyBytes).fill(0xa5);
    const hmac = new HmacSha1(key);
    for (const length of [0, 1, 55, 172, 172, 1500, 60]) {
      const message = Uint8Array.from({ length }, (_, i) => i);
      const digest = hmac.digest(message);
      expect(Buffer.from(digest, 'latin1')).toEqual(createHmac('sha1', key).update(message).digest());
      const roc = createHmac('sha1', key)
        .update(message)
        .update(Uint8Array.of(0xff, 1, 2, 3))
        .digest();
      expect(Buffer.from(hmac.digest(message, 0xff010203), 'latin1')).toEqual(roc);
    }
  }
});

test('a tag matches only where all of its octets do', () => {
  const digest = new HmacSha1(new Uint8Array(20)).digest(new Uint8Array(3));
  const packet = new Uint8Array(20);
  writeTag(digest, packet, 5, 10);
  expect(tagMatches(digest, packet, 5, 10)).toBe(true);
  for (let i = 5; i < 15; i++) {
    packet[i]! ^= 0x80;
    expect(tagMatches(digest, packet, 5, 10)).toBe(false);
    packet[i]! ^= 0x80;
  }
});
