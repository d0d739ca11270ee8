import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no capture can be made here; undefined where it can. */
export const noCapture: string | undefined = (() => {
  try {
    const interfaces = execFileSync('tshark', ['-D'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /\blo\b/.test(interfaces) ? undefined : 'tshark may not capture on the loopback interface';
  } catch {
    return 'tshark is not installed';
  }
})();

/** One packet's fields, by name; several values of one are joined by a comma. */
export type Packet = Readonly<Record<string, string>>;

/** Loopback traffic on some UDP ports, being written down. */
export interface Capture {
  /** Ends the capture and reads it back; SIP is expected on `sipPorts`, media where the SDP says. */
  finish(sipPorts: readonly number[], fields: readonly string[]): Promise<readonly Packet[]>;
  stop(): Promise<void>;
}

/** Starts a capture of `ports` (a filter such as `portrange 1-9`); `probePort` is used by nobody else. */
export async function startCapture(ports: string, probePort: number): Promise<Capture> {
  const folder = mkdtempSync(join(tmpdir(), 'waihu-capture-'));
  const file = join(folder, 'call.pcap');
  const filter = `udp and (${ports} or port ${probePort})`;
  const child = spawn('tshark', ['-i', 'lo', '-f', filter, '-F', 'pcap', '-w', file, '-P', '-l', '-n'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const probes = { seen: 0 };
  child.stdout.on('data', (chunk: Buffer) => {
    probes.seen += chunk.toString().split(`${probePort}`).length - 1;
  });
  // Nothing says when a capture really runs, nor when it has seen all, but a packet that comes out at its other end.
  const seen = async (): Promise<void> => {
    const socket = createSocket('udp4');
    const wanted = probes.seen + 1;
    for (let tries = 0; probes.seen < wanted; tries++) {
      if (child.exitCode !== null || tries > 500) throw new Error('tshark does not capture');
      socket.send('probe', probePort, '127.0.0.1');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    socket.close();
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await exited;
  };
  await seen();
  return {
    async finish(sipPorts, fields) {
      await seen();
      await stop();
      const decode = sipPorts.flatMap((port) => ['-d', `udp.port==${port},sip`]);
      const output = execFileSync(
        'tshark',
        [
          '-r',
          file,
          '-n',
          ...decode,
          '-Y',
          `udp.port != ${probePort} and !icmp`,
          '-T',
          'fields',
          '-E',
          'separator=|',
        ].concat(fields.flatMap((field) => ['-e', field])),
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 },
      );
      rmSync(folder, { recursive: true, force: true });
      return output
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const values = line.split('|');
          return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
        });
    },
    stop,
  };
}
