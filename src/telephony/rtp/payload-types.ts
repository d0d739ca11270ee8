import { clockHzOf, type AudioCodec, type AudioMedia } from '../sdp/media.ts';

/** What a payload type stands for. */
export type PayloadMeaning =
  | { readonly kind: 'audio'; readonly codec: AudioCodec; readonly clockHz: number }
  | { readonly kind: 'event'; readonly rateHz: number }
  | { readonly kind: 'comfort-noise' };

/** Understood whatever was negotiated, unless that gave the type another meaning (RFC 3551 §6). */
const STATIC: readonly (readonly [number, PayloadMeaning])[] = [
  [0, audio('PCMU')],
  [8, audio('PCMA')],
  [9, audio('G722')],
  [13, { kind: 'comfort-noise' }],
];

/** What each payload type means that may arrive, by its number. */
export function payloadMeanings(media: AudioMedia): readonly (PayloadMeaning | undefined)[] {
  const meanings = Array.from<PayloadMeaning | undefined>({ length: 128 });
  for (const [payloadType, meaning] of STATIC) meanings[payloadType] = meaning;
  const { receives } = media;
  if (receives === undefined) {
    if (media.dtmfPayloadType !== undefined)
      meanings[media.dtmfPayloadType] = { kind: 'event', rateHz: media.dtmfRateHz ?? 8000 };
    meanings[media.payloadType] = audio(media.codec);
  } else {
    for (const { payloadType, rateHz } of receives.events) meanings[payloadType] = { kind: 'event', rateHz };
    for (const { payloadType, codec } of receives.audio) meanings[payloadType] = audio(codec);
  }
  return meanings;
}

function audio(codec: AudioCodec): PayloadMeaning {
  return { kind: 'audio', codec, clockHz: clockHzOf(codec) };
}
