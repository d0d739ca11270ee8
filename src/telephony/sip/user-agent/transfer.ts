import type { Timer } from '#platform/clock.ts';
import { parseDecimal } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import { parseNameAddr } from '../messages/name-addr.ts';
import { reasonPhraseOf } from '../messages/status.ts';
import { buildResponse } from '../messages/write.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import type { AgentContext } from './agent-context.ts';
import type { TransferRequest, TransferResult } from './call.ts';
import type { SessionRequest, SessionRequestHandlers } from './session.ts';

/** How long a referred peer may take to report the outcome; longer than any ring time-out. */
const REPORT_MS = 180_000;

/** What transfers need of their session. */
export interface TransferHost {
  request(method: string, parts: SessionRequest, handlers: SessionRequestHandlers): void;
}

interface Pending {
  /** The CSeq of our REFER is the id of its subscription (RFC 3515 §2.4.6). */
  readonly id: string;
  readonly done: (result: TransferResult) => void;
  readonly timer: Timer;
}

/**
 * REFER of one dialog, both ways (RFC 3515): the implied subscription reports by NOTIFY with a sipfrag (RFC 3420) unless
 * both sides do without (`norefersub`, RFC 4488).
 */
export class Transfers {
  readonly #context: AgentContext;
  readonly #host: TransferHost;
  readonly #contact: HeaderField;
  readonly #take: () => ((request: TransferRequest) => void) | undefined;
  readonly #pending: Pending[] = [];
  #over = false;

  constructor(
    context: AgentContext,
    host: TransferHost,
    contact: HeaderField,
    take: () => ((request: TransferRequest) => void) | undefined,
  ) {
    this.#context = context;
    this.#host = host;
    this.#contact = contact;
    this.#take = take;
  }

  /** Asks the peer to call `to`; waits for the outcome, or for its consent only where it knows how to do without reports. */
  refer(
    to: string,
    options: { readonly replaces?: string; readonly onAccepted?: () => void; readonly withoutSubscription: boolean },
  ): Promise<TransferResult> {
    const { replaces, onAccepted, withoutSubscription } = options;
    const uri =
      replaces === undefined ? to : `${to}${to.includes('?') ? '&' : '?'}Replaces=${encodeURIComponent(replaces)}`;
    const headers: HeaderField[] = [['Refer-To', `<${uri}>`], this.#contact];
    if (withoutSubscription)
      headers.push(['Refer-Sub', 'false'], ['Supported', 'norefersub'], ['Require', 'norefersub']);
    return new Promise((resolve) => {
      let accepted = false;
      this.#host.request(
        'REFER',
        { headers },
        {
          onResponse: ({ status, reasonPhrase, headers: fields }, request) => {
            if (status < 200 || accepted) return;
            accepted = true;
            if (status >= 300) return resolve({ ok: false, status, detail: reasonPhrase });
            onAccepted?.();
            if (withoutSubscription || /^\s*false\b/i.test(fields.get('Refer-Sub') ?? ''))
              return resolve({ ok: true, status: undefined, detail: 'accepted' });
            if (this.#over) return resolve(CALL_ENDED);
            const id = String(request.cseq.sequence);
            const timer = this.#context.clock.setTimer(REPORT_MS, () =>
              this.#finish(id, { ok: false, status: undefined, detail: 'outcome never reported' }),
            );
            this.#pending.push({ id, done: resolve, timer });
          },
          onFailed: (detail) => resolve({ ok: false, status: undefined, detail }),
        },
      );
    });
  }

