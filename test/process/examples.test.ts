import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';

/** Runs an example; `output` grows until `ended` tells its exit status. */
function start(name: string, words: readonly string[]) {
  const file = fileURLToPath(new URL(`../../examples/telephony/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const run = { output: '', ended: new Promise<number | null>((resolve) => child.on('close', resolve)) };
  const spoken = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      run.output += chunk.toString();
      spoken.resolve();
    });
  return { run, spoken: spoken.promise };
}

it('the telephony examples talk to each other', { timeout: 60_000 }, async () => {
  const port = String(await freePort());
  const echo = start('answer-calls', ['--port', port, '--once']);
  await echo.spoken;
  const caller = start('place-call', [`sip:echo@127.0.0.1:${port}`, '--seconds', '1', '--hz', '400']);
  expect({ status: await caller.run.ended, output: caller.run.output }).toMatchObject({ status: 0 });
  expect(caller.run.output).toMatch(/已接通，编码 PCMA\nAnswered, codec PCMA\n/);
  expect(caller.run.output).toMatch(/Text: 你好 hello/);
  expect(caller.run.output).toMatch(/Ended: bye/);
  // A second of it, less the way there and back and the jitter buffers.
  expect(Number(/(\d+) of them our own tone/.exec(caller.run.output)?.[1])).toBeGreaterThan(15);
  expect({ status: await echo.run.ended, output: echo.run.output }).toMatchObject({ status: 0 });
  expect(echo.run.output).toMatch(/Call over \(BYE received\): \d+ packets in, 0 lost/);
});

it('an example says what is wrong in both languages', async () => {
  const nobody = start('place-call', []);
  expect(await nobody.run.ended).toBe(2);
  expect(nobody.run.output).toMatch(/缺少被叫地址.*\nNo address to call/);
  const wrong = start('place-call', ['sip:1@']);
  expect(await wrong.run.ended).toBe(1);
  expect(wrong.run.output).toMatch(/被叫地址不是有效的 SIP URI。\nThe target is not a valid SIP URI\./);
});
