import { parseDecimal } from '../messages/grammar.ts';
import type { SipResponse } from '../messages/message.ts';

/** What a provisional response asks of us (RFC 3262 §4). */
export type Reliability =
  /** Plain: use it. */
  | { readonly type: 'unreliable' }
  /** The next in order: use it and send PRACK with this RAck. */
  | { readonly type: 'acknowledge'; readonly rack: string }
  /** Repeated or out of order: neither use nor acknowledge it; it comes again. */
  | { readonly type: 'ignore' };

/** The order of reliable provisional responses of one early dialog (RFC 3262 §4). */
export class ReliableOrder {
  #last: number | undefined;

  next(response: SipResponse): Reliability {
    if (response.status === 100 || !requires100rel(response)) return { type: 'unreliable' };
    const sequence = parseDecimal(response.headers.get('RSeq')?.trim() ?? '', 10);
    if (sequence === undefined || sequence < 1 || sequence > 0xffffffff) return { type: 'ignore' };
    if (this.#last !== undefined && sequence !== this.#last + 1) return { type: 'ignore' };
    this.#last = sequence;
    return { type: 'acknowledge', rack: `${sequence} ${response.cseq.sequence} ${response.cseq.method}` };
  }
}

function requires100rel(response: SipResponse): boolean {
  return response.headers.all('Require').some((value) => /(?:^|,)\s*100rel\s*(?:,|$)/i.test(value));
}
