import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Every bench is a file `NAME.ts` here that exports `run(args)` and prints one JSON line a figure. */
const BENCHES: Readonly<Record<string, string>> = {
  media: 'concurrent two-way G.711 calls, recorded, VAD and DTMF on: --calls 300 --seconds 20 --workers 2 --srtp',
  codecs: 'cost of a frame in each codec of the wire: --frames 10000',
  setup: 'calls set up and torn down over SIP: --calls 20000 --rate 0 --concurrent 32 --hold 0 --uas sipp',
  bridge: 'two legs relayed or transcoded, three mixed, on one worker: --pairs 100 --seconds 8',
  soak: 'an hour of calls that end in every way, and what is left of them: --calls 300 --seconds 3600 --seed 1 --workers 2',
  overload: 'an INVITE flood beside live calls: --calls 50 --rate 2000 --seconds 10',
  turn: 'last speech sample received to first speech sample sent',
  import: 'contacts from CSV into PostgreSQL: --contacts 200000',
  pacing: 'predictive dialling against other rules',
  progress: 'call progress and answering machines on a labelled set: --seed 1 --only tones,taught,speech,music,answers',
  dialog: 'script turns decided a second',
  understanding: 'accuracy and latency of understanding',
};

interface Bench {
  run(args: readonly string[]): Promise<void>;
}

/** Runs the bench that the first argument names, or lists those that exist. Returns the exit code. */
export async function runBench(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    for (const [known, summary] of Object.entries(BENCHES))
      if (existsSync(benchFile(known))) process.stdout.write(`${known.padEnd(14)} ${summary}\n`);
    return 0;
  }
  if (!Object.hasOwn(BENCHES, name) || !existsSync(benchFile(name))) {
    process.stderr.write(`There is no bench "${name}"; run without a name to list them.\n`);
    return 2;
  }
  const bench = (await import(pathToFileURL(benchFile(name)).href)) as Bench;
  await bench.run(rest[0] === '--' ? rest.slice(1) : rest);
  return 0;
}

function benchFile(name: string): string {
  return path.join(import.meta.dirname, `${name}.ts`);
}

if (process.argv[1] !== undefined && import.meta.filename === path.resolve(process.argv[1]))
  process.exitCode = await runBench(process.argv.slice(2));
