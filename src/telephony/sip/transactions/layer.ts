import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { detached } from '../messages/grammar.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { tagOf } from '../messages/message.ts';
import { parseMessage } from '../messages/parse.ts';
import { hostText } from '../messages/uri.ts';
import { BRANCH_COOKIE } from '../messages/via.ts';
import { messageText, writeMessage, writeRefusal } from '../messages/write.ts';
import { defaultPort } from '../transport/transport.ts';
import type { Peer, SipTransport } from '../transport/transport.ts';
import { LARGE_BYTES, viaOf } from '../transport/transports.ts';
import type { Transports } from '../transport/transports.ts';
import { ClientTransaction } from './client.ts';
import type { ClientHandlers, ClientHome, TransactionFallback } from './client.ts';
import { Linger } from './linger.ts';
import type { Lingerer } from './linger.ts';
import type { LingeringClient } from './lingering-client.ts';
import type { LingeringServer } from './lingering-server.ts';
import { statelessRefusal } from './screening.ts';
import type { Screen } from './screening.ts';
import { ServerTransaction } from './server.ts';
import type { ServerHome } from './server.ts';

/** What the user of the transactions hears that belongs to none of its client transactions. */
export interface LayerHandlers {
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that acknowledges a 2xx. */
  onAck(request: SipRequest): void;
  /** `invite`: what it cancels; already answered where it only lingers. */
  onCancel(transaction: ServerTransaction, invite: ServerTransaction | LingeringServer | undefined): void;
  /** Asked about every request but ACK that belongs to no transaction. */
  readonly screen?: Screen;
}

/** Messages that led nowhere, counted since the start. */
export interface LayerCounts {
  received: number;
  malformed: number;
  strayResponses: number;
  /** Requests that the screen dropped or refused. */
  screened: number;
}

/**
 * The transaction layer (RFC 3261 §17): reads datagrams, matches them to transactions (§17.1.3, §17.2.3) by branch and
 * method, and makes new ones. Behind a final response a transaction leaves its place to the little that has to linger.
 */
export class TransactionLayer {
  readonly counts: LayerCounts = { received: 0, malformed: 0, strayResponses: 0, screened: 0 };
  readonly #clients = new Map<string, ClientTransaction | LingeringClient>();
  readonly #servers = new Map<string, ServerTransaction | LingeringServer>();
  readonly #linger: Linger;
  readonly #clientHome: ClientHome;
  readonly #serverHome: ServerHome;
  readonly #transports: Transports;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #handlers: LayerHandlers;

  constructor(options: { transports: Transports; clock: Clock; log: Log; handlers: LayerHandlers }) {
    this.#transports = options.transports;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#handlers = options.handlers;
    this.#linger = new Linger(options.clock);
    this.#clientHome = homeIn(this.#clients, this.#linger);
    this.#serverHome = homeIn(this.#servers, this.#linger);
    for (const transport of options.transports.all) transport.onDatagram = (bytes, from) => this.receive(bytes, from);
  }

  /** Client and server transactions that are alive, lingering ones included. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** Starts a client transaction; the topmost Via of the request carries its branch. */
  request(request: SipRequest, to: Peer, handlers: ClientHandlers): ClientTransaction {
    const key = detached(`${request.via.params.get('branch') ?? ''} ${request.method}`);
    const transaction = new ClientTransaction({
      ...this.#route(request, to),
      to,
      handlers,
      timer: this.#startTimer,
      key,
      home: this.#clientHome,
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** Sends a request outside transactions, an ACK; gives back what sends it once more. */
  sendStateless(request: SipRequest, to: Peer): () => void {
    const { request: fitted, transport } = this.#route(request, to);
    const text = messageText(fitted);
    const again = (): void => transport.send(Buffer.from(text), to);
    again();
    return again;
  }

  /** Reads one datagram and does what it asks for. */
  receive(bytes: Uint8Array, from: Peer): void {
    this.counts.received++;
    // Keep-alives (RFC 5626 §3.5.1) and probes are a few bytes of line ends or zeros.
    if (bytes.length < 16) return;
    const parsed = parseMessage(bytes);
    if (!parsed.ok) {
      this.counts.malformed++;
      this.#log.debug({ detail: parsed.detail, replied: parsed.refusal !== undefined }, 'malformed SIP message');
      const verdict = this.#handlers.screen?.(undefined, from) ?? 'pass';
      if (parsed.refusal !== undefined && verdict === 'pass' && !isAck(parsed.refusal.headers.get('CSeq')))
        this.#transports
          .choose(from)
          .send(writeRefusal(parsed.refusal.headers, parsed.refusal.status, parsed.detail), from);
      return;
    }
    const { message } = parsed;
    try {
      if (message.kind === 'response') this.#onResponse(message);
      else this.#onRequest(message, from);
    } catch (error) {
      // One call's fault must not take the socket, and with it all other calls, down.
      this.#log.error({ err: error, method: message.cseq.method }, 'SIP message handler failed');
    }
  }

  /** Ends every transaction and its timers without a message. */
  close(): void {
    this.#linger.close();
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()])
      if ('destroy' in transaction) transaction.destroy();
    this.#clients.clear();
    this.#servers.clear();
  }

  #onResponse(response: SipResponse): void {
    const key = `${response.via.params.get('branch') ?? ''} ${response.cseq.method}`;
    const transaction = this.#clients.get(key);
    // A second Via means that the response was meant for somebody behind us (§8.1.3.3).
    if (transaction === undefined || response.headers.count('Via') > 1) this.counts.strayResponses++;
    else transaction.onResponse(response);
  }

