import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { Histogram } from '#telephony/rtp/histogram.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';

const HOST = '127.0.0.1';
/** A burst every few milliseconds, as many as are due. */
const BURST_MS = 5;
/** Answers that come later than this do not count as quick. */
const SETTLE_MS = 2000;

/** What the bench asks for: calls that talk, then a flood beside them. */
export interface FloodOrder {
  readonly port: number;
  readonly to: string;
  readonly calls: number;
  readonly rate: number;
  readonly seconds: number;
}

export type FromFlood =
  | { readonly type: 'talking' }
  | {
      readonly type: 'done';
      readonly sent: number;
      readonly refused: number;
      readonly others: number;
      readonly p50Ms: number;
      readonly p99Ms: number;
      readonly packetsLost: number;
      readonly packetsReceived: number;
    };

/** The peer of `bench overload` in a process of its own; ends with its parent. */
process.once('disconnect', () => process.exit(0));
const [order] = (await once(process, 'message')) as [FloodOrder];
const tell = (message: FromFlood): void => void process.send?.(message);

const clock = systemClock;
const engine = await MediaEngine.open({ clock, log: silentLog, address: HOST, ports: { first: 36_000, last: 39_999 } });
const agent = await SipUserAgent.open({ clock, log: silentLog, bind: { address: HOST, port: 0 }, product: 'flood' });
const legs: MediaLeg[] = [];
await Promise.all(Array.from({ length: order.calls }, (_, index) => talk(index)));
tell({ type: 'talking' });
await once(process, 'message');
const result = await flood();
let packetsLost = 0;
let packetsReceived = 0;
for (const leg of legs) {
  const stats = leg.stats();
  packetsLost += stats.packetsLost;
  packetsReceived += stats.packetsReceived;
}
tell({ type: 'done', ...result, packetsLost, packetsReceived });

/** One call whose media flow both ways until the end. */
async function talk(index: number): Promise<void> {
  const leg = await engine.openLeg({
    onFrame: (_, tx) => tx.fill(0xd5),
    onText: () => undefined,
    onDtmf: () => undefined,
  });
  legs.push(leg);
  const offer = createOffer({
    address: HOST,
    audioPort: leg.audioPort,
    textPort: leg.textPort,
    codecs: ['PCMA'],
    dtmf: true,
    direction: 'sendrecv',
  });
  const answered = Promise.withResolvers<void>();
  agent.placeCall(
    {
      callId: `talk-${index}`,
      target: `sip:${order.to}@${HOST}:${order.port}`,
      from: `sip:+861380000${1000 + index}@${HOST}`,
      sdp: writeSdp(offer),
      ringTimeoutMs: 30_000,
    },
    {
      onProgress: () => undefined,
      onAnswered: ({ sdp }) => {
        const answer = acceptAnswer(offer, parseSdp(sdp));
        if (answer.ok) leg.start(answer.media);
        answered.resolve();
      },
      onEnded: (end) => answered.reject(new Error(`call ${index} ended: ${end.status ?? end.cause}`)),
    },
  );
  await answered.promise;
}

/** INVITEs at a rate, each from a caller who does not acknowledge and does not repeat. */
async function flood() {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 * 1024 * 1024);
  const { port } = socket.address();
  const sentMs: number[] = [];
  const answered = new Set<number>();
  const latency = new Histogram(0.5, 4000);
  let others = 0;
  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    const id = Number(/Call-ID: flood-(\d+)/.exec(text)?.[1] ?? -1);
    if (id < 0 || answered.has(id)) return;
    answered.add(id);
    if (!text.startsWith('SIP/2.0 503 ') || !/Retry-After: \d/.test(text)) others++;
    latency.add(performance.now() - (sentMs[id] ?? 0));
  });
  const startMs = performance.now();
  const total = order.rate * order.seconds;
  while (sentMs.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * order.rate));
    while (sentMs.length < due) {
      const id = sentMs.length;
      sentMs.push(performance.now());
      socket.send(inviteOf(id, port), order.port, HOST);
    }
    await delay(BURST_MS);
  }
  await delay(SETTLE_MS);
  socket.close();
  return {
    sent: total,
    refused: answered.size - others,
    others,
    p50Ms: latency.percentileMs(0.5),
    p99Ms: latency.percentileMs(0.99),
  };
}

function inviteOf(id: number, port: number): string {
  const body =
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n';
  return [
    `INVITE sip:${order.to}@${HOST}:${order.port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${HOST}:${port};branch=z9hG4bKflood${id};rport`,
    'Max-Forwards: 70',
    `From: <sip:+8613900000000@${HOST}>;tag=f${id}`,
    `To: <sip:${order.to}@${HOST}>`,
    `Call-ID: flood-${id}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:f@${HOST}:${port}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
