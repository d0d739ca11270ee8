import { Button, Result } from 'antd';
import { useTranslation } from 'react-i18next';
import { ApiFailure } from '../api/request.ts';
import { useFormat } from '../i18n/use-format.ts';

/** Shown in place of a page that could not be opened. */
export function CrashPage({ error }: { readonly error: unknown }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Result
      status="error"
      title={t('problem.title')}
      subTitle={error instanceof ApiFailure ? format.text(error.text) : t('problem.crash')}
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t('problem.reload')}
        </Button>
      }
    />
  );
}
