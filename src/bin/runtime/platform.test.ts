import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import { loadConfig } from '#platform/config/config.ts';
import { AppError } from '#platform/error.ts';
import { silentLog } from '#platform/log.ts';
import { expectGone, openScratchDirectory } from '../../../test/support/waihu-process.ts';
import { openPlatform } from './platform.ts';

async function configOf(dataDirectory: string, httpPort: number) {
  return loadConfig({
    env: {},
    flags: { dataDirectory, 'http.port': httpPort, 'sip.port': 0, 'rtp.workers': 1, 'log.level': 'silent' },
  });
}

test.skipIf(process.platform !== 'linux')(
  'a platform that fails at its last step leaves nothing running and nothing locked',
  async () => {
    const data = path.join(openScratchDirectory(), 'data');
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const common = {
      clock: systemClock,
      log: silentLog,
      trunks: [],
      consoleDirectory: undefined,
      version: '0.0.0',
    };
    await expect(openPlatform({ ...common, config: await configOf(data, port) })).rejects.toMatchObject({
      code: 'port-in-use',
    });
    await expectGone([data]);
    blocker.close();

    // The same directory opens right afterwards; an aborted start gives it back too, and one whose simulator fails meanwhile.
    await expect(
      openPlatform({ ...common, config: await configOf(data, 0), signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'aborted' });
    const trunks = async () => Promise.reject(new AppError('unavailable', { zh: '没有启动', en: 'did not start' }));
    await expect(openPlatform({ ...common, config: await configOf(data, 0), trunks })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expectGone([data]);
    const platform = await openPlatform({ ...common, config: await configOf(data, 0) });
    onTestFinished(() => platform.close('test ended'));
    expect((await fetch(`${platform.url}/api/health`)).status).toBe(200);
    await Promise.all([platform.close('once'), platform.close('twice')]);
    await expectGone([data]);
  },
);
