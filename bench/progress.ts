import { parseArgs } from 'node:util';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { loadWebRtcVad } from '#voice/vad/webrtc.ts';
import { answerCases, hearAnswer } from '../test/eval/progress/answerers.ts';
import {
  cutCases,
  lessons,
  musicCases,
  onceCases,
  silenceCases,
  speechCases,
  taughtCases,
  toneCases,
} from '../test/eval/progress/early-media.ts';
import type { EarlyCase } from '../test/eval/progress/early-media.ts';
import { hear, LINES } from '../test/eval/progress/hear.ts';
import { openMaterial } from '../test/eval/progress/material.ts';
import { matrix, recall } from '../test/eval/progress/matrix.ts';
import type { Judged } from '../test/eval/progress/matrix.ts';
import { printFigure } from './figure.ts';

const DEAD = new Set(['taught:invalid-number', 'taught:suspended', 'taught:arrears', 'taught:number-changed']);

/** Call progress and answering machines on a labelled set: figures as JSON, then confusion matrices in Markdown. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      asterisk: { type: 'string', default: '/usr/share/asterisk' },
    },
  });
  const seed = Number(values.seed);
  const material = openMaterial({ seed, asterisk: values.asterisk });
  const wanted = (part: string): boolean => values.only === undefined || values.only.split(',').includes(part);
  const startCpu = process.cpuUsage();
  try {
    const taught = await lessons(material, seed);
    const library = new FingerprintLibrary();
    for (const { label, pcm, name } of taught) library.add(label, pcm, name);
    const sets: readonly (readonly [string, readonly EarlyCase[], number, number])[] = [
      ['tones', toneCases(), 6, 1],
      ['taught', taughtCases(taught), 1, 1],
      ['once', onceCases(taught), 1, 1],
      ['cut', cutCases(taught), 1, 1],
      // Long and many: each over a third of the lines.
      ['speech', await speechCases(material, taught, seed), 1, 3],
      ['music', musicCases(material), 1, 3],
      ['silence', silenceCases(), 1, 1],
    ];
    const heard: EarlyHeard[] = [];
    let turn = seed * 1_000_003;
    for (const [part, cases, times, step] of sets) {
      if (!wanted(part)) continue;
      for (const [index, one] of cases.entries())
        for (let n = index % step; n < LINES.length; n += step)
          for (let i = 0; i < times; i++) {
            const result = hear(one, LINES[n]!, library, turn++);
            heard.push({ ...result, detectorUs: result.detectorMs * 1000 });
          }
    }
    if (heard.length > 0) reportEarly(heard);
    if (wanted('answers')) await reportAnswers(material, seed);
  } finally {
    material.close();
  }
  const { user, system } = process.cpuUsage(startCpu);
  process.stdout.write(
    `\nMaterial: ${material.sources.join('; ')}. Seed ${seed}, ${Math.round((user + system) / 1e6)} s of CPU.\n`,
  );
}

interface EarlyHeard extends Judged {
  readonly name: string;
  readonly guess: string | undefined;
  readonly detectorUs: number;
  readonly frames: number;
}

function reportEarly(heard: readonly EarlyHeard[]): void {
  const figure = (name: string, value: number, unit: string, target?: number, atLeast = false): void =>
    printFigure({ bench: 'progress', figure: name, value, unit, ...(target === undefined ? {} : { target }), atLeast });
  const tones = heard.filter(({ expected }) => !/^taught|^speech|^music|^silence/.test(expected));
  if (tones.length > 0) figure('tones recognised', 100 * recall(tones), '%', 99, true);
  const taught = heard.filter(({ expected }) => expected.startsWith('taught'));
  if (taught.length > 0) {
    figure('taught announcements recognised', 100 * recall(taught), '%');
    figure(
      'taught announcements at 5 % loss',
      100 * recall(taught.filter(({ line }) => line === '5 % loss')),
      '%',
      97,
      true,
    );
    figure('taught announcements at 10 % loss', 100 * recall(taught.filter(({ line }) => line === '10 % loss')), '%');
    figure(
      'taught as another',
      ratio(taught, ({ got, expected }) => got.startsWith('taught') && got !== expected),
      '%',
    );
  }
  const others = heard.filter(({ expected }) => /^speech|^music|^silence/.test(expected));
  if (others.length > 0) {
    figure(
      'false dead number',
      ratio(others, ({ got }) => DEAD.has(got)),
      '%',
      0.1,
    );
    figure(
      'false announcement',
      ratio(others, ({ got }) => got.startsWith('taught')),
      '%',
    );
    figure(
      'announcement guessed at the end of the call',
      ratio(others, ({ guess }) => guess !== undefined),
      '%',
    );
    figure(
      'dead number guessed at the end of the call',
      ratio(others, ({ guess }) => DEAD.has(`taught:${guess}`)),
      '%',
    );
    const wrong = others.filter(({ got, guess }) => got.startsWith('taught') || guess !== undefined);
    for (const { name, line, got, guess } of wrong) process.stderr.write(`${name}; ${line}: ${guess ?? got}\n`);
    figure(
      'music as speech',
      ratio(
        others.filter(({ expected }) => expected === 'music'),
        ({ got }) => got === 'speech',
      ),
      '%',
    );
  }
  const frames = heard.reduce((sum, each) => sum + each.frames, 0);
  figure('detectors', heard.reduce((sum, each) => sum + each.detectorUs, 0) / frames, 'µs of wall a 20 ms frame');
  process.stdout.write(
    `\n${heard.length} pieces of early media\n\n${matrix(heard)}\n\n${matrix(heard, ({ line }) => line)}\n`,
  );
}

async function reportAnswers(material: Parameters<typeof answerCases>[0], seed: number): Promise<void> {
  const openActivity = await loadWebRtcVad();
  const results = (await answerCases(material, seed)).flatMap((one, index) =>
    LINES.filter((_, n) => n % 3 === index % 3).map((line, n) => ({
      ...hearAnswer(one, line, openActivity(), seed * 7919 + index * 13 + n),
    })),
  );
  // Of a person nothing need be said: unknown does no harm.
  const judged = results.map((result) =>
    result.expected === 'human' && result.got === 'unknown' ? { ...result, got: 'human' } : result,
  );
  const humans = judged.filter(({ expected }) => expected === 'human');
  printFigure({
    bench: 'progress',
    figure: 'person taken for a machine',
    value: ratio(humans, ({ got }) => got !== 'human' && got !== 'ivr'),
    unit: '%',
    target: 2,
  });
  const mailboxes = judged.filter(({ expected }) => expected === 'voicemail');
  printFigure({
    bench: 'progress',
    figure: 'mailboxes found by sound alone',
    value: 100 * recall(mailboxes),
    unit: '%',
  });
  process.stdout.write(`\n${judged.length} answers (unknown counts as human for people)\n\n${matrix(judged)}\n`);
}

function ratio<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  return (100 * items.filter(holds).length) / Math.max(1, items.length);
}
