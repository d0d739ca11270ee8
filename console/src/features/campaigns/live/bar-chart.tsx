import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../i18n/use-format.ts';
import { COLOURS } from '../../../app/theme.ts';

/** One bar of a chart. */
export interface Bar {
  readonly key: string;
  readonly label: string;
  readonly value: number;
  readonly colour?: string;
}

/** Horizontal bars with their figures, largest share full width; read aloud as one sentence. */
export function BarChart({ title, bars }: { readonly title: string; readonly bars: readonly Bar[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const largest = Math.max(1, ...bars.map((bar) => bar.value));
  const total = bars.reduce((sum, bar) => sum + bar.value, 0);
  if (total === 0) return <p className="hint">{t('live.noData')}</p>;
  const items = bars.map((bar) => `${bar.label} ${bar.value}`).join(', ');
  return (
    <div className="bars" role="img" aria-label={t('live.chart', { title, items })}>
      {bars.map((bar) => (
        <div key={bar.key} className="bar" aria-hidden data-bar={bar.key}>
          <span className="bar-label" title={bar.label}>
            {bar.label}
          </span>
          <svg className="bar-track" height={10} width="100%">
            <rect width="100%" height={10} rx={3} fill={COLOURS.track} />
            <rect width={`${(bar.value / largest) * 100}%`} height={10} rx={3} fill={bar.colour ?? COLOURS.bar} />
          </svg>
          <span className="bar-value">{format.count(bar.value)}</span>
          <span className="bar-share">{format.percent(bar.value / total)}</span>
        </div>
      ))}
    </div>
  );
}
