import { useCallback, useEffect, useState } from 'react';

/** The player's position and its controls; times are ms of the recording. */
export interface Playback {
  readonly playing: boolean;
  readonly atMs: number;
  readonly toggle: () => void;
  readonly seek: (atMs: number) => void;
  /** Starts playing from a place. */
  readonly playFrom: (atMs: number) => void;
  readonly setSpeed: (speed: number) => void;
  /** Goes on the audio element. */
  readonly attach: (element: HTMLAudioElement | null) => void;
}

/** Follows an audio element, every frame while it plays. */
export function usePlayback(): Playback {
  const [audio, attach] = useState<HTMLAudioElement | null>(null);
  const [playing, setPlaying] = useState(false);
  const [atMs, setAtMs] = useState(0);
  useEffect(() => {
    if (audio === null) return undefined;
    let frame: number | undefined;
    const read = (): void => setAtMs(audio.currentTime * 1000);
    const follow = (): void => {
      read();
      frame = requestAnimationFrame(follow);
    };
    const stop = (): void => {
      if (frame !== undefined) cancelAnimationFrame(frame);
      frame = undefined;
      setPlaying(false);
      read();
    };
    const start = (): void => {
      setPlaying(true);
      frame ??= requestAnimationFrame(follow);
    };
    audio.addEventListener('play', start);
    audio.addEventListener('pause', stop);
    audio.addEventListener('ended', stop);
    audio.addEventListener('seeked', read);
    return () => {
      stop();
      audio.removeEventListener('play', start);
      audio.removeEventListener('pause', stop);
      audio.removeEventListener('ended', stop);
      audio.removeEventListener('seeked', read);
    };
  }, [audio]);
  const seek = useCallback(
    (to: number) => {
      if (audio === null) return;
      audio.currentTime = Math.max(0, to) / 1000;
      setAtMs(Math.max(0, to));
    },
    [audio],
  );
  // A browser refuses to play before the first click; the button stays as it is then.
  const play = useCallback(() => void audio?.play().catch(() => undefined), [audio]);
  return {
    playing,
    atMs,
    toggle: () => (playing ? audio?.pause() : play()),
    seek,
    playFrom: (to) => {
      seek(to);
      play();
    },
    setSpeed: (speed) => {
      if (audio !== null) audio.playbackRate = speed;
    },
    attach,
  };
}
