import { Card, Tag } from 'antd';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallView } from '#domain/api.ts';
import { positionText } from '../../app/duration.ts';
import { NothingHere } from '../../app/nothing-here.tsx';
import { isCalm } from '../../app/use-calm.ts';
import { recordingMs } from './call-times.ts';

/** What was said; the turn being played is marked and kept in view, a click plays from a turn. */
export function Transcript(p: {
  readonly call: CallView;
  /** Index of the turn that is heard, none while nothing was played. */
  readonly current: number | undefined;
  readonly onPlayFrom: ((recordingMs: number) => void) | undefined;
}) {
  const { t } = useTranslation();
  const { call, current, onPlayFrom } = p;
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const box = list.current;
    const turn = current === undefined ? null : box?.querySelector<HTMLElement>(`[data-turn="${current}"]`);
    if (box === null || turn === null || turn === undefined) return;
    // Only the list scrolls: scrollIntoView would move the whole page away from the waveform.
    const above = turn.offsetTop - box.offsetTop < box.scrollTop;
    const below = turn.offsetTop - box.offsetTop + turn.offsetHeight > box.scrollTop + box.clientHeight;
    if (above || below)
      box.scrollTo({ top: turn.offsetTop - box.offsetTop - 40, behavior: isCalm() ? 'instant' : 'smooth' });
  }, [current]);
  return (
    <Card size="small" title={t('call.transcript')} styles={{ body: { padding: 0 } }}>
      {call.turns.length === 0 ? (
        <NothingHere title={t('call.transcriptEmpty')} hint={t('call.transcriptHint')} />
      ) : (
        <ol className="transcript" ref={list} tabIndex={0} aria-label={t('call.transcript')}>
          {call.turns.map((turn) => {
            const atMs = recordingMs(turn.startMs, call.answeredMs);
            const body = (
              <>
                <span className="turn-head">
                  <strong>{t(`call.${turn.speaker}`)}</strong>
                  <span className="number">{positionText(atMs)}</span>
                  {turn.interrupted && <Tag color="volcano">{t('call.interrupted')}</Tag>}
                </span>
                <span className="turn-text">{turn.text}</span>
              </>
            );
            return (
              <li
                key={turn.index}
                data-turn={turn.index}
                className={`turn ${turn.speaker}${turn.index === current ? ' current' : ''}`}
                {...(turn.index === current ? { 'aria-current': true } : {})}
              >
                {onPlayFrom === undefined ? (
                  <div className="turn-body">{body}</div>
                ) : (
                  <button
                    type="button"
                    className="turn-body"
                    title={t('player.seekTurn', { at: positionText(atMs) })}
                    onClick={() => onPlayFrom(atMs)}
                  >
                    {body}
                  </button>
                )}
              </li>
            );
          })}
        </ol>
      )}
    </Card>
  );
}
