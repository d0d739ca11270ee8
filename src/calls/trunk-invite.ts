import type { Attempt } from '#domain/call.ts';
import { fillHeader } from '#platform/config/header-template.ts';
import { quote } from '#telephony/sip/messages/grammar.ts';
import type { HeaderField } from '#telephony/sip/messages/headers.ts';
import type { OutgoingCallRequest } from '#telephony/sip/user-agent.ts';
import { calleeNumber, formatNumber, sipUri } from './number-format.ts';
import type { TrunkPeer, TrunkRoute } from './trunk-route.ts';

/** Who is called by whom; what of an attempt an INVITE shows. */
export type Dialled = Pick<Attempt, 'id' | 'phone' | 'callerNumber' | 'campaignId' | 'leadId'>;

/** Whom nobody is to know (RFC 3323 §4.1.1.3). */
const ANONYMOUS = 'sip:anonymous@anonymous.invalid';

/** The INVITE of an attempt as the trunk wants it at one of its servers; `host` is our own address. */
export function inviteOf(
  route: TrunkRoute,
  peer: TrunkPeer,
  dialled: Dialled,
  call: { readonly host: string; readonly sdp: string; readonly ringTimeoutMs: number },
): OutgoingCallRequest {
  const { account, caller, domain, numbers, proxy } = route;
  const number = formatNumber(dialled.callerNumber, numbers.format);
  const host = domain ?? (account === undefined ? call.host : peer.host);
  const hidden = caller.privacy === 'id';
  const shown = caller.from === 'account' && account !== undefined ? account.username : number;
  const displayName = hidden ? 'Anonymous' : caller.displayName;
  const callee = calleeNumber(dialled.phone, numbers);
  const direct = domain === undefined || proxy !== undefined;
  return {
    callId: dialled.id,
    // With a domain of its own the server itself is the route to it (RFC 3261 §8.1.2).
    target: domain === undefined ? sipUri(callee, peer.host, peer.port) : sipUri(callee, domain),
    from: hidden ? ANONYMOUS : sipUri(shown, host),
    ...(displayName === undefined ? {} : { displayName }),
    sdp: call.sdp,
    ringTimeoutMs: call.ringTimeoutMs,
    headers: [...identityOf(route, sipUri(number, host)), ...templated(route, dialled)],
    ...(proxy === undefined ? {} : { routes: [proxy] }),
    ...(direct ? {} : { routes: [serverRoute(peer)] }),
    ...(peer.transport === undefined ? {} : { transport: peer.transport }),
    ...(account === undefined ? {} : { credentials: account.credentials }),
    sessionSeconds: route.sessionSeconds,
    reliable: route.reliable,
  };
}

/** The address of a server as a URI, for OPTIONS and routes. */
export function serverUri(peer: TrunkPeer): string {
  const uri = sipUri('', peer.host, peer.port).replace('sip:@', 'sip:');
  return peer.transport === undefined || peer.transport === 'UDP'
    ? uri
    : `${uri};transport=${peer.transport.toLowerCase()}`;
}

function serverRoute(peer: TrunkPeer): string {
  return `<${serverUri(peer)};lr>`;
}

function identityOf({ caller }: TrunkRoute, uri: string): readonly HeaderField[] {
  if (caller.identity === 'from') return [];
  const name = caller.displayName === undefined ? '' : `${quote(caller.displayName)} `;
  const field = caller.identity === 'asserted' ? 'P-Asserted-Identity' : 'P-Preferred-Identity';
  return [[field, `${name}<${uri}>`], ...(caller.privacy === 'id' ? [['Privacy', 'id'] as const] : [])];
}

function templated({ name, headers }: TrunkRoute, dialled: Dialled): readonly HeaderField[] {
  const { id, campaignId, leadId, phone, callerNumber } = dialled;
  const values = {
    attemptId: id,
    trunk: name,
    phone,
    callerNumber,
    ...(campaignId === undefined ? {} : { campaignId }),
    ...(leadId === undefined ? {} : { leadId }),
  };
  return Object.entries(headers).flatMap(([field, template]): HeaderField[] => {
    const value = fillHeader(template, values);
    return value === undefined ? [] : [[field, value]];
  });
}
