// Runs a command whose packets between two addresses of its network namespace go through netem in a kernel of its own:
// node test/support/netem-router.ts NETWORK NODE SCRIPT ... (see `BadNetwork`), inside `unshare -n`, as root. The kernel is
// User-mode Linux, a process like any other, for systems whose own kernel has no netem.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADDRESSES, DEVICE, netemOf, ROUTER, type BadNetwork } from './hairpin.ts';

const KERNEL = '/usr/bin/linux.uml';
const INSMOD = '/sbin/insmod';
const READY = 'router is ready';
const START_LIMIT_MS = 20_000;
/** It ends by itself where nobody ends it. */
const LIFE_SECONDS = 180;

/** Whether the kernel and what loads its modules are there (Debian: user-mode-linux, kmod). */
export const routerInstalled = existsSync(KERNEL) && existsSync(INSMOD);

if (import.meta.main) {
  const [network = '{}', command = '', ...words] = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), 'router-'));
  const kernel = boot(folder, JSON.parse(network) as BadNetwork);
  const ended = new Promise<void>((resolve) => kernel.once('close', () => resolve()));
  let code = 1;
  try {
    await readyOf(kernel);
    const child = spawn(command, words, { stdio: 'inherit' });
    code = await new Promise((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
  } finally {
    kernel.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = code;
}

/** A kernel whose one process makes a router of it; the system's own files are its root, to be read only. */
function boot(folder: string, network: BadNetwork): ChildProcess {
  const init = join(folder, 'init');
  writeFileSync(
    init,
    `#!/bin/sh -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
insmod /usr/lib/uml/modules/$(uname -r)/kernel/net/sched/sch_netem.ko
ip link set lo up
ip link set vec0 address ${ROUTER.mac}
ip addr add ${ROUTER.address}/24 dev vec0
ip link set vec0 up
sysctl -qw net.ipv4.ip_forward=1
for dev in all vec0; do sysctl -qw net.ipv4.conf.$dev.send_redirects=0 net.ipv4.conf.$dev.rp_filter=0; done
for address in ${ADDRESSES.join(' ')}; do
  ip neigh replace $address lladdr ${ROUTER.peerMac} dev vec0 nud permanent
done
tc qdisc add dev vec0 root netem limit 10000 ${netemOf(network)}
echo ${READY}
exec sleep ${LIFE_SECONDS}
`,
    { mode: 0o755 },
  );
  const parameters = [
    'mem=64M',
    'quiet',
    'rootfstype=hostfs',
    'rootflags=/',
    'ro',
    `init=${init}`,
    'con=null',
    'con0=null,fd:1',
    `vec0:transport=tap,ifname=${DEVICE},depth=128`,
  ];
  return spawn(KERNEL, parameters, { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function readyOf(kernel: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}: ${output.slice(-2000)}`));
    const limit = setTimeout(() => fail('the router did not start in time'), START_LIMIT_MS);
    kernel.once('error', (error) => fail(error.message));
    kernel.once('exit', () => fail('the router ended'));
    kernel.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!output.includes(READY)) return;
      clearTimeout(limit);
      resolve();
    });
  });
}
