/** The codecs in which frames are handed out, phrases are kept and calls are recorded: an octet a sample at 8 kHz. */
export type G711Codec = 'PCMA' | 'PCMU';
/** Everything that a wire may carry, by its name in rtpmap. */
export type AudioCodec = G711Codec | 'G722' | 'opus';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** The suites of RFC 4568 §6.2 that we speak, the stronger one first. */
export const SRTP_SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
export type SrtpSuite = (typeof SRTP_SUITES)[number];

/** Whether media is encrypted by keys in the SDP: never, where the far end does, or not at all without it. */
export type SrtpPolicy = 'off' | 'optional' | 'required';

/** The master key of one direction (RFC 4568 §6.1). */
export interface SrtpKey {
  readonly suite: SrtpSuite;
  /** 16 octets of key, then 14 of salt. */
  readonly keySalt: Uint8Array;
  /** Octets of the master key identifier in each packet; 0 for our own keys. */
  readonly mkiBytes: number;
}

/** The keys of a section: `send` is ours, `receive` the far end's. */
export interface SrtpMedia {
  readonly send: SrtpKey;
  readonly receive: SrtpKey;
}

/** A codec with the payload type that a description gives it. */
export interface AudioFormat {
  readonly codec: AudioCodec;
  readonly payloadType: number;
}

/** A telephone-event format (RFC 4733 §2.5.1.1: its durations count at this rate). */
export interface EventFormat {
  readonly payloadType: number;
  readonly rateHz: number;
}

/** How the far end wants Opus (RFC 7587 §6.1). */
export interface OpusWishes {
  /** It can use the redundancy of a packet for the one before. */
  readonly fec: boolean;
  /** Constant bit rate. */
  readonly cbr: boolean;
  /** Undefined: no limit. */
  readonly maxBitsPerSecond: number | undefined;
}

/** What both sides agreed for the audio m-line; directions and ports as seen from our side. */
export interface AudioMedia {
  /** What we send, under the far end's payload type. */
  readonly codec: AudioCodec;
  readonly payloadType: number;
  readonly dtmfPayloadType: number | undefined;
  /** 8000 unless said. */
  readonly dtmfRateHz?: number | undefined;
  /** What may arrive, under our own payload types; undefined: what we send, under the same. */
  readonly receives?: { readonly audio: readonly AudioFormat[]; readonly events: readonly EventFormat[] } | undefined;
  /** How long the packets are that we send. */
  readonly ptimeMs: number;
  /** With Opus alone. */
  readonly opus?: OpusWishes | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** a=rtcp or port + 1. */
  readonly remoteRtcpPort: number;
  /** The far end gives RTCP no bandwidth: none is sent. */
  readonly withoutRtcp?: boolean;
  readonly direction: Direction;
  /** Undefined: in the clear. */
  readonly srtp?: SrtpMedia | undefined;
}

/** Real-time text (RFC 4103) over its own m-line; `redundancy` is the number of older generations carried (RFC 2198). */
export interface TextMedia {
  readonly payloadType: number;
  readonly redPayloadType: number | undefined;
  readonly redundancy: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** a=rtcp; undefined: port + 1. */
  readonly remoteRtcpPort?: number;
  /** The far end gives RTCP no bandwidth: none is sent. */
  readonly withoutRtcp?: boolean;
  readonly direction: Direction;
  readonly srtp?: SrtpMedia | undefined;
}

export interface NegotiatedMedia {
  readonly audio: AudioMedia;
  readonly text: TextMedia | undefined;
}

/** What our side offers or accepts, in order of preference. */
export interface LocalMedia {
  readonly address: string;
  readonly audioPort: number;
  /** Undefined: no text m-line is offered and one that is offered is refused with port 0. */
  readonly textPort: number | undefined;
  readonly codecs: readonly AudioCodec[];
  readonly dtmf: boolean;
  readonly direction: Direction;
  /** `off` unless said. */
  readonly srtp?: SrtpPolicy | undefined;
}

/** The RTP clock of a codec: G.722 counts 8000 although it samples 16,000 (RFC 3551 §4.5.2), Opus always 48,000 (RFC 7587 §4.1). */
export function clockHzOf(codec: AudioCodec): number {
  return codec === 'opus' ? 48_000 : 8000;
}

/** The codec of a leg's frames, whatever the wire carries: the wire's own where it is G.711, A-law where it is wideband. */
export function frameCodecOf(codec: AudioCodec): G711Codec {
  return codec === 'PCMU' ? 'PCMU' : 'PCMA';
}
