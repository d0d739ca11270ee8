import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWav, type WavAudio } from '#voice/tts/wav.ts';
import { freePort } from './free-port.ts';

const BINARY = '/usr/bin/baresip';
const MODULES = '/usr/lib/baresip/modules';

/** Without the binary its tests are skipped. */
export const baresipInstalled = existsSync(BINARY);

/** A baresip that answers every call with a 440 Hz tone; `user` names it, `modules` beside G.711, `account` parameters beside automatic answer. */
export async function startBaresip(
  options: {
    readonly user?: string;
    readonly modules?: readonly string[];
    readonly account?: string;
    /** A file with key and certificate: TLS is taken on the port after `port`. */
    readonly certificate?: string;
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
  const [port, controlPort] = [await freePort(), await freePort()];
  const config = [
    'poll_method epoll',
    `sip_listen 127.0.0.1:${port}`,
    ...(options.certificate === undefined ? [] : [`sip_certificate ${options.certificate}`]),
    'audio_source ausine,440',
    'ausrc_srate 48000',
    'auplay_srate 48000',
    'ausrc_channels 2',
    'auplay_channels 1',
    `audio_player aufile,${folder}/heard.wav`,
    `module_path ${MODULES}`,
    'module g711.so',
    `snd_path ${folder}`,
    ...(options.modules ?? []).map((name) => `module ${name}.so`),
    'module ausine.so',
    'module aufile.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    '',
  ];
  await writeFile(join(folder, 'config'), config.join('\n'));
  await writeFile(
    join(folder, 'accounts'),
    `<sip:${options.user ?? 'peer'}@127.0.0.1:${port}>;regint=0;answermode=auto${options.account ?? ''}\n`,
  );
  await writeFile(join(folder, 'contacts'), '');
  // Into a pipe its output would come in blocks only.
  const child = spawn('stdbuf', ['-oL', BINARY, '-f', folder], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const waiting: { readonly text: string; readonly found: () => void }[] = [];
  const hear = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const one of waiting) if (output.includes(one.text)) one.found();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const says = (text: string): Promise<void> =>
    output.includes(text) ? Promise.resolve() : new Promise((found) => waiting.push({ text, found }));
  const exited = new Promise((resolve) => child.on('close', resolve));
  await says('baresip is ready');
  return {
    port,
    says,
    /** What its module `sndfile` wrote of what it heard, once the call is over. */
    async heard(): Promise<WavAudio> {
      const file = (await readdir(folder)).find((name) => name.endsWith('-dec.wav'));
      if (file === undefined) throw new Error('baresip wrote no file of what it heard');
      return parseWav(await readFile(join(folder, file)));
    },
    /** What it has printed so far. */
    printed: () => output,
    /** A command over ctrl_tcp: a netstring of JSON. */
    command(name: string, params?: string): void {
      const text = JSON.stringify({ command: name, ...(params === undefined ? {} : { params }) });
      const socket = connect(controlPort, '127.0.0.1', () => socket.end(`${text.length}:${text},`));
      socket.on('error', () => undefined);
    },
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
