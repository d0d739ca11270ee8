import { Card, Descriptions, Table } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import type { MediaStats, Turn, TurnLatency } from '#domain/call.ts';
import { positionText } from '../../app/duration.ts';
import { useFormat } from '../../i18n/use-format.ts';

type Reply = Turn & { readonly latency: TurnLatency };

/** How fast the platform replied, each time. */
export function ReplyLatencies({ turns }: { readonly turns: CallView['turns'] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const replies = turns.filter((turn): turn is Reply => turn.latency !== undefined && turn.latency !== null);
  const ms = (pick: (latency: TurnLatency) => number) => (_: unknown, reply: Reply) =>
    t('call.milliseconds', { value: format.count(Math.round(pick(reply.latency))) });
  return (
    <Card size="small" title={t('call.latency')}>
      {replies.length === 0 ? (
        <p className="hint">{t('call.latencyEmpty')}</p>
      ) : (
        <>
          <p className="hint">{t('call.latencyHint')}</p>
          <Table<Reply>
            size="small"
            rowKey="index"
            pagination={false}
            scroll={{ x: 560 }}
            dataSource={replies}
            columns={[
              { title: t('call.latencyReply'), dataIndex: 'text', ellipsis: true },
              {
                title: t('call.voiceToVoice'),
                key: 'total',
                align: 'right',
                width: 110,
                render: ms((l) => l.voiceToVoiceMs),
              },
              { title: t('call.endOfTurn'), key: 'eot', align: 'right', width: 110, render: ms((l) => l.endOfTurnMs) },
              { title: t('call.think'), key: 'think', align: 'right', width: 100, render: ms((l) => l.thinkMs) },
              { title: t('call.playout'), key: 'playout', align: 'right', width: 100, render: ms((l) => l.playoutMs) },
            ]}
          />
        </>
      )}
    </Card>
  );
}

/** What the network did to the audio of the callee. */
export function MediaFigures({ media }: { readonly media: CallView['media'] }) {
  const { t } = useTranslation();
  return (
    <Card size="small" title={t('call.media')}>
      {media === null ? <p className="hint">{t('call.mediaEmpty')}</p> : <Figures media={media} />}
    </Card>
  );
}

/** The same of those whom the callee was put through to or who listened in; nothing where there were none. */
export function SecondLegs({ legs }: { readonly legs: CallView['legs'] }) {
  const { t } = useTranslation();
  return legs.map(({ role, target, joinedMs, leftMs, media }) => (
    <Card
      key={`${joinedMs} ${target}`}
      size="small"
      title={t('call.secondLeg', { role: t(role === 'agent' ? 'call.agent' : `listener.${role}`), target })}
    >
      <p className="hint">{t('call.tookPart', { from: positionText(joinedMs), to: positionText(leftMs) })}</p>
      {media === undefined ? <p className="hint">{t('call.mediaEmpty')}</p> : <Figures media={media} />}
    </Card>
  ));
}

function Figures({ media }: { readonly media: MediaStats }) {
  const { t } = useTranslation();
  const format = useFormat();
  const expected = media.packetsReceived + media.packetsLost;
  const loss = expected === 0 ? 0 : media.packetsLost / expected;
  const optional = (key: 'mos' | 'remoteMos' | 'remoteLoss', value: string | undefined) =>
    value === undefined ? [] : [{ key, label: t(`call.${key}`), children: value }];
  return (
    <Descriptions
      size="small"
      column={1}
      items={[
        { key: 'codec', label: t('call.codec'), children: media.codec },
        ...optional('mos', media.mos?.toFixed(2)),
        ...optional('remoteMos', media.remoteMos?.toFixed(2)),
        { key: 'sent', label: t('call.sent'), children: format.count(media.packetsSent) },
        { key: 'received', label: t('call.received'), children: format.count(media.packetsReceived) },
        {
          key: 'lost',
          label: t('call.lost'),
          children: `${format.count(media.packetsLost)} (${format.percent(loss)})`,
        },
        ...optional(
          'remoteLoss',
          media.remoteLossRatio === undefined ? undefined : format.percent(media.remoteLossRatio),
        ),
        { key: 'late', label: t('call.late'), children: format.count(media.packetsLate) },
        {
          key: 'jitter',
          label: t('call.jitter'),
          children: t('call.milliseconds', { value: media.jitterMs.toFixed(1) }),
        },
      ]}
    />
  );
}
