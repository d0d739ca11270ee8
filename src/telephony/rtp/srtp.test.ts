import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite } from '../sdp/media.ts';
import { MediaCrypto } from './media-crypto.ts';
import { writeRtpHeader } from './packet.ts';
import { ReplayWindow } from './replay-window.ts';
import { writeRtcp } from './rtcp.ts';
import { SrtcpReceiver, SrtcpSender } from './srtcp.ts';
import { AesCounter, derive } from './srtp-keys.ts';
import { SrtpReceiver, SrtpSender } from './srtp.ts';

const octets = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex'));

/** RFC 3711 appendix B.3. */
const MASTER = 'e1f97a0d3e018be0d64fa32c06de4139';
const SALT = '0ec675ad498afeebb6960b3aabe6';
const keyOf = (suite: SrtpSuite, mkiBytes = 0): SrtpKey => ({ suite, keySalt: octets(MASTER + SALT), mkiBytes });
const KEY = keyOf('AES_CM_128_HMAC_SHA1_80');

function packetOf(sequence: number, ssrc = 7, payload = 20): Uint8Array {
  const bytes = new Uint8Array(12 + payload).fill(sequence & 0xff);
  writeRtpHeader(bytes, false, 8, sequence & 0xffff, sequence * 160, ssrc);
  return bytes;
}

describe('the published vectors', () => {
  it('AES counter mode (RFC 3711 B.2)', () => {
    const stream = new Uint8Array(48);
    const counter = octets('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000');
    new AesCounter(octets('2b7e151628aed2a6abf7158809cf4f3c')).apply(counter, stream, 0, 48);
    expect(hex(stream)).toBe(
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
  });

  it('key derivation (RFC 3711 B.3)', () => {
    const keys = [0, 2, 1].map((label, i) => hex(derive(octets(MASTER), octets(SALT), label, [16, 14, 20][i]!)));
    expect(keys).toEqual([
      'c61e7a93744f39ee10734afe3ff7a087',
      '30cbbc08863d8c85d49db34a9ae1',
      'cebe321f6ff7716b6fd4ab49af256a156d38baa4',
    ]);
  });

  it('a whole packet of RTP and of RTCP, as libsrtp has them for the same keys', () => {
    const rtp = octets('800f1234decafbadcafebabe' + 'ab'.repeat(16));
    const wire = '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb';
    expect(hex(new SrtpSender(KEY).protect(rtp))).toBe(wire);
    expect(hex(new SrtpReceiver(KEY).unprotect(octets(wire)))).toBe(hex(rtp));
    const rtcp = octets('81c8000bcafebabe' + 'ab'.repeat(16));
    const wireRtcp = '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798';
    expect(hex(new SrtcpSender(KEY).protect(rtcp))).toBe(wireRtcp);
    expect(hex(new SrtcpReceiver(KEY).unprotect(octets(wireRtcp)))).toBe(hex(rtcp));
  });
});

describe.each(SRTP_SUITES)('%s', (suite) => {
  const key = keyOf(suite);

  it('reads a packet wherever in memory it lies', () => {
    const plain = packetOf(1, 7, 163);
    const wire = new SrtpSender(key).protect(plain);
    for (let offset = 0; offset < 8; offset++) {
      const memory = new Uint8Array(offset + wire.length + 3).fill(0xaa);
      memory.set(wire, offset);
      const read = new SrtpReceiver(key).unprotect(memory.subarray(offset, offset + wire.length));
      expect([offset, hex(read)]).toEqual([offset, hex(plain)]);
    }
  });

  it('brings any packet back as it was, over several turns of the sequence', () => {
    const sender = new SrtpSender(key);
    const receiver = new SrtpReceiver(key);
    for (let sequence = 65_000; sequence < 200_000; sequence += 997) {
      const plain = packetOf(sequence, 7, sequence % 300);
      const wire = sender.protect(plain);
      expect(wire.length).toBe(plain.length + (suite === 'AES_CM_128_HMAC_SHA1_32' ? 4 : 10));
      expect(hex(receiver.unprotect(wire.slice()))).toBe(hex(plain));
    }
    expect(receiver).toMatchObject({ refused: 0, replayed: 0 });
  });

  it('leaves nothing of the payload readable', () => {
    const wire = new SrtpSender(key).protect(packetOf(0xaaaa, 7, 160));
    const same = wire.subarray(12, 172).filter((octet) => octet === 0xaa).length;
    expect(same).toBeLessThan(10);
  });

  it('refuses a packet of which any bit is changed, and takes the whole one afterwards', () => {
    const wire = new SrtpSender(key).protect(packetOf(500)).slice();
    const receiver = new SrtpReceiver(key);
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const changed = wire.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect([bit, receiver.unprotect(changed)]).toEqual([bit, undefined]);
    }
    expect(hex(receiver.unprotect(wire))).toBe(hex(packetOf(500)));
  });

  it('leaves header extensions and contributing sources readable', () => {
    const plain = octets('920800010000000100000007 000000010000000 2bede0001 01020304 aabbccdd');
    const wire = new SrtpSender(key).protect(plain);
    expect(hex(wire.subarray(0, 28))).toBe(hex(plain.subarray(0, 28)));
    expect(hex(new SrtpReceiver(key).unprotect(wire.slice()))).toBe(hex(plain));
  });

  it('passes over a master key identifier', () => {
    const wire = new SrtpSender(key).protect(packetOf(3)).slice();
    const tag = suite === 'AES_CM_128_HMAC_SHA1_32' ? 4 : 10;
    const marked = Uint8Array.from([...wire.subarray(0, -tag), 0, 1, ...wire.subarray(-tag)]);
    expect(hex(new SrtpReceiver(keyOf(suite, 2)).unprotect(marked))).toBe(hex(packetOf(3)));
  });
});

