import { Button, Form, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { atTarget } from './target-field.tsx';

/** One of a few ways to do it, each with what it means. */
export function DescribedChoice(p: {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string; readonly hint: string }[];
}) {
  return (
    <Form.Item name={p.name} label={p.label}>
      <Radio.Group
        className="described-choices"
        options={p.options.map(({ value, label, hint }) => ({
          value,
          label: (
            <>
              {label} <small className="hint">{hint}</small>
            </>
          ),
        }))}
      />
    </Form.Item>
  );
}

/** What went wrong, unless that stands at the target, and the way out or on. */
export function CallFormEnd(p: {
  readonly error: unknown;
  readonly pending: boolean;
  readonly submit: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <>
      {atTarget(p.error) === undefined && <FailureAlert error={p.error} />}
      <div className="call-dialog-end">
        <Button onClick={p.onClose}>{t('common.close')}</Button>
        <Button type="primary" htmlType="submit" loading={p.pending}>
          {p.submit}
        </Button>
      </div>
    </>
  );
}
