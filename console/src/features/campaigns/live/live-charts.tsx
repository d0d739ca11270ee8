import { Card } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignCounts } from '#domain/api.ts';
import type { HoldReason } from '#domain/contact.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { BarChart } from './bar-chart.tsx';

const GRADE_ORDER: readonly GradeCode[] = ['A', 'B', 'C', 'D', 'E', 'F'];
const GRADE_FILL: Readonly<Record<GradeCode, string>> = {
  A: '#15803d',
  B: '#2a8f98',
  C: '#ca8a04',
  D: '#94a3a8',
  E: '#c2410c',
  F: '#c3cdd0',
};
/** Reasons of leads that are over say nothing about waiting. */
const OVER: ReadonlySet<string> = new Set<HoldReason>([
  'completed',
  'attempts-exhausted',
  'not-retryable',
  'opted-out',
  'cancelled',
]);

/** Outcomes, grades and reasons of a campaign as bars. */
export function LiveCharts({ counts }: { readonly counts: CampaignCounts }) {
  const { t } = useTranslation();
  const outcomes = (Object.entries(counts.outcomes) as [OutcomeCode, number][])
    .map(([key, value]) => ({ key, value, label: t(`outcome.${key}`) }))
    .sort((a, b) => b.value - a.value || a.key.localeCompare(b.key));
  const grades = GRADE_ORDER.map((key) => ({
    key,
    value: counts.grades[key] ?? 0,
    label: `${key} ${t(`grade.${key}`)}`,
    colour: GRADE_FILL[key],
  }));
  const reasons = (Object.entries(counts.reasons) as [HoldReason, number][])
    .filter(([key]) => !OVER.has(key))
    .map(([key, value]) => ({ key, value, label: t(`hold.${key}`) }))
    .sort((a, b) => b.value - a.value || a.key.localeCompare(b.key));
  return (
    <div className="live-charts">
      <Card size="small" title={t('live.outcomes')} data-testid="outcomes">
        <BarChart title={t('live.outcomes')} bars={outcomes} />
      </Card>
      <Card size="small" title={t('live.grades')} data-testid="grades">
        <BarChart title={t('live.grades')} bars={grades} />
      </Card>
      <Card size="small" title={t('live.reasons')} data-testid="reasons">
        <BarChart title={t('live.reasons')} bars={reasons} />
      </Card>
    </div>
  );
}
