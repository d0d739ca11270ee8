import type { Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { quote } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import { retryAfterSeconds } from '../messages/identity.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { parseNameAddr } from '../messages/name-addr.ts';
import { buildRequest } from '../messages/write.ts';
import type { ClientTransaction } from '../transactions/client.ts';
import { targetOf } from '../transport/target.ts';
import type { Target } from '../transport/target.ts';
import type { Peer } from '../transport/transport.ts';
import { ALLOW, cancelOf, contactOf, DEAF, newVia } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import type { OutgoingCallRequest } from './call.ts';
import { DigestAttempt } from './digest.ts';
import type { DigestClient } from './digest.ts';
import { LateAnswers } from './late-answers.ts';
import type { Acknowledgement } from './session.ts';
import { askInterval, MIN_SE_SECONDS, readMinSe, SESSION_SECONDS } from './session-timer.ts';

/**
 * A server that says nothing for this long gives way to the next one. RFC 3263 §4.3 waits for timer B; a call cannot: at
 * 4 s three repetitions are out, and a late answer of the first server is cancelled or hung up.
 */
const SILENCE_MS = 4_000;
/** What 503 without Retry-After is worth: long enough that the next calls do not try the server first. */
const REST_MS = 5_000;
const MAX_REST_SECONDS = 3_600;

/** What the sender tells its call; repeated 2xx and those of several forks come again. */
export interface InviteHandlers {
  onProvisional(response: SipResponse): void;
  /** `wanted` false: the answer of a server that had been given up. */
  onSuccess(response: SipResponse, invite: SipRequest, authorization: readonly HeaderField[], wanted: boolean): void;
  /** A final response that nothing can be done about. */
  onFailure(response: SipResponse): void;
  onLost(cause: 'no-response' | 'transport', detail: string): void;
  /** The INVITE goes out anew: what the early dialogs said is void. */
  onRetry(): void;
}

/**
 * Sends one INVITE until something final comes of it: to the next server after silence, transport errors and 503
 * (RFC 3263 §4.3), with credentials (RFC 3261 §22), with a longer session interval after 422 (RFC 4028 §7.3), and once to
 * where a 3xx points (RFC 3261 §8.1.3.4) if the trunk's policy agrees.
 */
export class InviteSender {
  readonly #context: AgentContext;
  readonly #asked: OutgoingCallRequest;
  readonly #localTag: string;
  readonly #digest: DigestClient;
  readonly #handlers: InviteHandlers;
  readonly #attempt = new DigestAttempt();
  #uri: string;
  #redirected = false;
  #minSeSeconds = MIN_SE_SECONDS;
  #sequence = 1;
  #servers: readonly Peer[] = [];
  #authorization: readonly HeaderField[] = [];
  #invite: SipRequest;
  /** The first INVITE, as it was built to see whether one can be. */
  #checked: SipRequest | undefined;
  #transaction: ClientTransaction | undefined;
  #silence: Timer | undefined;
  #stopped = false;

  /** Throws `invalid-input` for a target or caller that makes no request; nothing has been sent then. */
  constructor(
    context: AgentContext,
    asked: OutgoingCallRequest,
    localTag: string,
    digest: DigestClient,
    handlers: InviteHandlers,
  ) {
    this.#context = context;
    this.#asked = asked;
    this.#localTag = localTag;
    this.#digest = digest;
    this.#handlers = handlers;
    this.#uri = asked.target;
    if (this.#target === undefined)
      throw new AppError('invalid-input', {
        zh: '被叫地址不是有效的 SIP URI。',
        en: 'The target is not a valid SIP URI.',
      });
    this.#invite = this.#build(undefined);
    // With one transport it is the same whoever gets it.
    if (context.transports.all.length === 1) this.#checked = this.#invite;
  }

  /** The INVITE as it was last sent. */
  get invite(): SipRequest {
    return this.#transaction?.request ?? this.#invite;
  }

  /** Our Contact towards the server in use. */
  get contact(): HeaderField {
    return ['Contact', this.#invite.headers.get('Contact') ?? ''];
  }

  start(): void {
    const target = this.#target;
    if (target === undefined) return;
    this.#context.locator.locate(target, (servers) => {
      if (this.#stopped) return;
      this.#servers = servers;
      if (servers.length === 0) this.#handlers.onLost('transport', 'name not found');
      else this.#send();
    });
  }

  /** No more attempts: whatever comes next is final. True where nothing was sent yet. */
  stop(): boolean {
    this.#stopped = true;
    this.#silence?.cancel();
    return this.#transaction === undefined;
  }

  /** CANCEL follows the INVITE (RFC 3261 §9.1). */
  cancel(headers: readonly HeaderField[]): void {
    if (this.#transaction !== undefined) this.#cancel(this.#transaction, headers);
  }

  /** Lets go of the transaction: a CANCEL had no effect. */
  abandon(): void {
    this.#transaction?.abandon();
  }

  /** The call is over: what still may come is an answer. */
  leave(acks: ReadonlyMap<string, Acknowledgement>): void {
    const transaction = this.#transaction;
    if (transaction === undefined) return;
    const rest = { digest: this.#digest, authorization: this.#authorization, acks };
    transaction.leaveTo(new LateAnswers(this.#context, transaction.request, rest));
  }

  get #target(): Target | undefined {
    const target = targetOf(parseNameAddr(this.#asked.routes?.[0] ?? '')?.uri ?? this.#uri);
    const { transport } = this.#asked;
    return target === undefined || transport === undefined ? target : { protocol: transport, ...target };
  }

  #send(): void {
    const server = this.#servers[0];
    if (server === undefined) return;
    const invite = this.#checked ?? this.#build(server);
    this.#checked = undefined;
    this.#invite = invite;
    const authorization = this.#authorization;
    let answered = false;
    const current = (): boolean => this.#transaction === transaction;
    const transaction = this.#context.layer.request(invite, server, {
      onResponse: (response) => {
        const first = !answered;
        answered = true;
        if (current()) this.#silence?.cancel();
        if (response.status >= 200 && response.status < 300)
          this.#handlers.onSuccess(response, transaction.request, authorization, current());
        else if (!current()) {
          if (first && response.status < 200) this.#cancel(transaction, [['Reason', 'SIP;cause=408;text="Too late"']]);
        } else if (response.status < 200) this.#handlers.onProvisional(response);
        else if (!this.#retry(response, server)) this.#handlers.onFailure(response);
      },
      onTimeout: () => {
        if (current() && !this.#failOver()) this.#handlers.onLost('no-response', 'timer B');
      },
      onTransportError: (error) => {
        if (current() && !this.#failOver()) this.#handlers.onLost('transport', error.message);
      },
    });
    this.#transaction = transaction;
    this.#silence?.cancel();
    if (this.#servers.length > 1) this.#silence = this.#context.clock.setTimer(SILENCE_MS, () => this.#failOver());
  }

  /** Whether there is another server to try; the request is the same but for its branch (RFC 3263 §4.3). */
  #failOver(): boolean {
    if (this.#stopped || this.#servers.length < 2) return false;
    this.#servers = this.#servers.slice(1);
    this.#handlers.onRetry();
    this.#send();
    return true;
  }

  #retry(response: SipResponse, server: Peer): boolean {
    const { status, headers } = response;
    if (status === 503) {
      const seconds = retryAfterSeconds(headers);
      const restMs = seconds === undefined ? REST_MS : Math.min(seconds, MAX_REST_SECONDS) * 1_000;
      this.#context.locator.rest(server, restMs);
      return this.#failOver();
    }
    if (this.#stopped) return false;
    if (status === 422) {
      const least = readMinSe(headers);
      if (least <= this.#minSeSeconds || this.#asked.sessionSeconds === 0) return false;
      this.#minSeSeconds = least;
    } else if (status >= 300 && status < 400) {
      const uri = this.#redirectTo(response);
      if (uri === undefined) return false;
      this.#redirected = true;
      this.#uri = uri;
      this.#sequence++;
      this.#handlers.onRetry();
      this.start();
      return true;
    } else if (!this.#digest.take(response, this.#attempt)) return false;
    this.#sequence++;
    this.#handlers.onRetry();
    this.#send();
    return true;
  }

  /** The best Contact of a 3xx that the policy lets us follow. */
  #redirectTo(response: SipResponse): string | undefined {
    const allowed = this.#asked.mayRedirectTo;
    if (this.#redirected || allowed === undefined) return undefined;
    return response.headers
      .all('Contact')
      .flatMap((value) => parseNameAddr(value) ?? [])
      .filter(({ uri }) => targetOf(uri) !== undefined && !uri.includes('?') && allowed(uri))
      .toSorted((a, b) => Number(b.params.get('q') ?? '1') - Number(a.params.get('q') ?? '1'))[0]?.uri;
  }

  #cancel(transaction: ClientTransaction, headers: readonly HeaderField[]): void {
    const request = buildRequest(
      'CANCEL',
      transaction.request.uri,
      cancelOf(transaction.request, [...headers, ['User-Agent', this.#context.product]]),
    );
    this.#context.layer.request(request, transaction.sentTo, DEAF);
  }

  #build(server: Peer | undefined): SipRequest {
    const { from, displayName, callId, headers, sdp, routes, reliable = 'supported' } = this.#asked;
    const { transports, product, supported } = this.#context;
    const asked = this.#asked.sessionSeconds ?? SESSION_SECONDS;
    this.#authorization = server === undefined ? [] : this.#digest.fields('INVITE', this.#uri);
    const transport = transports.choose(server ?? { host: '', port: 0 });
    const fields: HeaderField[] = [
      ['Via', newVia(this.#context)],
      ...(routes ?? []).map((route): HeaderField => ['Route', route]),
      ['Max-Forwards', '70'],
      ['From', `${displayName === undefined ? '' : `${quote(displayName)} `}<${from}>;tag=${this.#localTag}`],
      ['To', `<${this.#asked.target}>`],
      ['Call-ID', callId],
      ['CSeq', `${this.#sequence} INVITE`],
      contactOf(transport),
      ['Allow', ALLOW],
      ['Supported', reliable === 'off' ? supported : `100rel, ${supported}`],
      ...(reliable === 'required' ? [['Require', '100rel'] as const] : []),
      ...(asked === 0 ? [] : askInterval(Math.max(asked, this.#minSeSeconds), this.#minSeSeconds)),
      ['User-Agent', product],
      ...(headers ?? []),
      ...this.#authorization,
      ...(sdp === '' ? [] : [['Content-Type', 'application/sdp'] as const]),
    ];
    return buildRequest('INVITE', this.#uri, fields, sdp);
  }
}
