import type { Clock } from '#platform/clock.ts';
import type { TrunkPeer, TrunkRoute } from '#calls/trunk-route.ts';
import { serverUri } from '#calls/trunk-invite.ts';
import type { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { NO_RESPONSE } from '#telephony/sip/user-agent/probe.ts';
import type { Registration, RegistrationRequest, RegistrationState } from '#telephony/sip/user-agent/registration.ts';
import { authWords } from './auth-words.ts';
import { both } from './finding.ts';
import type { Finding } from './finding.ts';

const REGISTER_MS = 10_000;

/** Asks a server by OPTIONS whether it is there; silence is a fault unless a later step proves more (`goesOn`). */
export async function askOptions(
  sip: Pick<SipUserAgent, 'probe'>,
  { account }: TrunkRoute,
  peer: TrunkPeer,
  goesOn: boolean,
): Promise<Finding> {
  const { alive, status, detail, roundTripMs } = await sip.probe({
    target: serverUri(peer),
    ...(peer.transport === undefined ? {} : { transport: peer.transport }),
    ...(account === undefined ? {} : { credentials: account.credentials }),
  });
  const base = { step: 'options', server: peer.key } as const;
  const rounded = Math.round(roundTripMs);
  if (alive)
    return {
      ...base,
      state: 'ok',
      code: 'options-answered',
      seen: { zh: `${rounded} 毫秒后应答 ${status}。`, en: `Answered ${status} after ${rounded} ms.` },
      figures: { roundTripMs: rounded },
    };
  if (status !== undefined)
    return {
      ...base,
      state: 'failed',
      code: 'options-unavailable',
      seen: { zh: `应答 ${status} ${detail}。`, en: `It answers ${status} ${detail}.` },
      means: { zh: '服务器在，但不接呼叫。', en: 'The server is there but takes no calls.' },
      todo: { zh: '稍后再试，或联系运营商。', en: 'Try again later, or ask the carrier.' },
    };
  const silent = detail === NO_RESPONSE;
  const refused = detail.includes('ECONNREFUSED');
  return {
    ...base,
    state: silent && goesOn ? 'warning' : 'failed',
    code: silent ? 'options-silent' : 'options-transport',
    seen: silent
      ? { zh: 'OPTIONS 没有应答。', en: 'OPTIONS got no response.' }
      : { zh: `OPTIONS 发不出去（${detail}）。`, en: `OPTIONS could not be sent (${detail}).` },
    means: silent
      ? {
          zh: '地址或端口不对，防火墙丢弃了它，运营商只认白名单里的地址，或根本不应答 OPTIONS。',
          en: 'The address or port is wrong, a firewall drops it, the carrier knows only addresses on its list, or never answers OPTIONS.',
        }
      : refused
        ? { zh: '那台主机说该端口没有程序在听。', en: 'The host says that nothing listens on that port.' }
        : { zh: '传输层没有建立。', en: 'The transport does not stand.' },
    todo: silent
      ? {
          zh: '不应答 OPTIONS 不妨碍外呼（按通话判断线路好坏）；用 --call 试拨可以确认，不通再核对 host、port 和白名单。',
          en: 'A carrier may ignore OPTIONS and still take calls, by which it is judged then: --call finds out. If that fails too, check host, port and the list of addresses.',
        }
      : refused
        ? {
            zh: '核对 host、port 和 transport，并确认对方的 SIP 服务在运行。',
            en: 'Check host, port and transport, and whether their SIP service runs.',
          }
        : { zh: '先解决上面连接或 TLS 的问题。', en: 'Solve what connection or TLS above shows first.' },
  };
}

/** Registers the account once and takes it back. */
export async function tryRegistration(
  sip: Pick<SipUserAgent, 'register'>,
  clock: Clock,
  request: RegistrationRequest | undefined,
  realm: string | undefined,
): Promise<Finding> {
  if (request === undefined)
    return {
      step: 'registration',
      state: 'skipped',
      code: 'registration-off',
      seen: {
        zh: '没有配置注册；认证在试拨时检验（--call）。',
        en: 'No registration is configured; --call tries the credentials.',
      },
    };
  const result = Promise.withResolvers<RegistrationState | undefined>();
  const timer = clock.setTimer(REGISTER_MS, () => result.resolve(undefined));
  const registration: Registration = sip.register({ ...request, onChange: (state) => result.resolve(state) });
  const state = await result.promise;
  timer.cancel();
  await registration.close();
  return registrationFinding(state, realm);
}

/** What a registration's end means; undefined where none came. `realm` is the one that is configured. */
export function registrationFinding(state: RegistrationState | undefined, realm: string | undefined): Finding {
  const step = 'registration';
  if (state?.name === 'registered')
    return {
      step,
      state: 'ok',
      code: 'registered',
      seen: { zh: `已注册，有效 ${state.expiresSeconds} 秒。`, en: `Registered for ${state.expiresSeconds} s.` },
    };
  const { status, detail, challenge } =
    state?.name === 'failed' ? state : { status: undefined, detail: 'no response', challenge: undefined };
  const seen = both(`REGISTER → ${status ?? ''} ${detail}`.replace('  ', ' '));
  const failed = { step, state: 'failed', seen } as const;
  if (status === 401 || status === 407) return { ...failed, ...authWords(challenge, realm) };
  if (status === 404)
    return {
      ...failed,
      code: 'auth-user',
      means: { zh: '对方没有这个用户。', en: 'There is no such user.' },
      todo: { zh: '核对 account.username 和注册的域（registrar）。', en: 'Check account.username and the registrar.' },
    };
  if (status === 403)
    return {
      ...failed,
      code: 'auth-forbidden',
      means: {
        zh: '账号被拒：用户名或密码不对、账号停用，或本机地址不在白名单。',
        en: 'The account is refused: a wrong user or password, a blocked account, or our address is not on the list.',
      },
      todo: {
        zh: '核对账号，向运营商确认状态和白名单。',
        en: 'Check the account, its state and the list of addresses with the carrier.',
      },
    };
  if (status === 423)
    return {
      ...failed,
      code: 'registration-interval',
      means: {
        zh: '对方要求更长的注册有效期，按它说的再问一次仍然不行。',
        en: 'It wants registrations that last longer, and refuses what it asked for, too.',
      },
      todo: {
        zh: '把 account.registration.expiresSeconds 设为运营商要求的秒数；数字一再变大则是对方的错误，请联系运营商。',
        en: 'Set account.registration.expiresSeconds to what the carrier wants; where that grows each time the fault is theirs.',
      },
    };
  return {
    ...failed,
    code: status === undefined ? 'registration-silent' : 'registration-refused',
    means:
      status === undefined
        ? { zh: '注册服务器没有应答。', en: 'The registrar does not answer.' }
        : { zh: '注册服务器拒绝了请求。', en: 'The registrar refuses the request.' },
    todo: {
      zh: '核对 registrar、transport 和端口；看上面的步骤。',
      en: 'Check registrar, transport and port; see the steps above.',
    },
  };
}
