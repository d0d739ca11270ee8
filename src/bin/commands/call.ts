import type { CallView, LiveCall, ScriptSummary } from '#domain/api.ts';
import { OUTCOME_LABELS } from '#outcomes/labels.ts';
import { AppError } from '#platform/error.ts';
import { pairs } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { stopSignal } from '../cli/stop-signal.ts';
import { print, withClient } from '../cli/with-client.ts';

export interface CallFlags {
  readonly script: string;
  readonly trunk?: string;
  readonly var: readonly string[];
}

const LOOK_MS = 500;

/** Dials one number, follows the call, prints its transcript; exit code 3 where nobody answered. */
export async function call(o: CommandContext, number: string, flags: CallFlags): Promise<void> {
  const stop = stopSignal();
  const variables = pairs(flags.var, '--var');
  await withClient(o, async (client) => {
    const scripts = await client.get<readonly ScriptSummary[]>('/api/scripts');
    const script = scripts.find(({ key }) => key === flags.script);
    if (script === undefined) {
      const keys = scripts.map(({ key }) => key).join(', ');
      throw new AppError('invalid-input', {
        zh: `没有话术 ${flags.script}；可用：${keys}`,
        en: `There is no script ${flags.script}; there are: ${keys}`,
      });
    }
    const body = {
      number,
      scriptId: script.id,
      variables,
      ...(flags.trunk === undefined ? {} : { trunk: flags.trunk }),
    };
    const { id } = await client.post<{ id: string }>('/api/calls', body);
    let said = '';
    for (;;) {
      const view = await client.get<CallView | LiveCall>(`/api/calls/${id}`).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'not-found') return undefined;
        throw error;
      });
      if (view !== undefined && 'outcome' in view) {
        print(o, view, (result) => present(result, o));
        if (view.outcome !== 'answered') process.exitCode = 3;
        return;
      }
      if (view !== undefined && view.lastText !== said) {
        said = view.lastText;
        o.terminal.say({ zh: said, en: said });
      }
      if (stop.aborted) throw new AppError('aborted', { zh: '已停止等待。', en: 'Stopped waiting.' });
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  });
}

function present(view: CallView, o: CommandContext): string {
  const { language } = o.terminal;
  const who = { zh: { callee: '被叫', platform: '平台' }, en: { callee: 'callee', platform: 'platform' } }[language];
  const turns = view.turns.map(
    (turn) => `${(turn.startMs / 1000).toFixed(1).padStart(6)} s  ${who[turn.speaker]}：${turn.text}`,
  );
  return [...turns, `${OUTCOME_LABELS[view.outcome][language]}  ${view.grade}  ${view.gradeReason}`].join('\n');
}
