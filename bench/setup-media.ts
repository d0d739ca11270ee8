import type { LocalMedia } from '#telephony/sdp/media.ts';

/** What either side of `bench setup` offers or accepts; nothing is sent to the ports. */
export function localMedia(audioPort: number): LocalMedia {
  return {
    address: '127.0.0.1',
    audioPort,
    textPort: audioPort + 2,
    codecs: ['PCMA', 'PCMU'],
    dtmf: true,
    direction: 'sendrecv',
  };
}
