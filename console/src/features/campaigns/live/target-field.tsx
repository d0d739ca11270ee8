import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { isDialable } from '#domain/transfer.ts';
import { ApiFailure } from '../../../api/request.ts';
import { useFormat } from '../../../i18n/use-format.ts';

/** What the server says about the target of a refused request. */
export function atTarget(error: unknown) {
  return error instanceof ApiFailure ? error.problems.find(({ path }) => path === 'target')?.message : undefined;
}

/** Asks for a number or a SIP address; the server's refusal stands at the field. */
export function TargetField({ label, error }: { readonly label: string; readonly error: unknown }) {
  const { t } = useTranslation();
  const format = useFormat();
  const refused = atTarget(error);
  return (
    <Form.Item
      name="target"
      label={label}
      extra={t('desk.targetHint')}
      validateTrigger="onSubmit"
      rules={[
        { required: true, whitespace: true, message: t('desk.targetRequired') },
        {
          validator: (_, target: string | undefined) =>
            (target ?? '').trim() === '' || isDialable(target ?? '')
              ? Promise.resolve()
              : Promise.reject(new Error(t('desk.targetInvalid'))),
        },
      ]}
      {...(refused === undefined ? {} : { validateStatus: 'error' as const, help: format.text(refused) })}
    >
      <Input maxLength={200} autoComplete="off" autoFocus />
    </Form.Item>
  );
}
