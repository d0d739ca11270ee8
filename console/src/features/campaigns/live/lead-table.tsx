import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Card, Input, Select, Table } from 'antd';
import type { TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CampaignView, LeadView } from '#domain/api.ts';
import { GradeTag, OutcomeText } from '../../../app/code-tags.tsx';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { LoadMore } from '../../../app/load-more.tsx';
import { NothingHere } from '../../../app/nothing-here.tsx';
import { useCodeOptions } from '../../../app/use-code-options.ts';
import { useFormat } from '../../../i18n/use-format.ts';
import { leadsQuery } from '../campaign-queries.ts';
import type { LeadFilter } from '../campaign-queries.ts';

/** The leads of a campaign; each says why it is not dialled now and when it is next. */
export function LeadTable({ campaign }: { readonly campaign: CampaignView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const options = useCodeOptions();
  const [filter, setFilter] = useState<LeadFilter>({});
  const list = useInfiniteQuery({
    ...leadsQuery(campaign.id, filter, campaign.state === 'running'),
    placeholderData: keepPreviousData,
  });
  const leads = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages.at(-1)?.total ?? 0;
  const choose = (part: { readonly [Key in keyof LeadFilter]: string | undefined }): void => {
    const merged = Object.entries({ ...filter, ...part }).filter(([, value]) => value !== undefined && value !== '');
    setFilter(Object.fromEntries(merged));
  };
  const columns: TableColumnsType<LeadView> = [
    { title: t('common.name'), key: 'name', render: (_, { name }) => (name === '' ? t('common.unnamed') : name) },
    {
      title: t('common.phone'),
      key: 'phone',
      width: 150,
      render: (_, { phone }) => <span className="number">{phone}</span>,
    },
    { title: t('common.state'), key: 'state', width: 100, render: (_, { state }) => t(`leadState.${state}`) },
    { title: t('lead.reason'), key: 'reason', render: (_, { reason }) => t(`hold.${reason}`) },
    { title: t('lead.attempts'), key: 'attempts', width: 90, align: 'right', dataIndex: 'attempts' },
    {
      title: t('lead.nextAttempt'),
      key: 'next',
      width: 180,
      render: (_, { nextAttemptAt }) => format.dateTime(nextAttemptAt),
    },
    {
      title: t('lead.lastOutcome'),
      key: 'outcome',
      width: 140,
      render: (_, { lastOutcome }) => (lastOutcome === null ? '—' : <OutcomeText outcome={lastOutcome} />),
    },
    {
      title: t('common.grade'),
      key: 'grade',
      width: 140,
      render: (_, { grade }) => (grade === null ? '—' : <GradeTag grade={grade} />),
    },
  ];
  return (
    <Card styles={{ body: { padding: 0 } }}>
      <div className="filters">
        <Input.Search
          allowClear
          placeholder={t('lead.search')}
          aria-label={t('lead.search')}
          maxLength={100}
          onSearch={(search) => choose({ search: search.trim() })}
          className="filter-wide"
        />
        <Select
          allowClear
          placeholder={t('common.state')}
          aria-label={t('common.state')}
          options={options.leadStates}
          onChange={(state?: string) => choose({ state })}
        />
        <Select
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('lead.lastOutcome')}
          aria-label={t('lead.lastOutcome')}
          options={options.outcomes}
          onChange={(outcome?: string) => choose({ outcome })}
        />
        <Select
          allowClear
          placeholder={t('common.grade')}
          aria-label={t('common.grade')}
          options={options.grades}
          onChange={(grade?: string) => choose({ grade })}
        />
      </div>
      <FailureAlert error={list.error} onRetry={() => void list.refetch()} />
      <Table<LeadView>
        rowKey="id"
        size="small"
        columns={columns}
        dataSource={leads}
        loading={list.isPending}
        pagination={false}
        scroll={{ x: 1000 }}
        locale={{ emptyText: <NothingHere title={t('lead.empty')} hint={t('lead.emptyHint')} /> }}
      />
      {leads.length > 0 && (
        <LoadMore
          shown={leads.length}
          total={total}
          hasMore={list.hasNextPage}
          loading={list.isFetchingNextPage}
          onMore={() => void list.fetchNextPage()}
        />
      )}
    </Card>
  );
}
