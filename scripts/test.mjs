// `npm test`: sets up what is missing, then runs everything that CI runs. `npm test -- src/leads` runs only the tests
// whose paths match.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureConsole, environment, prepare, ROOT, say, SetUpError } from './bootstrap.mjs';

/** What tests use of the system, and Debian's package for it. */
const TOOLS = [
  ['chromium', ['/usr/bin/chromium']],
  ['sip-tester', ['/usr/bin/sipp']],
  ['baresip-core', ['/usr/bin/baresip']],
  ['tshark', ['/usr/bin/tshark']],
  ['kamailio', ['/usr/sbin/kamailio']],
  [
    'kamailio-tls-modules',
    ['/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so', '/usr/lib/aarch64-linux-gnu/kamailio/modules/tls.so'],
  ],
  ['linphone-cli', ['/usr/bin/linphonec']],
  // A kernel with netem, and what loads its modules.
  ['user-mode-linux', ['/usr/bin/linux.uml']],
  ['kmod', ['/usr/sbin/insmod', '/sbin/insmod']],
  ['iproute2', ['/usr/sbin/ip', '/usr/bin/ip', '/sbin/ip']],
  ['fonts-noto-cjk', ['/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc']],
];
const APT_LIMIT_MS = 240_000;

const filters = process.argv.slice(2).filter((word) => word !== '--check');
/** The checks and tests that run now, with their result. */
const tally = { passed: 0, failed: 0, skipped: 0 };

try {
  // Beside each other: both wait for downloads most of the time.
  const tools = installTools();
  const node = await prepare();
  await ensureConsole(node);
  if (filters.length === 0) await runChecks(node);
  await tools;
  await runTests(node);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.message}\n`);
  tally.failed++;
}
const skipped = tally.skipped === 0 ? '' : `, ${tally.skipped} skipped`;
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed${skipped}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

/** Never a reason to fail: without a tool its tests are skipped by name. */
async function installTools() {
  if (process.platform !== 'linux') return;
  const missing = TOOLS.filter(([, files]) => !files.some((file) => existsSync(file))).map(([name]) => name);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (process.getuid() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(
      `缺少 ${names}，需要它们的测试将跳过（apt-get install ${names} 可安装）。`,
      `${names} missing: the tests that need them are skipped (apt-get install ${names} brings them).`,
    );
    return;
  }
  say(`正在安装测试用到的工具：${names}……`, `Installing what tests use: ${names} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...words) => {
    const options = { env, stdio: 'ignore', timeout: APT_LIMIT_MS };
    const child = spawn('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...words], options);
    return new Promise((resolve) => {
      child.once('error', () => resolve(false));
      child.once('exit', (status) => resolve(status === 0));
    });
  };
  await apt('update');
  const install = ['install', '-y', '--no-install-recommends'];
  const failed = [];
  await withoutServices(async () => {
    if (await apt(...install, ...missing)) return;
    // One that is not to be had must not keep the others away.
    for (const name of missing) if (!(await apt(...install, name))) failed.push(name);
  });
  if (missing.includes('kamailio')) spawnSync('update-rc.d', ['kamailio', 'disable'], { stdio: 'ignore' });
  if (failed.length > 0)
    say(
      `无法安装 ${failed.join(' ')}，需要它们的测试将跳过。`,
      `${failed.join(' ')} could not be installed: the tests that need them are skipped.`,
    );
}

/** Debian starts every service that it installs; what tests use must not run by itself, now or after the next start. */
async function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function checks() {
  const list = [
    ['format', 'oxfmt', ['--check']],
    ['lint', 'oxlint', []],
    ['types', 'typescript', ['--noEmit']],
    ['unused code', 'knip', []],
  ];
  if (existsSync(path.join(ROOT, 'console', 'tsconfig.json')))
    list.splice(3, 0, ['types of the console', 'typescript', ['--noEmit', '-p', 'console']]);
  return list;
}

/** All of them, two at a time, each reported as it ends. */
async function runChecks(node) {
  const left = checks();
  const lane = async () => {
    for (let check = left.shift(); check !== undefined; check = left.shift()) await runCheck(node, check);
  };
  await Promise.all([lane(), lane()]);
}

async function runCheck(node, [title, name, parameters]) {
  const start = Date.now();
  const { status, output } = await collect(node, [executable(name), ...parameters]);
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  if (status === 0) tally.passed++;
  else tally.failed++;
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${title} (${name}, ${seconds} s)\n`);
  if (status !== 0) process.stdout.write(`${output}\n`);
}

/** A package's command as its manifest names it, without the shell wrapper of node_modules/.bin. */
function executable(name) {
  const home = path.join(ROOT, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
  return path.join(home, typeof bin === 'string' ? bin : (bin[name] ?? bin.tsc));
}

function collect(node, parameters) {
  const child = spawn(node, parameters, { cwd: ROOT, env: environment(node), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, output })));
}

async function runTests(node) {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'waihu-report-'));
  const file = path.join(scratch, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const child = spawn(node, [executable('vitest'), 'run', ...reporters, ...filters], {
    cwd: ROOT,
    env: environment(node),
    stdio: 'inherit',
  });
  const status = await new Promise((resolve) => child.once('exit', resolve));
  const before = tally.failed;
  if (existsSync(file)) count(JSON.parse(readFileSync(file, 'utf8')));
  rmSync(scratch, { recursive: true, force: true });
  // A run that fails outside of any test, or ends without a report, is a failure too.
  if (status !== 0 && tally.failed === before) tally.failed++;
}

function count(report) {
  tally.passed += report.numPassedTests;
  tally.failed += report.numFailedTests;
  tally.skipped += report.numPendingTests + report.numTodoTests;
  for (const suite of report.testResults)
    if (suite.status === 'failed' && !suite.assertionResults.some((result) => result.status === 'failed'))
      tally.failed++;
}
