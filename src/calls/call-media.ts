import type { Log } from '#platform/log.ts';
import type { LocalMedia, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';
import type { Trunk } from './trunk.ts';

/** What we offer and answer: the media of a worker's leg as a trunk takes it. */
export function localMedia(
  { codecs, srtp }: Pick<LocalMedia, 'codecs' | 'srtp'>,
  address: string,
  ports: Pick<LocalMedia, 'audioPort' | 'textPort'>,
): LocalMedia {
  return { address, ...ports, codecs, dtmf: true, direction: 'sendrecv', srtp };
}

/**
 * What was agreed on, or why the answer to our offer is of no use; unreadable ones included. The first of a trunk that
 * leaves sections out is logged: it works, but somebody may want to know why nothing can be typed there.
 */
export function agreedMedia(
  offer: SessionDescription,
  sdp: string,
  { log, trunk }: { readonly log: Log; readonly trunk: Trunk | undefined },
): { readonly media: NegotiatedMedia } | { readonly media: undefined; readonly fault: string } {
  try {
    const result = acceptAnswer(offer, parseSdp(sdp));
    if (!result.ok) return { media: undefined, fault: result.reason };
    if (result.leftOut > 0 && trunk?.firstShortAnswer() !== false)
      log.info(
        { trunk: trunk?.route.name },
        'an answer leaves out media that we offered: taken as refused, no text there',
      );
    return { media: result.media };
  } catch (error) {
    return { media: undefined, fault: error instanceof Error ? error.message : 'unreadable' };
  }
}
