import { resolve } from 'node:path';
import type { Health } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { aborted, stopSignal } from '../cli/stop-signal.ts';
import { runningServer } from '../runtime/server-file.ts';
import type { ServerFile } from '../runtime/server-file.ts';

const LOOK_MS = 500;

/** Lets the server of this data directory finish its calls and stop; waits and says how many are left. */
export async function drain(o: CommandContext): Promise<void> {
  const { terminal } = o;
  const server = await runningServer(resolve(settingsOf(o.flags).dataDirectory));
  if (server === undefined)
    throw new AppError('unavailable', {
      zh: '这个数据目录上没有正在运行的 Waihu。',
      en: 'No Waihu runs on this data directory.',
    });
  const stop = stopSignal();
  process.kill(server.pid, 'SIGTERM');
  let told: number | undefined;
  while (isAlive(server.pid) && !stop.aborted) {
    const calls = await callsOf(server);
    if (calls !== undefined && calls !== told)
      terminal.say({
        zh: `不再接受新呼叫；还有 ${calls} 通电话。`,
        en: `No new calls are taken; ${calls} calls are left.`,
      });
    told = calls ?? told;
    await Promise.race([new Promise((done) => setTimeout(done, LOOK_MS)), aborted(stop)]);
  }
  if (stop.aborted)
    terminal.say({ zh: '不再等待；服务器会自行停止。', en: 'Waiting no longer; the server stops by itself.' });
  else terminal.say({ zh: '已停止。', en: 'Stopped.' });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Undefined once the server does not answer any more. */
async function callsOf({ url, token }: ServerFile): Promise<number | undefined> {
  try {
    const response = await fetch(`${url}/api/health`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(2000),
    });
    return ((await response.json()) as Health).calls;
  } catch {
    return undefined;
  }
}
