import { policyOf } from './crypto.ts';
import { codecsOf, directionOf, eventsOf } from './formats.ts';
import type { LocalMedia } from './media.ts';
import type { SessionDescription } from './parse.ts';

/** What one of our own descriptions offers, so that a later offer of the peer can be answered alike; undefined without audio. */
export function localMediaOf(own: SessionDescription): LocalMedia | undefined {
  const audio = own.media.find((media) => media.kind === 'audio' && media.port !== 0);
  const address = audio?.connection?.address ?? own.connection?.address;
  if (audio === undefined || address === undefined) return undefined;
  const policy = policyOf(audio);
  const text = own.media.find((media) => media.kind === 'text' && media.port !== 0);
  return {
    address,
    audioPort: audio.port,
    textPort: text?.port,
    codecs: codecsOf(audio).map((format) => format.codec),
    dtmf: eventsOf(audio).length > 0,
    direction: directionOf(own, audio),
    srtp: policy === 'off' ? undefined : policy,
  };
}
