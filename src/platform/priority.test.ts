import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('media priority (root on Linux only)', () => {
  it('holds for the thread that asked and for no other', async () => {
    const before = getPriority();
    const source = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(new URL('./priority.ts', import.meta.url).href)}).then(({ raiseThreadPriority }) => {
        const log = { debug() {} };
        parentPort.postMessage([raiseThreadPriority(log), require('node:os').getPriority()]);
      });`;
    const worker = new Worker(source, { eval: true });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    // A container may refuse even root; then nothing changes anywhere.
    expect([
      [true, -10],
      [false, before],
    ]).toContainEqual(answer);
    expect(getPriority()).toBe(before);
  });

  it.skipIf(!existsSync('/proc/self/autogroup'))(
    'holds for the session, where the system groups by session',
    async () => {
      const source = `
      import { readFileSync } from 'node:fs';
      const { raiseThreadPriority } = await import(${JSON.stringify(new URL('./priority.ts', import.meta.url).href)});
      const raised = raiseThreadPriority({ debug() {} });
      console.log(raised, readFileSync('/proc/self/autogroup', 'utf8').trim());`;
      // A session of its own, so that this one keeps its place.
      const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { detached: true });
      const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
      expect(said).toMatch(/^(true \/autogroup-\d+ nice -10|false .*)\n$/);
    },
  );
});
