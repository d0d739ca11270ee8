import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, Card, Progress, Table } from 'antd';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignView } from '#domain/api.ts';
import { CampaignStateTag } from '../../app/code-tags.tsx';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { NothingHere } from '../../app/nothing-here.tsx';
import { PageHeader } from '../../app/page-header.tsx';
import { useFormat } from '../../i18n/use-format.ts';
import { useRole } from '../session/use-role.ts';
import { CampaignActions } from './campaign-actions.tsx';
import { progressOf } from './campaign-progress.ts';
import { campaignListQuery } from './campaign-queries.ts';

/** All campaigns with how far they are and what can be done with them. */
export function CampaignListPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const mayOperate = useRole('operator');
  const list = useQuery(campaignListQuery);
  const campaigns = list.data ?? [];
  const create = (
    <Link to="/campaigns/new">
      <Button type="primary" icon={<PlusOutlined />}>
        {t('campaign.create')}
      </Button>
    </Link>
  );
  const columns: TableColumnsType<CampaignView> = [
    {
      title: t('campaign.name'),
      key: 'name',
      render: (_, campaign) => (
        <div className="cell-stack">
          <Link to="/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
            {campaign.name}
          </Link>
          <small>
            {campaign.script.name} · {t('campaign.version', { version: campaign.script.version })}
          </small>
        </div>
      ),
    },
    {
      title: t('common.state'),
      key: 'state',
      width: 110,
      render: (_, { state }) => <CampaignStateTag state={state} />,
    },
    {
      title: t('campaign.progress'),
      key: 'progress',
      width: 220,
      render: (_, campaign) => {
        const { done, total, ratio } = progressOf(campaign);
        return (
          <div className="cell-progress">
            <Progress
              percent={Math.floor(ratio * 100)}
              size="small"
              status="normal"
              showInfo={false}
              aria-label={t('campaign.progress')}
            />
            <small>
              {format.count(done)} / {format.count(total)}
            </small>
          </div>
        );
      },
    },
    {
      title: t('campaign.attempts'),
      key: 'attempts',
      align: 'right',
      width: 100,
      render: (_, { counts }) => format.count(counts.attempts),
    },
    {
      title: t('campaign.answered'),
      key: 'answered',
      align: 'right',
      width: 100,
      render: (_, { counts }) => format.count(counts.outcomes.answered ?? 0),
    },
    {
      title: t('campaign.started'),
      key: 'started',
      width: 180,
      render: (_, { startedAt }) => (startedAt === null ? t('campaign.notStarted') : format.dateTime(startedAt)),
    },
    {
      title: t('common.actions'),
      key: 'actions',
      width: 230,
      render: (_, campaign) => <CampaignActions campaign={campaign} size="small" />,
    },
  ];
  return (
    <>
      <PageHeader title={t('campaign.title')} {...(mayOperate ? { extra: create } : {})} />
      <FailureAlert error={list.error} onRetry={() => void list.refetch()} />
      <Card styles={{ body: { padding: 0 } }}>
        <Table<CampaignView>
          rowKey="id"
          size="small"
          columns={columns}
          dataSource={[...campaigns]}
          loading={list.isPending}
          pagination={false}
          scroll={{ x: 1000 }}
          locale={{
            emptyText: list.isPending ? (
              t('common.loading')
            ) : (
              <NothingHere title={t('campaign.empty')} hint={t('campaign.emptyHint')}>
                {mayOperate && create}
              </NothingHere>
            ),
          }}
        />
      </Card>
    </>
  );
}
