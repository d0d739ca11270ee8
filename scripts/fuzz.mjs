// `npm run fuzz sip -- --inputs 1000000 --seed 1`: feeds mutilated inputs to what reads from the network; also `rtp`.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { environment, prepare, ROOT, say, SetUpError } from './bootstrap.mjs';

const [name, ...parameters] = process.argv.slice(2);
try {
  if (name === 'sip' || name === 'rtp') {
    const node = await prepare();
    const script = path.join(ROOT, 'test', 'fuzz', `${name}.ts`);
    const child = spawn(node, [script, ...parameters], { cwd: ROOT, env: environment(node), stdio: 'inherit' });
    child.once('exit', (code) => (process.exitCode = code ?? 1));
  } else {
    say(
      '用法：npm run fuzz sip|rtp -- [--inputs 100000] [--seed 1]',
      'Usage: npm run fuzz sip|rtp -- [--inputs 100000] [--seed 1]',
    );
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
