import { Alert, Card, Descriptions, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { DirectionText, GradeTag, OutcomeText } from '../../app/code-tags.tsx';
import { clockText, positionText } from '../../app/duration.ts';
import { useFormat } from '../../i18n/use-format.ts';
import { reasonText } from './reason-text.ts';

/** How a call ended and why the platform thinks so. */
export function CallResult({ call }: { readonly call: CallView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const slots = Object.entries(call.slots);
  const items = [
    { key: 'direction', label: t('call.direction'), children: <DirectionText direction={call.direction} /> },
    {
      key: 'outcome',
      label: t('common.outcome'),
      children: (
        <>
          <OutcomeText outcome={call.outcome} />
          <span className="hint">（{t('call.confidence', { value: format.percent(call.confidence) })}）</span>
        </>
      ),
    },
    { key: 'grade', label: t('common.grade'), children: <GradeTag grade={call.grade} /> },
    { key: 'reason', label: t('call.gradeReason'), children: reasonText(call.gradeReason, format.language) || '—' },
    {
      key: 'tags',
      label: t('call.tags'),
      children: call.tags.length === 0 ? '—' : call.tags.map((tag) => <Tag key={tag}>{tag}</Tag>),
    },
    {
      key: 'slots',
      label: t('call.slots'),
      children: slots.length === 0 ? '—' : slots.map(([name, value]) => <div key={name}>{`${name} = ${value}`}</div>),
    },
    { key: 'hangup', label: t('call.hangupBy'), children: t(`hangup.${call.hangupBy}`) },
    { key: 'talk', label: t('call.talk'), children: call.talkMs > 0 ? clockText(call.talkMs) : '—' },
    { key: 'ring', label: t('call.ring'), children: call.ringMs === null ? '—' : positionText(call.ringMs) },
    {
      key: 'sip',
      label: t('call.sip'),
      children:
        call.sipStatus === null ? '—' : `${call.sipStatus}${call.sipReason === null ? '' : ` · ${call.sipReason}`}`,
    },
    ...(call.dialog === null
      ? []
      : [{ key: 'end', label: t('call.endReason'), children: reasonText(call.dialog.endReason, format.language) }]),
    ...(call.callBackAt === null
      ? []
      : [{ key: 'back', label: t('call.callBackAt'), children: format.dateTime(call.callBackAt) }]),
  ];
  return (
    <Card size="small" title={t('call.result')}>
      {call.optedOut && <Alert type="warning" showIcon title={t('call.optedOut')} className="opted-out" />}
      <Descriptions size="small" column={1} items={items} className="call-facts" />
      <h3>{t('call.evidence')}</h3>
      {call.evidence.length === 0 ? (
        <p className="hint">{t('common.none')}</p>
      ) : (
        <ul className="evidence">
          {call.evidence.map((piece, index) => (
            <li key={index}>
              <Tag>{t(`evidence.${piece.kind}`)}</Tag>
              <code>{piece.detail}</code>
              <span className="hint">
                {t('call.suggests')} {t(`outcome.${piece.suggests}`)} · {format.percent(piece.confidence)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
