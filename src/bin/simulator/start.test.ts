import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import type { SimulatorSettings } from './protocol.ts';
import { Terminal } from '../cli/terminal.ts';
import { startSimulatorBeside, withSimulatorTrunk } from './beside.ts';
import { startSimulator } from './start.ts';

function settings(home: string, more: Partial<SimulatorSettings> = {}): SimulatorSettings {
  return {
    bind: { address: '127.0.0.1', port: 0 },
    rtp: { first: 40_000, last: 47_999 },
    seed: 1,
    pace: 0.1,
    logFile: path.join(home, 'calls.jsonl'),
    voiceDirectory: path.join(home, 'voice'),
    announcementsDirectory: undefined,
    scriptKey: 'none',
    logLevel: 'silent',
    ...more,
  };
}

test('a simulator that cannot start says why and is gone', { timeout: 60_000 }, async () => {
  const home = scratchDirectory();
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const { port } = socket.address();
  await expect(startSimulator(settings(home, { bind: { address: '127.0.0.1', port } }))).rejects.toMatchObject({
    code: 'unavailable',
    text: { en: expect.stringContaining(`${port}`) as string },
  });
  writeFileSync(path.join(home, 'file'), '');
  await expect(
    startSimulator(settings(home, { logFile: path.join(home, 'file', 'calls.jsonl') })),
  ).rejects.toMatchObject({ text: { zh: expect.stringContaining('目录') as string } });
});

test('a start that is aborted ends the child', { timeout: 60_000 }, async () => {
  const abort = new AbortController();
  const starting = startSimulator(settings(scratchDirectory(), { scriptKey: 'credit-card-reminder' }), {
    signal: abort.signal,
    onWarming: () => abort.abort(),
  });
  await expect(starting).rejects.toMatchObject({ code: 'aborted' });
});

test('one that starts beside a platform which fails first is given up', { timeout: 60_000 }, async () => {
  const data = scratchDirectory();
  const simulator = startSimulatorBeside({
    data,
    port: 0,
    seed: 1,
    logLevel: 'silent',
    terminal: new Terminal('en'),
    signal: new AbortController().signal,
  });
  await simulator.close();
  await expect(simulator.started).rejects.toMatchObject({ code: 'aborted' });
  await expect(withSimulatorTrunk([], simulator)).rejects.toMatchObject({ code: 'aborted' });
  await simulator.close();
});
