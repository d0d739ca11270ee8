import { DownloadOutlined, SoundOutlined } from '@ant-design/icons';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Button, Card, Table, Tag } from 'antd';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallSummary } from '#domain/api.ts';
import { queryString } from '../../api/query-string.ts';
import { DirectionText, GradeTag, OutcomeText, PhoneText } from '../../app/code-tags.tsx';
import { clockText } from '../../app/duration.ts';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { LoadMore } from '../../app/load-more.tsx';
import { NothingHere } from '../../app/nothing-here.tsx';
import { PageHeader } from '../../app/page-header.tsx';
import { useFormat } from '../../i18n/use-format.ts';
import { useRole } from '../session/use-role.ts';
import { CallFilters } from './call-filters.tsx';
import { callListQuery } from './call-queries.ts';
import { callQuery } from './call-search.ts';

/** Every call, filtered by what the address says. */
export function CallListPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const mayExport = useRole('operator');
  const search = useSearch({ from: '/signed-in/calls' });
  const list = useInfiniteQuery({ ...callListQuery(search), placeholderData: keepPreviousData });
  const calls = list.data?.pages.flatMap((page) => page.items) ?? [];
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const csv = `/api/calls.csv${queryString({ ...callQuery(search), language: format.language, timeZone })}`;
  const columns: TableColumnsType<CallSummary> = [
    {
      title: t('call.dialedAt'),
      key: 'dialedAt',
      width: 165,
      render: (_, { dialedAt }) => <span className="number">{format.dateTime(dialedAt)}</span>,
    },
    {
      title: t('common.name'),
      key: 'name',
      width: 110,
      render: (_, { id, name }) => (
        <Link to="/calls/$callId" params={{ callId: id }}>
          {name === '' ? t('common.unnamed') : name}
        </Link>
      ),
    },
    {
      title: t('call.direction'),
      key: 'direction',
      width: 105,
      render: (_, { direction }) => <DirectionText direction={direction} />,
    },
    {
      title: t('common.phone'),
      key: 'phone',
      width: 140,
      render: (_, { phone }) => <PhoneText phone={phone} />,
    },
    {
      title: t('call.campaign'),
      key: 'campaign',
      ellipsis: true,
      render: (_, { campaignId, campaignName, direction }) =>
        campaignId === null ? (
          direction === 'inbound' ? (
            '—'
          ) : (
            t('call.single')
          )
        ) : (
          <Link to="/campaigns/$campaignId" params={{ campaignId }}>
            {campaignName ?? campaignId}
          </Link>
        ),
    },
    {
      title: t('common.outcome'),
      key: 'outcome',
      width: 115,
      render: (_, { outcome }) => <OutcomeText outcome={outcome} />,
    },
    { title: t('common.grade'), key: 'grade', width: 120, render: (_, { grade }) => <GradeTag grade={grade} /> },
    {
      title: t('call.talk'),
      key: 'talk',
      width: 90,
      align: 'right',
      render: (_, { talkMs, hasRecording }) => (
        <span className="number">
          {hasRecording && <SoundOutlined className="recorded" title={t('call.hasRecording')} />}
          {talkMs > 0 ? clockText(talkMs) : '—'}
        </span>
      ),
    },
    { title: t('call.hangupBy'), key: 'hangupBy', width: 85, render: (_, { hangupBy }) => t(`hangup.${hangupBy}`) },
    {
      title: t('call.tags'),
      key: 'tags',
      width: 150,
      render: (_, { tags }) => tags.map((tag) => <Tag key={tag}>{tag}</Tag>),
    },
  ];
  return (
    <>
      <PageHeader
        title={t('call.title')}
        {...(mayExport
          ? {
              extra: (
                <Button icon={<DownloadOutlined />} href={csv} download="calls.csv">
                  {t('call.export')}
                </Button>
              ),
            }
          : {})}
      />
      <Card styles={{ body: { padding: 0 } }}>
        <CallFilters search={search} />
        <FailureAlert error={list.error} onRetry={() => void list.refetch()} />
        <Table<CallSummary>
          rowKey="id"
          size="small"
          columns={columns}
          dataSource={calls}
          loading={list.isPending || list.isPlaceholderData}
          pagination={false}
          scroll={{ x: 1240 }}
          locale={{
            emptyText: list.isPending ? (
              t('common.loading')
            ) : (
              <NothingHere title={t('call.empty')} hint={t('call.emptyHint')} />
            ),
          }}
        />
        {calls.length > 0 && (
          <LoadMore
            shown={calls.length}
            total={list.data?.pages.at(-1)?.total ?? calls.length}
            hasMore={list.hasNextPage}
            loading={list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
          />
        )}
      </Card>
    </>
  );
}
