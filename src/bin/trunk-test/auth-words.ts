import type { Challenge } from '#telephony/sip/user-agent/digest.ts';
import type { Finding } from './finding.ts';

/**
 * Words for credentials that were shown and not taken, of a registration or a call; `challenge` is the last one, undefined
 * where it cannot be answered at all, `realm` the one that is configured.
 */
export function authWords(
  challenge: Challenge | undefined,
  realm: string | undefined,
): Pick<Finding, 'code' | 'means' | 'todo'> {
  if (realm !== undefined && challenge !== undefined && challenge.realm !== realm)
    return {
      code: 'auth-realm',
      means: {
        zh: `对方的 realm 是“${challenge.realm}”，配置只对“${realm}”出示凭据。`,
        en: `The realm there is "${challenge.realm}"; the configuration shows credentials to "${realm}" only.`,
      },
      todo: { zh: '改正或删除 account.realm。', en: 'Correct or remove account.realm.' },
    };
  if (challenge?.stale === true)
    return {
      code: 'auth-stale',
      means: {
        zh: '对方一再说 nonce 已过期：多半是集群的几台服务器不共享 nonce，或时钟不准。',
        en: 'It keeps saying that the nonce is stale: most likely servers of a cluster that do not share nonces, or clocks that differ.',
      },
      todo: { zh: '把 host 固定到一台服务器，并联系运营商。', en: 'Use one server as host and tell the carrier.' },
    };
  return {
    code: challenge === undefined ? 'auth-unsupported' : 'auth-password',
    means:
      challenge === undefined
        ? {
            zh: '对方要的认证方式我方没有（支持 MD5 与 SHA-256 摘要）。',
            en: 'It asks for a scheme that we do not have (digest with MD5 and SHA-256).',
          }
        : {
            zh: `realm“${challenge.realm}”不接受这组凭据：密码不对，或摘要用户名不是 username。`,
            en: `The realm "${challenge.realm}" does not accept the credentials: the password is wrong, or the digest user is not username.`,
          },
    todo: { zh: '核对 account.password 和 account.authUser。', en: 'Check account.password and account.authUser.' },
  };
}
