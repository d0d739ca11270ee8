// The far end of `bench media`, in a process of its own: sends 50 packets a second a call and measures what comes back.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Histogram } from '#telephony/rtp/histogram.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from '#telephony/rtp/packet.ts';
import { encodeAlaw } from '#telephony/codec/g711.ts';
import { INTERVAL_BUCKETS, type FromGenerator, type ToGenerator } from './media-protocol.ts';

const HOST = '127.0.0.1';
const CALLS_PER_SOCKET = 10;
const FRAME_MS = 20;
const PHASES = 10;
const VOICE_FRAMES = 100;

interface Call {
  readonly socket: Socket;
  readonly packet: Uint8Array;
  port: number;
  sequence: number;
  received: number;
  first: number;
  highest: number;
  lastMs: number;
}

const calls: Call[] = [];
const sockets: Socket[] = [];
const byPort = new Map<number, Call>();
const intervals = new Histogram(INTERVAL_BUCKETS.ms, INTERVAL_BUCKETS.count);
const voice = syntheticVoice();
let sent = 0;
let cpuStart = process.cpuUsage();
let running = false;
let startMs = 0;
let frame = 0;

process.on('message', (message: ToGenerator) => void handle(message));

async function handle(message: ToGenerator): Promise<void> {
  if (message.type === 'open') {
    await openCalls(message.calls);
    reply({ type: 'opened', ports: calls.map((call) => call.socket.address().port) });
  } else if (message.type === 'send') {
    for (const [index, call] of calls.entries()) {
      call.port = message.ports[index]!;
      byPort.set(call.port, call);
    }
    running = true;
    startMs = performance.now();
    pump();
  } else if (message.type === 'warm') {
    intervals.clear();
    cpuStart = process.cpuUsage();
  } else {
    running = false;
    // What is under way arrives before the sums are drawn.
    setTimeout(finish, 300);
  }
}

function reply(message: FromGenerator): void {
  process.send!(message);
}

async function openCalls(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % CALLS_PER_SOCKET === 0) {
      const socket = createSocket({
        type: 'udp4',
        recvBufferSize: 4 * 1024 * 1024,
        lookup: (host, _options, done) => done(null, host, 4),
      });
      socket.on('message', (bytes, from) => receive(bytes, from.port));
      const listening = once(socket, 'listening');
      socket.bind(0, HOST);
      await listening;
      sockets.push(socket);
    }
    calls.push({
      socket: sockets.at(-1)!,
      packet: new Uint8Array(172),
      port: 0,
      sequence: 0,
      received: 0,
      first: -1,
      highest: -1,
      lastMs: 0,
    });
  }
}

const header = newRtpPacket();
function receive(bytes: Uint8Array, port: number): void {
  const call = byPort.get(port);
  if (call === undefined || !parseRtp(bytes, header)) return;
  const nowMs = performance.now();
  if (call.received > 0) intervals.add(nowMs - call.lastMs);
  call.lastMs = nowMs;
  call.received++;
  if (call.first < 0) call.first = header.sequence;
  call.highest = Math.max(call.highest, header.sequence);
}

/** Sends every phase that is due: a tenth of the calls every 2 ms, by absolute deadlines. */
function pump(): void {
  if (!running) return;
  for (;;) {
    const dueMs = startMs + (frame * FRAME_MS) / PHASES;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) {
      setTimeout(pump, waitMs);
      return;
    }
    const phase = frame % PHASES;
    const round = Math.floor(frame / PHASES);
    for (let i = phase; i < calls.length; i += PHASES) sendTo(calls[i]!, i, round);
    frame++;
  }
}

function sendTo(call: Call, index: number, round: number): void {
  writeRtpHeader(call.packet, round === 0, 8, call.sequence, (round * 160) >>> 0, index + 1);
  call.sequence = (call.sequence + 1) & 0xffff;
  call.packet.set(voice[(round + index * 7) % VOICE_FRAMES]!, 12);
  call.socket.send(call.packet, 0, call.packet.length, call.port, HOST);
  sent++;
}

function finish(): void {
  const cpu = process.cpuUsage(cpuStart);
  let received = 0;
  let lost = 0;
  for (const call of calls) {
    received += call.received;
    lost += call.received === 0 ? 0 : call.highest - call.first + 1 - call.received;
  }
  reply({
    type: 'stopped',
    sent,
    received,
    lost,
    intervalCounts: intervals.counts,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  });
  for (const socket of sockets) socket.close();
  process.disconnect();
}

/** Two seconds of something voiced: bursts of a gliding buzz with pauses, so that detectors have work to do. */
function syntheticVoice(): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const pcm = new Int16Array(160);
  for (let f = 0; f < VOICE_FRAMES; f++) {
    const loud = f % 40 < 28 ? 6000 : 0;
    for (let i = 0; i < 160; i++) {
      const seconds = (f * 160 + i) / 8000;
      const pitch = 2 * Math.PI * (130 + 30 * Math.sin(seconds * 3)) * seconds;
      pcm[i] = loud * (Math.sin(pitch) + 0.6 * Math.sin(5 * pitch) + 0.3 * Math.sin(11 * pitch)) * 0.5;
    }
    const octets = new Uint8Array(160);
    encodeAlaw(pcm, octets);
    frames.push(octets);
  }
  return frames;
}
