import type { Clock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import type { LegHandlers, MediaLeg } from './media-leg.ts';

export type { LegHandlers, MediaLeg, ReceivedFrame } from './media-leg.ts';

/** All media of one thread: its ports, its one tick loop and its legs. */
export class MediaEngine {
  static open(_options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly address: string;
    readonly ports: { readonly first: number; readonly last: number };
  }): Promise<MediaEngine> {
    return Promise.resolve(new MediaEngine());
  }

  openLeg(_handlers: LegHandlers): Promise<MediaLeg> {
    throw new AppError('unavailable', { zh: '媒体引擎尚未就绪。', en: 'The media engine is not ready.' });
  }

  load(): { legs: number; tickLatenessP99Ms: number; framesDropped: number } {
    return { legs: 0, tickLatenessP99Ms: 0, framesDropped: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
