import type { LocalMedia, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import type { SessionDescription } from '#telephony/sdp/parse.ts';

/** What we offer and answer: the media of a worker's leg as a trunk takes it. */
export function localMedia(
  { codecs, srtp }: Pick<LocalMedia, 'codecs' | 'srtp'>,
  address: string,
  ports: Pick<LocalMedia, 'audioPort' | 'textPort'>,
): LocalMedia {
  return { address, ...ports, codecs, dtmf: true, direction: 'sendrecv', srtp };
}

/** What was agreed on, or why the answer to our offer is of no use; unreadable ones included. */
export function agreedMedia(
  offer: SessionDescription,
  sdp: string,
): { readonly media: NegotiatedMedia } | { readonly media: undefined; readonly fault: string } {
  try {
    const result = acceptAnswer(offer, parseSdp(sdp));
    return result.ok ? { media: result.media } : { media: undefined, fault: result.reason };
  } catch (error) {
    return { media: undefined, fault: error instanceof Error ? error.message : 'unreadable' };
  }
}
