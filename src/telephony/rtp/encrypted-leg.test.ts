import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { afterEach, expect, test } from 'vitest';
import type { NegotiatedMedia, SrtpKey, SrtpMedia } from '../sdp/media.ts';
import { MediaEngine, type LegHandlers } from './engine.ts';
import { writeRtpHeader } from './packet.ts';

const HOST = '127.0.0.1';
const engines: MediaEngine[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  for (const socket of sockets.splice(0)) socket.close();
});

async function openEngine(first: number): Promise<MediaEngine> {
  const ports = { first, last: first + 40 };
  const engine = await MediaEngine.open({ clock: systemClock, log: silentLog, address: HOST, ports });
  engines.push(engine);
  return engine;
}

const newKey = (): SrtpKey => ({ suite: 'AES_CM_128_HMAC_SHA1_80', keySalt: randomBytes(30), mkiBytes: 0 });

function mediaTowards(
  leg: { audioPort: number; textPort: number },
  audio: SrtpMedia,
  text: SrtpMedia,
): NegotiatedMedia {
  const there = { remoteAddress: HOST, direction: 'sendrecv' } as const;
  return {
    audio: {
      ...there,
      codec: 'PCMA',
      payloadType: 8,
      dtmfPayloadType: 101,
      ptimeMs: 20,
      remotePort: leg.audioPort,
      remoteRtcpPort: leg.audioPort + 1,
      srtp: audio,
    },
    text: { ...there, payloadType: 98, redPayloadType: 99, redundancy: 2, remotePort: leg.textPort, srtp: text },
  };
}

function handlers(own: Partial<LegHandlers> = {}): LegHandlers {
  return { onFrame: () => undefined, onText: () => undefined, onDtmf: () => undefined, ...own };
}

test('two legs exchange audio, text and key presses under their keys', async () => {
  const engine = await openEngine(13500);
  const octets = Promise.withResolvers<number>();
  const text = Promise.withResolvers<string>();
  const digit = Promise.withResolvers<string>();
  const [a, b, c, d] = [newKey(), newKey(), newKey(), newKey()];
  const near = await engine.openLeg(handlers({ onFrame: (_rx, tx) => tx.fill(0x2a) }));
  const far = await engine.openLeg(
    handlers({
      onFrame: (rx) => {
        if (rx.kind === 'audio') octets.resolve(rx.payload[80]!);
      },
      onText: (heard) => text.resolve(heard),
      onDtmf: (event) => digit.resolve(event.digit),
    }),
  );
  near.start(mediaTowards(far, { send: a, receive: b }, { send: c, receive: d }));
  far.start(mediaTowards(near, { send: b, receive: a }, { send: d, receive: c }));
  near.sendText('你好');
  near.sendDtmf('7');
  expect(await octets.promise).toBe(0x2a);
  expect(await text.promise).toBe('你好');
  expect(await digit.promise).toBe('7');
  expect(far.stats().packetsLost).toBe(0);
});

test('what is not under the key neither latches nor is heard, and nothing readable leaves', async () => {
  const engine = await openEngine(13600);
  let first = false;
  const leg = await engine.openLeg(
    handlers({ onFrame: (_rx, tx) => tx.fill(0x2a), onRemoteRtp: () => (first = true) }),
  );
  const peer = createSocket('udp4');
  sockets.push(peer);
  peer.bind(0, HOST);
  await once(peer, 'listening');
  const { port } = peer.address();
  const keys = { send: newKey(), receive: newKey() };
  leg.start(mediaTowards({ audioPort: port, textPort: 9 }, keys, keys));
  for (let i = 0; i < 10; i++) {
    const plain = new Uint8Array(172);
    writeRtpHeader(plain, false, 8, i, i * 160, 5);
    peer.send(plain, leg.audioPort, HOST);
    const [bytes] = (await once(peer, 'message')) as [Uint8Array];
    expect(bytes.length).toBe(182);
    expect(bytes.subarray(12, 172).filter((octet) => octet === 0x2a).length).toBeLessThan(20);
  }
  expect([first, leg.stats().packetsReceived]).toEqual([false, 0]);
});
