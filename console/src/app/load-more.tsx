import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/use-format.ts';

/** The end of a list that is fetched page by page; totals at the API's bound read as "10,000+". */
export function LoadMore(p: {
  readonly shown: number;
  readonly total: number;
  readonly hasMore: boolean;
  readonly loading: boolean;
  readonly onMore: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = p.total >= 10_000 ? `${format.count(p.total)}+` : format.count(p.total);
  return (
    <div className="load-more">
      <span>{t('common.shown', { shown: format.count(p.shown), total })}</span>
      {p.hasMore && (
        <Button size="small" loading={p.loading} onClick={p.onMore}>
          {t('common.loadMore')}
        </Button>
      )}
    </div>
  );
}
