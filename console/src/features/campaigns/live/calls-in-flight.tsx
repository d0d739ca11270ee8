import { Badge, Card } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LiveCall } from '#domain/api.ts';
import type { CampaignState } from '#domain/campaign.ts';
import { DirectionTag, PhoneText } from '../../../app/code-tags.tsx';
import { clockText } from '../../../app/duration.ts';
import { NothingHere } from '../../../app/nothing-here.tsx';
import { useNow } from '../../../app/use-now.ts';
import { CallButtons } from './call-buttons.tsx';
import type { CallDialogKind } from './call-buttons.tsx';
import { ListenDialog } from './listen-dialog.tsx';
import { TransferDialog } from './transfer-dialog.tsx';

/** A page shows this many calls at once; the rest is counted. */
const MAX_SHOWN = 100;
const STATUS = { dialing: 'default', ringing: 'warning', talking: 'processing' } as const;

/** The calls going on now, longest first, with what a supervisor may do to them. */
export function CallsInFlight(p: {
  readonly calls: readonly LiveCall[];
  readonly campaignState: CampaignState;
  readonly skewMs: number;
}) {
  const { t } = useTranslation();
  const nowMs = useNow(p.calls.length > 0) + p.skewMs;
  const shown = p.calls.slice(0, MAX_SHOWN);
  // The call is kept, because it may end and leave the list while its dialog is open.
  const [dialog, setDialog] = useState<{ readonly kind: CallDialogKind; readonly call: LiveCall }>();
  const [phone, setPhone] = useState('');
  const close = (): void => setDialog(undefined);
  return (
    <Card
      size="small"
      title={t('live.inFlight')}
      extra={<strong data-testid="in-flight">{p.calls.length}</strong>}
      styles={{ body: { padding: 0 } }}
      className="in-flight"
    >
      {shown.length === 0 ? (
        <NothingHere title={t('live.inFlightEmpty')} hint={t(`live.inFlightHint.${p.campaignState}`)} />
      ) : (
        <ul className="in-flight-list" tabIndex={0} aria-label={t('live.inFlight')}>
          {shown.map((call) => (
            <li key={call.id}>
              <span className="in-flight-who">
                <strong>{call.name === '' ? t('common.unnamed') : call.name}</strong>
                <PhoneText phone={call.phone} /> <DirectionTag direction={call.direction} />
              </span>
              <Badge status={STATUS[call.state]} text={t(`callState.${call.state}`)} />
              <span className="number in-flight-time">{clockText(nowMs - new Date(call.sinceAt).getTime())}</span>
              <CallButtons call={call} onOpen={(kind) => setDialog({ kind, call })} />
              <span className="in-flight-text" title={call.lastText}>
                {call.lastText}
              </span>
            </li>
          ))}
          {p.calls.length > shown.length && (
            <li className="hint">{t('live.more', { count: p.calls.length - shown.length })}</li>
          )}
        </ul>
      )}
      {dialog?.kind === 'transfer' && <TransferDialog call={dialog.call} onClose={close} />}
      {dialog?.kind === 'listen' && (
        <ListenDialog call={dialog.call} phone={phone} onPhone={setPhone} onClose={close} />
      )}
    </Card>
  );
}