  /** A report on a transfer that we asked for. */
  onNotify(transaction: ServerTransaction): void {
    const { request } = transaction;
    const server: HeaderField = ['Server', this.#context.product];
    const event = (request.headers.get('Event') ?? '').toLowerCase();
    if (!/^refer\s*(?:;|$)/.test(event))
      return transaction.respond(buildResponse(request, 489, { headers: [['Allow-Events', 'refer'], server] }));
    const id = /;\s*id\s*=\s*(\d+)/.exec(event)?.[1];
    // Only the first REFER of a dialog may leave the id out.
    const pending = id === undefined ? this.#pending[0] : this.#pending.find((one) => one.id === id);
    if (pending === undefined) return transaction.respond(buildResponse(request, 481, { headers: [server] }));
    transaction.respond(buildResponse(request, 200, { headers: [server] }));
    const line = /^SIP\/2\.0 (\d{3})(?: ([^\r\n]*))?/.exec(request.body.trimStart());
    const status = parseDecimal(line?.[1] ?? '', 3);
    const over = /^\s*terminated\b/i.test(request.headers.get('Subscription-State') ?? '');
    if (status !== undefined && status >= 200)
      this.#finish(pending.id, { ok: status < 300, status, detail: line?.[2] ?? '' });
    else if (over)
      this.#finish(pending.id, { ok: false, status: undefined, detail: 'report ended without an outcome' });
  }

  /** The peer asks us to call elsewhere. */
  onRefer(transaction: ServerTransaction): void {
    const { request } = transaction;
    const server: HeaderField = ['Server', this.#context.product];
    const refuse = (status: number): void => transaction.respond(buildResponse(request, status, { headers: [server] }));
    const take = this.#take();
    const target = parseNameAddr(request.headers.get('Refer-To') ?? '');
    if (target === undefined || request.headers.all('Refer-To').length !== 1) return refuse(400);
    if (take === undefined) return refuse(603);
    const question = target.uri.indexOf('?');
    const embedded = new URLSearchParams(question < 0 ? '' : target.uri.slice(question + 1).replaceAll('+', '%2B'));
    const replaces = [...embedded].find(([name]) => name.toLowerCase() === 'replaces')?.[1];
    const silent = /^\s*false\b/i.test(request.headers.get('Refer-Sub') ?? '');
    const referredBy = request.headers.get('Referred-By');
    take({
      to: question < 0 ? target.uri : target.uri.slice(0, question),
      replaces,
      referredBy: referredBy === undefined ? undefined : parseNameAddr(referredBy)?.uri,
      accept: () => {
        if (!transaction.open) return () => undefined;
        const headers: HeaderField[] = [this.#contact, server];
        if (silent) headers.push(['Refer-Sub', 'false'], ['Supported', 'norefersub']);
        transaction.respond(buildResponse(request, 202, { headers }));
        if (silent) return () => undefined;
        const id = request.cseq.sequence;
        this.#notify(id, 100, reasonPhraseOf(100));
        let reported = false;
        return (status, reasonPhrase = reasonPhraseOf(status)) => {
          if (!reported && status >= 200) this.#notify(id, status, reasonPhrase);
          reported ||= status >= 200;
        };
      },
      reject: refuse,
    });
  }

  /** The call is over: nobody reports any more. */
  close(): void {
    this.#over = true;
    for (const { id } of this.#pending.slice()) this.#finish(id, CALL_ENDED);
  }

  #notify(id: number, status: number, reasonPhrase: string): void {
    if (this.#over) return;
    const state = status < 200 ? `active;expires=${REPORT_MS / 1_000}` : 'terminated;reason=noresource';
    const headers: HeaderField[] = [
      ['Event', `refer;id=${id}`],
      ['Subscription-State', state],
      this.#contact,
      ['Content-Type', 'message/sipfrag;version=2.0'],
    ];
    const body = `SIP/2.0 ${status} ${reasonPhrase}\r\n`;
    this.#host.request('NOTIFY', { headers, body }, { onResponse: () => undefined, onFailed: () => undefined });
  }

  #finish(id: string, result: TransferResult): void {
    const index = this.#pending.findIndex((one) => one.id === id);
    if (index < 0) return;
    const [pending] = this.#pending.splice(index, 1);
    pending?.timer.cancel();
    pending?.done(result);
  }
}

/** A peer that hangs up after it agreed most likely carries the transfer out; nobody knows. */
const CALL_ENDED: TransferResult = { ok: false, status: undefined, detail: 'call ended before the outcome was known' };
