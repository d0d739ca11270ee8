import type { AudioCodec, AudioFormat, Direction } from './media.ts';
import type { MediaDescription, SdpConnection, SessionDescription } from './parse.ts';

/** Text formats of RFC 4103 §10; `redundancy` counts the older generations of RFC 2198. */
export interface TextFormat {
  readonly payloadType: number;
  readonly redPayloadType: number | undefined;
  readonly redundancy: number;
}

/** RFC 3551 §6: these need no rtpmap. */
const STATIC_CODECS: Readonly<Record<string, AudioCodec>> = { '0': 'PCMU', '8': 'PCMA' };

/** The first value of an attribute. */
export function attribute(media: MediaDescription, name: string): string | undefined {
  return media.attributes.find((one) => one.name === name)?.value;
}

/** The codecs of an audio section that we know, in the order of its formats. */
export function codecsOf(media: MediaDescription): readonly AudioFormat[] {
  const found: AudioFormat[] = [];
  for (const format of media.formats) {
    const encoding = encodingOf(media, format);
    const payloadType = payloadTypeOf(format);
    if (payloadType === undefined) continue;
    if (encoding === undefined) {
      const codec = STATIC_CODECS[format];
      if (codec !== undefined) found.push({ codec, payloadType });
    } else if (
      encoding.rateHz === 8_000 &&
      encoding.channels === 1 &&
      (encoding.name === 'PCMA' || encoding.name === 'PCMU')
    )
      found.push({ codec: encoding.name, payloadType });
  }
  return found;
}

/** The payload type of telephone-event at 8 kHz (RFC 4733 §7.1.1). */
export function telephoneEventOf(media: MediaDescription): number | undefined {
  for (const format of media.formats) {
    const encoding = encodingOf(media, format);
    if (encoding?.name === 'TELEPHONE-EVENT' && encoding.rateHz === 8_000) return payloadTypeOf(format);
  }
  return undefined;
}

/** The t140 and red formats of a text section, undefined where it has no t140. */
export function textFormatOf(media: MediaDescription): TextFormat | undefined {
  const t140 = media.formats.find((format) => encodingOf(media, format)?.name === 'T140');
  const payloadType = t140 === undefined ? undefined : payloadTypeOf(t140);
  if (payloadType === undefined) return undefined;
  for (const format of media.formats) {
    if (encodingOf(media, format)?.name !== 'RED') continue;
    const generations = fmtpOf(media, format)?.trim().split('/') ?? [];
    const redPayloadType = payloadTypeOf(format);
    if (redPayloadType !== undefined && generations.length > 1 && generations.every((one) => one === t140))
      return { payloadType, redPayloadType, redundancy: generations.length - 1 };
  }
  return { payloadType, redPayloadType: undefined, redundancy: 0 };
}

/** The direction of a section as its author sees it (RFC 8866 §6.7: sendrecv unless said; session level counts). */
export function directionOf(session: SessionDescription, media: MediaDescription): Direction {
  const stated = [...media.attributes, ...session.attributes].find((one) => isDirection(one.name))?.name;
  const direction = stated !== undefined && isDirection(stated) ? stated : 'sendrecv';
  // RFC 2543 hold, still in use: an address of zeros takes nothing (RFC 3264 §8.4).
  const address = connectionOf(session, media)?.address;
  if (address !== '0.0.0.0' && address !== '::') return direction;
  return direction === 'sendrecv' || direction === 'sendonly' ? 'sendonly' : 'inactive';
}

/** The same direction from the other side, limited to what we want ourselves (RFC 3264 §6.1). */
export function answerDirection(remote: Direction, local: Direction): Direction {
  const sends = (remote === 'sendrecv' || remote === 'recvonly') && (local === 'sendrecv' || local === 'sendonly');
  const receives = (remote === 'sendrecv' || remote === 'sendonly') && (local === 'sendrecv' || local === 'recvonly');
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}

/** c= of the section, else of the session (RFC 8866 §5.7). */
export function connectionOf(session: SessionDescription, media: MediaDescription): SdpConnection | undefined {
  return media.connection ?? session.connection;
}

/** The format parameters of a format. */
function fmtpOf(media: MediaDescription, format: string): string | undefined {
  const prefix = `${format} `;
  return media.attributes
    .find((one) => one.name === 'fmtp' && one.value?.startsWith(prefix) === true)
    ?.value?.slice(prefix.length);
}

function encodingOf(
  media: MediaDescription,
  format: string,
): { readonly name: string; readonly rateHz: number; readonly channels: number } | undefined {
  const prefix = `${format} `;
  const value = media.attributes.find((one) => one.name === 'rtpmap' && one.value?.startsWith(prefix) === true)?.value;
  if (value === undefined) return undefined;
  const [name = '', rate = '', channels = '1'] = value.slice(prefix.length).trim().split('/');
  return { name: name.toUpperCase(), rateHz: Number(rate), channels: Number(channels) };
}

function payloadTypeOf(format: string): number | undefined {
  return /^\d{1,3}$/.test(format) && Number(format) <= 127 ? Number(format) : undefined;
}

function isDirection(name: string): name is Direction {
  return name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive';
}
