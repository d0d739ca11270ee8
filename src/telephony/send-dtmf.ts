import type { MediaLeg } from './rtp/media-leg.ts';
import type { AudioMedia } from './sdp/media.ts';
import type { SessionControl } from './sip/user-agent/call.ts';

/** How digits went. */
export type DtmfWay = 'events' | 'info' | 'tones';

/**
 * Sends digits of an answered call in the best way that its far end takes: telephone-events (RFC 4733), else INFO, else
 * tones in the audio. What INFO does not bring across goes as tones. Resolves with the way of the last digit, for events
 * and tones once they are queued.
 */
export async function sendDtmf(
  call: {
    readonly control: Pick<SessionControl, 'sendDigit'>;
    readonly leg: Pick<MediaLeg, 'sendDtmf'>;
    readonly media: Pick<AudioMedia, 'dtmfPayloadType'>;
  },
  digits: string,
): Promise<DtmfWay> {
  const { control, leg, media } = call;
  if (media.dtmfPayloadType !== undefined) {
    leg.sendDtmf(digits);
    return 'events';
  }
  for (let i = 0; i < digits.length; i++) {
    const { ok } = await control.sendDigit(digits[i]!);
    if (ok) continue;
    leg.sendDtmf(digits.slice(i));
    return 'tones';
  }
  return 'info';
}
