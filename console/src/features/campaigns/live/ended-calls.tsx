import { Link } from '@tanstack/react-router';
import { Card } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallSummary } from '#domain/api.ts';
import { GradeTag, OutcomeText } from '../../../app/code-tags.tsx';
import { clockText } from '../../../app/duration.ts';
import { NothingHere } from '../../../app/nothing-here.tsx';
import { useFormat } from '../../../i18n/use-format.ts';

/** Calls that ended while the page is open, newest first. */
export function EndedCalls({
  calls,
  campaignId,
}: {
  readonly calls: readonly CallSummary[];
  readonly campaignId: string;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card
      size="small"
      title={t('live.ended')}
      extra={
        <Link to="/calls" search={{ campaignId }}>
          {t('live.allCalls')}
        </Link>
      }
      styles={{ body: { padding: 0 } }}
      className="in-flight"
    >
      {calls.length === 0 ? (
        <NothingHere title={t('live.endedEmpty')} />
      ) : (
        <ul className="in-flight-list ended-list" tabIndex={0} aria-label={t('live.ended')}>
          {calls.map((call) => (
            <li key={call.id} data-ended={call.id}>
              <span className="number">{format.time(call.dialedAt)}</span>
              <Link to="/calls/$callId" params={{ callId: call.id }} className="in-flight-who">
                <strong>{call.name === '' ? t('common.unnamed') : call.name}</strong>
                <span className="number">{call.phone}</span>
              </Link>
              <OutcomeText outcome={call.outcome} />
              <GradeTag grade={call.grade} />
              <span className="number in-flight-time">{call.talkMs > 0 ? clockText(call.talkMs) : '—'}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
