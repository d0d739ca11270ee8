import { PauseCircleFilled, PlayCircleFilled } from '@ant-design/icons';
import { Alert, Button, Segmented, Spin } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { positionText } from '../../../app/duration.ts';
import type { Playback } from './use-playback.ts';
import { useRecording } from './use-recording.ts';
import { Waveform } from './waveform.tsx';

const SPEEDS = [1, 1.25, 1.5, 2];

/** The recording of a call: waveform, play and speed. */
export function Player(p: {
  readonly callId: string;
  readonly recording: NonNullable<CallView['recording']>;
  readonly playback: Playback;
}) {
  const { t } = useTranslation();
  const { playback, recording } = p;
  const state = useRecording(p.callId);
  if (state.kind === 'failed') return <FailureAlert error={state.error} onRetry={state.retry} />;
  if (state.kind === 'broken') {
    return <Alert type="error" showIcon title={t('player.failed')} description={t('player.broken')} />;
  }
  return (
    <div className="player">
      <Waveform recording={recording} atMs={playback.atMs} onSeek={playback.seek} />
      <div className="player-bar">
        <Button
          type="text"
          shape="circle"
          size="large"
          disabled={state.kind === 'loading'}
          icon={playback.playing ? <PauseCircleFilled /> : <PlayCircleFilled />}
          aria-label={playback.playing ? t('player.pause') : t('player.play')}
          onClick={playback.toggle}
        />
        <span className="number">
          {t('player.position', { at: positionText(playback.atMs), total: positionText(recording.durationMs) })}
        </span>
        {state.kind === 'loading' && <Spin size="small" />}
        <Segmented
          size="small"
          className="player-speed"
          aria-label={t('player.speed')}
          options={SPEEDS.map((speed) => ({ value: speed, label: `${speed}×` }))}
          defaultValue={1}
          onChange={playback.setSpeed}
        />
      </div>
      {/* The transcript beside it is what captions would show. */}
      {state.kind === 'ready' && <audio ref={playback.attach} src={state.url} preload="auto" />}
    </div>
  );
}
