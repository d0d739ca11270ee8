import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { randomFor, type Random } from '#simulator/random.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { openTransport } from '#telephony/sip/transport/open.ts';
import type { SipTransport } from '#telephony/sip/transport/transport.ts';
import { SipUserAgent, type IncomingCall } from '#telephony/sip/user-agent.ts';
import { drawFate, type Talk, VANISHED_MS } from './soak-fates.ts';
import { SoakStream } from './soak-stream.ts';

const HOST = '127.0.0.1';
const FRAME_MS = 20;
const PHASES = 10;
/** 100 ms. */
const MAX_STEPS_BEHIND = 50;
/** Sockets are not what is measured here: many calls share four of them. */
const SETS = 16;
const PORTS_PER_SET = 4;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

interface SocketSet {
  readonly port: number;
  readonly audio: Socket;
  readonly text: Socket;
  readonly all: readonly Socket[];
}

/** The far end of `bench soak`: a SIP user agent behind which everybody does something else, by the seed. */
export interface SoakCallees {
  readonly port: number;
  readonly counts: { calls: number; packetsSent: number; packetsReceived: number; holds: number; vanished: number };
  close(): Promise<void>;
}

/** Opens it; media take `SETS` × 4 ports from `firstPort` on. */
export async function openSoakCallees(options: {
  readonly seed: number;
  readonly log: Log;
  readonly firstPort: number;
  /** The longest talk. */
  readonly longestMs: number;
}): Promise<SoakCallees> {
  const { seed, log, firstPort, longestMs } = options;
  const counts = { calls: 0, packetsSent: 0, packetsReceived: 0, holds: 0, vanished: 0 };
  const vanished = new Set<string>();
  const bind = { protocol: 'UDP', address: HOST, port: 0 } as const;
  const transport = deafTo(vanished, await openTransport(bind, systemClock, log));
  const agent = SipUserAgent.on(transport, { clock: systemClock, log, product: 'waihu-soak' });
  const sets = await Promise.all(
    Array.from({ length: SETS }, (_, index) =>
      openSet(firstPort + index * PORTS_PER_SET, () => counts.packetsReceived++),
    ),
  );
  const phases = Array.from({ length: PHASES }, () => new Set<SoakStream>());
  const stopPump = pump(phases);
  const timers = new Set<NodeJS.Timeout>();
  const later = (delayMs: number, act: () => void): NodeJS.Timeout => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, delayMs);
    timers.add(timer);
    return timer;
  };

  agent.onIncomingCall = (call) => {
    const index = counts.calls++;
    const random = randomFor('soak', seed, index);
    const fate = drawFate(random, longestMs);
    const mine = new Set<NodeJS.Timeout>();
    const laterHere = (delayMs: number, act: () => void): void => void mine.add(later(delayMs, act));
    const end = (): void => {
      for (const timer of mine) {
        clearTimeout(timer);
        timers.delete(timer);
      }
    };
    call.onEnded = end;
    call.progress(180);
    if (fate.kind === 'refuse') laterHere(fate.afterMs, () => call.reject(fate.status));
    if (fate.kind !== 'answer') return;
    laterHere(fate.afterMs, () => {
      const stream = answer(call, fate.talk, random, sets[index % SETS]!);
      if (stream === undefined) return;
      const phase = phases[index % PHASES]!;
      phase.add(stream);
      const stop = (): void => {
        if (phase.delete(stream)) counts.packetsSent += stream.sent;
      };
      call.onEnded = () => {
        stop();
        end();
      };
      const { hold, forMs, vanishes } = fate.talk;
      if (hold !== undefined)
        laterHere(hold.atMs, () => {
          counts.holds++;
          void call.hold();
          laterHere(hold.forMs, () => void call.resume());
        });
      laterHere(forMs, () => {
        if (!vanishes) return call.hangup();
        counts.vanished++;
        vanished.add(call.callId);
        stop();
        later(VANISHED_MS, () => {
          vanished.delete(call.callId);
          call.hangup();
        });
      });
    });
  };

  return {
    port: agent.address.port,
    counts,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      stopPump();
      await agent.close('soak is over');
      await Promise.all(
        sets.flatMap(({ all }) => all.map((socket) => new Promise<void>((done) => socket.close(done)))),
      );
    },
  };
}

function answer(call: IncomingCall, talk: Talk, random: Random, set: SocketSet): SoakStream | undefined {
  const made = createAnswer(parseSdp(call.sdp), {
    address: HOST,
    audioPort: set.port,
    textPort: set.port + 2,
    codecs: ['PCMA'],
    dtmf: true,
    direction: 'sendrecv',
  });
  if (!made.ok) {
    call.reject(488);
    return undefined;
  }
  call.answer(writeSdp(made.answer));
  return new SoakStream(made.media, talk, random, set);
}

/** RTP, RTCP, text and its RTCP on four ports in a row. */
async function openSet(port: number, received: () => void): Promise<SocketSet> {
  const all = await Promise.all(
    Array.from({ length: PORTS_PER_SET }, async (_, index) => {
      const socket = createSocket({
        type: 'udp4',
        recvBufferSize: RECEIVE_BUFFER_BYTES,
        lookup: (host, _options, done) => done(null, host, 4),
      });
      const listening = once(socket, 'listening');
      socket.bind(port + index, HOST);
      await listening;
      return socket;
    }),
  );
  const [audio, , text] = all;
  if (audio === undefined || text === undefined) throw new Error('no sockets');
  audio.on('message', received);
  return { port, audio, text, all };
}

/**
 * Sends what is due: a tenth of the streams every 2 ms, by absolute deadlines. On a machine that is too busy for that it
 * leaves frames out, so that the signalling still gets its turn.
 */
function pump(phases: readonly ReadonlySet<SoakStream>[]): () => void {
  const stepMs = FRAME_MS / PHASES;
  const startMs = performance.now();
  let step = 0;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    const nowMs = performance.now();
    const due = Math.floor((nowMs - startMs) / stepMs);
    if (due - step > MAX_STEPS_BEHIND) step = due;
    for (; step <= due; step++) for (const stream of phases[step % PHASES]!) stream.tick(nowMs);
    timer = setTimeout(run, Math.max(1, startMs + step * stepMs - performance.now()));
  };
  run();
  return () => clearTimeout(timer);
}

/** A transport over which nothing comes and goes of the calls in `vanished`. */
function deafTo(vanished: ReadonlySet<string>, inner: SipTransport): SipTransport {
  const gone = (bytes: Uint8Array): boolean => {
    if (vanished.size === 0) return false;
    const callId = /^call-id:\s*(\S+)/im.exec(Buffer.from(bytes).toString('latin1'))?.[1];
    return callId !== undefined && vanished.has(callId);
  };
  let handler: SipTransport['onDatagram'];
  inner.onDatagram = (bytes, from) => {
    if (!gone(bytes)) handler?.(bytes, from);
  };
  return {
    protocol: inner.protocol,
    reliable: inner.reliable,
    local: inner.local,
    get onDatagram() {
      return handler;
    },
    set onDatagram(next) {
      handler = next;
    },
    send: (bytes, to, failed) => {
      if (!gone(bytes)) inner.send(bytes, to, failed);
    },
    close: () => inner.close(),
  };
}
