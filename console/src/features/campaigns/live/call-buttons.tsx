import { AudioOutlined, SwapOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { LiveCall } from '#domain/api.ts';
import { useRole } from '../../session/use-role.ts';
import { HangUpButton } from './hang-up-button.tsx';

/** The dialogs that a supervisor may open for a call. */
export type CallDialogKind = 'transfer' | 'listen';

/** The acts that a call under way allows, for those who may do them; until somebody talks it can only be ended. */
export function CallButtons({
  call,
  onOpen,
}: {
  readonly call: LiveCall;
  readonly onOpen: (kind: CallDialogKind) => void;
}) {
  const { t } = useTranslation();
  const mayAct = useRole('operator');
  if (!mayAct) return null;
  const who = call.name === '' ? call.phone : call.name;
  const talking = call.state === 'talking';
  return (
    <span className="call-buttons">
      {talking && (
        <>
          <Button
            size="small"
            icon={<SwapOutlined />}
            aria-label={t('desk.transferOf', { who })}
            aria-haspopup="dialog"
            onClick={() => onOpen('transfer')}
          >
            {t('desk.transfer')}
          </Button>
          <Button
            size="small"
            icon={<AudioOutlined />}
            aria-label={t('desk.listenOf', { who })}
            aria-haspopup="dialog"
            onClick={() => onOpen('listen')}
          >
            {t('desk.listen')}
          </Button>
        </>
      )}
      <HangUpButton call={call} who={who} />
    </span>
  );
}
