import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { attributeOf, audioSection, offeredFormats } from './audio-section.ts';
import { acceptSecurity, answerSecurity, cryptoAttribute, isSecure, offerSecurity, type CryptoLine } from './crypto.ts';
import {
  answerDirection,
  attribute,
  codecsOf,
  connectionOf,
  directionOf,
  eventFor,
  eventsOf,
  opusWishesOf,
  payloadTypesOf,
  ptimeOf,
  textFormatOf,
} from './formats.ts';
import type { TextFormat } from './formats.ts';
import type { AudioFormat, AudioMedia, Direction, LocalMedia, NegotiatedMedia, SrtpMedia, TextMedia } from './media.ts';
import type { MediaDescription, SdpLine, SessionDescription } from './parse.ts';

/** The outcome of an offer that came in. */
export type AnswerResult =
  | { readonly ok: true; readonly answer: SessionDescription; readonly media: NegotiatedMedia }
  | { readonly ok: false; readonly reason: string };

/** The outcome of an answer to our offer. */
export type AcceptResult =
  | {
      readonly ok: true;
      readonly media: NegotiatedMedia;
      /** How many of our sections the answer leaves out at its end, against RFC 3264 §6; they count as refused. */
      readonly leftOut: number;
    }
  | { readonly ok: false; readonly reason: string };

const PROTOCOLS: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);
const T140_PAYLOAD_TYPE = 98;
const RED_PAYLOAD_TYPE = 99;
/** RFC 4103 §4: the original and two older generations. */
const REDUNDANCY = 2;

/** Our offer: one audio section and, where there is a port for it, one of text (RFC 3264 §5, RFC 4103 §10). */
export function createOffer(local: LocalMedia): SessionDescription {
  return offerAfter(local, undefined);
}

/** An offer that keeps the payload types of an earlier audio section of ours (RFC 3264 §8.3.2). */
function offerAfter(local: LocalMedia, before: MediaDescription | undefined): SessionDescription {
  const { audio, events } = offeredFormats(local, before === undefined ? undefined : payloadTypesOf(before));
  const media = [audioSection(local.audioPort, audio, events, local.direction)];
  if (local.textPort !== undefined) {
    const format = { payloadType: T140_PAYLOAD_TYPE, redPayloadType: RED_PAYLOAD_TYPE, redundancy: REDUNDANCY };
    media.push(textSection(local.textPort, format, local.direction, 'RTP/AVP'));
  }
  const policy = local.srtp ?? 'off';
  return description(
    local,
    media.map((section) => offerSecurity(section, policy)),
  );
}

/**
 * A later offer in the same session (RFC 3264 §8): the sections that are there, in their order, those we do not use
 * refused, under the same origin with the next version.
 */
export function createReoffer(current: SessionDescription, local: LocalMedia): SessionDescription {
  const fresh = offerAfter(
    local,
    current.media.find((section) => section.kind === 'audio'),
  );
  const kinds = new Map(fresh.media.map((section) => [section.kind, section]));
  const media = current.media.map((section): MediaDescription => {
    const ours = section.port === 0 ? undefined : kinds.get(section.kind);
    if (ours === undefined) return refused(section);
    kinds.delete(section.kind);
    return { ...ours, protocol: section.protocol };
  });
  const { sessionId, sessionVersion } = current.origin;
  const origin = { ...fresh.origin, sessionId, sessionVersion: nextVersion(sessionVersion) };
  return { ...fresh, origin, times: current.times, media };
}

/** The version of a description after one with this version (RFC 8866 §5.2, RFC 3264 §8). */
export function nextVersion(version: string): string {
  return String(BigInt(version) + 1n);
}

/**
 * Answers an offer (RFC 3264 §6): as many sections in the same order, the first audio section with a codec of ours
 * accepted, the first text section too where we have a port, the rest refused with port 0. The codec is the offerer's
 * first that we take.
 */
