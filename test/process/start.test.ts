import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isOpenToAll } from '#platform/db/data-directory.ts';
import { scratchDirectory } from '../support/scratch.ts';
import {
  discardRootCluster,
  expectGone,
  openScratchDirectory,
  processesOf,
  rootClusterHome,
  waihu,
  WaihuProcess,
} from '../support/waihu-process.ts';

// Every process loads the whole platform, which takes seconds on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

const ROOT = process.getuid?.() === 0;
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** A server without simulator on free ports. */
function quiet(data: string): string[] {
  const settings = ['--set', 'simulator.enabled=false', '--set', 'rtp.workers=1', '--log-level', 'warn'];
  return ['--data-directory', data, '--http-port', '0', '--sip-port', '0', ...settings];
}

/** One sentence and no stack trace, nothing on standard output. */
function expectOneSentence(result: { readonly stdout: string; readonly stderr: string }, pattern: RegExp): void {
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(pattern);
  expect(result.stderr).not.toMatch(/\n\s+at |fault; please report/);
}

describe('what is in the way is said in one sentence before anything is made', { concurrent: false }, () => {
  test('ports in use', async () => {
    const home = openScratchDirectory();
    const data = path.join(home, 'data');
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    onTestFinished(() => {
      tcp.close();
      udp.close();
    });
    const http = (tcp.address() as AddressInfo).port;
    const sip = udp.address().port;
    const base = ['serve', '--data-directory', data];
    for (const [flags, pattern] of [
      [['--http-port', `${http}`, '--sip-port', '0'], /^Port 127\.0\.0\.1:\d+\/tcp is in use.*--http-port\.$/m],
      [['--http-port', '0', '--sip-port', `${sip}`], /^Port 127\.0\.0\.1:\d+\/udp is in use.*--sip-port\.$/m],
      [
        ['--http-port', '0', '--sip-port', '0', '--set', `simulator.port=${sip}`],
        /^Port .* in use.*--set simulator\.port=/m,
      ],
    ] as const) {
      const result = await waihu([...base, ...flags]);
      expect(result.code).toBe(1);
      expectOneSentence(result, pattern);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
    }
    expect(existsSync(data)).toBe(false);
    const chinese = await waihu([...base, '--http-port', `${http}`, '--sip-port', '0'], { language: 'zh' });
    expectOneSentence(chinese, /^端口 .*已被占用：.*--http-port/);
    const simulate = await waihu(['simulate', '--port', `${sip}`]);
    expect(simulate.code).toBe(1);
    expectOneSentence(simulate, /^Port .*in use.*--port\.$/m);
  });

  test('a wrong configuration, all problems at once and each once', async () => {
    const result = await waihu(['serve', '--http-port', 'many', '--set', 'nothing=1', '--sip-port', '70000']);
    expect(result.code).toBe(2);
    expectOneSentence(result, /has 3 problem/);
    for (const setting of ['http.port', 'nothing', 'sip.port'])
      expect(result.stderr.split(`${setting}:`)).toHaveLength(2);
    expect((await waihu(['serve', '--config', 'absent.toml'])).code).toBe(2);
  });

  test('wrong use, in the language of the user', async () => {
    const chinese = await waihu(['start', '--colour'], { language: 'zh' });
    expect(chinese.code).toBe(2);
    expectOneSentence(chinese, /^没有选项 --colour。/);
    const english = await waihu(['simulate', '--pace', 'fast']);
    expect(english.code).toBe(2);
    expectOneSentence(english, /is not a number/);
  });

  test('a data directory that is a file', async () => {
    const file = path.join(scratchDirectory(), 'data');
    writeFileSync(file, '');
    const result = await waihu(['serve', ...quiet(file)]);
    expect(result.code).toBe(1);
    expectOneSentence(result, /is not a directory.*--data-directory/);
  });

  test('a data directory that may only be read', async ({ skip }) => {
    if (ROOT && !(await isOpenToAll(path.join(CHECKOUT, 'src'))))
      skip('only root may read this checkout, so no other user can run it');
    const data = path.join(openScratchDirectory(), 'data');
    mkdirSync(data);
    chmodSync(data, 0o555);
    const result = await waihu(['serve', ...quiet(data)], ROOT ? { uid: 65_534, cwd: '/' } : {});
    expect(result.code).toBe(1);
    expectOneSentence(result, /may not be written.*--data-directory/);
    expect(readdirSync(data)).toEqual([]);
  });

  test('a full disk', async ({ skip }) => {
    if (!ROOT) skip('only root can mount a small disk');
    const data = path.join(openScratchDirectory(), 'data');
    mkdirSync(data);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', data], { stdio: 'ignore' });
    } catch {
      skip('this machine does not let root mount a disk');
    }
    onTestFinished(() => void execFileSync('umount', [data]));
    const result = await waihu(['serve', ...quiet(data)]);
    expect(result.code).toBe(1);
    expectOneSentence(result, /less than 200 MB/);
    expect(readdirSync(data)).toEqual([]);
  });
});

