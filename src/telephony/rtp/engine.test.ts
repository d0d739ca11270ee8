import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { afterEach, expect, test } from 'vitest';
import type { NegotiatedMedia } from '../sdp/media.ts';
import { MediaEngine, type LegHandlers } from './engine.ts';

const HOST = '127.0.0.1';
const engines: MediaEngine[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

async function openEngine(first: number, last: number): Promise<MediaEngine> {
  const engine = await MediaEngine.open({ clock: systemClock, log: silentLog, address: HOST, ports: { first, last } });
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
  const engine = await openEngine(42000, 42040);
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
  expect(stats).toMatchObject({ codec: 'PCMA', packetsLost: 0 });
});
