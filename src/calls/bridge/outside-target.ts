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

/** The way of a second call over a trunk; `free` gives its channel back. */
export interface SecondTrunk {
  readonly trunk: Trunk;
  /** What the trunk's rule shows to whom is called. */
  readonly callerNumber: string;
  readonly free: () => void;
}

/**
 * Finds a trunk that takes the number for a second call beside `attempt`, takes a channel there and waits for its turn.
 * Never rejects.
 */
export type TakeLine = (attempt: Attempt, called: string) => Promise<SecondTrunk | 'no-trunk' | 'no-channel'>;

/** How an outside number or PBX is called. */
export interface OutsideLine {
  /** Undefined where it is called without one. */
  readonly trunk: Trunk | undefined;
  readonly codecs: readonly AudioCodec[];
  readonly srtp: SrtpPolicy | undefined;
  /** To be called once the call is over, or will not be placed. */
  readonly free: () => void;
  /** Throws what `placeCall` throws, and `resource-exhausted` while every server of the trunk is full. */
  place(
    call: { readonly callId: string; readonly sdp: string; readonly ringTimeoutMs: number },
    handlers: OutgoingCallHandlers,
  ): OutgoingCall;
}

/** An outside number or PBX that can be called. */
export interface OutsideTarget {
  /** Where the callee's own line is sent by a blind transfer. */
  readonly uri: string;
  /** The way there, or what looks for one. */
  readonly line: OutsideLine | (() => Promise<OutsideLine | 'no-trunk' | 'no-channel'>);
}

/** What a second call goes out with. */
export interface OutsideCaller {
  readonly clock: Clock;
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
  /** That of the call. */
  readonly trunk: Trunk;
  /** The call that it stands beside. */
  readonly attempt: Attempt;
  /** Undefined: second calls go over the call's own trunk, uncounted. */
  readonly takeLine?: TakeLine | undefined;
  /** Whom second calls may go to, as `allowsTarget` reads it; anybody unless set. */
  readonly transferTargets?: readonly string[] | undefined;
}

/**
 * A number goes out through a trunk: with `+` in the trunk's own format, without one as it is, so that extensions and
 * service numbers work. A SIP URI is called directly, without the trunk's account. Throws `invalid-input`.
 */
export function outsideTarget(o: OutsideCaller, target: string): OutsideTarget {
  const called = dialable(target);
  if (called === undefined) throw notDialable(target);
  if (!allowsTarget(o.transferTargets ?? [], called)) throw notAllowed();
  const { attempt, sip, takeLine, trunk } = o;
  const { route } = trunk;
  if (/^sips?:/i.test(called)) {
    const from = sipUri(formatNumber(attempt.callerNumber, route.numbers.format), sip.address.address);
    return {
      uri: called,
      line: {
        trunk: undefined,
        codecs: route.codecs,
        srtp: route.srtp,
        free: () => undefined,
        place: (call, handlers) => sip.placeCall({ ...call, target: called, from }, handlers),
      },
    };
  }
  const { callerNumber } = attempt;
  return {
    uri: numberUri(route, route.peers[0], called),
    line:
      takeLine === undefined
        ? lineOver(o, { trunk, callerNumber, free: () => undefined }, called)
        : async () => {
            const found = await takeLine(attempt, called);
            return typeof found === 'string' ? found : lineOver(o, found, called);
          },
  };
}

function lineOver(
  { attempt, clock, sip }: OutsideCaller,
  { trunk, callerNumber, free }: SecondTrunk,
  called: string,
): OutsideLine {
  const { route } = trunk;
  const host = sip.address.address;
  const dialled = { ...attempt, callerNumber, phone: called as PhoneNumber };
  return {
    trunk,
    codecs: route.codecs,
    srtp: route.srtp,
    free,
    place: ({ callId, sdp, ringTimeoutMs }, handlers) =>
      new TrunkCall({
        clock,
        sip,
        trunk,
        ringTimeoutMs,
        handlers,
        request: (peer, leftMs) => ({
          ...inviteOf(route, peer, { ...dialled, id: callId as AttemptId }, { host, sdp, ringTimeoutMs: leftMs }),
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
