import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWav } from '#voice/tts/wav.ts';
import { wavOf } from '#voice/wav-file.ts';
import { freePort } from './free-port.ts';

const BINARY = '/usr/bin/linphonec';

/** Without the binary (Debian: linphone-cli) its tests are skipped. */
export const linphoneInstalled = existsSync(BINARY);

/** A linphone that answers by itself, plays a tone in place of a microphone and records in place of a loudspeaker. */
export interface Linphone {
  readonly port: number;
  /** One line of its command language. */
  command(line: string): void;
  /** Resolves when it prints this, from now on. */
  says(text: string): Promise<void>;
  /** Ends it, and gives what it has heard: Int16 at 8 kHz. */
  stop(): Promise<Int16Array>;
}

/** Starts linphone with a tone of that frequency. */
export async function startLinphone(hz: number): Promise<Linphone> {
  const folder = await mkdtemp(join(tmpdir(), 'linphone-'));
  const [port, rtp] = [await freePort(), await freePort()];
  const tone = Int16Array.from({ length: 8_000 * 30 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * hz * i) / 8000));
  await writeFile(join(folder, 'tone.wav'), wavOf(tone));
  // Its database of calls has to find a home.
  await mkdir(join(folder, '.local', 'share', 'linphone'), { recursive: true });
  const config = [
    '[sip]',
    `sip_port=${port}`,
    'sip_tcp_port=0',
    'sip_tls_port=0',
    'bind_address=127.0.0.1',
    'guess_hostname=0',
    'contact="linphone" <sip:linphone@127.0.0.1>',
    '[net]',
    'firewall_policy=0',
    '[rtp]',
    `audio_rtp_port=${rtp & ~1}`,
    'bind_address=127.0.0.1',
    '[sound]',
    'echocancellation=0',
    '',
  ];
  await writeFile(join(folder, 'rc'), config.join('\n'));
  // Into a pipe its output would come in blocks only.
  const child = spawn('stdbuf', ['-oL', BINARY, '-a', '-c', join(folder, 'rc')], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    for (const look of waiting) look();
  });
  child.stdin.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const saysFrom = (start: number, text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!output.includes(text, start)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const command = (line: string): void => void child.stdin.write(`${line}\n`);
  command('soundcard use files');
  await saysFrom(0, 'Using wav files');
  command(`play ${join(folder, 'tone.wav')}`);
  command(`record ${join(folder, 'heard.wav')}`);
  command('ports');
  await saysFrom(0, `sip port = ${port}`);
  return {
    port,
    command,
    says: (text) => saysFrom(output.length, text),
    async stop() {
      command('quit');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(timer);
      const wav = await readFile(join(folder, 'heard.wav')).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
      return wav === undefined ? new Int16Array() : Int16Array.from(parseWav(wav).samples);
    },
  };
}
