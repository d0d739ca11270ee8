import { Card } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { positionText } from '../../app/duration.ts';
import { NothingHere } from '../../app/nothing-here.tsx';
import { useEventText } from './use-event-text.ts';

/** What happened in a call and when, counted from the dial. */
export function CallTimeline({ timeline }: { readonly timeline: CallView['timeline'] }) {
  const { t } = useTranslation();
  const text = useEventText();
  return (
    <Card size="small" title={t('call.timeline')} styles={{ body: { padding: 0 } }}>
      {timeline.length === 0 ? (
        <NothingHere title={t('call.timelineEmpty')} />
      ) : (
        <ol className="timeline" tabIndex={0} aria-label={t('call.timeline')}>
          {timeline.map((event, index) => (
            <li key={index} className={`event event-${event.type}`}>
              <span className="number">{positionText(event.atMs)}</span>
              <span>{text(event)}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
