import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Health } from '#domain/api.ts';
import { readServerFile } from '#bin/runtime/server-file.ts';
import { openCaller, type TestCaller } from '../support/caller.ts';
import { freePort } from '../support/free-port.ts';
import { expectGone, openScratchDirectory, WaihuProcess } from '../support/waihu-process.ts';

vi.setConfig({ testTimeout: 120_000 });

const OWN = '+862155550000';

/** A server that people may call, and somebody who does. */
async function served(limitSeconds: number, rtp: number) {
  const home = openScratchDirectory();
  const data = path.join(home, 'data');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  writeFileSync(
    path.join(home, 'waihu.toml'),
    `[sip]\nport = ${port}\n[drain]\nlimitSeconds = ${limitSeconds}\n[rtp]\nworkers = 1\nfirstPort = ${rtp}\nlastPort = ${rtp + 99}\n[simulator]\nenabled = false\n[[trunks]]\nname = "carrier"\nhost = "127.0.0.1"\ncallerNumbers = ["${OWN}"]\n`,
  );
  const flags = ['--data-directory', data, '--http-port', '0', '--log-level', 'warn'];
  const server = new WaihuProcess(['serve', ...flags], { cwd: home });
  await server.says(/(控制台|Console).*Ctrl-C/);
  const caller = await openCaller({ rtp: { first: rtp + 100, last: rtp + 199 } });
  onTestFinished(() => caller.close());
  let talk = await callIn(caller, port);
  // A machine that has just started all this may be too busy for a call at first, and says so.
  while (!(await Promise.race([talk.answered.then(() => true), talk.ended.then(() => false)])))
    talk = await callIn(caller, port);
  return { server, data, home, talk, call: () => callIn(caller, port) };
}

function callIn(caller: TestCaller, port: number) {
  return caller.call({ port }, { from: '+8613800000002', to: OWN });
}

test.skipIf(process.platform !== 'linux')(
  'SIGTERM lets the call go on that is there, sends new ones away, and ends with the last one',
  async () => {
    const { server, data, talk, call } = await served(60, 29_000);
    const { url, token } = readServerFile(data)!;
    server.signal('SIGTERM');
    await server.says(/(等待 1 通电话|waiting for 1 calls)/);
    expect(await (await call()).ended).toMatchObject({ status: 503 });
    const authorization = `Bearer ${token}`;
    const health = (await (await fetch(`${url}/api/health`, { headers: { authorization } })).json()) as Health;
    expect(health).toMatchObject({ status: 'draining', refuses: 'draining', calls: 1 });
    talk.sip.hangup();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, server.mark]);
  },
);

test.skipIf(process.platform !== 'linux')(
  'waihu drain hangs up what is left after the limit, with a reason, and waits until the server is gone',
  async () => {
    const { server, data, home, talk } = await served(2, 29_200);
    const drain = new WaihuProcess(['drain', '--data-directory', data], { cwd: home });
    await server.says(/(等待 1 通电话|waiting for 1 calls)/);
    expect(await talk.ended).toMatchObject({ by: 'callee', cause: 'bye', reason: expect.stringContaining('Q.850') });
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await drain.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, server.mark]);
  },
);
