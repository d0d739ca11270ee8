import type { Attempt } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { allowsTarget, dialable } from '#domain/transfer.ts';
import type { Clock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { AudioCodec, SrtpPolicy } from '#telephony/sdp/media.ts';
import type { OutgoingCall, OutgoingCallHandlers, SipUserAgent } from '#telephony/sip/user-agent.ts';
import { calleeNumber, formatNumber, sipUri } from '../number-format.ts';
import { TrunkCall } from '../trunk-call.ts';
import { inviteOf } from '../trunk-invite.ts';
import type { TrunkPeer, TrunkRoute } from '../trunk-route.ts';
import type { Trunk } from '../trunk.ts';

/**
 * Takes a channel of the trunk for a second call beside `attempt` and waits for its turn; what comes back gives it back.
 * Undefined where none is free. Never rejects.
 */
export type TakeChannel = (attempt: Attempt) => Promise<(() => void) | undefined>;

/** An outside number or PBX that can be called. */
export interface OutsideTarget {
  /** Where the callee's own line is sent by a blind transfer. */
  readonly uri: string;
  /** Undefined where it is called without one. */
  readonly trunk: Trunk | undefined;
  readonly codecs: readonly AudioCodec[];
  readonly srtp: SrtpPolicy | undefined;
  /** To be called before `place`; undefined where no channel is taken. */
  readonly takeChannel: (() => ReturnType<TakeChannel>) | undefined;
  /** Throws what `placeCall` throws, and `resource-exhausted` while every server of the trunk is full. */
  place(
    call: { readonly callId: string; readonly sdp: string; readonly ringTimeoutMs: number },
    handlers: OutgoingCallHandlers,
  ): OutgoingCall;
}

/** What a second call goes out with. */
export interface OutsideCaller {
  readonly clock: Clock;
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
  readonly trunk: Trunk;
  /** The call that it stands beside. */
  readonly attempt: Attempt;
  /** Undefined where channels are not counted. */
  readonly takeChannel?: TakeChannel | undefined;
  /** Whom second calls may go to, as `allowsTarget` reads it; anybody unless set. */
  readonly transferTargets?: readonly string[] | undefined;
}

/**
 * A number goes out through the trunk of the call: with `+` in the trunk's own format, without one as it is, so that
 * extensions and service numbers work. A SIP URI is called directly, without the trunk's account. Throws `invalid-input`.
 */
export function outsideTarget(o: OutsideCaller, target: string): OutsideTarget {
  const called = dialable(target);
  if (called === undefined) throw notDialable(target);
  if (!allowsTarget(o.transferTargets ?? [], called)) throw notAllowed();
  const { attempt, clock, sip, takeChannel, trunk } = o;
  const { route } = trunk;
  const { codecs, srtp } = route;
  const host = sip.address.address;
  if (/^sips?:/i.test(called)) {
    const from = sipUri(formatNumber(attempt.callerNumber, route.numbers.format), host);
    return {
      uri: called,
      trunk: undefined,
      codecs,
      srtp,
      takeChannel: undefined,
      place: (call, handlers) => sip.placeCall({ ...call, target: called, from }, handlers),
    };
  }
  return {
    uri: numberUri(route, route.peers[0], called),
    trunk,
    codecs,
    srtp,
    takeChannel: takeChannel === undefined ? undefined : () => takeChannel(attempt),
    place: ({ callId, sdp, ringTimeoutMs }, handlers) =>
      new TrunkCall({
        clock,
        sip,
        trunk,
        ringTimeoutMs,
        handlers,
        request: (peer, leftMs) => ({
          ...inviteOf(
            route,
            peer,
            { ...attempt, id: callId as AttemptId, phone: called as PhoneNumber },
            { host, sdp, ringTimeoutMs: leftMs },
          ),
          target: numberUri(route, peer, called),
        }),
      }),
  };
}

function numberUri({ domain, numbers }: TrunkRoute, peer: TrunkPeer, called: string): string {
  const number = called.startsWith('+') ? calleeNumber(called, numbers) : called;
  return domain === undefined ? sipUri(number, peer.host, peer.port) : sipUri(number, domain);
}

function notAllowed(): AppError {
  const text = {
    zh: '配置 transfer.targets 不允许呼叫这个号码或地址。',
    en: 'The setting transfer.targets does not allow calls to this number or address.',
  };
  return new AppError('invalid-input', text, { problems: [{ path: 'target', message: text }] });
}

function notDialable(target: string): AppError {
  const text = {
    zh: `“${target}”不能呼叫，请给出号码或 SIP 地址（例如 sip:8001@pbx.example）。`,
    en: `"${target}" cannot be called; give a number or a SIP URI such as sip:8001@pbx.example.`,
  };
  return new AppError('invalid-input', text, { problems: [{ path: 'target', message: text }] });
}
