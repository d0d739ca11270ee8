import { createHmac, randomBytes } from 'node:crypto';
import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse, writeMessage } from '../messages/write.ts';
import type { Peer } from '../transport/transport.ts';

/**
 * What becomes of a request that belongs to nothing we know, before anything of it is remembered: it is taken, ignored
 * without a word, or refused without a transaction (RFC 3261 §8.2.7), so that a flood costs no memory.
 */
export type Screening =
  | 'pass'
  | 'drop'
  | { readonly status: number; readonly reasonPhrase?: string; readonly headers?: readonly HeaderField[] };

/** Judges a request by what it is and where it came from; undefined stands for one that could not be read. */
export type Screen = (request: SipRequest | undefined, source: Peer) => Screening;

const KEY = randomBytes(16);

/** The bytes of a refusal that is the same for every repetition of its request, To tag included (RFC 3261 §8.2.7). */
export function statelessRefusal(request: SipRequest, refusal: Exclude<Screening, string>): Uint8Array {
  const { status, reasonPhrase, headers = [] } = refusal;
  const token = `${request.via.params.get('branch') ?? ''} ${request.callId} ${request.cseq.sequence}`;
  const toTag = createHmac('sha1', KEY).update(token).digest('hex').slice(0, 16);
  return writeMessage(
    buildResponse(request, status, { toTag, headers, ...(reasonPhrase === undefined ? {} : { reasonPhrase }) }),
  );
}
