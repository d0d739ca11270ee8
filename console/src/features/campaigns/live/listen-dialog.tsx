import { Alert, App, Button, Form, Select, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallBridgeView, LiveCall } from '#domain/api.ts';
import { LISTENER_ROLES } from '#domain/transfer.ts';
import type { ListenerRole } from '#domain/transfer.ts';
import { calleeNotices } from './call-acts.ts';
import type { CallAct } from './call-acts.ts';
import { CallDialog } from './call-dialog.tsx';
import { CallFormEnd, DescribedChoice } from './call-form.tsx';
import { TargetField } from './target-field.tsx';
import { useCallAct } from './use-call-bridge.ts';

interface Wish {
  readonly target: string;
  readonly role: ListenerRole;
}

/**
 * Lets somebody listen in by telephone, unheard, heard by the agent or heard by all. The browser has no part in the
 * audio: the platform calls a phone.
 */
export function ListenDialog(p: {
  readonly call: LiveCall;
  /** The phone that listened last, which mostly is the reader's own. */
  readonly phone: string;
  readonly onPhone: (phone: string) => void;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <CallDialog call={p.call} title={t('desk.listen')} onClose={p.onClose}>
      {(bridge, close) => <Listening {...p} onClose={close} bridge={bridge} />}
    </CallDialog>
  );
}

function Listening({
  call,
  phone,
  onPhone,
  onClose,
  bridge,
}: Parameters<typeof ListenDialog>[0] & { readonly bridge: CallBridgeView }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const [form] = Form.useForm<Wish>();
  const act = useCallAct(call.id);
  const roles = LISTENER_ROLES.map((value) => ({ value, label: t(`desk.roles.${value}`) }));
  const run = (wanted: CallAct): void => {
    if (!calleeNotices(wanted)) {
      act.mutate(wanted);
      return;
    }
    void modal.confirm({
      title: t('desk.bargeConfirm'),
      content: t('desk.bargeConfirmHint'),
      okText: t('desk.roles.barge'),
      cancelText: t('common.cancel'),
      onOk: () => act.mutateAsync(wanted).catch(() => undefined),
    });
  };
  const { failedListener } = bridge;
  return (
    <>
      <Alert type="info" showIcon title={t('desk.byPhone')} />
      {bridge.listeners.length > 0 && (
        <ul className="listeners" aria-label={t('desk.listeners')}>
          {bridge.listeners.map(({ id, target, role, state }) => (
            <li key={id} data-listener={state}>
              <span className="number">{target}</span>
              <Tag color={state === 'listening' ? 'green' : 'processing'}>{t(`desk.listenerState.${state}`)}</Tag>
              <Select<ListenerRole>
                size="small"
                value={role}
                options={roles}
                disabled={act.isPending}
                aria-label={t('desk.roleOf', { target })}
                onChange={(next) => run({ act: 'role', listener: id, role: next })}
              />
              <Button
                size="small"
                danger
                disabled={act.isPending}
                aria-label={t('desk.hangUpOf', { target })}
                onClick={() => act.mutate({ act: 'end-listener', listener: id })}
              >
                {t('desk.hangUp')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {failedListener !== null && bridge.listeners.length === 0 && (
        <Alert
          type="warning"
          showIcon
          role="status"
          title={t('desk.listenFailed', {
            target: failedListener.target,
            reason: t(`transferFailure.${failedListener.reason}`),
          })}
        />
      )}
      <Form<Wish>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ target: phone, role: 'monitor' }}
        onFinish={({ target, role }) => {
          onPhone(target.trim());
          run({ act: 'listen', body: { target: target.trim(), role } });
        }}
        onValuesChange={() => act.reset()}
      >
        <TargetField label={t('desk.listenTarget')} error={act.error} />
        <DescribedChoice
          name="role"
          label={t('desk.role')}
          options={roles.map((role) => ({ ...role, hint: t(`desk.roleHints.${role.value}`) }))}
        />
        <CallFormEnd error={act.error} pending={act.isPending} submit={t('desk.callPhone')} onClose={onClose} />
      </Form>
    </>
  );
}
