import { expect, test } from 'vitest';
import { wavOf } from '#voice/wav-file.ts';
import { readSoundFile } from './sound-file.ts';

const TONE = Int16Array.from({ length: 800 }, (_, i) => 8000 * Math.sin(i / 3));

/** The tone as a file, with fields of its header changed: offset, octets, value. */
function changed(...fields: (readonly [number, 2 | 4, number])[]): Buffer {
  const bytes = Buffer.from(wavOf(TONE));
  for (const [at, octets, value] of fields) bytes.writeUIntLE(value, at, octets);
  return bytes;
}

test('mono and stereo are read as they are, and a length that lies ends with the file', () => {
  expect(readSoundFile(changed()).channels).toEqual([TONE]);
  expect(readSoundFile(changed([40, 4, 0xffff_ffff])).channels).toEqual([TONE]);
  const [left, right] = readSoundFile(changed([22, 2, 2])).channels;
  expect([left!.length, right!.length]).toEqual([400, 400]);
  expect([...left!.subarray(0, 2), ...right!.subarray(0, 2)]).toEqual([TONE[0], TONE[2], TONE[1], TONE[3]]);
});

test.each([
  ['channels beyond two', changed([22, 2, 0xffff]), '65535 channels'],
  ['no channel', changed([22, 2, 0]), '0 channels'],
  ['a sample rate that would blow the sound up', changed([24, 4, 1]), '1 Hz'],
  ['an encoding that nobody knows', changed([20, 2, 0x55]), 'encoding is 85'],
  [
    'a chunk before the samples that reaches beyond the file',
    changed([36, 4, 0x4b4e_554a], [40, 4, 0xffff_ffff]),
    'no audio data',
  ],
  ['a file that ends in its header', changed().subarray(0, 30), 'no audio data'],
  ['something else', Buffer.from('RIFF'), 'not a WAV file'],
])('%s is refused', (_, bytes, why) => {
  expect(() => readSoundFile(bytes)).toThrow(why);
});

test('what is too long is refused before it is decoded', () => {
  // Twelve minutes of A-law at 8 kHz: the samples would take eight times as much memory as the file.
  const bytes = Buffer.concat([
    changed([20, 2, 6], [34, 2, 8], [40, 4, 0xffff_ffff]).subarray(0, 44),
    Buffer.alloc(5_760_000),
  ]);
  expect(() => readSoundFile(bytes)).toThrow('longer than ten minutes');
});
