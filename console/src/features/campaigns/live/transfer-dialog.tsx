import { Alert, App, Button, Checkbox, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallBridgeView, LiveCall } from '#domain/api.ts';
import { TRANSFER_KINDS } from '#domain/transfer.ts';
import type { TransferKind } from '#domain/transfer.ts';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { CallDialog } from './call-dialog.tsx';
import { CallFormEnd, DescribedChoice } from './call-form.tsx';
import { TargetField } from './target-field.tsx';
import { useCallAct } from './use-call-bridge.ts';

interface Wish {
  readonly kind: TransferKind;
  readonly target: string;
  readonly release: boolean;
}

/** Hands a call to somebody else, tells what becomes of it and takes it back. */
export function TransferDialog({ call, onClose }: { readonly call: LiveCall; readonly onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <CallDialog call={call} title={t('desk.transfer')} onClose={onClose}>
      {(bridge, close) =>
        bridge.transfer === null ? (
          <TransferForm call={call} last={bridge.lastTransfer} onClose={close} />
        ) : (
          <Underway call={call} transfer={bridge.transfer} />
        )
      }
    </CallDialog>
  );
}

function Underway({
  call,
  transfer,
}: {
  readonly call: LiveCall;
  readonly transfer: NonNullable<CallBridgeView['transfer']>;
}) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const act = useCallAct(call.id);
  const { kind, target, state } = transfer;
  const calling = kind === 'blind' ? 'desk.blindCalling' : 'desk.attendedCalling';
  const takeBack = () =>
    void modal.confirm({
      title: t('desk.takeBack'),
      content: t(state === 'connected' ? 'desk.takeBackConnected' : 'desk.takeBackCalling', { target }),
      okText: t('desk.takeBack'),
      cancelText: t('common.cancel'),
      onOk: () => act.mutateAsync({ act: 'end-transfer' }).catch(() => undefined),
    });
  return (
    <>
      <Alert
        type={state === 'connected' ? 'success' : 'info'}
        showIcon
        role="status"
        title={t(state === 'connected' ? 'desk.connected' : calling, { target })}
      />
      <FailureAlert error={act.error} />
      {kind === 'attended' && (
        <div className="call-dialog-end">
          <Button danger loading={act.isPending} onClick={takeBack}>
            {t('desk.takeBack')}
          </Button>
        </div>
      )}
    </>
  );
}

function TransferForm({
  call,
  last,
  onClose,
}: {
  readonly call: LiveCall;
  readonly last: CallBridgeView['lastTransfer'];
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const [form] = Form.useForm<Wish>();
  const kind = Form.useWatch('kind', form);
  const act = useCallAct(call.id);
  const ask = ({ target, release, ...wish }: Wish): void => {
    const to = target.trim();
    void modal.confirm({
      title: t('desk.transferConfirm', { target: to }),
      content: t(wish.kind === 'blind' ? 'desk.blindConfirm' : 'desk.attendedConfirm'),
      okText: t('desk.transfer'),
      cancelText: t('common.cancel'),
      onOk: () =>
        act
          .mutateAsync({
            act: 'transfer',
            body: { kind: wish.kind, target: to, release: wish.kind === 'attended' && release },
          })
          .catch(() => undefined),
    });
  };
  return (
    <>
      {last !== null && <LastTransfer last={last} />}
      <Form<Wish>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ kind: 'attended', target: '', release: false }}
        onFinish={ask}
        onValuesChange={() => act.reset()}
      >
        <TargetField label={t('desk.transferTarget')} error={act.error} />
        <DescribedChoice
          name="kind"
          label={t('desk.kind')}
          options={TRANSFER_KINDS.toReversed().map((value) => ({
            value,
            label: t(`desk.kinds.${value}`),
            hint: t(`desk.kindHints.${value}`),
          }))}
        />
        <Form.Item name="release" valuePropName="checked" hidden={kind === 'blind'}>
          <Checkbox>{t('desk.release')}</Checkbox>
        </Form.Item>
        <CallFormEnd error={act.error} pending={act.isPending} submit={t('desk.transfer')} onClose={onClose} />
      </Form>
    </>
  );
}

function LastTransfer({ last }: { readonly last: NonNullable<CallBridgeView['lastTransfer']> }) {
  const { t } = useTranslation();
  const { result, target, talkMs } = last;
  const good = result === 'connected' || result === 'handed-over';
  return (
    <Alert
      type={good ? 'info' : 'warning'}
      showIcon
      role="status"
      title={
        good
          ? t('desk.lastOver', { target, seconds: Math.round(talkMs / 1000) })
          : t('desk.lastFailed', { target, reason: t(`transferFailure.${result}`) })
      }
    />
  );
}