describe('replay and order', () => {
  it('counts each source of a sender from zero', () => {
    const sender = new SrtpSender(KEY);
    const receiver = new SrtpReceiver(KEY);
    for (const sequence of [65_530, 65_540])
      expect(receiver.unprotect(sender.protect(packetOf(sequence)).slice())).toBeDefined();
    expect(hex(receiver.unprotect(sender.protect(packetOf(9, 0xabc)).slice()))).toBe(hex(packetOf(9, 0xabc)));
  });

  it('takes each packet once, late ones up to 63 behind', () => {
    const sender = new SrtpSender(KEY);
    const wires = Array.from({ length: 200 }, (_, i) => sender.protect(packetOf(65_450 + i)).slice());
    const receiver = new SrtpReceiver(KEY);
    const take = (i: number) => receiver.unprotect(wires[i]!.slice()) !== undefined;
    expect([take(0), take(0), take(100), take(100), take(37), take(37), take(36), take(99)]).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(receiver.replayed).toBe(4);
  });

  it('window: agrees with a set of what was taken', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -70, max: 70 }), { maxLength: 200 }), (steps) => {
        const window = new ReplayWindow();
        const taken = new Set<number>();
        for (const step of steps) {
          const index = Math.max(0, window.highest < 0 ? 1000 : window.highest + step);
          const expected = !taken.has(index) && window.highest - index < 64;
          expect(window.admits(index)).toBe(expected);
          if (!expected) continue;
          window.take(index);
          taken.add(index);
        }
      }),
    );
  });

  it('keeps sources apart and remembers only so many', () => {
    const receiver = new SrtpReceiver(KEY);
    const wires = Array.from({ length: 100 }, (_, i) => new SrtpSender(KEY).protect(packetOf(9, 1000 + i)).slice());
    for (const wire of wires) expect(receiver.unprotect(wire.slice())).toBeDefined();
    for (const wire of wires.slice(40)) expect(receiver.unprotect(wire.slice())).toBeUndefined();
  });
});

describe('RTCP', () => {
  const report = (bye: boolean) => writeRtcp({ ssrc: 7, cname: 'c', sender: undefined, block: undefined, bye });

  it('comes back as it was, once', () => {
    const sender = new SrtcpSender(KEY);
    const receiver = new SrtcpReceiver(KEY);
    const [first, second] = [sender.protect(report(false)), sender.protect(report(true))];
    expect(hex(receiver.unprotect(second.slice()))).toBe(hex(report(true)));
    expect(hex(receiver.unprotect(first.slice()))).toBe(hex(report(false)));
    expect(receiver.unprotect(first.slice())).toBeUndefined();
    for (let bit = 0; bit < second.length * 8; bit++) {
      const changed = second.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(new SrtcpReceiver(KEY).unprotect(changed)).toBeUndefined();
    }
  });
});

describe('keys of a section', () => {
  const other: SrtpKey = { ...KEY, keySalt: KEY.keySalt.map((octet) => octet ^ 1) };

  it('a renegotiation with the same key keeps the replay window, with another it is let go', () => {
    const crypto = new MediaCrypto();
    const wire = new SrtpSender(KEY).protect(packetOf(1)).slice();
    crypto.use({ send: KEY, receive: KEY });
    expect(crypto.unprotectRtp(wire.slice())).toBeDefined();
    crypto.use({ send: other, receive: { ...KEY, keySalt: KEY.keySalt.slice() } });
    expect(crypto.unprotectRtp(wire.slice())).toBeUndefined();
    crypto.use({ send: other, receive: other });
    expect(crypto.unprotectRtp(wire.slice())).toBeUndefined();
    expect(crypto.unprotectRtp(new SrtpSender(other).protect(packetOf(1)).slice())).toBeDefined();
    expect(crypto.dropped).toBe(2);
    crypto.use(undefined);
    expect(crypto.protectRtp(wire)).toBe(wire);
  });

  it('no bytes whatever are a fault', () => {
    const crypto = new MediaCrypto();
    crypto.use({ send: KEY, receive: keyOf('AES_CM_128_HMAC_SHA1_32', 4) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(crypto.unprotectRtp(bytes)).toBeUndefined();
        expect(crypto.unprotectRtcp(bytes)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
