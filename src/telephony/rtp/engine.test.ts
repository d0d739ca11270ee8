import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { ManualClock, systemClock, type Clock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { afterEach, expect, test } from 'vitest';
import type { NegotiatedMedia } from '../sdp/media.ts';
import { encodeAlaw } from '../codec/g711.ts';
import { middleNtp, parseRtcp, toNtp, writeRtcp } from './rtcp.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from './packet.ts';
import { MediaEngine, type LegHandlers } from './engine.ts';

const HOST = '127.0.0.1';
const engines: MediaEngine[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  for (const socket of sockets.splice(0)) socket.close();
});

async function openEngine(
  first: number,
  last: number,
  clock: Clock = systemClock,
  kind: 'polled' | 'events' = 'polled',
): Promise<MediaEngine> {
  const engine = await MediaEngine.open({
    clock,
    log: silentLog,
    address: HOST,
    ports: { first, last },
    sockets: kind,
  });
  engines.push(engine);
  return engine;
}

function mediaTowards(leg: { audioPort: number; textPort: number }): NegotiatedMedia {
  return {
    audio: {
      codec: 'PCMA',
      payloadType: 8,
      dtmfPayloadType: 101,
      ptimeMs: 20,
      remoteAddress: HOST,
      remotePort: leg.audioPort,
      remoteRtcpPort: leg.audioPort + 1,
      direction: 'sendrecv',
    },
    text: {
      payloadType: 98,
      redPayloadType: 99,
      redundancy: 2,
      remoteAddress: HOST,
      remotePort: leg.textPort,
      direction: 'sendrecv',
    },
  };
}

/** Handlers that do nothing but what the test gives. */
function handlers(own: Partial<LegHandlers> = {}): LegHandlers {
  return { onFrame: () => undefined, onText: () => undefined, onDtmf: () => undefined, ...own };
}

test('two legs exchange audio, text and key presses', async () => {
  const engine = await openEngine(12000, 12040);
  const octets = Promise.withResolvers<number>();
  const text = Promise.withResolvers<string>();
  const digits = Promise.withResolvers<string>();
  const remote = Promise.withResolvers<void>();
  let heardText = '';
  let heardDigits = '';
  const a = await engine.openLeg(handlers({ onFrame: (_rx, tx) => tx.fill(0x2a) }));
  const b = await engine.openLeg(
    handlers({
      onFrame: (rx) => {
        if (rx.kind === 'audio') octets.resolve(rx.payload[80]!);
      },
      onText: (received) => {
        heardText += received;
        if (heardText.length >= 8) text.resolve(heardText);
      },
      onDtmf: ({ digit }) => {
        heardDigits += digit;
        if (heardDigits.length === 3) digits.resolve(heardDigits);
      },
      onRemoteRtp: () => remote.resolve(),
    }),
  );
  a.start(mediaTowards(b));
  b.start(mediaTowards(a));
  a.sendText('你好\nhello');
  a.sendDtmf('1#9');
  expect(await octets.promise).toBe(0x2a);
  expect(await text.promise).toBe('你好\nhello');
  expect(await digits.promise).toBe('1#9');
  await remote.promise;
  const stats = b.stats();
  expect(stats.packetsReceived).toBeGreaterThan(5);
  expect(stats).toMatchObject({ codec: 'PCMA', packetsLost: 0, lossBurstRatio: 1, longestLossPackets: 0 });
  expect(stats.mos).toBeGreaterThan(4.3);
});

test('a leg knows what the far end reports of it, and nothing where it reports nothing', async () => {
  const clock = new ManualClock();
  const engine = await openEngine(12050, 12090, clock, 'events');
  const remote = Promise.withResolvers<void>();
  const leg = await engine.openLeg(handlers({ onRemoteRtp: () => remote.resolve() }));
  const [peer, control] = [await openPeer(), await openPeer()];
  const media = mediaTowards({ audioPort: peer.port, textPort: 9 });
  leg.start({ ...media, audio: { ...media.audio, remoteRtcpPort: control.port } });
  expect(leg.stats()).toMatchObject({ mos: undefined, remoteMos: undefined, roundTripMs: undefined });
  peer.socket.send(audioPacket(0), leg.audioPort, HOST);
  await remote.promise;
  const reported = received(control.socket);
  clock.advance(4000);
  const report = parseRtcp((await reported)[0])!;
  const { sender } = report;
  const lastReport = middleNtp(sender!.ntpSeconds, sender!.ntpFraction);
  const now = toNtp(clock.now().getTime());
  const block = {
    ssrc: report.ssrc,
    fractionLost: 64,
    cumulativeLost: 60,
    highest: 0,
    jitterUnits: 80,
    lastReport,
    // All of the time since then but 100 ms was spent at the far end.
    delay: middleNtp(now.seconds, now.fraction) - lastReport - 6554,
  };
  control.socket.send(
    writeRtcp({ ssrc: 5, cname: 'x', sender: undefined, block, bye: false }),
    leg.audioPort + 1,
    HOST,
  );
  while (leg.stats().remoteLossRatio === undefined) await setImmediate();
  const stats = leg.stats();
  expect(stats.remoteLossRatio).toBeCloseTo(60 / stats.packetsSent);
  expect(stats.remoteJitterMs).toBe(10);
  expect(stats.roundTripMs).toBeCloseTo(100, 0);
  expect(stats.mos).toBeGreaterThan(4);
  expect(stats.remoteMos).toBeLessThan(3.5);
});

