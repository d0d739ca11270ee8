import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AttemptId } from '#domain/ids.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { scratchDirectory } from '../../test/support/scratch.ts';
import { EarlyMedia, EarlyMediaShelf } from './early-media.ts';

const DAY = new Date('2026-11-25T08:00:00Z');
const call = (): AttemptId => newId<'attempt'>(DAY);

function media(frames: number): EarlyMedia {
  const heard = new EarlyMedia();
  for (let i = 0; i < frames; i++) heard.push(new Uint8Array(160).fill(i % 256));
  return heard;
}

test('early media is a WAV of what came, and of no more than 25 seconds', () => {
  const wav = Buffer.from(media(300).wav('PCMU'));
  expect(wav.readUInt16LE(20)).toBe(7);
  expect(wav.readUInt32LE(54)).toBe(300 * 160);
  expect(wav.length).toBe(58 + 300 * 160);
  expect([wav[58], wav[58 + 299 * 160]]).toEqual([0, 299 % 256]);
  expect(media(2000).wav('PCMA').length).toBe(58 + 1250 * 160);
});

test('a shelf keeps so many a day, also after a restart, and begins anew the next day', async () => {
  const directory = scratchDirectory();
  const open = () => new EarlyMediaShelf({ directory, perDay: 2, log: silentLog });
  const first = open();
  const kept = call();
  await first.keep(kept, DAY, media(100), 'PCMA');
  await first.keep(call(), DAY, media(100), 'PCMA');
  await first.keep(call(), DAY, media(100), 'PCMA');
  await open().keep(call(), DAY, media(100), 'PCMA');
  expect(readdirSync(join(directory, '2026-11-25'))).toHaveLength(2);
  expect(readFileSync(join(directory, '2026-11-25', `${kept}.wav`)).length).toBe(58 + 100 * 160);
  await first.keep(call(), new Date('2026-11-26T08:00:00Z'), media(1), 'PCMA');
  expect(readdirSync(join(directory, '2026-11-26'))).toHaveLength(1);
});

test('a shelf that cannot write leaves the call alone', async () => {
  const directory = scratchDirectory();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '2026-11-25'), 'not a folder');
  const shelf = new EarlyMediaShelf({ directory, perDay: 2, log: silentLog });
  await expect(shelf.keep(call(), DAY, media(1), 'PCMA')).resolves.toBeUndefined();
});
