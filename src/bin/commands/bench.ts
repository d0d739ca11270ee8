import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Hands over to the benchmarks, which live outside of the product. */
export async function bench(name: string | undefined, options: readonly string[]): Promise<void> {
  const runner = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url));
  // With the options that the product itself runs with.
  const parameters = [...process.execArgv, runner, ...(name === undefined ? [] : [name]), ...options];
  const child = spawn(process.execPath, parameters, { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
}
