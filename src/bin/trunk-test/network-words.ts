import type { LocalText } from '#domain/text.ts';
import type { Finding } from './finding.ts';

type Words = Pick<Finding, 'means' | 'todo'>;

const REFUSED: Words = {
  means: { zh: '那台机器在，但这个端口没有服务在听。', en: 'The machine is there, but nothing listens on this port.' },
  todo: {
    zh: '核对 port 和 transport；问运营商该端口是否开放。',
    en: 'Check port and transport; ask the carrier whether the port is open.',
  },
};
const SILENT: Words = {
  means: { zh: '数据包没有到达，或被防火墙丢弃。', en: 'Packets do not arrive, or a firewall drops them.' },
  todo: {
    zh: '检查本机与运营商之间的防火墙和路由，确认运营商已把本机地址加入白名单。',
    en: 'Check firewalls and routes, and whether the carrier has put our address on its list.',
  },
};

/** What came of connecting; `fault` is the error's code. */
export function connectFinding(server: string, where: string, fault: string | undefined): Finding {
  const base = { step: 'connection', server } as const;
  if (fault === undefined)
    return { ...base, state: 'ok', code: 'connected', seen: { zh: `已连上 ${where}。`, en: `Connected to ${where}.` } };
  const refused = fault === 'ECONNREFUSED';
  return {
    ...base,
    state: 'failed',
    code: refused ? 'connection-refused' : fault === 'ETIMEDOUT' ? 'connection-timeout' : 'connection-failed',
    seen: { zh: `连不上 ${where}（${fault}）。`, en: `Cannot connect to ${where} (${fault}).` },
    ...(refused ? REFUSED : SILENT),
  };
}

interface TlsFacts {
  readonly server: string;
  readonly where: string;
  /** What the certificate has to prove. */
  readonly name: string;
  /** Why there is no session. */
  readonly fault: string | undefined;
  /** Why the chain is not trusted. */
  readonly chainFault: string | undefined;
  readonly nameFault: string | undefined;
  readonly validTo: string | undefined;
  readonly names: string | undefined;
  readonly protocol: string | undefined;
  readonly verify: boolean;
}

/** What came of TLS: the first fault that would stop a call. */
export function tlsFinding(facts: TlsFacts): Finding {
  const { server, where, name, fault, chainFault, nameFault, validTo, names, protocol, verify } = facts;
  const base = { step: 'tls', server } as const;
  if (fault !== undefined) return sessionFault(server, where, fault);
  const judged = chainFault === undefined ? undefined : chainWords(chainFault, validTo);
  const failed = verify ? 'failed' : 'warning';
  if (judged !== undefined) return { ...base, state: failed, ...judged };
  if (nameFault !== undefined)
    return {
      ...base,
      state: failed,
      code: 'tls-wrong-name',
      seen: {
        zh: `证书不属于 ${name}，它写的是 ${names ?? '—'}。`,
        en: `The certificate is not for ${name} but for ${names ?? '—'}.`,
      },
      means: {
        zh: '对方可能不是运营商，或配置的主机名不对。',
        en: 'It may not be the carrier, or another host name is meant.',
      },
      todo: {
        zh: '把 host 写成证书里的名称，或用 tls.serverName 指定。',
        en: 'Set host to a name of the certificate, or name it by tls.serverName.',
      },
    };
  if (!verify)
    return {
      ...base,
      state: 'warning',
      code: 'tls-unchecked',
      seen: {
        zh: `TLS 已建立（${protocol ?? ''}），但证书不检查。`,
        en: `TLS stands (${protocol ?? ''}), but the certificate is not checked.`,
      },
      todo: { zh: '删除 tls.verify = false。', en: 'Remove tls.verify = false.' },
    };
  return {
    ...base,
    state: 'ok',
    code: 'tls-ok',
    seen: {
      zh: `证书可信（${protocol ?? ''}，有效至 ${validTo ?? ''}）。`,
      en: `The certificate is trusted (${protocol ?? ''}, valid until ${validTo ?? ''}).`,
    },
  };
}

function sessionFault(server: string, where: string, fault: string): Finding {
  if (/^E(?:CONNREFUSED|TIMEDOUT|HOSTUNREACH|NETUNREACH)$/.test(fault)) return connectFinding(server, where, fault);
  const base = { step: 'tls', state: 'failed', server } as const;
  const seen = {
    zh: `${where} 的 TLS 握手失败（${fault}）。`,
    en: `The TLS handshake with ${where} failed (${fault}).`,
  };
  const say = (code: string, means: LocalText, todo: LocalText): Finding => ({ ...base, code, seen, means, todo });
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|ECONNRESET/.test(fault))
    return say(
      'tls-not-spoken',
      { zh: '这个端口多半不是 TLS。', en: 'This port most likely does not speak TLS.' },
      {
        zh: '核对端口（TLS 通常是 5061），或把 transport 改为 tcp。',
        en: 'Check the port (5061 is usual), or set transport to tcp.',
      },
    );
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA/.test(fault))
    return say(
      'tls-client-certificate',
      {
        zh: '运营商要求我方证书，或不信任它。',
        en: 'The carrier asks for a certificate of ours, or does not trust it.',
      },
      {
        zh: '在 tls.certificate 和 tls.key 中给出运营商签发的证书。',
        en: 'Set tls.certificate and tls.key to the ones the carrier issued.',
      },
    );
  return say(
    /PROTOCOL|VERSION/.test(fault) ? 'tls-protocol' : 'tls-failed',
    {
      zh: '双方没有共同的 TLS 版本或加密套件；我方至少 TLS 1.2。',
      en: 'There is no TLS version or cipher in common; ours is TLS 1.2 at least.',
    },
    { zh: '请运营商启用 TLS 1.2 或更高版本。', en: 'Ask the carrier for TLS 1.2 or newer.' },
  );
}

function chainWords(fault: string, validTo: string | undefined): Omit<Finding, 'step' | 'state' | 'server'> {
  if (fault === 'CERT_HAS_EXPIRED')
    return {
      code: 'tls-expired',
      seen: { zh: `证书已于 ${validTo ?? '—'} 过期。`, en: `The certificate expired on ${validTo ?? '—'}.` },
      means: { zh: '不能再证明对方是谁。', en: 'It no longer proves who the peer is.' },
      todo: {
        zh: '请运营商更换证书；也检查本机时间。',
        en: 'Ask the carrier to renew it; check the clock of this machine too.',
      },
    };
  if (fault === 'CERT_NOT_YET_VALID')
    return {
      code: 'tls-not-yet-valid',
      seen: { zh: '证书还没有生效。', en: 'The certificate is not valid yet.' },
      means: { zh: '多半是本机时间不对。', en: 'Most likely the clock of this machine is wrong.' },
      todo: { zh: '校准本机时间。', en: 'Set the clock of this machine.' },
    };
  return {
    code: 'tls-unknown-authority',
    seen: { zh: `签发证书的机构不受信任（${fault}）。`, en: `Nobody trusted signed the certificate (${fault}).` },
    means: {
      zh: '证书是自签的，或由运营商自己的 CA 签发，或缺中间证书。',
      en: "It is signed by itself, by the carrier's own authority, or lacks an intermediate certificate.",
    },
    todo: {
      zh: '向运营商要 CA 证书，在 tls.authorities 中给出文件。',
      en: 'Ask the carrier for its authority and name the file in tls.authorities.',
    },
  };
}
