import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { App, Button, Card, Input, Table } from 'antd';
import type { TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SuppressionView } from '#domain/api.ts';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { LoadMore } from '../../app/load-more.tsx';
import { NothingHere } from '../../app/nothing-here.tsx';
import { PageHeader } from '../../app/page-header.tsx';
import { useFormat } from '../../i18n/use-format.ts';
import { useRole } from '../session/use-role.ts';
import { AddSuppression } from './add-suppression.tsx';
import { suppressionListQuery, useUnsuppress } from './use-suppressions.ts';

/** Who must not be called, in any campaign. */
export function SuppressionPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const { modal } = App.useApp();
  const mayAdd = useRole('operator');
  const mayRemove = useRole('admin');
  const [phone, setPhone] = useState('');
  const [adding, setAdding] = useState(false);
  const list = useInfiniteQuery({ ...suppressionListQuery(phone), placeholderData: keepPreviousData });
  const remove = useUnsuppress();
  const entries = list.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: TableColumnsType<SuppressionView> = [
    {
      title: t('common.phone'),
      key: 'phone',
      width: 170,
      render: (_, entry) => <span className="number">{entry.phone}</span>,
    },
    { title: t('suppression.source'), key: 'source', width: 160, render: (_, { source }) => t(`source.${source}`) },
    { title: t('suppression.note'), dataIndex: 'note', ellipsis: true },
    {
      title: t('suppression.addedAt'),
      key: 'at',
      width: 180,
      render: (_, { createdAt }) => <span className="number">{format.dateTime(createdAt)}</span>,
    },
    {
      title: t('suppression.call'),
      key: 'call',
      width: 110,
      render: (_, { callId }) =>
        callId === null ? (
          '—'
        ) : (
          <Link to="/calls/$callId" params={{ callId }}>
            {t('suppression.openCall')}
          </Link>
        ),
    },
    ...(mayRemove
      ? [
          {
            title: t('common.actions'),
            key: 'actions',
            width: 100,
            render: (_: unknown, entry: SuppressionView) => (
              <Button
                size="small"
                type="text"
                danger
                onClick={() =>
                  void modal.confirm({
                    title: t('suppression.remove'),
                    content: t('suppression.removeConfirm', { phone: entry.phone }),
                    okText: t('suppression.remove'),
                    okButtonProps: { danger: true },
                    cancelText: t('common.cancel'),
                    onOk: () => remove.mutateAsync(entry.id).catch(() => undefined),
                  })
                }
              >
                {t('suppression.remove')}
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <>
      <PageHeader
        title={t('suppression.title')}
        {...(mayAdd
          ? {
              extra: (
                <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
                  {t('suppression.add')}
                </Button>
              ),
            }
          : {})}
      />
      <p className="hint page-hint">{t('suppression.hint')}</p>
      <Card styles={{ body: { padding: 0 } }}>
        <div className="filters">
          <Input.Search
            allowClear
            placeholder={t('suppression.search')}
            aria-label={t('suppression.search')}
            maxLength={40}
            onSearch={(text) => setPhone(text.trim())}
            className="filter-wide"
          />
        </div>
        <FailureAlert error={list.error} onRetry={() => void list.refetch()} />
        <Table<SuppressionView>
          rowKey="id"
          size="small"
          columns={columns}
          dataSource={entries}
          loading={list.isPending || list.isPlaceholderData}
          pagination={false}
          locale={{
            emptyText:
              phone === '' ? (
                <NothingHere title={t('suppression.empty')} hint={t('suppression.emptyHint')} />
              ) : (
                <NothingHere title={t('suppression.notFound')} hint={t('suppression.notFoundHint')} />
              ),
          }}
        />
        {entries.length > 0 && (
          <LoadMore
            shown={entries.length}
            total={list.data?.pages.at(-1)?.total ?? entries.length}
            hasMore={list.hasNextPage}
            loading={list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
          />
        )}
      </Card>
      <AddSuppression open={adding} onClose={() => setAdding(false)} />
    </>
  );
}
