import type { SrtpPolicy } from '#telephony/sdp/media.ts';
import type { CallEnd } from '#telephony/sip/user-agent.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import { authWords } from './auth-words.ts';
import { both } from './finding.ts';
import type { Finding } from './finding.ts';

type Words = Pick<Finding, 'code' | 'means' | 'todo'>;

const CODEC: Words = {
  code: 'call-codec-refused',
  means: { zh: '对方不接受我方提供的编码。', en: 'None of the offered codecs is accepted.' },
  todo: {
    zh: '把运营商支持的编码写进 codecs（通常是 PCMA）。',
    en: 'Set codecs to what the carrier takes (PCMA, mostly).',
  },
};
const SRTP: Words = {
  code: 'call-srtp-mismatch',
  means: { zh: '双方对媒体加密的要求不一致。', en: 'The two sides do not agree on media encryption.' },
  todo: {
    zh: '按运营商的要求设置 srtp：off、optional 或 required。',
    en: 'Set srtp to what the carrier wants: off, optional or required.',
  },
};
const AUTH: Words = {
  code: 'call-auth-failed',
  means: { zh: '对方要求认证，但没有配置账号。', en: 'Credentials are asked for, and no account is configured.' },
  todo: {
    zh: '在 [trunks.account] 中写上运营商给的用户名和密码。',
    en: 'Set [trunks.account] to the user and password that the carrier gave.',
  },
};
const NUMBER: Words = {
  code: 'call-number-format',
  means: {
    zh: '对方不认识这个号码：空号，或号码写法不对。',
    en: 'The number is not known there: it is unallocated, or written in another way than the carrier wants.',
  },
  todo: {
    zh: '若号码确实存在，改 numberFormat、stripPrefix 或 addPrefix。',
    en: 'If the number exists, change numberFormat, stripPrefix or addPrefix.',
  },
};
const CALLER: Words = {
  code: 'call-caller-refused',
  means: {
    zh: '对方拒绝：主叫号码不属于这条线路、没有外呼权限，或地址不在白名单。',
    en: 'It is forbidden: the caller number is not of this trunk, there is no permission to dial, or our address is not on the list.',
  },
  todo: {
    zh: '核对 callerNumbers、caller.identity 和白名单。',
    en: 'Check callerNumbers, caller.identity and the list of addresses.',
  },
};
const TRUNK: Words = {
  code: 'call-trunk-unavailable',
  means: { zh: '线路不通或拥塞。', en: 'The trunk is down or congested.' },
  todo: { zh: '看上面的步骤；稍后再试或联系运营商。', en: 'See the steps above; try again later or ask the carrier.' },
};
const CALLEE: Words = {
  code: 'call-not-answered',
  means: { zh: '线路是通的，是被叫没有接。', en: 'The trunk works; the callee did not answer.' },
  todo: { zh: '接听电话再试一次，媒体才能检验。', en: 'Try again and answer, so that media can be tested.' },
};

/** Words for a final response or another end before the answer. */
export function endFinding(
  { status, cause, challenge, detail, reasonPhrase }: CallEnd,
  { account, srtp }: Pick<TrunkRoute, 'account' | 'srtp'>,
): Finding {
  const refused = (status === 401 || status === 407) && account !== undefined;
  const words = refused ? authWords(challenge, account.credentials.realm) : wordsOf(status, cause, srtp);
  const state = words === CALLEE ? 'warning' : 'failed';
  const seen = status === undefined ? both(detail) : both(`INVITE → ${status} ${reasonPhrase}`.trim());
  return { step: 'call', state, seen, ...words };
}

function wordsOf(status: number | undefined, cause: CallEnd['cause'], srtp: SrtpPolicy | undefined): Words {
  if (cause === 'protocol')
    return {
      code: 'call-no-sdp',
      means: { zh: '对方接听了，但没有给出媒体（SDP）。', en: 'It answers without media (SDP).' },
      todo: { zh: '这是对方的错误，请把抓包交给运营商。', en: 'The fault is theirs: give the carrier a trace.' },
    };
  if (cause === 'ring-timeout' || cause === 'cancelled') return CALLEE;
  switch (status) {
    case undefined:
      return TRUNK;
    case 401:
    case 407:
      return AUTH;
    case 403:
      return CALLER;
    case 404:
    case 484:
    case 604:
      return NUMBER;
    case 488:
    case 606:
      return srtp === 'required' ? SRTP : CODEC;
    case 408:
    case 480:
    case 486:
    case 487:
    case 600:
    case 603:
      return CALLEE;
    default:
      return status >= 500
        ? TRUNK
        : {
            code: 'call-refused',
            means: { zh: '对方拒绝了呼叫。', en: 'The call is refused.' },
            todo: { zh: '把这个状态码告诉运营商。', en: 'Tell the carrier this status.' },
          };
  }
}

/** Words for an answer that our offer cannot take; `reason` is of `acceptAnswer`. */
export function answerFinding(reason: string): Finding {
  const words = /encryption|transport protocol/.test(reason) ? SRTP : { ...CODEC, code: 'call-answer-unusable' };
  return { step: 'call', state: 'failed', seen: both(`200 OK, ${reason}`), ...words };
}
