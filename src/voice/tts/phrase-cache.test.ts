import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '#platform/error.ts';
import { silentLog } from '#platform/log.ts';
import { decodeG711 } from '../g711.ts';
import { PhraseCache } from './phrase-cache.ts';
import { PhraseStore } from './phrase-store.ts';
import type { Synthesizer } from './synthesizer.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'phrases-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Speaks a text as one sample of 1000 for each character, when told to. */
class ScriptedSynthesizer implements Synthesizer {
  engine = 'scripted-1';
  readonly asked: string[] = [];
  gate: Promise<void> = Promise.resolve();

  async synthesize(text: string): Promise<Int16Array> {
    this.asked.push(text);
    await this.gate;
    if (text === '坏') throw new AppError('unavailable', { zh: '坏了', en: 'broken' });
    return new Int16Array(text.length).fill(1000);
  }

  close(): void {}
}

const a = { voice: 'zh-female', language: 'zh', codec: 'PCMA' } as const;

function open(synthesizer: Synthesizer, options: { memoryBytes?: number; diskBytes?: number } = {}): PhraseCache {
  return new PhraseCache({ synthesizer, log: silentLog, directory, ...options });
}

describe('the phrase cache', () => {
  it('speaks each phrase once, however many ask for it at the same time', async () => {
    const engine = new ScriptedSynthesizer();
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.gate = promise;
    const cache = open(engine);
    const asked = Array.from({ length: 5 }, () => cache.get('您好', a));
    resolve();
    const audio = await Promise.all(asked);
    expect(engine.asked).toEqual(['您好']);
    expect([...decodeG711('PCMA', audio[0]!)].every((sample) => Math.abs(sample - 1000) < 40)).toBe(true);
    expect(cache.stats()).toMatchObject({ synthesised: 1, memoryHits: 4, hitRatio: 0.8 });
    await cache.close();
  });

  it('survives a restart, in both codecs, by engine, voice, language and text', async () => {
    const engine = new ScriptedSynthesizer();
    const before = open(engine);
    await before.get('您好', a);
    await before.close();
    const after = open(engine);
    expect(await after.get('您好', a)).toHaveLength(2);
    const ulaw = await after.get('您好', { ...a, codec: 'PCMU' });
    expect(Math.abs(decodeG711('PCMU', ulaw)[0]! - 1000)).toBeLessThan(40);
    expect(after.stats()).toMatchObject({ diskHits: 2, synthesised: 0 });
    await after.get('您好', { ...a, voice: 'zh-male' });
    await after.get('您好', { ...a, language: 'en' });
    engine.engine = 'scripted-2';
    await after.get('您好', a);
    expect(engine.asked).toHaveLength(4);
    await after.close();
  });

  it('keeps what was used last within its bytes', async () => {
    const engine = new ScriptedSynthesizer();
    const cache = new PhraseCache({ synthesizer: engine, log: silentLog, memoryBytes: 10 });
    for (const text of ['一二三四', '五六七八', '一二三四', '九十']) await cache.get(text, a);
    await cache.get('新的', a);
    expect(cache.stats()).toMatchObject({ memoryBytes: 8, phrases: 3 });
    await cache.get('一二三四', a);
    expect(engine.asked).toEqual(['一二三四', '五六七八', '九十', '新的']);
    await cache.close();
  });

  it('warms what it can, tells how far it is, and counts what fails', async () => {
    const cache = open(new ScriptedSynthesizer());
    const progress: string[] = [];
    const result = await cache.warm(['一', '二', '坏', '一'], a, ({ done, total }) =>
      progress.push(`${done}/${total}`),
    );
    expect(result).toEqual({ failed: 1 });
    expect(progress).toEqual(['1/3', '2/3', '3/3']);
    await expect(cache.get('坏', a)).rejects.toMatchObject({ code: 'unavailable' });
    await cache.close();
  });

  it('goes on speaking when the disk cannot be used', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const cache = new PhraseCache({
      synthesizer: new ScriptedSynthesizer(),
      log: silentLog,
      directory: join(file, 'below'),
    });
    expect(await cache.get('您好', a)).toHaveLength(2);
    await cache.close();
  });

  it('leaves whole files only, none with a name that tells the text', async () => {
    const cache = open(new ScriptedSynthesizer());
    await cache.get('张三先生', a);
    await cache.close();
    const files = readdirSync(directory, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(directory, name)).isFile());
    expect(files).toHaveLength(2);
    for (const name of files) expect(name).toMatch(/^[0-9a-f]{2}[\\/][0-9a-f]{40}\.pcm[au]$/);
  });
});

it('prunes what a crash left unfinished and what was unused for longest', async () => {
  const store = new PhraseStore(directory, 25);
  for (const [index, name] of ['aa1', 'bb2', 'cc3'].entries()) {
    await store.write(name, new Uint8Array(10));
    const { utimesSync } = await import('node:fs');
    utimesSync(join(directory, name.slice(0, 2), name), index, index);
  }
  writeFileSync(join(directory, 'aa', 'aa9.1-0.part'), 'x');
  await store.read('aa1');
  expect(await store.prune()).toEqual({ removed: 2, bytes: 20 });
  expect(await store.read('bb2')).toBeUndefined();
  expect(await store.read('aa1')).toHaveLength(10);
});
