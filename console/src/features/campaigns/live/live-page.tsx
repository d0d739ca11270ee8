import { useParams } from '@tanstack/react-router';
import { Alert, Progress, Spin, Tabs } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignView } from '#domain/api.ts';
import { CampaignStateTag } from '../../../app/code-tags.tsx';
import { NotFoundPage } from '../../../app/not-found-page.tsx';
import { PageHeader } from '../../../app/page-header.tsx';
import { useFormat } from '../../../i18n/use-format.ts';
import { CampaignActions } from '../campaign-actions.tsx';
import { progressOf } from '../campaign-progress.ts';
import { SettingsSummary } from '../settings-summary.tsx';
import { CallsInFlight } from './calls-in-flight.tsx';
import { EndedCalls } from './ended-calls.tsx';
import { LeadTable } from './lead-table.tsx';
import { LiveCharts } from './live-charts.tsx';
import type { LiveState } from './live-state.ts';
import { useLiveCampaign } from './use-live-campaign.ts';

/** A campaign as it runs. */
export function LivePage() {
  const { campaignId } = useParams({ from: '/signed-in/campaigns/$campaignId' });
  return <LiveCampaign key={campaignId} campaignId={campaignId} />;
}

function LiveCampaign({ campaignId }: { readonly campaignId: string }) {
  const { t } = useTranslation();
  const live = useLiveCampaign(campaignId);
  const { campaign } = live;
  if (live.connection === 'gone') return <NotFoundPage />;
  const lost = live.connection === 'lost' && <Alert type="warning" showIcon banner title={t('live.lost')} />;
  if (campaign === undefined) {
    return lost === false ? <Spin className="page-spin" description={t('live.connecting')} /> : lost;
  }
  return (
    <>
      {lost}
      <PageHeader title={campaign.name} extra={<CampaignActions campaign={campaign} />}>
        <CampaignStateTag state={campaign.state} />
        <span className="hint">
          {campaign.script.name} · {t('campaign.version', { version: campaign.script.version })}
        </span>
      </PageHeader>
      <Figures campaign={campaign} live={live} />
      <Tabs
        items={[
          {
            key: 'overview',
            label: t('live.overview'),
            children: (
              <div className="live">
                <div className="live-calls">
                  <CallsInFlight calls={live.calls} campaignState={campaign.state} skewMs={live.skewMs} />
                  <EndedCalls calls={live.ended} campaignId={campaign.id} />
                </div>
                <LiveCharts counts={campaign.counts} />
              </div>
            ),
          },
          { key: 'leads', label: t('live.leads'), children: <LeadTable campaign={campaign} /> },
          { key: 'settings', label: t('live.settings'), children: <SettingsSummary settings={campaign.settings} /> },
        ]}
      />
    </>
  );
}

function Figures({ campaign, live }: { readonly campaign: CampaignView; readonly live: LiveState }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { done, total, ratio } = progressOf(campaign);
  const figures = [
    { key: 'leads', label: t('campaign.leads'), value: total },
    { key: 'done', label: t('campaign.done'), value: done },
    { key: 'remaining', label: t('live.remaining'), value: total - done },
    { key: 'concurrent', label: t('live.concurrent'), value: live.calls.length },
    { key: 'attempts', label: t('campaign.attempts'), value: campaign.counts.attempts },
    { key: 'answered', label: t('campaign.answered'), value: campaign.counts.outcomes.answered ?? 0 },
  ];
  return (
    <section className="figures">
      <dl>
        {figures.map((figure) => (
          <div key={figure.key}>
            <dt>{figure.label}</dt>
            <dd data-figure={figure.key}>{format.count(figure.value)}</dd>
          </div>
        ))}
        <div>
          <dt>{campaign.finishedAt === null ? t('campaign.started') : t('campaign.finished')}</dt>
          <dd className="figure-time">{format.dateTime(campaign.finishedAt ?? campaign.startedAt)}</dd>
        </div>
      </dl>
      <Progress
        percent={Math.floor(ratio * 1000) / 10}
        status={campaign.state === 'running' ? 'active' : 'normal'}
        aria-label={t('campaign.progress')}
      />
    </section>
  );
}
