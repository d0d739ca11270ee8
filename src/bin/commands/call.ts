import { setTimeout as delay } from 'node:timers/promises';
import type { CallView, LiveCall } from '#domain/api.ts';
import { gradeReasonText, OUTCOME_LABELS } from '#outcomes/labels.ts';
import { AppError } from '#platform/error.ts';
import { pairs } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import type { ApiClient } from '../cli/client.ts';
import { findScript } from '../cli/find-script.ts';
import { aborted } from '../cli/stop-signal.ts';
import { print, withClient } from '../cli/with-client.ts';

/** Flags of `call`. */
export interface CallFlags {
  readonly script: string;
  readonly trunk?: string;
  readonly var: readonly string[];
}

const LOOK_MS = 500;
/** A record that the database does not take is tried again for half a minute. */
const RECORD_LOOKS = 80;

/** Dials one number, follows the call, prints its transcript; exit code 3 where nobody answered. */
export async function call(o: CommandContext, number: string, flags: CallFlags): Promise<void> {
  const variables = pairs(flags.var, '--var');
  await withClient(
    o,
    async (client, stop) => {
      const script = await findScript(client, flags.script);
      const onTrunk = flags.trunk === undefined ? {} : { trunk: flags.trunk };
      const { id } = await client.post<{ id: string }>('/api/calls', {
        number,
        scriptId: script.id,
        variables,
        ...onTrunk,
      });
      const view = await follow(o, client, id, stop);
      print(o, view, (result) => present(result, o));
      if (view.outcome !== 'answered') process.exitCode = 3;
    },
    { lines: { trunk: flags.trunk } },
  );
}

/** Says what is said until the call is over. */
async function follow(o: CommandContext, client: ApiClient, id: string, stop: AbortSignal): Promise<CallView> {
  let said = '';
  let goneLooks = 0;
  for (;;) {
    const view = await client.get<CallView | LiveCall>(`/api/calls/${id}`).catch((error: unknown) => {
      // Between the end of the call and its record there is neither.
      if (error instanceof AppError && error.code === 'not-found') return undefined;
      throw error;
    });
    if (view !== undefined && 'outcome' in view) return view;
    goneLooks = view === undefined ? goneLooks + 1 : 0;
    if (goneLooks > RECORD_LOOKS)
      throw new AppError('unavailable', {
        zh: '呼叫没有发出，或它的记录没有写入；请查看日志。',
        en: 'The call could not be placed, or its record could not be written; see the log.',
      });
    if (view !== undefined && view.lastText !== said) {
      said = view.lastText;
      if (said !== '') o.terminal.say({ zh: said, en: said });
    }
    if (stop.aborted)
      throw new AppError(
        'aborted',
        client.remote
          ? { zh: '不再等待；通话在服务器上继续。', en: 'Stopped waiting; the call goes on at the server.' }
          : { zh: '已挂断并停止。', en: 'Hung up and stopped.' },
      );
    await Promise.race([aborted(stop), delay(LOOK_MS)]);
  }
}

function present(view: CallView, o: CommandContext): string {
  const { language } = o.terminal;
  const who = { zh: { callee: '被叫', platform: '平台' }, en: { callee: 'callee', platform: 'platform' } }[language];
  const turns = view.turns.map(
    (turn) => `${(turn.startMs / 1000).toFixed(1).padStart(6)} s  ${who[turn.speaker]}：${turn.text}`,
  );
  return [
    ...turns,
    `${OUTCOME_LABELS[view.outcome][language]}  ${view.grade}  ${gradeReasonText(view.gradeReason, language)}`,
  ].join('\n');
}
