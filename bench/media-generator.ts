// The far end of `bench media`, in a process of its own: sends 50 packets a second a call and measures what comes back.
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { raiseThreadPriority } from '#platform/priority.ts';
import { encodeAlaw, FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import { EventPort } from '#telephony/rtp/event-port.ts';
import { Histogram } from '#telephony/rtp/histogram.ts';
import { loadLibc } from '#telephony/rtp/libc.ts';
import { newRtpPacket, parseRtp, RTP_HEADER_BYTES, writeRtpHeader } from '#telephony/rtp/packet.ts';
import { PolledPort } from '#telephony/rtp/polled-port.ts';
import { PolledSockets } from '#telephony/rtp/polled-sockets.ts';
import { SrtpReceiver, SrtpSender } from '#telephony/rtp/srtp.ts';
import type { UdpPort } from '#telephony/rtp/udp-port.ts';
import {
  FIRST_GENERATOR_PORT,
  INTERVAL_BUCKETS,
  srtpKey,
  type FromGenerator,
  type ToGenerator,
} from './media-protocol.ts';
import { SendBatch } from './send-batch.ts';

// It stands for machines of their own, which other work here does not hold up.
raiseThreadPriority(silentLog);

const HOST = '127.0.0.1';
const CALLS_PER_SOCKET = 10;
const FRAME_MS = 20;
const PHASES = 10;
/** So much is made up for. */
const MAX_BEHIND_MS = 100;
const VOICE_FRAMES = 100;
/** 100 ms of the key 5. */
const KEY_FRAMES = { first: 31, last: 35 };

interface Call {
  readonly socket: UdpPort;
  readonly packet: Uint8Array;
  readonly protection: { readonly send: SrtpSender; readonly receive: SrtpReceiver } | undefined;
  port: number;
  /** When it begins, on this process's clock. */
  beginMs: number;
  sequence: number;
  received: number;
  first: number;
  highest: number;
  lastMs: number;
}

const calls: Call[] = [];
const sockets: UdpPort[] = [];
/** Only where the C library can be asked. */
let batch: SendBatch | undefined;
const byPort = new Map<number, Call>();
const intervals = new Histogram(INTERVAL_BUCKETS.ms, INTERVAL_BUCKETS.count);
/** Frames of 160 octets, one after another. */
const voice = syntheticVoice();
let sent = 0;
let cpuStart = process.cpuUsage();
let running = false;
let startMs = 0;
let frame = 0;
/** Frames of all calls that were not sent because this process got no processor. */
let givenUp = 0;

process.on('message', (message: ToGenerator) => void handle(message));

async function handle(message: ToGenerator): Promise<void> {
  if (message.type === 'open') {
    await openCalls(message.calls, message.srtp);
    reply({ type: 'opened', ports: calls.map((call) => call.socket.port) });
  } else if (message.type === 'send') {
    running = true;
    startMs = performance.now();
    for (const [index, call] of calls.entries()) {
      call.port = message.ports[index]!;
      call.beginMs = startMs + message.beginsMs[index]!;
      byPort.set(call.port, call);
    }
    pump();
  } else if (message.type === 'warm') {
    intervals.clear();
    givenUp = 0;
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

async function openCalls(count: number, srtp: boolean): Promise<void> {
  const libc = await loadLibc();
  const polled = libc === undefined ? undefined : new PolledSockets(libc, systemClock);
  if (libc !== undefined && !srtp) batch = new SendBatch(libc, HOST, voice, FRAME_SAMPLES, CALLS_PER_SOCKET);
  let port = FIRST_GENERATOR_PORT;
  for (let i = 0; i < count; i++) {
    if (i % CALLS_PER_SOCKET === 0) {
      let socket: UdpPort | undefined;
      while (socket === undefined)
        socket =
          polled === undefined
            ? await EventPort.open(systemClock, HOST, port++)
            : PolledPort.open(polled, HOST, port++);
      socket.onDatagram = (bytes, _address, from, atMs) => receive(bytes, from, atMs);
      sockets.push(socket);
    }
    calls.push({
      socket: sockets.at(-1)!,
      packet: new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES),
      protection: srtp
        ? { send: new SrtpSender(srtpKey(i, 'generator')), receive: new SrtpReceiver(srtpKey(i, 'engine')) }
        : undefined,
      port: 0,
      beginMs: 0,
      sequence: 0,
      received: 0,
      first: -1,
      highest: -1,
      lastMs: 0,
    });
  }
}

const header = newRtpPacket();
function receive(datagram: Uint8Array, port: number, nowMs: number): void {
  const call = byPort.get(port);
  if (call === undefined) return;
  const bytes = call.protection === undefined ? datagram : call.protection.receive.unprotect(datagram);
  if (bytes === undefined || !parseRtp(bytes, header)) return;
  if (call.received > 0) intervals.add(nowMs - call.lastMs);
  call.lastMs = nowMs;
  call.received++;
  if (call.first < 0) call.first = header.sequence;
  call.highest = Math.max(call.highest, header.sequence);
}

/** Runs the phase that is due: a tenth of the sockets with their calls every 2 ms, by absolute deadlines. */
function pump(): void {
  if (!running) return;
  const waitMs = startMs + (frame * FRAME_MS) / PHASES - performance.now();
  if (waitMs > 0) {
    setTimeout(pump, waitMs);
    return;
  }
  if (-waitMs > MAX_BEHIND_MS) {
    // Packets that late say nothing about the engine; the whole grid moves on.
    const behind = Math.floor(-waitMs / FRAME_MS);
    startMs += behind * FRAME_MS;
    givenUp += behind;
  }
  const phase = frame % PHASES;
  const round = Math.floor(frame / PHASES);
  for (let i = phase; i < sockets.length; i += PHASES) {
    sockets[i]!.drain();
    sendFrom(sockets[i]!, i * CALLS_PER_SOCKET, round, performance.now());
  }
  frame++;
  // The loop gets its turn, or a generator that is behind would not hear that it is over.
  setImmediate(pump);
}

/** A packet of every call on that socket which has begun. */
function sendFrom(socket: UdpPort, firstCall: number, round: number, nowMs: number): void {
  const last = Math.min(firstCall + CALLS_PER_SOCKET, calls.length);
  for (let i = firstCall; i < last; i++) {
    const call = calls[i]!;
    if (call.beginMs > nowMs) continue;
    const header = batch === undefined ? call.packet : batch.headers[batch.count]!;
    writeRtpHeader(header, call.sequence === 0, 8, call.sequence, (round * FRAME_SAMPLES) >>> 0, i + 1);
    call.sequence = (call.sequence + 1) & 0xffff;
    const said = (round + i * 7) % VOICE_FRAMES;
    if (batch === undefined) sendAlone(call, said);
    else batch.add(call.port, said);
    sent++;
  }
  if (batch !== undefined && socket instanceof PolledPort) batch.flush(socket.fd);
}

function sendAlone(call: Call, said: number): void {
  call.packet.set(voice.subarray(said * FRAME_SAMPLES, (said + 1) * FRAME_SAMPLES), RTP_HEADER_BYTES);
  const bytes = call.protection === undefined ? call.packet : call.protection.send.protect(call.packet);
  call.socket.send(bytes, HOST, call.port);
}

function finish(): void {
  for (const socket of sockets) socket.drain();
  const cpu = process.cpuUsage(cpuStart);
  let received = 0;
  let lost = 0;
  let refused = 0;
  for (const call of calls) {
    received += call.received;
    lost += call.received === 0 ? 0 : call.highest - call.first + 1 - call.received;
    refused += call.protection?.receive.refused ?? 0;
  }
  reply({
    type: 'stopped',
    sent,
    received,
    lost,
    refused,
    givenUp: givenUp * calls.length,
    intervalCounts: intervals.counts,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  });
  for (const socket of sockets) void socket.close();
  process.disconnect();
}

/** Two seconds of something voiced: bursts of a gliding buzz, and a key press in one of the pauses. */
function syntheticVoice(): Uint8Array<ArrayBuffer> {
  const frames = new Uint8Array(VOICE_FRAMES * FRAME_SAMPLES);
  const pcm = new Int16Array(FRAME_SAMPLES);
  for (let f = 0; f < VOICE_FRAMES; f++) {
    const loud = f % 40 < 28 ? 6000 : 0;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const seconds = (f * FRAME_SAMPLES + i) / 8000;
      const pitch = 2 * Math.PI * (130 + 30 * Math.sin(seconds * 3)) * seconds;
      const key = f >= KEY_FRAMES.first && f <= KEY_FRAMES.last;
      pcm[i] = key
        ? 5000 * (Math.sin(2 * Math.PI * 770 * seconds) + Math.sin(2 * Math.PI * 1336 * seconds))
        : loud * (Math.sin(pitch) + 0.6 * Math.sin(5 * pitch) + 0.3 * Math.sin(11 * pitch)) * 0.5;
    }
    encodeAlaw(pcm, frames.subarray(f * FRAME_SAMPLES, (f + 1) * FRAME_SAMPLES));
  }
  return frames;
}
