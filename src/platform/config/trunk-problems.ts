import { isIP, isIPv6 } from 'node:net';
import type { LocalText } from '#domain/text.ts';
import type { Problem } from '../error.ts';
import { headerProblems } from './header-template.ts';
import type { Config, TrunkConfig } from './schema.ts';

type Say = (field: string, zh: string, en: string) => void;

/** What no single value of the trunks shows: settings that contradict each other, or that nothing could come of. */
export function trunkProblems(config: Config): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, 'trunk' | 'group'>();
  config.trunks.forEach((trunk, index) => {
    const say: Say = (field, zh, en) => problems.push({ path: `trunks[${index}].${field}`, message: { zh, en } });
    if (seen.has(trunk.name))
      say('name', '与前面的线路或线路组重名。', 'An earlier trunk or group of trunks has the same name.');
    seen.set(trunk.name, 'trunk');
    peerProblems(trunk, config, say);
    numberProblems(trunk, say);
    callerProblems(trunk, say);
    for (const [field, { zh, en }] of headerProblems(trunk.headers ?? {})) say(`headers.${field}`, zh, en);
    tlsProblems(trunk, say);
    if (trunk.sessionSeconds > 0 && trunk.sessionSeconds < 90)
      say('sessionSeconds', '应为 0（不用）或至少 90（RFC 4028）。', 'It must be 0 (none) or at least 90 (RFC 4028).');
  });
  sharedTlsProblems(config.trunks, problems);
  config.trunks.forEach(({ group }, index) => {
    if (group !== undefined && seen.get(group) === 'trunk')
      problems.push({
        path: `trunks[${index}].group`,
        message: {
          zh: '组名不能与线路同名，活动才能分清用的是哪个。',
          en: 'A group must not have the name of a trunk, or campaigns could not tell which they use.',
        },
      });
  });
  return problems;
}

/** The servers of a trunk with the paths of their settings, whichever way they are written. */
function serversOf(trunk: TrunkConfig): readonly {
  readonly at: string;
  readonly host: string;
  readonly transport: 'udp' | 'tcp' | 'tls' | undefined;
}[] {
  if (trunk.peers !== undefined)
    return trunk.peers.map(({ host, transport }, index) => ({ at: `peers[${index}].`, host, transport }));
  return trunk.host === undefined ? [] : [{ at: '', host: trunk.host, transport: trunk.transport }];
}

function peerProblems(trunk: TrunkConfig, config: Config, say: Say): void {
  if (trunk.peers === undefined && trunk.host === undefined)
    say(
      'host',
      '缺少：写 host，或用 peers 列出多台服务器。',
      'It is missing: set host, or list several servers as peers.',
    );
  if (
    trunk.peers !== undefined &&
    (trunk.host !== undefined || trunk.port !== undefined || trunk.transport !== undefined)
  )
    say(
      'peers',
      '与 host、port、transport 只能用一种：把它们移进 peers。',
      'Either this or host, port and transport: move those into peers.',
    );
  const sipSix = isIPv6(config.sip.host);
  const seen = new Set<string>();
  for (const { at, host, transport } of serversOf(trunk)) {
    if (transport !== undefined && !config.sip.transports.includes(transport))
      say(
        `${at}transport`,
        `sip.transports 里没有 ${transport}，请加上。`,
        `sip.transports does not have ${transport}; add it there.`,
      );
    if (isIP(host) !== 0 && isIP(config.sip.host) !== 0 && isIPv6(host) !== sipSix && config.sip.host !== '::')
      say(
        `${at}host`,
        `与 sip.host（${config.sip.host}）不是同一种 IP：两边都用 IPv4 或都用 IPv6，或把 sip.host 设为 "::"。`,
        `It is not of the family of sip.host (${config.sip.host}): use IPv4 or IPv6 for both, or set sip.host to "::".`,
      );
    if (host.includes(':') && !isIPv6(host))
      say(
        `${at}host`,
        '端口要写在 port 里；IPv6 地址不加方括号。',
        'A port goes into port; an IPv6 address stands without brackets.',
      );
  }
  trunk.peers?.forEach(({ host, port, transport }, index) => {
    const key = `${host} ${port ?? ''} ${transport ?? ''}`;
    if (seen.has(key)) say(`peers[${index}]`, '与前面的服务器相同。', 'An earlier server is the same.');
    seen.add(key);
  });
  const proxied = /;transport=(\w+)/.exec(trunk.outboundProxy ?? '')?.[1] as 'udp' | 'tcp' | 'tls' | undefined;
  if (proxied !== undefined && !config.sip.transports.includes(proxied))
    say(
      'outboundProxy',
      `sip.transports 里没有 ${proxied}，请加上。`,
      `sip.transports does not have ${proxied}; add it there.`,
    );
}

function numberProblems(trunk: TrunkConfig, say: Say): void {
  for (const code of Object.keys(trunk.progress ?? {}))
    if (!/^(?:[3-6]\d\d|cause-\d{1,3})$/.test(code))
      say(
        `progress.${code}`,
        '应是最终 SIP 状态码（300–699）或 cause-原因值，例如 486、cause-17。',
        'It must be a final SIP status (300–699) or cause-N, for example 486 or cause-17.',
      );
  if (trunk.takes === undefined) return;
  try {
    RegExp(trunk.takes, 'u');
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    say('takes', `不是有效的正则表达式：${reason}。`, `It is not a valid regular expression: ${reason}.`);
  }
}

