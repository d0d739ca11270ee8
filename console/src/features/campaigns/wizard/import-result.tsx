import { DownloadOutlined } from '@ant-design/icons';
import { Button, Result } from 'antd';
import { useTranslation } from 'react-i18next';
import type { ImportView } from '#domain/api.ts';
import { useFormat } from '../../../i18n/use-format.ts';
import type { Wizard } from './use-wizard.ts';

/** What became of the file's rows, with the rejected ones to download. */
export function ImportResult({ wizard, result }: { readonly wizard: Wizard; readonly result: ImportView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const usable = result.imported + result.merged;
  const figures = [
    { key: 'rows', label: t('wizard.rows'), value: result.rows },
    { key: 'imported', label: t('wizard.importedCount'), value: result.imported },
    { key: 'merged', label: t('wizard.mergedCount'), value: result.merged },
    { key: 'rejected', label: t('wizard.rejectedCount'), value: result.rejected },
  ];
  return (
    <div className="wizard-step">
      <Result
        status={usable > 0 ? 'success' : 'warning'}
        title={usable > 0 ? t('wizard.imported') : t('wizard.nothingImported')}
        {...(usable > 0 ? { subTitle: t('wizard.importedHint') } : {})}
        extra={
          result.rejectedUrl !== null && (
            <Button icon={<DownloadOutlined />} href={result.rejectedUrl} download>
              {t('wizard.rejectedFile')}
            </Button>
          )
        }
      >
        <dl className="import-figures">
          {figures.map((figure) => (
            <div key={figure.key}>
              <dt>{figure.label}</dt>
              <dd data-import={figure.key}>{format.count(figure.value)}</dd>
            </div>
          ))}
        </dl>
      </Result>
      <div className="wizard-buttons">
        <Button onClick={() => wizard.setStep('upload')}>{t('wizard.otherFile')}</Button>
        <Button type="primary" disabled={usable === 0} onClick={() => wizard.setStep('script')}>
          {t('common.next')}
        </Button>
      </div>
    </div>
  );
}
