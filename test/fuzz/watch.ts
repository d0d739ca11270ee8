import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory that a run may end with beyond what it had after its first tenth. */
const GROWTH_BYTES = 8 * 1024 * 1024;
/** No single input may take the thread for longer; of its processor, so that a busy machine does not count. */
const SLOW_MS = 100;

/** What a run found out; `failed` is the first input that broke something. */
export interface FuzzReport {
  readonly inputs: number;
  readonly slowestMs: number;
  readonly growthBytes: number;
  readonly grown: boolean;
  readonly failed: { readonly target: string; readonly input: Buffer; readonly error: unknown } | undefined;
}

/** Watches one run: how long each input takes, and what is left in memory when all garbage is gone. */
export class FuzzWatch {
  readonly #inputs: number;
  readonly #collect = collector();
  #baseBytes = 0;
  #slowestMs = 0;

  constructor(inputs: number) {
    this.#inputs = inputs;
  }

  /** Called before every input: after the first tenth, when all is warm, it takes the measure. */
  base(input: number): void {
    if (input === Math.floor(this.#inputs / 10)) this.#baseBytes = this.#collect();
  }

  /** Runs one input; gives back what is wrong with it. */
  time(run: () => void): unknown {
    const startMs = threadMs();
    try {
      run();
    } catch (error) {
      return error ?? 'thrown';
    }
    const tookMs = threadMs() - startMs;
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    return tookMs > SLOW_MS ? `took ${Math.round(tookMs)} ms of the processor` : undefined;
  }

  failed(index: number, target: string, input: Buffer, error: unknown): FuzzReport {
    const failed = { target, input, error };
    return { inputs: index + 1, slowestMs: this.#slowestMs, growthBytes: 0, grown: false, failed };
  }

  passed(): FuzzReport {
    const growthBytes = this.#collect() - this.#baseBytes;
    const grown = growthBytes > GROWTH_BYTES;
    return { inputs: this.#inputs, slowestMs: this.#slowestMs, growthBytes, grown, failed: undefined };
  }
}

/** The inputs of one folder of the corpus: text as it is, hexadecimal digits as octets. */
export function readCorpus(folder: string): readonly Buffer[] {
  const path = fileURLToPath(new URL(`corpus/${folder}/`, import.meta.url));
  return readdirSync(path)
    .sort((a, b) => a.localeCompare(b))
    .map((name) => {
      const bytes = readFileSync(`${path}${name}`);
      return name.endsWith('.hex') ? Buffer.from(bytes.toString('latin1').replace(/\s/g, ''), 'hex') : bytes;
    });
}

/** Numbers in [0, 1) that depend on the seed alone: a linear congruence modulo 2³², whose high bits are good enough here. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}

/** Runs a fuzzer from the command line and prints one line of JSON; the exit status is 1 where it found something. */
export async function runFuzz(
  name: string,
  fuzz: (inputs: number, seed: number) => Promise<FuzzReport>,
): Promise<void> {
  const { values } = parseArgs({
    options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  });
  const inputs = Number(values.inputs);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
    process.stderr.write(`--inputs 要正整数，--seed 要整数 / --inputs takes a positive and --seed a whole number\n`);
    process.exitCode = 2;
    return;
  }
  const startMs = performance.now();
  const { failed, slowestMs, ...rest } = await fuzz(inputs, seed);
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  const line = { fuzz: name, seed, ...rest, slowestMs: Math.round(slowestMs), seconds, failed: failed?.target };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (failed !== undefined) process.stderr.write(`${failed.input.toString('hex')}\n${String(failed.error)}\n`);
  process.exitCode = failed === undefined && !rest.grown ? 0 : 1;
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Bytes in use once all garbage is gone. */
function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}