function callerProblems(trunk: TrunkConfig, say: Say): void {
  const { rule, areas, identity, privacy, from } = trunk.caller;
  if (rule === 'area' && areas === undefined)
    say('caller.areas', '规则为 area 时必须给出。', 'The rule area needs it.');
  if (rule !== 'area' && areas !== undefined)
    say(
      'caller.areas',
      '只有规则 area 用到它：改 caller.rule 或去掉它。',
      'Only the rule area uses it: change caller.rule or remove it.',
    );
  for (const [area, numbers] of Object.entries(areas ?? {})) {
    if (!/^\+\d{1,17}$/.test(area))
      say(
        `caller.areas.${area}`,
        '应是 + 开头的号码前缀，例如 +8610。',
        'It must be the beginning of a number with +, for example +8610.',
      );
    const foreign = numbers.filter((number) => !trunk.callerNumbers.includes(number));
    if (foreign.length > 0)
      say(
        `caller.areas.${area}`,
        `${foreign.join('、')} 不在 callerNumbers 里。`,
        `${foreign.join(', ')} is not among callerNumbers.`,
      );
  }
  if (privacy === 'id' && identity === 'from')
    say(
      'caller.privacy',
      '隐藏号码时运营商要从 caller.identity（asserted 或 preferred）得知号码。',
      'A hidden number reaches the carrier by caller.identity: set it to asserted or preferred.',
    );
  if (from === 'account' && trunk.account === undefined)
    say('caller.from', '没有 account，From 里没有账号可写。', 'There is no account to stand in From.');
}

function tlsProblems(trunk: TrunkConfig, say: Say): void {
  const { tls } = trunk;
  if (tls === undefined) return;
  const used =
    serversOf(trunk).some(({ transport }) => transport === 'tls') ||
    /^sips:|transport=tls/.test(trunk.outboundProxy ?? '');
  if (!used)
    say(
      'tls',
      '没有服务器用 TLS：设 transport = "tls" 或去掉 tls。',
      'No server is reached by TLS: set transport = "tls" or remove tls.',
    );
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    say(
      tls.key === undefined ? 'tls.key' : 'tls.certificate',
      '证书和私钥必须同时设置。',
      'Certificate and key are set together or not at all.',
    );
  if (!tls.verify && (tls.authorities !== undefined || tls.serverName !== undefined))
    say(
      'tls.verify',
      '不检查证书时 authorities 和 serverName 不起作用：去掉它们或开启检查。',
      'Without the check authorities and serverName do nothing: remove them or check the certificate.',
    );
}

/** A TLS connection is made by the host's name, so that one host has one set of TLS settings whichever trunk calls. */
function sharedTlsProblems(trunks: readonly TrunkConfig[], problems: Problem[]): void {
  const first = new Map<string, { readonly trunk: string; readonly tls: string }>();
  trunks.forEach((trunk, index) => {
    const tls = JSON.stringify(Object.entries(trunk.tls ?? {}).toSorted(([a], [b]) => a.localeCompare(b)));
    for (const host of tlsHostsOf(trunk)) {
      const known = first.get(host);
      if (known === undefined) first.set(host, { trunk: trunk.name, tls });
      else if (known.tls !== tls)
        problems.push({
          path: `trunks[${index}].tls`,
          message: {
            zh: `线路“${known.trunk}”用另一套 TLS 设置连接 ${host}：两处写成一样，或用不同的域名。`,
            en: `Trunk "${known.trunk}" reaches ${host} with other TLS settings: write the same in both, or use another name for one.`,
          },
        });
    }
  });
}

/** The hosts that a trunk may reach by TLS; without port and transport that is for DNS to say. */
function tlsHostsOf(trunk: TrunkConfig): ReadonlySet<string> {
  const proxy = /^(sips?):(\[[^\]]+\]|[^:;]+)(:\d+)?(?:;transport=(\w+))?/.exec(trunk.outboundProxy ?? '');
  if (proxy !== null) {
    const [, scheme, host = '', port, transport] = proxy;
    const may = scheme === 'sips' || transport === 'tls' || (transport === undefined && port === undefined);
    return new Set(may ? [host.replace(/^\[|\]$/g, '').toLowerCase()] : []);
  }
  const servers: readonly { readonly host: string; readonly port?: number; readonly transport?: string }[] =
    trunk.peers ?? (trunk.host === undefined ? [] : [{ ...trunk, host: trunk.host }]);
  return new Set(
    servers
      .filter(({ port, transport }) => transport === 'tls' || (transport === undefined && port === undefined))
      .map(({ host }) => host.toLowerCase()),
  );
}

/** The contradictions of the SIP listeners. */
export function sipProblems({ tls, transports }: Config['sip']): readonly Problem[] {
  const problems: Problem[] = [];
  const say = (path: string, message: LocalText): void => void problems.push({ path, message });
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    say(tls.key === undefined ? 'sip.tls.key' : 'sip.tls.certificate', {
      zh: '证书和私钥必须同时设置。',
      en: 'Certificate and key are set together or not at all.',
    });
  if (tls.certificate !== undefined && !transports.includes('tls'))
    say('sip.tls.certificate', {
      zh: 'sip.transports 里没有 tls，请加上或去掉证书。',
      en: 'sip.transports does not have tls; add it or remove the certificate.',
    });
  if (tls.requireClientCertificate && (tls.certificate === undefined || tls.authorities === undefined))
    say('sip.tls.requireClientCertificate', {
      zh: '需要同时设置 certificate 和 authorities。',
      en: 'It needs certificate and authorities.',
    });
  return problems;
}
