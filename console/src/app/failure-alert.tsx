import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { ApiFailure } from '../api/request.ts';
import { useFormat } from '../i18n/use-format.ts';

/** Says what failed and, where a try is possible, offers it. Shows nothing without an error. */
export function FailureAlert({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (error === null || error === undefined) return null;
  return (
    <Alert
      type="error"
      showIcon
      title={error instanceof ApiFailure ? format.text(error.text) : t('problem.crash')}
      {...(onRetry === undefined
        ? {}
        : {
            action: (
              <Button size="small" onClick={onRetry}>
                {t('common.retry')}
              </Button>
            ),
          })}
    />
  );
}