export function createAnswer(offer: SessionDescription, local: LocalMedia): AnswerResult {
  let audio: AudioMedia | undefined;
  let text: TextMedia | undefined;
  let reason = 'no audio section with a codec in common';
  const media = offer.media.map((section): MediaDescription => {
    if (audio === undefined && section.kind === 'audio' && usable(section)) {
      const codec = codecsOf(section).find((format) => local.codecs.includes(format.codec));
      const direction = answerDirection(directionOf(offer, section), local.direction);
      const remoteAddress = connectionOf(offer, section)?.address;
      const security = answerSecurity(section, local.srtp ?? 'off');
      if (!security.ok) reason = security.reason;
      else if (codec !== undefined && remoteAddress !== undefined) {
        const event = local.dtmf ? eventFor(codec.codec, eventsOf(section)) : undefined;
        const events = event === undefined ? [] : [event];
        const answer = audioSection(local.audioPort, [codec], events, direction, section.protocol);
        audio = {
          ...audioMedia(section, answer, codec, remoteAddress, direction, security.srtp),
          ...rtcpOf(offer, section),
        };
        return secured(answer, security.line);
      }
    }
    if (text === undefined && section.kind === 'text' && usable(section) && local.textPort !== undefined) {
      const format = textFormatOf(section);
      const direction = answerDirection(directionOf(offer, section), local.direction);
      const remoteAddress = connectionOf(offer, section)?.address;
      const security = answerSecurity(section, local.srtp ?? 'off');
      if (security.ok && format !== undefined && remoteAddress !== undefined) {
        text = textMedia(offer, section, format, remoteAddress, direction, security.srtp);
        return secured(textSection(local.textPort, format, direction, section.protocol), security.line);
      }
    }
    return refused(section);
  });
  if (audio === undefined) return { ok: false, reason };
  return { ok: true, answer: description(local, media, offer.times), media: { audio, text } };
}

/**
 * Reads the answer to our offer (RFC 3264 §7); refuses answers that break its rules, but for one: PBXs that know audio
 * alone leave out what stands behind it, where they should refuse it with port 0.
 */
export function acceptAnswer(offer: SessionDescription, answer: SessionDescription): AcceptResult {
  const leftOut = offer.media.length - answer.media.length;
  if (leftOut < 0) return { ok: false, reason: 'answer has more media sections than were offered' };
  let audio: AudioMedia | undefined;
  let text: TextMedia | undefined;
  for (const [index, offered] of offer.media.entries()) {
    const section = answer.media[index];
    if (section === undefined) break;
    if (section.kind !== offered.kind) return { ok: false, reason: 'answer has its media sections in another order' };
    if (section.port === 0 || offered.port === 0) continue;
    if (!usable(section)) return { ok: false, reason: 'answer has another transport protocol' };
    const remoteAddress = connectionOf(answer, section)?.address;
    if (remoteAddress === undefined) return { ok: false, reason: 'answer has no address' };
    const direction = answerDirection(directionOf(answer, section), directionOf(offer, offered));
    const security = acceptSecurity(offered, section);
    if (section.kind === 'audio') {
      if (!security.ok) return { ok: false, reason: security.reason };
      const codec = codecsOf(section).find((one) => codecsOf(offered).some((ours) => ours.codec === one.codec));
      if (codec === undefined) return { ok: false, reason: 'answer has no codec that was offered' };
      audio = {
        ...audioMedia(section, offered, codec, remoteAddress, direction, security.srtp),
        ...rtcpOf(answer, section),
      };
    } else if (section.kind === 'text' && security.ok) {
      const format = textFormatOf(section);
      if (format !== undefined) text = textMedia(answer, section, format, remoteAddress, direction, security.srtp);
    }
  }
  if (audio === undefined) return { ok: false, reason: 'answer refuses audio' };
  return { ok: true, media: { audio, text }, leftOut };
}

function refused(section: MediaDescription): MediaDescription {
  return { ...section, port: 0, portCount: 1, connection: undefined, attributes: [], lines: [] };
}

function usable(section: MediaDescription): boolean {
  return section.port !== 0 && (PROTOCOLS.has(section.protocol) || isSecure(section.protocol));
}

