// Runs a command whose packets between two addresses of its network namespace go through a bad link:
// node test/support/bad-link.ts NETWORK NODE SCRIPT ... (see `BadNetwork`), inside `unshare -n`, as root.
// What netem does in the kernel is done here between two ends of a TUN device, where the kernel has no netem: both ends
// are real sockets, whichever way they are read and written.
import { spawn } from 'node:child_process';
import { constants, openSync, read, writeSync } from 'node:fs';
import koffi from 'koffi';
import { DEVICE, type BadNetwork } from './hairpin.ts';

// <linux/if_tun.h>: a device of IP packets without a header before each.
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_AT = 16;
const MAX_PACKET_BYTES = 65_536;

if (import.meta.main) {
  const [network = '{}', command = '', ...words] = process.argv.slice(2);
  worsen(attach(DEVICE), JSON.parse(network) as BadNetwork);
  const child = spawn(command, words, { stdio: 'inherit' });
  // A read of the device never ends by itself, so the process is ended with it.
  child.once('exit', (code) => process.exit(code ?? 1));
}

/** Opens the device; throws where it is not there or not ours. */
function attach(name: string): number {
  const device = openSync('/dev/net/tun', constants.O_RDWR);
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFREQ_FLAGS_AT);
  const ioctl = koffi.load(null).func('int ioctl(int, unsigned long, _Inout_ void *)');
  if (ioctl(device, TUNSETIFF, request) !== 0) throw new Error(`the device ${name} cannot be attached`);
  return device;
}

/** Gives every packet that leaves one end to the other, or not, or later. */
function worsen(device: number, { lossRatio, delayMs, jitterMs, reorderRatio }: BadNetwork): void {
  const random = generator();
  const next = (): void => {
    const packet = Buffer.allocUnsafe(MAX_PACKET_BYTES);
    read(device, packet, 0, packet.length, null, (error, bytes) => {
      if (error !== null) throw error;
      if (random() >= lossRatio) {
        const late = random() < reorderRatio ? 0 : delayMs + (random() * 2 - 1) * jitterMs;
        const whole = Buffer.from(packet.subarray(0, bytes));
        setTimeout(() => writeSync(device, whole), late);
      }
      next();
    });
  };
  next();
}

/** The same numbers in every run. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}
