import type { Clock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import { isReachable } from './dialogs/dialog.ts';
import { parseParams } from './messages/grammar.ts';
import { tagOf } from './messages/message.ts';
import type { SipRequest } from './messages/message.ts';
import type { HeaderField } from './messages/headers.ts';
import { hostText, uriScheme } from './messages/uri.ts';
import { buildResponse } from './messages/write.ts';
import { TransactionLayer } from './transactions/layer.ts';
import type { LayerHandlers } from './transactions/layer.ts';
import type { Screen } from './transactions/screening.ts';
import type { ServerTransaction } from './transactions/server.ts';
import { Locator, systemResolver } from './transport/locator.ts';
import type { SipResolver } from './transport/locator.ts';
import { openTransport } from './transport/open.ts';
import type { SipBind } from './transport/open.ts';
import type { SipProtocol, SipTransport } from './transport/transport.ts';
import { Transports } from './transport/transports.ts';
import { newTag, supportedOptions } from './user-agent/agent-context.ts';
import type { AgentContext } from './user-agent/agent-context.ts';
import type { IncomingCall, OutgoingCall, OutgoingCallHandlers, OutgoingCallRequest } from './user-agent/call.ts';
import { DigestClient } from './user-agent/digest.ts';
import type { Credentials } from './user-agent/digest.ts';
import { UasCall } from './user-agent/incoming-call.ts';
import { capabilities, refuseMethod } from './user-agent/in-dialog.ts';
import { UacCall } from './user-agent/outgoing-call.ts';
import { isAlive, NO_RESPONSE } from './user-agent/probe.ts';
import type { ProbeResult } from './user-agent/probe.ts';
import { Registration } from './user-agent/registration.ts';
import type { RegistrationRequest } from './user-agent/registration.ts';
import { answerInterval } from './user-agent/session-timer.ts';
import { sendSingle } from './user-agent/single-request.ts';

export type { Screen, Screening } from './transactions/screening.ts';
export type {
  CallEnd,
  HangupReason,
  IncomingCall,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  TransferRequest,
  TransferResult,
} from './user-agent/call.ts';

/** How long `close` waits for CANCEL and BYE to be answered. */
const CLOSE_WAIT_MS = 2_000;
const MAX_DIALOGS = 10_000;
/** Longer than three repetitions of a lost OPTIONS, shorter than a caller's patience. */
const PROBE_MS = 4_000;
const RETRY_AFTER_SECONDS = '5';
/** Requests that make sense only inside a dialog. */
const INSIDE_ONLY: ReadonlySet<string> = new Set(['BYE', 'INFO', 'UPDATE', 'PRACK', 'NOTIFY']);

export interface UserAgentOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** One UDP socket, or a list of transports of which the first is preferred where a target leaves the choice. */
  readonly bind: { readonly address: string; readonly port: number } | readonly SipBind[];
  /** For User-Agent and Server. */
  readonly product: string;
  /**
   * Whether calls may be taken over by an INVITE with Replaces (RFC 3891), which they may unless said. Otherwise nobody is
   * told that we could, what requires it gets 420, and what names a call of ours gets 403 and leaves that as it is.
   */
  readonly replaces?: boolean;
  /** Calls at once, both ways together; more come back with 503. */
  readonly maxDialogs?: number;
  /** The name service; the system's unless given. */
  readonly resolver?: SipResolver;
  /** From 0 to below 1, for waiting times and the choice among servers. */
  readonly random?: () => number;
}

/** Whom to probe and as whom. */
export interface ProbeRequest {
  /** For example `sip:192.0.2.1:5060` or `sip:trunk.example;transport=tls`. */
  readonly target: string;
  readonly from?: string;
  readonly transport?: SipProtocol;
  readonly credentials?: Credentials;
  readonly timeoutMs?: number;
}