/** A section of an answer with our key, where it is encrypted. */
function secured(section: MediaDescription, line: CryptoLine | undefined): MediaDescription {
  if (line === undefined) return section;
  return { ...section, attributes: [...section.attributes, cryptoAttribute(line)] };
}

/** b=RS:0 and b=RR:0 give RTCP no bandwidth (RFC 3556 §2); a section's own lines come before those of the session. */
function rtcpOf(description: SessionDescription, section: MediaDescription): { readonly withoutRtcp?: true } {
  const none = ['RS', 'RR'].every((modifier) => {
    const isOne = ({ type, value }: SdpLine): boolean => type === 'b' && value.startsWith(`${modifier}:`);
    const line = section.lines.find(isOne) ?? description.lines.find(isOne);
    return line !== undefined && /:0+$/.test(line.value.trim());
  });
  return none ? { withoutRtcp: true } : {};
}

/** The port that `a=rtcp` names (RFC 3605). */
function rtcpPortOf(section: MediaDescription): number | undefined {
  const port = Number(/^(\d{1,5})(?:\s|$)/.exec(attribute(section, 'rtcp') ?? '')?.[1]);
  return port > 0 && port <= 65_535 ? port : undefined;
}

function textMedia(
  description: SessionDescription,
  section: MediaDescription,
  format: ReturnType<typeof textFormatOf> & object,
  remoteAddress: string,
  direction: Direction,
  srtp: SrtpMedia | undefined,
): TextMedia {
  const port = rtcpPortOf(section);
  return {
    ...format,
    remoteAddress,
    remotePort: section.port,
    ...(port === undefined ? {} : { remoteRtcpPort: port }),
    direction,
    srtp,
    ...rtcpOf(description, section),
  };
}

/** What was agreed: we send by the far end's section, and receive by ours. */
function audioMedia(
  section: MediaDescription,
  ours: MediaDescription,
  format: AudioFormat,
  remoteAddress: string,
  direction: Direction,
  srtp: SrtpMedia | undefined,
): AudioMedia {
  const events = eventsOf(ours);
  const event = events.length === 0 ? undefined : eventFor(format.codec, eventsOf(section));
  return {
    codec: format.codec,
    payloadType: format.payloadType,
    dtmfPayloadType: event?.payloadType,
    dtmfRateHz: event?.rateHz,
    receives: { audio: codecsOf(ours), events },
    ptimeMs: ptimeOf(section),
    opus: format.codec === 'opus' ? opusWishesOf(section, format.payloadType) : undefined,
    remoteAddress,
    remotePort: section.port,
    remoteRtcpPort: rtcpPortOf(section) ?? Math.min(section.port + 1, 65_535),
    direction,
    srtp,
  };
}

function textSection(port: number, format: TextFormat, direction: Direction, protocol: string): MediaDescription {
  const { payloadType, redPayloadType, redundancy } = format;
  const formats = [String(payloadType)];
  const attributes = [attributeOf('rtpmap', `${payloadType} t140/1000`)];
  if (redPayloadType !== undefined) {
    formats.unshift(String(redPayloadType));
    attributes.push(attributeOf('rtpmap', `${redPayloadType} red/1000`));
    attributes.push(
      attributeOf(
        'fmtp',
        `${redPayloadType} ${Array(redundancy + 1)
          .fill(payloadType)
          .join('/')}`,
      ),
    );
  }
  attributes.push({ name: direction, value: undefined });
  return { kind: 'text', port, portCount: 1, protocol, formats, connection: undefined, attributes, lines: [] };
}

function description(
  local: LocalMedia,
  media: readonly MediaDescription[],
  times: readonly string[] = ['0 0'],
): SessionDescription {
  const connection = { addressType: isIPv6(local.address) ? 'IP6' : 'IP4', address: local.address } as const;
  // RFC 8866 §5.2: the id makes the origin unique; 47 random bits leave room below 2⁵³ for the version to grow.
  const sessionId = String(randomInt(2 ** 47));
  return {
    origin: { username: '-', sessionId, sessionVersion: sessionId, ...connection },
    name: '-',
    connection,
    times,
    attributes: [],
    lines: [],
    media,
  };
}
