import { clockHzOf } from './media.ts';
import type { AudioCodec, AudioFormat, Direction, EventFormat, LocalMedia } from './media.ts';
import type { MediaDescription, SdpAttribute } from './parse.ts';

const PTIME_MS = 20;
/** RFC 3551 §6; Opus has a dynamic type, that we suggest. */
const PAYLOAD_TYPES: Readonly<Record<AudioCodec, number>> = { PCMU: 0, PCMA: 8, G722: 9, opus: 96 };
/** Suggested types of telephone-event by its rate. */
const EVENT_PAYLOAD_TYPES: Readonly<Record<number, number>> = { 8_000: 101, 48_000: 100 };
const FIRST_DYNAMIC = 96;
const LAST_DYNAMIC = 127;
/** RFC 7587 §6.1: we hear and send no more than 4 kHz, so the far end need not, and can use redundancy. Mono is the default. */
const OPUS_PARAMETERS = 'maxplaybackrate=8000;sprop-maxcapturerate=8000;useinbandfec=1';

/**
 * The formats of an offer: the codecs in their order, and keys as events of 8 kHz and, beside Opus, of its own clock.
 * `before` has the payload types of the session so far: none of them may change its meaning (RFC 3264 §8.3.2).
 */
export function offeredFormats(
  local: LocalMedia,
  before: ReadonlyMap<string, number> = new Map(),
): { readonly audio: readonly AudioFormat[]; readonly events: readonly EventFormat[] } {
  const taken = new Set(before.values());
  const assign = (key: string, suggested: number): number => {
    const known = before.get(key);
    if (known !== undefined || suggested < FIRST_DYNAMIC) return known ?? suggested;
    let payloadType = suggested;
    for (let next = FIRST_DYNAMIC; taken.has(payloadType) && next <= LAST_DYNAMIC; next++) payloadType = next;
    taken.add(payloadType);
    return payloadType;
  };
  const audio = local.codecs.map((codec) => ({
    codec,
    payloadType: assign(`${codec.toUpperCase()}/${clockHzOf(codec)}`, PAYLOAD_TYPES[codec]),
  }));
  const rates = !local.dtmf ? [] : local.codecs.includes('opus') ? [48_000, 8_000] : [8_000];
  const events = rates.map((rateHz) => ({
    rateHz,
    payloadType: assign(`TELEPHONE-EVENT/${rateHz}`, EVENT_PAYLOAD_TYPES[rateHz]!),
  }));
  return { audio, events };
}

/** An audio section of ours. */
export function audioSection(
  port: number,
  audio: readonly AudioFormat[],
  events: readonly EventFormat[],
  direction: Direction,
  protocol = 'RTP/AVP',
): MediaDescription {
  const formats: string[] = [];
  const attributes: SdpAttribute[] = [];
  for (const { codec, payloadType } of audio) {
    formats.push(String(payloadType));
    const channels = codec === 'opus' ? '/2' : '';
    attributes.push(attributeOf('rtpmap', `${payloadType} ${codec}/${clockHzOf(codec)}${channels}`));
    if (codec === 'opus') attributes.push(attributeOf('fmtp', `${payloadType} ${OPUS_PARAMETERS}`));
  }
  for (const { payloadType, rateHz } of events) {
    formats.push(String(payloadType));
    attributes.push(attributeOf('rtpmap', `${payloadType} telephone-event/${rateHz}`));
    attributes.push(attributeOf('fmtp', `${payloadType} 0-16`));
  }
  attributes.push(attributeOf('ptime', String(PTIME_MS)), { name: direction, value: undefined });
  return { kind: 'audio', port, portCount: 1, protocol, formats, connection: undefined, attributes, lines: [] };
}

/** An attribute with a value. */
export function attributeOf(name: string, value: string): SdpAttribute {
  return { name, value };
}
