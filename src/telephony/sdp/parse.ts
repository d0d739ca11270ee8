import { AppError } from '#platform/error.ts';

/** An attribute; `value` undefined for a flag such as `a=sendrecv`. */
export interface SdpAttribute {
  readonly name: string;
  readonly value: string | undefined;
}

/** The address of c=. */
export interface SdpConnection {
  readonly addressType: 'IP4' | 'IP6';
  readonly address: string;
}

/** A line that we keep but do not read: i, u, e, p, b, r, z, k. */
export interface SdpLine {
  readonly type: string;
  readonly value: string;
}

export interface MediaDescription {
  /** audio, text, video, … */
  readonly kind: string;
  /** 0: refused or disabled. */
  readonly port: number;
  /** How many consecutive port pairs. */
  readonly portCount: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly connection: SdpConnection | undefined;
  readonly attributes: readonly SdpAttribute[];
  readonly lines: readonly SdpLine[];
}

/** A session description (RFC 8866), lines in their fields so that the writer can only write them in order. */
export interface SessionDescription {
  readonly origin: {
    readonly username: string;
    /** Decimal digits; 64 bits and more occur. */
    readonly sessionId: string;
    readonly sessionVersion: string;
    readonly addressType: 'IP4' | 'IP6';
    readonly address: string;
  };
  readonly name: string;
  readonly connection: SdpConnection | undefined;
  /** Values of t=. */
  readonly times: readonly string[];
  readonly attributes: readonly SdpAttribute[];
  readonly lines: readonly SdpLine[];
  readonly media: readonly MediaDescription[];
}

const MAX_CHARS = 65_536;
const MAX_LINES = 1_000;
/** Order of lines: RFC 8866 §5. A letter may repeat at its place; z stands with the t and r before it. */
const SESSION_ORDER = 'vosiuepcbtrzka';
const MEDIA_ORDER = 'micbka';
const KNOWN = 'vosiuepcbtrzkam';

interface Section {
  connection: SdpConnection | undefined;
  readonly attributes: SdpAttribute[];
  readonly lines: SdpLine[];
}

/** Reads a description; throws `protocol` with what is wrong and in which line. Lines of unknown types are left out. */
export function parseSdp(text: string): SessionDescription {
  const lines = splitLines(text);
  let origin: SessionDescription['origin'] | undefined;
  let name: string | undefined;
  const times: string[] = [];
  const session: Section = { connection: undefined, attributes: [], lines: [] };
  const media: { readonly head: MediaHead; readonly section: Section }[] = [];
  let section = session;
  let order = SESSION_ORDER;
  let place = -1;
  for (const [index, line] of lines.entries()) {
    const type = line[0] ?? '';
    if (line[1] !== '=' || line.charCodeAt(0) > 0x7a || line.charCodeAt(0) < 0x61)
      throw malformed(index, 'line is not type=value');
    const value = line.slice(2);
    if (index === 0 && line !== 'v=0') throw malformed(index, 'v=0 expected');
    if (!KNOWN.includes(type)) continue;
    if (type === 'm') {
      order = MEDIA_ORDER;
      place = 0;
      section = { connection: undefined, attributes: [], lines: [] };
      media.push({ head: parseMedia(value, index), section });
      continue;
    }
    const at = order.indexOf(type);
    // r may follow each t; b, a and the like may repeat.
    if (at < 0 || (at < place && !(type === 't' && place <= order.indexOf('z'))))
      throw malformed(index, `${type}= is out of place`);
    if (at === place && 'vosiuk'.includes(type)) throw malformed(index, `${type}= occurs twice`);
    place = at;
    if (type === 'o') origin = parseOrigin(value, index);
    else if (type === 's') name = value;
    else if (type === 'c') section.connection ??= parseConnection(value, index);
    else if (type === 't') times.push(parseTime(value, index));
    else if (type === 'a') section.attributes.push(parseAttribute(value, index));
    else if (type !== 'v') section.lines.push({ type, value });
  }
  if (origin === undefined) throw malformed(lines.length, 'o= is missing');
  if (name === undefined) throw malformed(lines.length, 's= is missing');
  if (times.length === 0) throw malformed(lines.length, 't= is missing');
  for (const { head, section: own } of media)
    if (own.connection === undefined && session.connection === undefined && head.port !== 0)
      throw malformed(lines.length, 'c= is missing');
  return { origin, name, times, ...session, media: media.map(({ head, section: own }) => ({ ...head, ...own })) };
}

