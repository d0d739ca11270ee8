export type AudioCodec = 'PCMA' | 'PCMU';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What both sides agreed for the audio m-line; directions and ports as seen from our side. */
export interface AudioMedia {
  readonly codec: AudioCodec;
  readonly payloadType: number;
  readonly dtmfPayloadType: number | undefined;
  readonly ptimeMs: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** a=rtcp or port + 1. */
  readonly remoteRtcpPort: number;
  readonly direction: Direction;
}

/** Real-time text (RFC 4103) over its own m-line; `redundancy` is the number of older generations carried (RFC 2198). */
export interface TextMedia {
  readonly payloadType: number;
  readonly redPayloadType: number | undefined;
  readonly redundancy: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly direction: Direction;
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
}
