import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { takeRandom } from '#platform/random.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { hostText } from '../messages/uri.ts';
import { BRANCH_COOKIE } from '../messages/via.ts';
import { viaOf } from '../transport/transports.ts';
import type { ClientHandlers } from '../transactions/client.ts';
import type { TransactionLayer } from '../transactions/layer.ts';
import type { Locator } from '../transport/locator.ts';
import type { Target } from '../transport/target.ts';
import type { SipTransport } from '../transport/transport.ts';
import type { Transports } from '../transport/transports.ts';

/** Methods that we answer; others are refused with 405 or 501. */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY';
/** Extensions that we know besides 100rel, which only our own calls use; `replaces` where calls may be taken over. */
export function supportedOptions(replaces: boolean): string {
  return replaces ? 'timer, replaces, norefersub' : 'timer, norefersub';
}

/** What every call of one user agent shares. */
export interface AgentContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly transports: Transports;
  readonly locator: Locator;
  readonly layer: TransactionLayer;
  readonly product: string;
  /** The value of Supported, without 100rel. */
  readonly supported: string;
  /** From 0 to below 1, for waiting times. */
  readonly random: () => number;
}

/** Nobody cares how this request ends. */
export const DEAF: ClientHandlers = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onTransportError: () => undefined,
};

/** A random token for tags: 64 bits (RFC 3261 §19.3 asks for 32). */
export function newTag(): string {
  return takeRandom(8).toString('hex');
}

/** A branch of its own (RFC 3261 §8.1.1.7). */
export function newBranch(): string {
  return `${BRANCH_COOKIE}${takeRandom(9).toString('base64url')}`;
}

/** A Via value; the transaction layer fits it to the transport. */
export function newVia(context: AgentContext, branch = newBranch()): string {
  return viaOf(branch, context.transports.all[0]);
}

/** Our Contact. */
export function contactOf(transport: SipTransport): HeaderField {
  const { address, port } = transport.local;
  const parameter = transport.protocol === 'UDP' ? '' : `;transport=${transport.protocol.toLowerCase()}`;
  return ['Contact', `<sip:${hostText(address)}:${port}${parameter}>`];
}

/** Looks the target up and starts the transaction at its first server; `handlers` hear of an unknown name as of any other failure. */
export function sendRequest(
  context: AgentContext,
  request: SipRequest,
  target: Target,
  handlers: ClientHandlers = DEAF,
): void {
  context.locator.locate(target, (servers) => {
    const server = servers[0];
    if (server === undefined) handlers.onTransportError(new Error('name not found'));
    else context.layer.request(request, server, handlers);
  });
}

/** The CANCEL of an INVITE (RFC 3261 §9.1): same branch, same destination. */
export function cancelOf(invite: SipRequest, headers: readonly HeaderField[]): readonly HeaderField[] {
  return [
    ['Via', invite.headers.get('Via') ?? ''],
    ...invite.headers.all('Route').map((route): HeaderField => ['Route', route]),
    ['Max-Forwards', '70'],
    ['From', invite.headers.get('From') ?? ''],
    ['To', invite.headers.get('To') ?? ''],
    ['Call-ID', invite.callId],
    ['CSeq', `${invite.cseq.sequence} CANCEL`],
    ...headers,
  ];
}
