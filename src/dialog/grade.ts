import type { DialogResult, HangupSide } from '#domain/call.ts';
import type { CompiledScript } from './compile.ts';
import type { ExpressionFacts } from './expression.ts';
import type { DialogData, DialogState, Graded } from './state.ts';

/** What expressions see of a dialog. */
export function factsOf(
  data: DialogData,
  end?: { readonly talkMs: number; readonly hangupBy: HangupSide },
): ExpressionFacts {
  return {
    variables: data.variables,
    slots: Object.fromEntries(Object.entries(data.slots).map(([name, slot]) => [name, slot.value])),
    counters: {
      rounds: data.rounds,
      talkSeconds: (end?.talkMs ?? Math.max(0, data.lastMs - data.answeredMs)) / 1000,
      refusals: data.refusals,
      positives: data.positives,
      negatives: data.negatives,
      score: data.score,
      silences: data.silences,
    },
    visited: new Set(data.path),
    said: new Set(data.intents),
    tags: new Set(data.tags),
    hungUpBy: end?.hangupBy ?? '',
  };
}

/**
 * The grade with its reason: F where a machine answered, E where the callee opted out, else the script's first rule
 * that holds, else D.
 */
export function gradeOf(script: CompiledScript, data: DialogData, facts: ExpressionFacts): Graded {
  const zh = script.source.language === 'zh';
  if (data.machine !== null)
    return { grade: 'F', reason: zh ? `未接通本人（${data.machine}）` : `Not a person (${data.machine})` };
  if (data.optedOut) return { grade: 'E', reason: zh ? '明确要求不再来电' : 'Asked not to be called again' };
  for (const { rule, expression } of script.grades)
    if (expression.holds(facts)) return { grade: rule.code, reason: rule.reason };
  return { grade: 'D', reason: zh ? '已通话，未符合任何评级规则' : 'Talked; no grade rule applies' };
}

/** The result of a dialog that is over; the tag rules run first, so that grade rules may ask `tagged(…)`. */
export function dialogResult(
  state: DialogState,
  facts: { readonly talkMs: number; readonly hangupBy: HangupSide },
): DialogResult {
  const { script, data } = state;
  const before = factsOf(data, facts);
  const tags = [...data.tags];
  for (const rule of script.tags) if (rule.expression.holds(before) && !tags.includes(rule.tag)) tags.push(rule.tag);
  const { grade, reason } = gradeOf(script, data, { ...before, tags: new Set(tags) });
  return {
    grade,
    gradeReason: reason,
    tags,
    slots: before.slots,
    nodes: data.path,
    intents: data.intents,
    rounds: data.rounds,
    score: data.score,
    endReason: data.endReason === '' ? `hung-up-by-${facts.hangupBy}` : data.endReason,
    optedOut: data.optedOut,
    callBackAt: data.callBackAt === null ? undefined : new Date(data.callBackAt),
  };
}