type MediaHead = Pick<MediaDescription, 'kind' | 'port' | 'portCount' | 'protocol' | 'formats'>;

function splitLines(text: string): readonly string[] {
  if (text.length > MAX_CHARS) throw malformed(0, 'description is too large');
  const lines = text.split('\n', MAX_LINES + 1).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.length > MAX_LINES) throw malformed(MAX_LINES, 'too many lines');
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw malformed(0, 'description is empty');
  return lines;
}

function parseOrigin(value: string, index: number): SessionDescription['origin'] {
  const [username, sessionId, sessionVersion, netType, addressType, address, rest] = value.split(' ');
  if (username === undefined || username === '' || rest !== undefined) throw malformed(index, 'o= is malformed');
  if (!isDigits(sessionId) || !isDigits(sessionVersion)) throw malformed(index, 'o= has no numbers');
  return { username, sessionId, sessionVersion, ...networkAddress(netType, addressType, address, index) };
}

function parseConnection(value: string, index: number): SdpConnection {
  const [netType, addressType, address, rest] = value.split(' ');
  if (rest !== undefined) throw malformed(index, 'c= is malformed');
  return networkAddress(netType, addressType, address?.split('/', 1)[0], index);
}

function networkAddress(
  netType: string | undefined,
  type: string | undefined,
  address: string | undefined,
  index: number,
): SdpConnection {
  if (netType !== 'IN' || (type !== 'IP4' && type !== 'IP6')) throw malformed(index, 'address type is unknown');
  if (address === undefined || address === '' || !isAddressText(address))
    throw malformed(index, 'address is malformed');
  return { addressType: type, address };
}

function parseTime(value: string, index: number): string {
  const [start, stop, rest] = value.split(' ');
  if (!isDigits(start) || !isDigits(stop) || rest !== undefined) throw malformed(index, 't= is malformed');
  return value;
}

function parseAttribute(value: string, index: number): SdpAttribute {
  const colon = value.indexOf(':');
  const name = colon < 0 ? value : value.slice(0, colon);
  if (name === '' || name.includes(' ')) throw malformed(index, 'a= is malformed');
  return { name, value: colon < 0 ? undefined : value.slice(colon + 1) };
}

function parseMedia(value: string, index: number): MediaHead {
  const [kind, portText, protocol, ...formats] = value.split(' ');
  const [port, count, rest] = (portText ?? '').split('/');
  if (kind === undefined || kind === '' || protocol === undefined || protocol === '' || rest !== undefined)
    throw malformed(index, 'm= is malformed');
  if (!isDigits(port) || Number(port) > 65_535 || (count !== undefined && (!isDigits(count) || Number(count) < 1)))
    throw malformed(index, 'm= has no port');
  if (formats.length === 0 || formats.includes('')) throw malformed(index, 'm= has no formats');
  return { kind, port: Number(port), portCount: count === undefined ? 1 : Number(count), protocol, formats };
}

function isDigits(text: string | undefined): text is string {
  return text !== undefined && text.length > 0 && text.length <= 40 && /^\d+$/.test(text);
}

function isAddressText(text: string): boolean {
  return text.length <= 255 && /^[0-9A-Za-z.:_-]+$/.test(text);
}

function malformed(index: number, detail: string): AppError {
  return new AppError('protocol', {
    zh: `SDP 第 ${index + 1} 行有误（${detail}）。`,
    en: `SDP line ${index + 1}: ${detail}.`,
  });
}