  #onRequest(received: SipRequest, from: Peer): void {
    const compared = serverKey(received);
    const known = this.#servers.get(compared);
    if (received.method === 'ACK') {
      if (known === undefined) this.#handlers.onAck(received);
      else if (known.onAck()) this.#handlers.onAck(received);
      return;
    }
    if (known !== undefined) {
      known.onRepeat();
      return;
    }
    const request = withSource(received, from);
    if (!this.#isTaken(request, compared, from)) return;
    const key = detached(compared);
    const transaction = new ServerTransaction({
      request,
      to: responsePeer(request, from),
      source: from,
      transport: this.#transports.choose(from),
      timer: this.#startTimer,
      key,
      home: this.#serverHome,
    });
    this.#servers.set(key, transaction);
    if (request.method === 'CANCEL')
      this.#handlers.onCancel(transaction, this.#servers.get(key.replace(/ CANCEL$/, ' INVITE')));
    else this.#handlers.onRequest(transaction);
  }

  /** Asks the screen; a CANCEL goes where its INVITE went. */
  #isTaken(request: SipRequest, key: string, from: Peer): boolean {
    if (request.method === 'CANCEL' && this.#servers.has(key.replace(/ CANCEL$/, ' INVITE'))) return true;
    const verdict = this.#handlers.screen?.(request, from) ?? 'pass';
    if (verdict === 'pass') return true;
    this.counts.screened++;
    if (verdict !== 'drop')
      this.#transports.choose(from).send(statelessRefusal(request, verdict), responsePeer(request, from));
    return false;
  }

  /** A request too large for a datagram goes over TCP, and over UDP after all where TCP fails (§18.1.1). */
  #route(
    request: SipRequest,
    to: Peer,
  ): { request: SipRequest; transport: SipTransport; fallback?: TransactionFallback } {
    const transport = this.#transports.choose(to);
    const fitted = withVia(request, transport);
    const large = transport.reliable ? undefined : this.#transports.forLarge(to);
    if (large === undefined || writeMessage(fitted).length <= LARGE_BYTES) return { request: fitted, transport };
    return {
      request: withVia(request, large),
      transport: large,
      fallback: { request: fitted, transport, taken: () => this.#transports.refusedTcp(to) },
    };
  }

  readonly #startTimer = (delayMs: number, fire: () => void): Timer => this.#clock.setTimer(delayMs, fire);
}

/** Keeps transactions, and then what is left of them, in a map. */
function homeIn<Kept, Left extends Kept & Lingerer & { readonly key: string }>(
  map: Map<string, Kept>,
  linger: Linger,
): {
  ended(key: string): void;
  linger(left: Left, delayMs: number): void;
  readonly forget: (left: Left) => void;
} {
  return {
    ended: (key) => void map.delete(key),
    linger: (left, delayMs) => {
      map.set(left.key, left);
      linger.add(left, delayMs);
    },
    forget: (left) => void map.delete(left.key),
  };
}

/** RFC 3261 §17.2.3: branch, sent-by and method; without the cookie the fields that RFC 2543 compared. */
function serverKey(request: SipRequest): string {
  const { via } = request;
  const method = request.method === 'ACK' ? 'INVITE' : request.method;
  const branch = via.params.get('branch');
  const sentBy = `${via.host}:${via.port ?? 5060}`;
  if (branch !== undefined && branch.startsWith(BRANCH_COOKIE)) return `${branch} ${sentBy} ${method}`;
  return `2543 ${request.uri} ${request.callId} ${request.cseq.sequence} ${tagOf(request.from) ?? ''} ${sentBy} ${method}`;
}

/** The request with the sent-by of the transport that it takes (§18.1.1); CANCEL and such keep theirs, as it fits. */
function withVia(request: SipRequest, transport: SipTransport): SipRequest {
  const { via } = request;
  const { address, port } = transport.local;
  if (via.transport === transport.protocol && via.host === address && via.port === port) return request;
  const written = viaOf(via.params.get('branch') ?? '', transport);
  return { ...request, headers: request.headers.replaceFirst('Via', written) };
}

/** Writes where the request really came from into its topmost Via (RFC 3261 §18.2.1, RFC 3581 §4). */
function withSource(request: SipRequest, from: Peer): SipRequest {
  const { via } = request;
  const wantsPort = via.params.has('rport');
  if (!wantsPort && via.host === from.host) return request;
  const params = new Map(via.params);
  params.set('received', from.host);
  if (wantsPort) params.set('rport', String(from.port));
  let value = `SIP/2.0/${via.transport} ${hostText(via.host)}${via.port === undefined ? '' : `:${via.port}`}`;
  for (const [name, text] of params) value += text === '' ? `;${name}` : `;${name}=${text}`;
  return { ...request, via: { ...via, params }, headers: request.headers.replaceFirst('Via', value) };
}

/**
 * RFC 3261 §18.2.2 and RFC 3581 §4: the source port where rport was asked for, else the port of sent-by. A stream answers
 * over the connection of the request; sent-by is for a new one where that is gone.
 */
function responsePeer(request: SipRequest, from: Peer): Peer {
  const datagram = from.protocol === undefined || from.protocol === 'UDP';
  if (datagram && request.via.params.has('rport')) return from;
  return { ...from, port: request.via.port ?? defaultPort(from.protocol) };
}

function isAck(cseq: string | undefined): boolean {
  return cseq !== undefined && /\sACK$/.test(cseq);
}