test.skipIf(process.platform !== 'linux')(
  'a server starts, refuses a second one beside it, stops without a trace and starts again',
  async () => {
    const data = path.join(openScratchDirectory(), 'data');
    const first = new WaihuProcess(['serve', ...quiet(data)]);
    await first.says(/Administrator: admin {2}password: \S{16}\n/);
    const [, url] = await first.says(/^Console: (\S+) \(Ctrl-C stops\)$/m);
    const second = await waihu(['serve', ...quiet(data)]);
    expect(second.code).toBe(1);
    expectOneSentence(second, new RegExp(`runs on this data directory already.*${url}`));

    first.signal('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(first.stderr).toMatch(/Stopped: calls are hung up, the database is closed\.\n$/);
    await expectGone([data, first.mark]);
    expect(readdirSync(data)).not.toContain('server.json');
    expect(readdirSync(data)).not.toContain('waihu.lock');

    // Flags may come before the command too.
    const again = new WaihuProcess([...quiet(data), 'serve']);
    await again.says(/Ctrl-C stops/);
    expect(again.stderr).not.toContain('password');
    again.signal('SIGINT');
    expect(await again.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, again.mark]);
  },
);

test.skipIf(process.platform !== 'linux')('a start that is stopped at any moment ends politely', async () => {
  const data = path.join(openScratchDirectory(), 'data');
  const settings = ['--data-directory', data, '--http-port', '0', '--sip-port', '0', '--set', 'simulator.port=0'];
  for (const [more, moment] of [
    [[], /Starting …/],
    [[], /Preparing the simulated carrier \d{2}\//],
    [['--set', 'simulator.enabled=false'], /Starting …/],
  ] as const) {
    const process = new WaihuProcess(['start', '--no-sample', ...settings, ...more]);
    await process.says(moment);
    process.signal('SIGINT');
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(process.stderr).toMatch(/(cancelled; nothing is left running|Stopped: calls are hung up)/);
    await expectGone([data, process.mark]);
  }
});

test.skipIf(process.platform !== 'linux')('a second signal ends at once what cannot end politely', async () => {
  const data = path.join(openScratchDirectory(), 'data');
  const server = new WaihuProcess(['serve', ...quiet(data)]);
  await server.says(/Ctrl-C stops/);
  const database = Number(readFileSync(path.join(data, 'postgresql/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(database, 'SIGSTOP');
  server.signal('SIGINT');
  await server.says(/Stopping/);
  // Copies of one Ctrl-C arrive within a second and count once.
  await delay(1100);
  expect(server.ended).toBe(false);
  server.signal('SIGINT');
  expect(await server.exited).toEqual({ code: 130, signal: null });
});

test.skipIf(process.platform !== 'linux')('the children end with a parent that is killed', async () => {
  const data = path.join(openScratchDirectory(), 'data');
  const flags = ['--data-directory', data, '--http-port', '0', '--sip-port', '0', '--set', 'simulator.port=0'];
  const server = new WaihuProcess(['start', '--no-sample', ...flags]);
  await server.says(/Ctrl-C stops/);
  expect(processesOf([server.mark]).length).toBeGreaterThanOrEqual(3);
  process.kill(server.pid, 'SIGKILL');
  await server.exited;
  await expectGone([server.mark]);
});

test.skipIf(!ROOT)('root with a data directory that only root may enter [root only]', async () => {
  const data = path.join(scratchDirectory(), 'data');
  discardRootCluster(data);
  const server = new WaihuProcess(['serve', ...quiet(data)]);
  await server.says(/Ctrl-C stops/);
  expect(existsSync(path.join(rootClusterHome(data), 'cluster', 'PG_VERSION'))).toBe(true);
  server.signal('SIGTERM');
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await expectGone([data, rootClusterHome(data), server.mark]);
});
