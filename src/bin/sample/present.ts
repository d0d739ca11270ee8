import { GRADE_LABELS, OUTCOME_LABELS } from '#outcomes/labels.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { Language } from '#domain/text.ts';
import { table } from '../cli/terminal.ts';
import type { SampleReport } from './report.ts';

/** The result table of a sample run: ours beside what the simulated callees did. */
export function presentSample(report: SampleReport, language: Language): string {
  const zh = language === 'zh';
  const head = zh ? ['', '平台记录', '实际发生'] : ['', 'recorded', 'happened'];
  const outcomes = rows(
    report.outcomes,
    report.expected.outcomes,
    (code) => OUTCOME_LABELS[code as OutcomeCode]?.[language] ?? code,
  );
  const grades = rows(
    report.grades,
    report.expected.grades,
    (code) => `${code} ${GRADE_LABELS[code as GradeCode]?.[language] ?? ''}`,
  );
  const wrong = report.mismatches.filter(({ kind }) => kind === 'grade').length;
  const { p50, p95 } = report.turnLatencyMs;
  const lines = zh
    ? [
        `联系人 ${report.contacts}，导入 ${report.imported}，拒绝 ${report.rejected}；拨打 ${report.attempts} 次，接通 ${report.calls} 次，重拨 ${report.redialled} 人，最多同时 ${report.maxConcurrentCalls} 路，用时 ${Math.round(report.durationMs / 1000)} 秒`,
        `意向等级核对 ${report.gradedConversations} 人，不符 ${wrong} 人；录音 ${report.recordings} 份；应答时延 p50 ${p50 ?? '–'} ms，p95 ${p95 ?? '–'} ms`,
        report.passed ? '核对通过：每个结果都与实际一致。' : '核对未通过，不符之处见 --json 的 mismatches。',
      ]
    : [
        `${report.contacts} contacts, ${report.imported} imported, ${report.rejected} rejected; ${report.attempts} attempts, ${report.calls} answered, ${report.redialled} redialled, at most ${report.maxConcurrentCalls} at once, ${Math.round(report.durationMs / 1000)} s`,
        `${report.gradedConversations} grades checked, ${wrong} differ; ${report.recordings} recordings; reply latency p50 ${p50 ?? '–'} ms, p95 ${p95 ?? '–'} ms`,
        report.passed ? 'Passed: every outcome is what really happened.' : 'Not passed: see mismatches in --json.',
      ];
  return [
    table([zh ? '通话结果' : 'Outcome', ...head.slice(1)], outcomes),
    table([zh ? '意向等级' : 'Grade', ...head.slice(1)], grades),
    lines.join('\n'),
  ].join('\n\n');
}

function rows(
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, number>>,
  label: (code: string) => string,
): readonly (readonly string[])[] {
  const codes = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return codes
    .toSorted((a, b) => (ours[b] ?? 0) - (ours[a] ?? 0) || a.localeCompare(b))
    .map((code) => [label(code), String(ours[code] ?? 0), String(theirs[code] ?? 0)]);
}
