import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Hands over to the benchmarks, which live outside of the product. */
export async function bench(name: string | undefined, options: readonly string[]): Promise<void> {
  const runner = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url));
  const child = spawn(process.execPath, [runner, ...(name === undefined ? [] : [name]), ...options], {
    stdio: 'inherit',
  });
  process.exitCode = await new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
}
