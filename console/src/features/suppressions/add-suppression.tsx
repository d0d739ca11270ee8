import { Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { ApiFailure } from '../../api/request.ts';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { useFormat } from '../../i18n/use-format.ts';
import { useSuppress } from './use-suppressions.ts';

interface Entry {
  readonly phone: string;
  readonly note?: string;
}

/** Asks for a number and why it must not be called. */
export function AddSuppression({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [form] = Form.useForm<Entry>();
  const add = useSuppress(() => {
    form.resetFields();
    onClose();
  });
  const atPhone =
    add.error instanceof ApiFailure ? add.error.problems.find(({ path }) => path === 'phone')?.message : undefined;
  return (
    <Modal
      open={open}
      title={t('suppression.add')}
      okText={t('suppression.add')}
      cancelText={t('common.cancel')}
      confirmLoading={add.isPending}
      forceRender
      onOk={() => form.submit()}
      onCancel={() => {
        add.reset();
        onClose();
      }}
    >
      <Form<Entry>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(entry) => add.mutate(entry)}
        onValuesChange={() => add.reset()}
      >
        <Form.Item
          name="phone"
          label={t('common.phone')}
          rules={[{ required: true, whitespace: true, message: t('suppression.phoneRequired') }]}
          {...(atPhone === undefined ? {} : { validateStatus: 'error' as const, help: format.text(atPhone) })}
        >
          <Input maxLength={40} inputMode="tel" autoComplete="off" />
        </Form.Item>
        <Form.Item name="note" label={t('suppression.note')}>
          <Input.TextArea maxLength={500} autoSize={{ minRows: 2 }} />
        </Form.Item>
        {atPhone === undefined && <FailureAlert error={add.error} />}
      </Form>
    </Modal>
  );
}
