import { dialable } from '#domain/transfer.ts';
import { AppError } from '#platform/error.ts';
import type { AudioCodec, SrtpPolicy } from '#telephony/sdp/media.ts';
import type { OutgoingCallRequest } from '#telephony/sip/user-agent.ts';
import { calleeNumber, formatNumber, sipUri } from '../number-format.ts';
import type { TrunkRoute } from '../trunk-route.ts';

/** How an outside number or PBX is called. */
export interface OutsideAddress {
  readonly request: Pick<OutgoingCallRequest, 'target' | 'from'> & Partial<OutgoingCallRequest>;
  readonly codecs: readonly AudioCodec[];
  readonly srtp: SrtpPolicy | undefined;
}

/**
 * A number goes out through the trunk: with `+` in the trunk's own format, without one as it is, so that extensions and
 * service numbers work. A SIP URI is called directly, without the trunk's credentials. Throws `invalid-input`.
 */
export function outsideAddress(
  route: TrunkRoute,
  target: string,
  callerNumber: string,
  ourAddress: string,
): OutsideAddress {
  const called = dialable(target);
  if (called === undefined) throw notDialable(target);
  const { account, codecs, numbers, srtp } = route;
  const from = sipUri(formatNumber(callerNumber, numbers.format), ourAddress);
  if (/^sips?:/i.test(called)) return { request: { target: called, from }, codecs, srtp };
  const [peer] = route.peers;
  const number = called.startsWith('+') ? calleeNumber(called, numbers) : called;
  const request = {
    target: sipUri(number, peer.host, peer.port),
    from,
    ...(account === undefined ? {} : { credentials: account.credentials }),
  };
  return { request, codecs, srtp };
}

function notDialable(target: string): AppError {
  const text = {
    zh: `“${target}”不能呼叫，请给出号码或 SIP 地址（例如 sip:8001@pbx.example）。`,
    en: `"${target}" cannot be called; give a number or a SIP URI such as sip:8001@pbx.example.`,
  };
  return new AppError('invalid-input', text, { problems: [{ path: 'target', message: text }] });
}
