import { useMutation } from '@tanstack/react-query';
import { App, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { request } from '../../api/request.ts';
import { FailureAlert } from '../../app/failure-alert.tsx';

interface Entry {
  readonly current: string;
  readonly next: string;
  readonly again: string;
}

/** What the server asks of a password. */
const MIN_LENGTH = 10;

/** Asks for the old password and a new one; other sessions of the user end. */
export function ChangePassword({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Entry>();
  const change = useMutation({
    mutationFn: ({ current, next }: Entry) =>
      request<undefined>('/api/session/password', { method: 'POST', body: { current, next } }),
    onSuccess: () => {
      void message.success(t('session.passwordChanged'));
      form.resetFields();
      onClose();
    },
  });
  return (
    <Modal
      open={open}
      title={t('session.changePassword')}
      okText={t('session.changePassword')}
      cancelText={t('common.cancel')}
      confirmLoading={change.isPending}
      forceRender
      onOk={() => form.submit()}
      onCancel={() => {
        change.reset();
        form.resetFields();
        onClose();
      }}
    >
      <Form<Entry> form={form} layout="vertical" requiredMark={false} onFinish={(entry) => change.mutate(entry)}>
        <Form.Item
          name="current"
          label={t('session.currentPassword')}
          rules={[{ required: true, message: t('session.passwordRequired') }]}
        >
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item
          name="next"
          label={t('session.nextPassword')}
          rules={[{ required: true, min: MIN_LENGTH, message: t('session.passwordTooShort', { count: MIN_LENGTH }) }]}
        >
          <Input.Password autoComplete="new-password" maxLength={256} />
        </Form.Item>
        <Form.Item
          name="again"
          label={t('session.againPassword')}
          dependencies={['next']}
          rules={[
            ({ getFieldValue }) => ({
              validator: async (_, value: unknown) => {
                if (value !== getFieldValue('next')) throw new Error(t('session.passwordsDiffer'));
              },
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" maxLength={256} />
        </Form.Item>
        <FailureAlert error={change.error} />
      </Form>
    </Modal>
  );
}
