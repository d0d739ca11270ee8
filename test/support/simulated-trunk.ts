import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waihu, WaihuProcess } from './waihu-process.ts';

/** A simulator alone, as `waihu simulate` runs it, and a `waihu.toml` beside it whose trunk `carrier` leads there. */
export interface SimulatedTrunk {
  readonly simulator: WaihuProcess;
  /** The simulator's own log: the witness of what was dialled. */
  readonly log: string;
  readonly port: number;
  readonly data: string;
}

/** Starts it in `home`, which becomes the working directory of the platform's processes. */
export async function simulatedTrunk(
  home: string,
  o: { readonly seed: number; readonly pace: number },
): Promise<SimulatedTrunk> {
  const data = path.join(home, 'data');
  const log = path.join(home, 'simulator.jsonl');
  const flags = ['--port', '0', '--seed', String(o.seed), '--pace', String(o.pace), '--log', log, '--json'];
  const announcements = path.join(home, 'announcements');
  const simulator = new WaihuProcess(['simulate', ...flags, '--announcements', announcements], { cwd: home });
  const { port } = JSON.parse((await simulator.prints(/.+\n/))[0]) as { port: number };
  // The platform learns the announcements of its carrier from recordings.
  cpSync(announcements, path.join(data, 'announcements'), { recursive: true });
  writeFileSync(
    path.join(home, 'waihu.toml'),
    `dataDirectory = ${JSON.stringify(data)}
     [http]\nport = 0\n[sip]\nport = 0\n[simulator]\nenabled = false\n[rtp]\nworkers = 1\n[drain]\nlimitSeconds = 5
     [[trunks]]\nname = "carrier"\nhost = "127.0.0.1"\nport = ${port}\nchannels = 100\ncallsPerSecond = 20
     callerNumbers = ["01000000000"]\n`,
  );
  return { simulator, log, port, data };
}

/** `waihu serve` in that directory, once it can be used. */
export async function serveIn(home: string): Promise<WaihuProcess> {
  const server = new WaihuProcess(['serve', '--log-level', 'warn'], { cwd: home });
  await server.says(/Ctrl-C stops/);
  return server;
}

/** Runs a command that must work; its JSON is all it may print. */
export async function jsonOf<Result>(home: string, parameters: readonly string[]): Promise<Result> {
  const { code, stdout, stderr } = await waihu([...parameters, '--json'], { cwd: home });
  if (code !== 0) throw new Error(`${parameters.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Result;
}
