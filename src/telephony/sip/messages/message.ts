import type { CSeq } from './cseq.ts';
import type { Headers } from './headers.ts';
import type { NameAddr } from './name-addr.ts';
import type { Via } from './via.ts';

/** What every well-formed message has, read once (RFC 3261 §8.1.1). */
export interface MessageCore {
  readonly headers: Headers;
  /** The topmost Via. */
  readonly via: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
  /** Decoded as UTF-8; binary bodies are not kept byte for byte. */
  readonly body: string;
}

export interface SipRequest extends MessageCore {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends MessageCore {
  readonly kind: 'response';
  readonly status: number;
  readonly reasonPhrase: string;
}

export type SipMessage = SipRequest | SipResponse;

/** The tag of a From or To value, undefined where there is none. */
export function tagOf(address: NameAddr): string | undefined {
  const tag = address.params.get('tag');
  return tag === undefined || tag === '' ? undefined : tag;
}
