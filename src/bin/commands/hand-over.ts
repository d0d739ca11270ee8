import { resolve } from 'node:path';
import type { CallBridgeView, ListenRequest, TransferBody } from '#domain/api.ts';
import type { ListenerRole } from '#domain/transfer.ts';
import { AppError } from '#platform/error.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { runningServer } from '../runtime/server-file.ts';
import type { ApiClient } from '../cli/client.ts';
import { print, withClient } from '../cli/with-client.ts';

/** Flags of `transfer`. */
export interface TransferFlags {
  readonly blind?: boolean;
  readonly release?: boolean;
}

/** Hands a call under way to somebody else; what becomes of it is in the call's timeline. */
export async function transfer(o: CommandContext, call: string, target: string, flags: TransferFlags): Promise<void> {
  const body: TransferBody = {
    kind: flags.blind === true ? 'blind' : 'attended',
    target,
    ...(flags.release === undefined ? {} : { release: flags.release }),
  };
  await withServer(o, async (client) => {
    const view = await client.post<CallBridgeView>(`/api/calls/${encodeURIComponent(call)}/transfer`, body);
    print(o, view, () =>
      o.terminal.language === 'zh'
        ? '已开始转接，结果见通话的时间线。'
        : 'The transfer has begun; the timeline tells what becomes of it.',
    );
  });
}

/** Calls somebody who then listens in on a call under way. */
export async function listen(
  o: CommandContext,
  call: string,
  target: string,
  flags: { readonly as: ListenerRole },
): Promise<void> {
  const body: ListenRequest = { target, role: flags.as };
  await withServer(o, async (client) => {
    const begun = await client.post<{ readonly id: string }>(`/api/calls/${encodeURIComponent(call)}/monitor`, body);
    print(o, begun, ({ id }) =>
      o.terminal.language === 'zh' ? `正在呼叫 ${target} 旁听（${id}）。` : `Calling ${target} to listen in (${id}).`,
    );
  });
}

/** Ends a call under way, for everybody who takes part. */
export async function hangUp(o: CommandContext, call: string): Promise<void> {
  await withServer(o, async (client) => {
    const ended = await client.post<{ readonly id: string }>(`/api/calls/${encodeURIComponent(call)}/hang-up`, {});
    print(o, ended, () =>
      o.terminal.language === 'zh'
        ? '已挂断，结果见通话记录。'
        : 'The call is hung up; its record tells what came of it.',
    );
  });
}

/** Calls under way are those of a server that runs: none is started for this. */
async function withServer(o: CommandContext, run: (client: ApiClient) => Promise<void>): Promise<void> {
  if ((await runningServer(resolve(settingsOf(o.flags).dataDirectory))) === undefined)
    throw new AppError('unavailable', {
      zh: '没有正在运行的服务，因此没有进行中的通话；请先用 npm start 启动。',
      en: 'No server is running, so no call is under way; start one with npm start.',
    });
  await withClient(o, (client) => run(client));
}