/** A SIP user agent (RFC 3261 §8): places calls, takes calls, answers everything else. `close` ends what it holds. */
export class SipUserAgent {
  /** Of the first transport. */
  readonly address: { readonly address: string; readonly port: number };
  /** None set: incoming calls are refused with 503. */
  onIncomingCall: ((call: IncomingCall) => void) | undefined;
  /** Judges requests of strangers to our calls before anything of them is remembered; absent: all are taken. */
  screen: Screen | undefined;
  readonly #context: AgentContext;
  readonly #maxDialogs: number;
  readonly #replaces: boolean;
  readonly #known: ReadonlySet<string>;
  /** By Call-ID and our tag. */
  readonly #calls = new Map<string, UacCall | UasCall>();
  /** What a merged request would repeat (RFC 3261 §8.2.2.2), of every INVITE transaction. */
  readonly #invites = new Set<string>();
  /** Calls that came in and may still be cancelled. */
  readonly #incoming = new WeakMap<object, UasCall>();
  readonly #registrations = new Set<Registration>();
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  private constructor(all: readonly SipTransport[], options: Omit<UserAgentOptions, 'bind'>) {
    this.#maxDialogs = options.maxDialogs ?? MAX_DIALOGS;
    const { clock, log, product, resolver = systemResolver, random = Math.random } = options;
    this.#replaces = options.replaces ?? true;
    const supported = supportedOptions(this.#replaces);
    // What an INVITE may require is what we say that we know.
    this.#known = new Set(supported.split(', '));
    const transports = new Transports(all, clock);
    this.address = all[0]?.local ?? { address: '', port: 0 };
    const layer = new TransactionLayer({
      transports,
      clock,
      log,
      handlers: {
        onRequest: (transaction) => this.#onRequest(transaction),
        onAck: (request) => this.#callOf(request)?.onAck(request),
        onCancel: (cancel, invite) => this.#onCancel(cancel, invite),
        screen: (request, source) =>
          this.screen === undefined || (request !== undefined && this.#callOf(request) !== undefined)
            ? 'pass'
            : this.screen(request, source),
      },
    });
    const locator = new Locator({ resolver, clock, transports, random });
    this.#context = { clock, log, transports, locator, layer, product, supported, random };
  }

  /** Binds the transports; throws `port-in-use` or `unavailable`, with none of them left open. */
  static async open(options: UserAgentOptions): Promise<SipUserAgent> {
    const { bind, clock, log } = options;
    const binds = 'address' in bind ? [{ ...bind, protocol: 'UDP' as const }] : bind;
    const opened: SipTransport[] = [];
    try {
      for (const one of binds) opened.push(await openTransport(one, clock, log));
    } catch (error) {
      await Promise.all(opened.map((transport) => transport.close()));
      throw error;
    }
    return new SipUserAgent(opened, options);
  }

  /** A user agent on a transport that is already there; `close` closes it. */
  static on(transport: SipTransport, options: Omit<UserAgentOptions, 'bind'>): SipUserAgent {
    return new SipUserAgent([transport], options);
  }

  /** Every bound transport with the address that peers reach it under. */
  get addresses(): readonly {
    readonly protocol: SipTransport['protocol'];
    readonly address: string;
    readonly port: number;
  }[] {
    return this.#context.transports.all.map(({ protocol, local }) => ({ protocol, ...local }));
  }

  /** Live calls, and transactions that linger until their timers end. */
  get load(): { readonly calls: number; readonly transactions: number } {
    return { calls: this.#calls.size, transactions: this.#context.layer.size };
  }

  /** Requests that the screen turned away since the start. */
  get screened(): number {
    return this.#context.layer.counts.screened;
  }

  /** Sends an INVITE; throws `invalid-input` for addresses that make no request and `unavailable` when closed or full. */
  placeCall(request: OutgoingCallRequest, handlers: OutgoingCallHandlers): OutgoingCall {
    if (this.#closed !== undefined || this.#calls.size >= this.#maxDialogs)
      throw new AppError(
        'unavailable',
        {
          zh: 'SIP 已关闭或通话数已达上限，请稍后再试。',
          en: 'SIP is closed or at its limit of calls; try again later.',
        },
        { retryable: true },
      );
    const call = new UacCall(this.#context, request, handlers, () => this.#release(key));
    const key = `${call.callId} ${call.localTag}`;
    this.#calls.set(key, call);
    call.start();
    return call;
  }

  /** Sends one OPTIONS (RFC 3261 §11.1) and tells whether anybody there answers; never rejects for a dead peer. */
  probe(request: ProbeRequest): Promise<ProbeResult> {
    const { clock } = this.#context;
    const startMs = clock.monotonicMs();
    return new Promise((resolve) => {
      const finish = (alive: boolean, status: number | undefined, detail: string): void => {
        timer.cancel();
        resolve({ alive, status, roundTripMs: clock.monotonicMs() - startMs, detail });
      };
      const timer = clock.setTimer(request.timeoutMs ?? PROBE_MS, () => finish(false, undefined, NO_RESPONSE));
      const from = request.from ?? `sip:${hostText(this.address.address)}`;
      const single = {
        method: 'OPTIONS',
        uri: request.target,
        transport: request.transport,
        from,
        to: request.target,
        callId: newId<'probe'>(),
        localTag: newTag(),
        sequence: () => sequence++,
        headers: (contact: HeaderField): readonly HeaderField[] => [contact, ['Accept', 'application/sdp']],
      };
      let sequence = 1;
      sendSingle(this.#context, single, new DigestClient(request.credentials), (outcome) => {
        if (!outcome.ok) return finish(false, undefined, outcome.detail);
        const { status, reasonPhrase } = outcome.response;
        finish(isAlive(status), status, reasonPhrase);
      });
    });
  }

  /** Keeps an address registered until its `close`, or that of the user agent. */
  register(request: RegistrationRequest): Registration {
    const registration = new Registration(this.#context, request);
    this.#registrations.add(registration);
    return registration;
  }

  /** CANCELs or BYEs every call, waits up to two seconds for the answers, then lets go of timers and socket. */
  close(reason: string): Promise<void> {
    this.#closed ??= this.#close(reason);
    return this.#closed;
  }

  async #close(reason: string): Promise<void> {
    const { clock, layer, transports, log } = this.#context;
    this.onIncomingCall = undefined;
    for (const call of this.#calls.values()) call.hangup({ protocol: 'SIP', cause: 200, text: reason });
    const unregistered = [...this.#registrations].map((one) => one.close());
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(CLOSE_WAIT_MS, resolve);
        this.#idle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    await Promise.all(unregistered);
    if (this.#calls.size > 0)
      log.warn({ calls: this.#calls.size }, 'SIP calls left without an answer to CANCEL or BYE');
    for (const call of this.#calls.values()) call.abandon();
    layer.close();
    await transports.close();
  }

  #onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (tagOf(request.to) !== undefined) {
      const call = this.#callOf(request);
      if (call === undefined) this.#respond(transaction, 481);
      else call.onRequest(transaction);
      return;
    }
    if (INSIDE_ONLY.has(request.method)) return this.#respond(transaction, 481);
    if (request.method !== 'INVITE' && request.method !== 'OPTIONS') return refuseMethod(transaction, this.#context);
    if (!this.#understood(transaction)) return;
    if (request.method === 'OPTIONS') this.#respond(transaction, 200, capabilities(this.#context));
    else this.#onInvite(transaction);
  }

  /** The inspections of RFC 3261 §8.2.2 and §8.2.3; answers what does not pass them. */
  #understood(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    const scheme = uriScheme(request.uri);
    if (scheme !== 'sip' && scheme !== 'sips' && scheme !== 'tel') {
      this.#respond(transaction, 416);
      return false;
    }
    const unknown = request.headers
      .all('Require')
      .flatMap((value) => value.split(',').map((one) => one.trim()))
      .filter((option) => option !== '' && !this.#known.has(option.toLowerCase()));
    if (unknown.length > 0) {
      this.#respond(transaction, 420, [['Unsupported', unknown.join(', ')]]);
      return false;
    }
    if (request.method !== 'INVITE') return true;
    const type = request.headers.get('Content-Type')?.trim().toLowerCase();
    const encoding = request.headers.get('Content-Encoding')?.trim().toLowerCase() ?? 'identity';
    if ((request.body !== '' && type?.startsWith('application/sdp') !== true) || encoding !== 'identity') {
      this.#respond(transaction, 415, [
        ['Accept', 'application/sdp'],
        ['Accept-Encoding', 'identity'],
      ]);
      return false;
    }
    const accept = request.headers.all('Accept').join(',').toLowerCase();
    if (accept !== '' && !/application\/(sdp|\*)|\*\/\*/.test(accept)) {
      this.#respond(transaction, 406);
      return false;
    }
    return true;
  }

  #onInvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const merged = `${tagOf(request.from) ?? ''} ${request.callId} ${request.cseq.sequence}`;
    if (this.#invites.has(merged)) return this.#respond(transaction, 482);
    const take = this.onIncomingCall;
    if (take === undefined || this.#closed !== undefined || this.#calls.size >= this.#maxDialogs)
      return this.#respond(transaction, 503, [['Retry-After', RETRY_AFTER_SECONDS]]);
    if (!isReachable(request)) return this.#respond(transaction, 400);
    const interval = answerInterval(request.headers);
    if (!interval.ok) return this.#respond(transaction, 422, interval.headers);
    const replaced = this.#replacedBy(request);
    if (typeof replaced === 'number') return this.#respond(transaction, replaced);
    if (replaced !== undefined && !this.#replaces) return this.#respond(transaction, 403);
    transaction.respond(buildResponse(request, 100));
    this.#invites.add(merged);
    transaction.onEnded = () => this.#invites.delete(merged);
    const call = new UasCall(this.#context, transaction, () => this.#release(key), replaced);
    const key = `${call.callId} ${call.localTag}`;
    this.#calls.set(key, call);
    this.#incoming.set(transaction, call);
    take(call);
  }

  /** The call that an INVITE with Replaces takes over, or the status that refuses it (RFC 3891 §3). */
  #replacedBy(request: SipRequest): UacCall | UasCall | undefined | 400 | 481 | 486 {
    const values = request.headers.all('Replaces');
    const [value = ''] = values;
    if (values.length === 0) return undefined;
    const semicolon = value.indexOf(';');
    const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
    const localTag = params?.get('to-tag');
    const remoteTag = params?.get('from-tag');
    if (values.length > 1 || localTag === undefined || remoteTag === undefined) return 400;
    const call = this.#calls.get(`${value.slice(0, semicolon).trim()} ${localTag}`);
    const state = call?.dialogState(remoteTag);
    // An early dialog is replaced only by those whom we call ourselves.
    if (state === undefined || (state === 'early' && call instanceof UasCall)) return 481;
    return state === 'confirmed' && params?.has('early-only') === true ? 486 : call;
  }

  #onCancel(cancel: ServerTransaction, invite: Parameters<LayerHandlers['onCancel']>[1]): void {
    const call = invite === undefined ? undefined : this.#incoming.get(invite);
    this.#respond(cancel, invite === undefined ? 481 : 200, [], call?.localTag ?? invite?.toTag);
    call?.onCancel(cancel.request);
  }

  #callOf(request: SipRequest): UacCall | UasCall | undefined {
    return this.#calls.get(`${request.callId} ${tagOf(request.to) ?? ''}`);
  }

  #respond(transaction: ServerTransaction, status: number, headers: readonly HeaderField[] = [], toTag?: string): void {
    const server: HeaderField = ['Server', this.#context.product];
    const fields = headers.some(([name]) => name === 'Server') ? headers : [...headers, server];
    // One tag for all stateless-like replies would do; a random part keeps dialogs of strangers apart.
    const tag =
      toTag ??
      `${transaction.request.cseq.sequence.toString(36)}-${Math.trunc(this.#context.clock.monotonicMs()).toString(36)}`;
    transaction.respond(buildResponse(transaction.request, status, { toTag: tag, headers: fields }));
  }

  #release(key: string): void {
    this.#calls.delete(key);
    if (this.#calls.size === 0) this.#idle?.();
  }
}
