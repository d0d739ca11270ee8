import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import type { TrunkSummary } from '#domain/api.ts';
import { jsonOf, serveIn, simulatedTrunk } from '../support/simulated-trunk.ts';
import { expectGone, openScratchDirectory, waihu } from '../support/waihu-process.ts';

// Every process loads the whole platform.
vi.setConfig({ testTimeout: 120_000 });

test.skipIf(process.platform !== 'linux')(
  'trunks are listed with how they fare, and nobody on the suppression list is called to test one',
  async () => {
    const home = openScratchDirectory();
    const { simulator, data, log } = await simulatedTrunk(home, { seed: 5, pace: 0.15 });
    const number = '16400000001';
    const dial = (...more: string[]) => waihu(['trunk', 'test', 'carrier', '--call', number, ...more], { cwd: home });
    const called = (): boolean => readFileSync(log, 'utf8').includes('"invite"');

    // The announcements' directory is there, the server is not: nobody knows the list.
    const unasked = await dial();
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toMatch(/No server runs .* --yes if the number is your own/);
    expect(called()).toBe(false);

    const server = await serveIn(home);
    // Two probes that are answered, 5 s apart.
    const reachable = async () =>
      (await jsonOf<readonly TrunkSummary[]>(home, ['trunk', 'list']))[0]?.state?.servers[0]?.reachable;
    await expect.poll(reachable, { timeout: 60_000, interval: 1_000 }).toBe('up');
    const listed = await waihu(['trunk', 'list'], { cwd: home });
    expect(listed.stdout).toMatch(/^trunk +state +calls +channels +servers$/m);
    expect(listed.stdout).toMatch(/^carrier +takes calls +0 +100 +sip:127\.0\.0\.1:\d+ up$/m);
    const { url, token } = JSON.parse(readFileSync(path.join(data, 'server.json'), 'utf8')) as Record<string, string>;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ phone: number });
    expect((await fetch(`${url}/api/suppressions`, { method: 'POST', headers, body })).status).toBe(201);
    for (const more of [[], ['--yes']]) {
      const refused = await dial(...more);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/on the suppression list and must not be called/);
    }
    expect(called()).toBe(false);

    server.signal('SIGTERM');
    await server.exited;
    simulator.signal('SIGINT');
    await simulator.exited;
    await expectGone([data, server.mark, simulator.mark]);
  },
);
