import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '#platform/log.ts';
import { synthesizerConformance } from '../../../test/conformance/synthesizer.ts';
import { EspeakSynthesizer } from './espeak.ts';

synthesizerConformance('espeak-ng', () => new EspeakSynthesizer({ log: silentLog }), ['zh-female', 'zh-male-2']);

const opened: EspeakSynthesizer[] = [];
afterEach(() => {
  for (const engine of opened.splice(0)) engine.close();
});

function open(options: Partial<ConstructorParameters<typeof EspeakSynthesizer>[0]> = {}): EspeakSynthesizer {
  const engine = new EspeakSynthesizer({ log: silentLog, ...options });
  opened.push(engine);
  return engine;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (!alive(pid)) resolve();
  }, 10);
  await promise;
  clearInterval(timer);
}

const zh = { voice: 'zh-female', language: 'zh' } as const;

describe('the espeak-ng process', () => {
  it('starts again after a crash and finishes the text that was under way', async () => {
    const engine = open();
    await engine.synthesize('你好', zh);
    const first = engine.pid!;
    const work = engine.synthesize('这句话说到一半'.repeat(30), zh);
    process.kill(first, 'SIGKILL');
    expect((await work).length).toBeGreaterThan(8000);
    expect(engine.pid).not.toBe(first);
  });

  it('ends when its parent is killed', async () => {
    const file = fileURLToPath(new URL('./espeak.ts', import.meta.url));
    const program = `
      import { EspeakSynthesizer } from ${JSON.stringify(file)};
      const nothing = () => undefined;
      const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => log };
      const engine = new EspeakSynthesizer({ log });
      await engine.synthesize('你好', { voice: 'female', language: 'zh' });
      process.stdout.write(String(engine.pid));
      setInterval(nothing, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await gone(pid);
    expect(alive(pid)).toBe(false);
  });

  it('ends with close', async () => {
    const engine = open();
    await engine.synthesize('你好', zh);
    const pid = engine.pid!;
    expect(alive(pid)).toBe(true);
    engine.close();
    await gone(pid);
  });

  it('fails all that waits when the engine cannot start', async () => {
    const engine = open({ hostFile: join(tmpdir(), 'no-such-host.mjs') });
    const results = await Promise.allSettled(['一', '二', '三'].map((text) => engine.synthesize(text, zh)));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  });

  it('refuses a text that ends the engine twice and a text that it never answers, and goes on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'espeak-host-'));
    const hostFile = join(directory, 'host.mjs');
    writeFileSync(
      hostFile,
      `process.on('disconnect', () => process.exit(0));
       process.on('message', ({ id, text }) => {
         if (text === 'crash') process.exit(3);
         if (text !== 'silent') process.send({ type: 'speech', id, pcm: new Int16Array(8) });
       });
       process.send({ type: 'ready' });`,
    );
    const engine = open({ hostFile, requestTimeoutMs: 1500 });
    const en = { voice: 'female', language: 'en' } as const;
    const results = await Promise.allSettled(['crash', 'silent', 'fine'].map((text) => engine.synthesize(text, en)));
    expect(results).toMatchObject([
      { status: 'rejected', reason: { code: 'unavailable', retryable: true } },
      { status: 'rejected', reason: { code: 'timeout', retryable: true } },
      { status: 'fulfilled', value: new Int16Array(8) },
    ]);
    rmSync(directory, { recursive: true });
  });
});
