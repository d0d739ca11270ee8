import { InboxOutlined } from '@ant-design/icons';
import { Upload } from 'antd';
import { useTranslation } from 'react-i18next';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import type { Wizard } from './use-wizard.ts';

/** Takes the file and reads its beginning. */
export function UploadStep({ wizard }: { readonly wizard: Wizard }) {
  const { t } = useTranslation();
  const { read } = wizard;
  return (
    <div className="wizard-step">
      <Upload.Dragger
        accept=".csv,.txt,text/csv"
        maxCount={1}
        showUploadList={false}
        disabled={read.isPending || wizard.scripts.isPending}
        beforeUpload={(file) => {
          read.mutate(file);
          return false;
        }}
      >
        <p className="ant-upload-drag-icon">
          <InboxOutlined />
        </p>
        <p className="ant-upload-text">{read.isPending ? t('wizard.reading') : t('wizard.drop')}</p>
        <p className="ant-upload-hint">{t('wizard.dropHint')}</p>
      </Upload.Dragger>
      <FailureAlert error={read.error} />
    </div>
  );
}
