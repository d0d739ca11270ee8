import { getPriority } from 'node:os';
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
});
