import { Link } from '@tanstack/react-router';
import { Result } from 'antd';
import { useTranslation } from 'react-i18next';

/** An address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Result
      status="404"
      title={t('problem.notFound')}
      subTitle={t('problem.notFoundHint')}
      extra={<Link to="/campaigns">{t('problem.home')}</Link>}
    />
  );
}
