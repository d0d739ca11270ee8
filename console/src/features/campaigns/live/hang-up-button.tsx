import { PhoneOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { LiveCall } from '#domain/api.ts';
import { useFailureText } from '../../../app/use-failure-text.ts';
import { isCallOver, useCallAct } from './use-call-bridge.ts';

/** Ends a call, whether it rings or talks, once that was confirmed. */
export function HangUpButton({ call, who }: { readonly call: LiveCall; readonly who: string }) {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const failureText = useFailureText();
  const act = useCallAct(call.id);
  const hangUp = async (): Promise<void> => {
    try {
      await act.mutateAsync({ act: 'hang-up' });
      void message.success(t('desk.ended'));
    } catch (error) {
      // The call ended of itself, which is what was wanted.
      if (isCallOver(error)) void message.info(t('desk.over'));
      else void message.error(failureText(error));
    }
  };
  const ask = (): void =>
    void modal.confirm({
      title: t('desk.endCallConfirm', { who }),
      content: t('desk.endCallHint'),
      okText: t('desk.endCall'),
      okButtonProps: { danger: true },
      cancelText: t('common.cancel'),
      onOk: hangUp,
    });
  return (
    <Button
      size="small"
      danger
      icon={<PhoneOutlined rotate={135} />}
      loading={act.isPending}
      aria-label={t('desk.endCallOf', { who })}
      aria-haspopup="dialog"
      onClick={ask}
    >
      {t('desk.endCall')}
    </Button>
  );
}
