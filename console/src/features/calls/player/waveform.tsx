import { useId, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { clockText, positionText } from '../../../app/duration.ts';
import { COLOURS } from '../../../app/theme.ts';
import { columnsOf, outlineOf } from './wave-shape.ts';

const COLUMNS = 900;
const HALF = 60;
const STEP_MS = 5000;

/** The recording's levels with the playhead; a click or the arrow keys move it. */
export function Waveform(p: {
  readonly recording: NonNullable<CallView['recording']>;
  readonly atMs: number;
  readonly onSeek: (atMs: number) => void;
}) {
  const { t } = useTranslation();
  const clip = useId();
  const { durationMs, peaks } = p.recording;
  const shapes = useMemo(
    () => ({
      callee: outlineOf(columnsOf(peaks.callee, COLUMNS), HALF - 2, true),
      platform: outlineOf(columnsOf(peaks.platform, COLUMNS), HALF - 2, false),
    }),
    [peaks],
  );
  const ratio = durationMs === 0 ? 0 : Math.min(1, p.atMs / durationMs);
  const ticks = ticksOf(durationMs);
  return (
    <div className="waveform">
      <div
        className="waveform-area"
        role="slider"
        tabIndex={0}
        aria-label={t('player.waveform')}
        aria-valuemin={0}
        aria-valuemax={Math.round(durationMs / 1000)}
        aria-valuenow={Math.round(p.atMs / 1000)}
        aria-valuetext={positionText(p.atMs)}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          p.onSeek(((event.clientX - box.left) / box.width) * durationMs);
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -STEP_MS, ArrowRight: STEP_MS }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          p.onSeek(Math.min(durationMs, Math.max(0, p.atMs + step)));
        }}
      >
        <span className="waveform-side callee">{t('call.callee')}</span>
        <span className="waveform-side platform">{t('call.platform')}</span>
        <svg viewBox={`0 ${-HALF} ${COLUMNS} ${HALF * 2}`} preserveAspectRatio="none" aria-hidden>
          <clipPath id={clip}>
            <rect x={0} y={-HALF} width={COLUMNS * ratio} height={HALF * 2} />
          </clipPath>
          <g opacity={0.42}>
            <path d={shapes.callee} fill={COLOURS.callee} />
            <path d={shapes.platform} fill={COLOURS.platform} />
          </g>
          <g clipPath={`url(#${clip})`}>
            <path d={shapes.callee} fill={COLOURS.callee} />
            <path d={shapes.platform} fill={COLOURS.platform} />
          </g>
          <line x1={0} x2={COLUMNS} y1={0} y2={0} stroke="#b8c6ca" strokeWidth={0.5} />
        </svg>
        <span className="playhead" style={{ left: `${ratio * 100}%` }} />
      </div>
      <div className="waveform-ticks" aria-hidden>
        {ticks.map((tickMs) => (
          <span key={tickMs} style={{ left: `${(tickMs / durationMs) * 100}%` }}>
            {clockText(tickMs)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Round times, about eight to a recording. */
function ticksOf(durationMs: number): readonly number[] {
  if (durationMs <= 0) return [];
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((seconds) => durationMs / (seconds * 1000) <= 10) ?? 1800;
  return Array.from({ length: Math.floor(durationMs / (step * 1000)) + 1 }, (_, index) => index * step * 1000).filter(
    (tickMs) => tickMs <= durationMs * 0.97,
  );
}
