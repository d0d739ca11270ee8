import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { takeRandom } from '#platform/random.ts';
import type { Dialog } from '../dialogs/dialog.ts';
import { requestInDialog } from '../dialogs/dialog.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { hostText } from '../messages/uri.ts';
import { BRANCH_COOKIE } from '../messages/via.ts';
import { writeMessage } from '../messages/write.ts';
import type { ClientHandlers } from '../transactions/client.ts';
import type { TransactionLayer } from '../transactions/layer.ts';
import type { SipTransport } from '../transport/transport.ts';

/** Methods that we answer; others are refused with 405 or 501. */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE';

/** What every call of one user agent shares. */
export interface AgentContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: SipTransport;
  readonly layer: TransactionLayer;
  readonly product: string;
}

/** Nobody cares how this request ends. */
const DEAF: ClientHandlers = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onTransportError: () => undefined,
};

/** A random token for tags: 64 bits (RFC 3261 §19.3 asks for 32). */
export function newTag(): string {
  return takeRandom(8).toString('hex');
}

/** A Via value with a branch of its own (RFC 3261 §8.1.1.7) and rport (RFC 3581 §3). */
export function newVia(transport: SipTransport): string {
  const { address, port } = transport.local;
  return `SIP/2.0/${transport.protocol} ${hostText(address)}:${port};branch=${BRANCH_COOKIE}${takeRandom(9).toString('base64url')};rport`;
}

/** Our Contact. */
export function contactOf(transport: SipTransport): HeaderField {
  const { address, port } = transport.local;
  return ['Contact', `<sip:${hostText(address)}:${port}>`];
}

/** Sends BYE in a dialog; who is told is up to `handlers`. */
export function sendBye(context: AgentContext, dialog: Dialog, headers: readonly HeaderField[], handlers = DEAF): void {
  const made = requestInDialog(dialog, 'BYE', {
    via: newVia(context.transport),
    headers: [...headers, ['User-Agent', context.product]],
  });
  context.layer.request(made.request, made.to, handlers);
}

/** Acknowledges a 2xx; gives back what repeats the very same ACK (RFC 3261 §13.2.2.4). */
export function sendAck(
  context: AgentContext,
  dialog: Dialog,
  sequence: number,
  extra: readonly HeaderField[] = [],
): () => void {
  const made = requestInDialog(dialog, 'ACK', {
    via: newVia(context.transport),
    sequence,
    headers: [...extra, ['User-Agent', context.product]],
  });
  const bytes = writeMessage(made.request);
  const again = (): void => context.transport.send(bytes, made.to);
  again();
  return again;
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
