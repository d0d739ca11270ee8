import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Bridge } from '#calls/bridge/bridge.ts';
import type { PartyRole } from '#calls/bridge/roles.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { printFigure } from './figure.ts';
import type { FromGenerator, ToGenerator } from './media-protocol.ts';

const HOST = '127.0.0.1';
const FIRST_PORT = 20_000;
const WARM_UP_MS = 2000;

/** Who takes part in each bridged call, and what is measured by that. */
const MODES: Readonly<Record<string, readonly (readonly [PartyRole, G711Codec])[]>> = {
  relay: [
    ['callee', 'PCMA'],
    ['agent', 'PCMA'],
  ],
  transcode: [
    ['callee', 'PCMA'],
    ['agent', 'PCMU'],
  ],
  mix: [
    ['callee', 'PCMA'],
    ['agent', 'PCMA'],
    ['barge', 'PCMA'],
  ],
};

/**
 * Processor time of bridged calls on one engine of this process, against a generator in a process of its own: two legs
 * relayed, two legs in two laws, three legs mixed; each beside as many legs that only send their own audio back.
 * `--pairs`, `--seconds`. Prints one JSON line a figure.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { pairs: { type: 'string', default: '100' }, seconds: { type: 'string', default: '8' } },
  });
  const pairs = Number(values.pairs);
  const seconds = Number(values.seconds);
  if (!Number.isInteger(pairs) || pairs < 1 || !Number.isInteger(seconds) || seconds < 1)
    throw new RangeError('--pairs and --seconds take whole numbers from 1 on');
  for (const [mode, parties] of Object.entries(MODES)) {
    const alone = await measure(pairs, seconds, parties, false);
    const bridged = await measure(pairs, seconds, parties, true);
    const figure = (name: string, value: number, unit: string): void =>
      printFigure({ bench: 'bridge', figure: `${mode}: ${name}`, value, unit });
    // A frame, because a machine with other work gives frames up; a call has 50 a second and leg.
    figure('CPU a frame, bridged', bridged.frameUs, 'µs');
    figure('CPU a frame of the same legs unbridged', alone.frameUs, 'µs');
    figure('CPU a bridged call', (bridged.frameUs * 50 * parties.length) / 1000, '1/1000 core');
    figure('CPU of the bridge alone a frame', bridgeUs(parties), 'µs');
    figure('frames given up', bridged.framesDropped, 'frames');
    figure('frames on their way untouched', bridged.relayed, 'share');
  }
}

async function measure(
  pairs: number,
  seconds: number,
  parties: readonly (readonly [PartyRole, G711Codec])[],
  bridged: boolean,
): Promise<{ readonly frameUs: number; readonly framesDropped: number; readonly relayed: number }> {
  const generator = fork(path.join(import.meta.dirname, 'media-generator.ts'));
  const legs: MediaLeg[] = [];
  let frames = 0;
  const ports = { first: FIRST_PORT, last: FIRST_PORT + pairs * parties.length * 4 + 99 };
  const engine = await MediaEngine.open({ clock: systemClock, log: silentLog, address: HOST, ports });
  try {
    const opened = await ask(generator, { type: 'open', calls: pairs * parties.length, srtp: false }, 'opened');
    const bridges: Bridge[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const bridge = new Bridge();
      if (bridged) bridges.push(bridge);
      for (const [role, codec] of parties) {
        if (bridged) bridge.set(role, role);
        const leg = await engine.openLeg({
          onFrame(rx, tx) {
            frames++;
            if (!bridged) {
              tx.set(rx.payload);
              return;
            }
            bridge.speak(role, codec, rx.payload, rx.kind !== 'none');
            bridge.listen(role, codec, tx);
          },
          onText: () => undefined,
          onDtmf: () => undefined,
        });
        const remotePort = opened.ports[legs.length]!;
        leg.start({
          audio: {
            codec,
            payloadType: codec === 'PCMA' ? 8 : 0,
            dtmfPayloadType: 101,
            ptimeMs: 20,
            remoteAddress: HOST,
            remotePort,
            remoteRtcpPort: remotePort + 1,
            direction: 'sendrecv',
          },
          text: undefined,
        });
        legs.push(leg);
      }
    }
    generator.send({
      type: 'send',
      ports: legs.map(({ audioPort }) => audioPort),
      beginsMs: legs.map(() => 0),
    } satisfies ToGenerator);
    await delay(WARM_UP_MS);
    const cpuStart = process.cpuUsage();
    const framesBefore = frames;
    const { framesDropped } = engine.load();
    await delay(seconds * 1000);
    const cpu = process.cpuUsage(cpuStart);
    const frameUs = (cpu.user + cpu.system) / Math.max(1, frames - framesBefore);
    const counts = bridges.map((bridge) => bridge.counts);
    const relayed = counts.reduce((sum, one) => sum + one.relayed, 0);
    const all = counts.reduce((sum, one) => sum + one.relayed + one.transcoded + one.mixed, 0);
    await ask(generator, { type: 'stop' }, 'stopped');
    return {
      frameUs,
      framesDropped: engine.load().framesDropped - framesDropped,
      relayed: relayed / Math.max(1, all),
    };
  } finally {
    await engine.close();
    generator.kill();
  }
}

/** Processor time of speaking and listening a frame, without sockets. */
function bridgeUs(parties: readonly (readonly [PartyRole, G711Codec])[]): number {
  const bridge = new Bridge();
  for (const [role] of parties) bridge.set(role, role);
  const payload = Uint8Array.from({ length: 160 }, (_, i) => (i * 37) & 0xff);
  const tx = new Uint8Array(160);
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++)
      for (const [role, codec] of parties) {
        bridge.speak(role, codec, payload);
        bridge.listen(role, codec, tx);
      }
  };
  rounds(20_000);
  const start = process.cpuUsage();
  rounds(200_000);
  const cpu = process.cpuUsage(start);
  return (cpu.user + cpu.system) / (200_000 * parties.length);
}

function ask<Type extends FromGenerator['type']>(
  generator: ChildProcess,
  message: ToGenerator,
  type: Type,
): Promise<Extract<FromGenerator, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const take = (answer: FromGenerator): void => {
      if (answer.type !== type) return;
      generator.off('message', take);
      generator.off('exit', gone);
      resolve(answer as Extract<FromGenerator, { type: Type }>);
    };
    const gone = (): void => reject(new Error('the generator is gone'));
    generator.on('message', take);
    generator.once('exit', gone);
    generator.send(message);
  });
}
