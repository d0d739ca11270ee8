import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Alert, Card, Spin } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { ApiFailure } from '../../api/request.ts';
import { DirectionTag, PhoneText } from '../../app/code-tags.tsx';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { NotFoundPage } from '../../app/not-found-page.tsx';
import { NothingHere } from '../../app/nothing-here.tsx';
import { PageHeader } from '../../app/page-header.tsx';
import { useFormat } from '../../i18n/use-format.ts';
import { MediaFigures, ReplyLatencies, SecondLegs } from './call-figures.tsx';
import { callQueryOf } from './call-queries.ts';
import { CallResult } from './call-result.tsx';
import { turnAt } from './call-times.ts';
import { CallTimeline } from './call-timeline.tsx';
import { Player } from './player/player.tsx';
import { usePlayback } from './player/use-playback.ts';
import { Transcript } from './transcript.tsx';

/** One call with everything that was kept of it. */
export function CallPage() {
  const { t } = useTranslation();
  const { callId } = useParams({ from: '/signed-in/calls/$callId' });
  const query = useQuery(callQueryOf(callId));
  if (query.error instanceof ApiFailure && query.error.status === 404) return <NotFoundPage />;
  if (query.error !== null) return <FailureAlert error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <Spin className="page-spin" description={t('common.loading')} />;
  if (query.data.kind === 'live') {
    const { name, phone, lastText } = query.data.call;
    return (
      <>
        <PageHeader
          title={`${name === '' ? t('common.unnamed') : name} ${phone === '' ? t('call.anonymous') : phone}`}
        />
        <Alert type="info" showIcon title={t('call.live')} description={t('call.liveHint')} />
        <p>{lastText}</p>
      </>
    );
  }
  return <FinishedCall key={callId} call={query.data.call} />;
}

function FinishedCall({ call }: { readonly call: CallView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const playback = usePlayback();
  const { recording } = call;
  const begun = playback.playing || playback.atMs > 0;
  const current = begun ? turnAt(call.turns, playback.atMs, call.answeredMs) : undefined;
  return (
    <>
      <PageHeader
        title={
          <>
            {call.name === '' ? t('common.unnamed') : call.name} <PhoneText phone={call.phone} />
          </>
        }
      >
        <DirectionTag direction={call.direction} />
        <span className="hint">
          {format.dateTime(call.dialedAt)}
          {call.campaignId === null ? (
            call.direction === 'outbound' && ` · ${t('call.single')}`
          ) : (
            <>
              {' · '}
              <Link to="/campaigns/$campaignId" params={{ campaignId: call.campaignId }}>
                {call.campaignName ?? t('call.campaign')}
              </Link>
            </>
          )}
        </span>
      </PageHeader>
      <div className="call">
        <div className="call-main">
          <Card size="small" title={t('call.recording')}>
            {recording === null ? (
              <NothingHere title={t('player.none')} hint={t('player.noneHint')} />
            ) : (
              <Player callId={call.id} recording={recording} playback={playback} />
            )}
          </Card>
          <Transcript call={call} current={current} onPlayFrom={recording === null ? undefined : playback.playFrom} />
          <ReplyLatencies turns={call.turns} />
        </div>
        <div className="call-side">
          <CallResult call={call} />
          <CallTimeline timeline={call.timeline} />
          <MediaFigures media={call.media} />
          <SecondLegs legs={call.legs} />
        </div>
      </div>
    </>
  );
}
