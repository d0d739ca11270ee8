import { clockHzOf } from './media.ts';
import type { AudioCodec, AudioFormat, Direction, EventFormat, OpusWishes } from './media.ts';
import type { MediaDescription, SdpConnection, SessionDescription } from './parse.ts';

/** Text formats of RFC 4103 §10; `redundancy` counts the older generations of RFC 2198. */
export interface TextFormat {
  readonly payloadType: number;
  readonly redPayloadType: number | undefined;
  readonly redundancy: number;
}

/** RFC 3551 §6: these need no rtpmap. */
const STATIC_CODECS: Readonly<Record<string, AudioCodec>> = { '0': 'PCMU', '8': 'PCMA', '9': 'G722' };
/** By their names in capitals, which count alike in any case (RFC 8866 §6.6). */
const CODECS: Readonly<Record<string, AudioCodec>> = { PCMU: 'PCMU', PCMA: 'PCMA', G722: 'G722', OPUS: 'opus' };
/** RFC 7587 §6.1 and RFC 6716 §2.1.1: bits a second that Opus can be limited to. */
const MIN_OPUS_BITS = 6000;
const MAX_OPUS_BITS = 510_000;

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
    } else {
      const codec = CODECS[encoding.name];
      // RFC 7587 §4: Opus is always opus/48000/2, whatever is sent.
      const channels = codec === 'opus' ? 2 : 1;
      if (codec !== undefined && encoding.rateHz === clockHzOf(codec) && encoding.channels === channels)
        found.push({ codec, payloadType });
    }
  }
  return found;
}

/** The telephone-event formats that can stand beside our codecs (RFC 4733 §7.1.1), in the order of the section's formats. */
export function eventsOf(media: MediaDescription): readonly EventFormat[] {
  const found: EventFormat[] = [];
  for (const format of media.formats) {
    const encoding = encodingOf(media, format);
    const payloadType = payloadTypeOf(format);
    if (encoding?.name !== 'TELEPHONE-EVENT' || payloadType === undefined) continue;
    if (encoding.rateHz === 8_000 || encoding.rateHz === 48_000) found.push({ payloadType, rateHz: encoding.rateHz });
  }
  return found;
}

/** The one that goes with a codec: of its clock (RFC 4733 §2.1); beside Opus the one of 8 kHz where it is the only one, as many offer it. */
export function eventFor(codec: AudioCodec, events: readonly EventFormat[]): EventFormat | undefined {
  const clockHz = clockHzOf(codec);
  return events.find(({ rateHz }) => rateHz === clockHz) ?? (codec === 'opus' ? events[0] : undefined);
}

/** What the author of a section asks of Opus under this payload type (RFC 7587 §6.1); unknown and broken parameters do not count. */
export function opusWishesOf(media: MediaDescription, payloadType: number): OpusWishes {
  const parameters = new Map<string, string>();
  for (const one of (fmtpOf(media, String(payloadType)) ?? '').split(';')) {
    const [name = '', value = ''] = one.split('=', 2);
    parameters.set(name.trim().toLowerCase(), value.trim());
  }
  const bits = Number(parameters.get('maxaveragebitrate'));
  return {
    fec: parameters.get('useinbandfec') === '1',
    cbr: parameters.get('cbr') === '1',
    maxBitsPerSecond: bits >= MIN_OPUS_BITS && bits <= MAX_OPUS_BITS ? Math.floor(bits) : undefined,
  };
}

/** How long packets should be that go to the author of a section: its ptime, no longer than its maxptime (RFC 8866 §6.4). */
export function ptimeOf(media: MediaDescription): number {
  const wanted = Number(attribute(media, 'ptime'));
  const most = Number(attribute(media, 'maxptime'));
  const ptime = wanted >= MIN_PTIME_MS && wanted <= MAX_PTIME_MS ? wanted : DEFAULT_PTIME_MS;
  return most >= MIN_PTIME_MS ? Math.min(ptime, most) : ptime;
}

/** RFC 3551 §4.2. */
const DEFAULT_PTIME_MS = 20;
const MIN_PTIME_MS = 10;
const MAX_PTIME_MS = 200;

/** The payload types that a section gives to its encodings, by name in capitals and clock rate. */
export function payloadTypesOf(media: MediaDescription): ReadonlyMap<string, number> {
  const types = new Map<string, number>();
  for (const format of media.formats) {
    const encoding = encodingOf(media, format);
    const payloadType = payloadTypeOf(format);
    if (encoding === undefined || payloadType === undefined) continue;
    const key = `${encoding.name}/${encoding.rateHz}`;
    if (!types.has(key)) types.set(key, payloadType);
  }
  return types;
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
