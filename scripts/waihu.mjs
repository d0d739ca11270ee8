#!/usr/bin/env node
// The `waihu` command: makes sure that all it needs is there, then runs src/bin/waihu.ts on Node 24.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { ensureConsole, environment, prepare, ROOT, SetUpError } from './bootstrap.mjs';

/** Signals that come this close together are one: a terminal sends Ctrl-C to us and to npm, which passes it on. */
const ONE_SIGNAL_MS = 1000;
const LAST_PATIENCE_MS = 5000;

/**
 * What keeps memory level under a steady load (docs/benchmarks.md, setup): left alone the collector lets the young
 * generation of every thread grow to 100 MiB and the old one to a multiple of what is live before it looks.
 */
const MEMORY = ['--max-semi-space-size=8', '--heap-growing-percent=30'];

const parameters = process.argv.slice(2);

try {
  const node = await prepare();
  if (servesConsole()) await ensureConsole(node);
  runOn(node);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function servesConsole() {
  const helps = parameters.some((word) => word === '--help' || word === '-h');
  // Options may come before the command.
  return !helps && (parameters.includes('start') || parameters.includes('serve'));
}

function runOn(node) {
  const child = spawn(node, [...MEMORY, path.join(ROOT, 'src/bin/waihu.ts'), ...parameters], {
    stdio: 'inherit',
    env: environment(node),
  });
  let lastMs = 0;
  let count = 0;
  // A first SIGTERM lets calls finish; the next one hangs up, as the first of another kind does.
  let patience = 1;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      const nowMs = Date.now();
      if (nowMs - lastMs < ONE_SIGNAL_MS) return;
      lastMs = nowMs;
      count++;
      if (count === 1 && signal === 'SIGTERM') patience = 2;
      // Ctrl-C in a terminal has reached the program already, and a second copy would read as impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      if (count > patience) setTimeout(() => child.kill('SIGKILL'), LAST_PATIENCE_MS).unref();
    });
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
}
