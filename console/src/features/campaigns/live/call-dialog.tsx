import { Link } from '@tanstack/react-router';
import { Alert, Modal, Spin } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallBridgeView, LiveCall } from '#domain/api.ts';
import { PhoneText } from '../../../app/code-tags.tsx';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { isCallOver, useCallBridge } from './use-call-bridge.ts';

/** The frame of a supervisor's dialog: whose call it is, and what to do once the call is over. */
export function CallDialog({
  call,
  title,
  onClose,
  children,
}: {
  readonly call: LiveCall;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: (bridge: CallBridgeView, close: () => void) => ReactNode;
}) {
  const { t } = useTranslation();
  const bridge = useCallBridge(call.id);
  // It closes before it is taken away, so that the focus goes back to the button that opened it.
  const [open, setOpen] = useState(true);
  const close = (): void => setOpen(false);
  const over = isCallOver(bridge.error);
  return (
    <Modal
      open={open}
      title={title}
      footer={null}
      width={560}
      onCancel={close}
      afterClose={onClose}
      className="call-dialog"
    >
      <p className="hint">
        {call.name === '' ? t('common.unnamed') : call.name} <PhoneText phone={call.phone} />
      </p>
      {over ? (
        <Alert
          type="info"
          showIcon
          title={t('desk.over')}
          description={
            <Link to="/calls/$callId" params={{ callId: call.id }}>
              {t('desk.openRecord')}
            </Link>
          }
        />
      ) : (
        <>
          <FailureAlert error={bridge.error} onRetry={() => void bridge.refetch()} />
          {bridge.data === undefined ? bridge.error === null && <Spin /> : children(bridge.data, close)}
        </>
      )}
    </Modal>
  );
}