/** A bare UDP peer. */
async function openPeer(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

function audioPacket(sequence: number, level = 4000): Uint8Array {
  const bytes = new Uint8Array(172);
  writeRtpHeader(bytes, sequence === 0, 8, sequence, sequence * 160, 5);
  encodeAlaw(new Int16Array(160).fill(level), bytes.subarray(12));
  return bytes;
}

function received(socket: Socket): Promise<[Uint8Array, { port: number }]> {
  return once(socket, 'message') as Promise<[Uint8Array, { port: number }]>;
}

test('media goes to the signalled address and then to where it comes from; strangers get nothing', async () => {
  const engine = await openEngine(12100, 12140);
  const remote = Promise.withResolvers<void>();
  const leg = await engine.openLeg(handlers({ onRemoteRtp: () => remote.resolve() }));
  const [signalled, actual, stranger] = [await openPeer(), await openPeer(), await openPeer()];
  leg.start(mediaTowards({ audioPort: signalled.port, textPort: 9 }));
  const [first] = await received(signalled.socket);
  const packet = newRtpPacket();
  expect(parseRtp(first, packet)).toBe(true);
  expect(packet).toMatchObject({ payloadType: 8, marker: true });
  expect(packet.payloadEnd - packet.payloadStart).toBe(160);
  actual.socket.send(audioPacket(0), leg.audioPort, HOST);
  await remote.promise;
  await received(actual.socket);
  let stolen = 0;
  stranger.socket.on('message', () => stolen++);
  for (let i = 0; i < 5; i++) stranger.socket.send(audioPacket(i), leg.audioPort, HOST);
  for (let i = 1; i < 4; i++) {
    actual.socket.send(audioPacket(i), leg.audioPort, HOST);
    await received(actual.socket);
  }
  expect(stolen).toBe(0);
  expect(leg.stats().packetsReceived).toBeLessThanOrEqual(4);
});

test.each([
  ['polled', 12_150],
  ['events', 13_150],
] as const)('once settled only its peer reaches a leg, until signalling names another (%s)', async (kind, port) => {
  const clock = new ManualClock();
  const engine = await openEngine(port, port + 40, clock, kind);
  const leg = await engine.openLeg(handlers());
  const [first, second] = [await openPeer(), await openPeer()];
  leg.start(mediaTowards({ audioPort: first.port, textPort: 9 }));
  first.socket.send(audioPacket(0), leg.audioPort, HOST);
  while (leg.stats().packetsReceived === 0) {
    await setImmediate();
    // The tick reads polled sockets.
    if (kind === 'polled') clock.advance(20);
  }
  clock.advance(1100);
  const settled = received(first.socket);
  clock.advance(20);
  await settled;
  const moved = received(second.socket);
  leg.start(mediaTowards({ audioPort: second.port, textPort: 9 }));
  clock.advance(20);
  expect((await moved)[1].port).toBe(leg.audioPort);
  const again = received(first.socket);
  leg.start(mediaTowards({ audioPort: first.port, textPort: 9 }));
  clock.advance(20);
  expect((await again)[1].port).toBe(leg.audioPort);
});

test.each([
  ['polled', 12_250],
  ['events', 13_200],
] as const)('a stream that goes on from another port is followed, a stranger’s is not (%s)', async (kind, port) => {
  const clock = new ManualClock();
  const engine = await openEngine(port, port + 40, clock, kind);
  const remote = Promise.withResolvers<void>();
  const leg = await engine.openLeg(handlers({ onRemoteRtp: () => remote.resolve() }));
  const [first, second, stranger] = [await openPeer(), await openPeer(), await openPeer()];
  leg.start(mediaTowards({ audioPort: first.port, textPort: 9 }));
  const heard = async (count: number) => {
    while (leg.stats().packetsReceived < count) {
      await setImmediate();
      if (kind === 'polled') clock.advance(20);
    }
  };
  for (let i = 0; i < 60; i++) {
    first.socket.send(audioPacket(i), leg.audioPort, HOST);
    await heard(i + 1);
    if (kind === 'events') clock.advance(20);
  }
  // The socket is connected to the first peer by now; half a second of silence opens it.
  clock.advance(600);
  const alien = audioPacket(90);
  alien[11] = 6;
  stranger.socket.send(alien, leg.audioPort, HOST);
  stranger.socket.send(audioPacket(30), leg.audioPort, HOST);
  stranger.socket.send(audioPacket(5000), leg.audioPort, HOST);
  const control = received(first.socket);
  clock.advance(20);
  await control;
  for (let i = 0; i < 20; i++) await setImmediate();
  clock.advance(20);
  expect(leg.stats().packetsReceived).toBe(60);
  second.socket.send(audioPacket(90), leg.audioPort, HOST);
  await heard(61);
  const moved = received(second.socket);
  clock.advance(20);
  expect((await moved)[1].port).toBe(leg.audioPort);
});

test('text that comes before the answer is read once the answer says whose it is, a stranger’s is not', async () => {
  const engine = await openEngine(12850, 12890);
  let text = '';
  const whole = Promise.withResolvers<void>();
  const onText = (received: string): void => {
    text += received;
    if (text === 'hello!') whole.resolve();
  };
  const leg = await engine.openLeg(handlers({ onText }));
  const [peer, stranger] = [await openPeer(), await openPeer()];
  const send = async (socket: Socket, sequence: number, words: string): Promise<void> => {
    const bytes = new Uint8Array([...new Uint8Array(12), ...new TextEncoder().encode(words)]);
    writeRtpHeader(bytes, false, 98, sequence, 300 * sequence, 5);
    await new Promise((resolve) => socket.send(bytes, leg.textPort, HOST, resolve));
  };
  await send(stranger.socket, 0, 'buy');
  await send(peer.socket, 0, 'hel');
  await send(peer.socket, 1, 'lo');
  // The loop has read them once a datagram that was sent after them to another socket of it has come.
  const later = once(peer.socket, 'message');
  stranger.socket.send('x', peer.port, HOST);
  await later;
  await setImmediate();
  expect(text).toBe('');
  leg.start(mediaTowards({ audioPort: 9, textPort: peer.port }));
  expect(text).toBe('hello');
  await send(peer.socket, 2, '!');
  await whole.promise;
});

test('on hold nothing is sent while frames go on, and the marker says when it resumes', async () => {
  const engine = await openEngine(12200, 12240);
  let frames = 0;
  const twenty = Promise.withResolvers<void>();
  const leg = await engine.openLeg(
    handlers({
      onFrame: () => {
        if (++frames === 20) twenty.resolve();
      },
    }),
  );
  const peer = await openPeer();
  const media = mediaTowards({ audioPort: peer.port, textPort: 9 });
  leg.start({ ...media, audio: { ...media.audio, direction: 'recvonly' } });
  await twenty.promise;
  expect(leg.stats().packetsSent).toBe(0);
  const next = received(peer.socket);
  leg.start(media);
  const packet = newRtpPacket();
  expect(parseRtp((await next)[0], packet)).toBe(true);
  expect(packet.marker).toBe(true);
});

test('packets of 40 ms are sent where the far end wishes them', async () => {
  const engine = await openEngine(12300, 12340);
  const leg = await engine.openLeg(handlers());
  const peer = await openPeer();
  const media = mediaTowards({ audioPort: peer.port, textPort: 9 });
  leg.start({ ...media, audio: { ...media.audio, ptimeMs: 40 } });
  const packet = newRtpPacket();
  const timestamps: number[] = [];
  for (let i = 0; i < 2; i++) {
    expect(parseRtp((await received(peer.socket))[0], packet)).toBe(true);
    expect(packet.payloadEnd - packet.payloadStart).toBe(320);
    timestamps.push(packet.timestamp);
  }
  expect((timestamps[1]! - timestamps[0]!) >>> 0).toBe(320);
});

test('a closed leg says BYE over RTCP', async () => {
  const engine = await openEngine(12400, 12440);
  const leg = await engine.openLeg(handlers());
  const [peer, control] = [await openPeer(), await openPeer()];
  const media = mediaTowards({ audioPort: peer.port, textPort: 9 });
  leg.start({ ...media, audio: { ...media.audio, remoteRtcpPort: control.port } });
  await received(peer.socket);
  const bye = received(control.socket);
  leg.close();
  leg.close();
  const [bytes, from] = await bye;
  expect(from.port).toBe(leg.audioPort + 1);
  const report = parseRtcp(bytes)!;
  expect(report.sender?.packets).toBeGreaterThan(0);
  expect(report.byes).toEqual([report.ssrc]);
});

test('a far end that gives RTCP no bandwidth gets none', async () => {
  const engine = await openEngine(13000, 13040);
  const leg = await engine.openLeg(handlers());
  const [peer, control] = [await openPeer(), await openPeer()];
  const media = mediaTowards({ audioPort: peer.port, textPort: 9 });
  leg.start({ ...media, audio: { ...media.audio, remoteRtcpPort: control.port, withoutRtcp: true } });
  await received(peer.socket);
  const heard: Buffer[] = [];
  control.socket.on('message', (bytes) => heard.push(bytes));
  leg.close();
  // What the leg had sent would be before this.
  const last = received(control.socket);
  peer.socket.send('last', control.port, HOST);
  await last;
  expect(heard.map(String)).toEqual(['last']);
});

test('a far end that gives the RTCP of its text no bandwidth gets none of it', async () => {
  const { leg, peer, control } = await typing({ withoutRtcp: true });
  const heard: Buffer[] = [];
  control.socket.on('message', (bytes) => heard.push(bytes));
  leg.close();
  // What the leg had sent would be before this.
  const last = received(control.socket);
  peer.socket.send('last', control.port, HOST);
  await last;
  expect(heard.map(String)).toEqual(['last']);
});

test('a far end that names a port for the RTCP of its text gets it there', async () => {
  const { leg, control } = await typing({});
  const bye = received(control.socket);
  leg.close();
  const [bytes] = await bye;
  expect(parseRtcp(bytes)).toMatchObject({ byes: [expect.any(Number)] });
});

/** A leg that has sent text to a peer whose RTCP goes to a port of its own. */
async function typing(more: { readonly withoutRtcp?: boolean }) {
  const engine = await openEngine(13100, 13140);
  const leg = await engine.openLeg(handlers());
  const [peer, control] = [await openPeer(), await openPeer()];
  const media = mediaTowards({ audioPort: 9, textPort: peer.port });
  leg.start({ ...media, text: { ...media.text!, remoteRtcpPort: control.port, ...more } });
  const typed = received(peer.socket);
  leg.sendText('a');
  await typed;
  return { leg, peer, control };
}

test('thirty seconds without a packet are told once', async () => {
  const clock = new ManualClock();
  const engine = await openEngine(12500, 12540, clock);
  let timeouts = 0;
  const leg = await engine.openLeg(handlers({ onTimeout: () => timeouts++ }));
  leg.start(mediaTowards({ audioPort: 9, textPort: 9 }));
  clock.advance(29_900);
  expect(timeouts).toBe(0);
  clock.advance(60_000);
  expect(timeouts).toBe(1);
});

test('a handler that throws stops neither its own call nor another', async () => {
  const engine = await openEngine(12600, 12640);
  const many = Promise.withResolvers<void>();
  let frames = 0;
  const broken = await engine.openLeg(
    handlers({
      onFrame: () => {
        if (++frames === 5) many.resolve();
        throw new Error('broken');
      },
    }),
  );
  broken.start(mediaTowards({ audioPort: 9, textPort: 9 }));
  await many.promise;
  expect(engine.load().legs).toBe(1);
});

test('ports come in even pairs, run out with a clear error, and are all there again after close', async () => {
  const engine = await openEngine(12700, 12707);
  const legs = [await engine.openLeg(handlers()), await engine.openLeg(handlers())];
  const ports = legs.flatMap((leg) => [leg.audioPort, leg.textPort]);
  expect(ports.every((port) => port % 2 === 0)).toBe(true);
  expect(new Set(ports).size).toBe(4);
  await expect(engine.openLeg(handlers())).rejects.toMatchObject({ code: 'resource-exhausted' });
  await engine.close();
  const again = await openEngine(12700, 12707);
  await again.openLeg(handlers());
  await again.openLeg(handlers());
});

test('a pair of which one port is taken is passed over without leaking the other', async () => {
  const taken = createSocket('udp4');
  sockets.push(taken);
  taken.bind(12803, HOST);
  await once(taken, 'listening');
  const engine = await openEngine(12800, 12807);
  const leg = await engine.openLeg(handlers());
  expect([leg.audioPort, leg.textPort]).not.toContain(12802);
  // 12802 itself must be free again.
  const probe = createSocket('udp4');
  sockets.push(probe);
  probe.bind(12802, HOST);
  await once(probe, 'listening');
});

/** Sockets of this process; the test runner has its own timers. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((type) => type === 'UDPWrap').length;
}

test('after close no socket is left', async () => {
  const engine = await openEngine(12900, 12940);
  const leg = await engine.openLeg(handlers());
  leg.start(mediaTowards({ audioPort: 9, textPort: 9 }));
  expect(handles()).toBeGreaterThanOrEqual(3);
  await engine.close();
  await engine.close();
  // The loop's closing phase comes after the one of immediates.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  expect(handles()).toBe(0);
  await expect(engine.openLeg(handlers())).rejects.toMatchObject({ code: 'unavailable' });
});
