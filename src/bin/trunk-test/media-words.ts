import { isIPv4 } from 'node:net';
import type { MediaStats } from '#domain/call.ts';
import type { Finding } from './finding.ts';

/** What was seen of the media of a test call. */
export interface MediaSeen {
  readonly stats: MediaStats;
  /** As the answer said. */
  readonly announced: { readonly address: string; readonly port: number };
  /** Where the media came from. */
  readonly source: { readonly address: string; readonly port: number } | undefined;
  /** Our own tone came back: whoever is there echoes what it hears. */
  readonly echoed: boolean;
  /** Where SIP is spoken with them, and what we told them about our media. */
  readonly server: string | undefined;
  readonly ourAddress: string;
  readonly ourPort: number;
}

/** Loopback, link-local and the networks of RFC 1918 and RFC 6598: nobody reaches them from elsewhere. */
export function isPrivate(address: string): boolean {
  if (!isIPv4(address)) return /^(?:::1$|fe[89ab]|f[cd])/i.test(address);
  return /^(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
    address,
  );
}

/** What the media of an answered test call says. */
export function mediaFindings(seen: MediaSeen): readonly Finding[] {
  return [hearing(seen), heard(seen), ...addresses(seen), quality(seen.stats)];
}

function hearing({ stats, announced, ourAddress, ourPort }: MediaSeen): Finding {
  const figures = { packetsReceived: stats.packetsReceived, packetsLost: stats.packetsLost };
  if (stats.packetsReceived > 0)
    return {
      step: 'media',
      state: 'ok',
      code: 'media-heard',
      seen: {
        zh: `收到 ${stats.packetsReceived} 个语音包（${stats.codec}）。`,
        en: `${stats.packetsReceived} packets of speech arrived (${stats.codec}).`,
      },
      figures,
    };
  return {
    step: 'media',
    state: 'failed',
    code: 'media-we-hear-nothing',
    seen: {
      zh: `${ourAddress}:${ourPort} 没有收到任何语音包；对方说从 ${announced.address}:${announced.port} 发。`,
      en: `No packet of speech arrived at ${ourAddress}:${ourPort}; they said ${announced.address}:${announced.port}.`,
    },
    means: {
      zh: '单通：我方听不到对方。对方没有发，发到了别的地址或端口，或防火墙丢弃了它。',
      en: 'One-way audio: we do not hear them. They send nothing, send it to another address or port, or a firewall drops it.',
    },
    todo: {
      zh: '开放 rtp.firstPort–lastPort 的 UDP 入站；rtp.host 必须是运营商能访问的地址；都对的话，请运营商抓包看语音发往哪里。',
      en: 'Let UDP in on rtp.firstPort–lastPort; rtp.host must be an address that the carrier reaches. If both are right, ask the carrier for a trace of where their audio goes.',
    },
    figures,
  };
}

function heard({ stats, echoed }: MediaSeen): Finding {
  const step = 'media';
  const figures = { packetsSent: stats.packetsSent, remoteLossRatio: stats.remoteLossRatio };
  if (stats.remoteLossRatio !== undefined && stats.remoteLossRatio >= 0.99)
    return {
      step,
      state: 'failed',
      code: 'media-they-hear-nothing',
      seen: { zh: '对方报告（RTCP）没有收到我方语音。', en: 'They report (RTCP) that nothing of ours arrives.' },
      means: { zh: '单通：对方听不到我方。', en: 'One-way audio: they do not hear us.' },
      todo: { zh: '检查出站 UDP 和 NAT。', en: 'Check outgoing UDP and translation.' },
      figures,
    };
  if (stats.remoteLossRatio !== undefined || echoed)
    return {
      step,
      state: 'ok',
      code: 'media-they-hear',
      seen: echoed
        ? { zh: '我方的测试音被送了回来。', en: 'Our test tone came back.' }
        : { zh: '对方报告（RTCP）收到我方语音。', en: 'They report (RTCP) that our speech arrives.' },
      figures,
    };
  return {
    step,
    state: 'warning',
    code: 'media-not-reported',
    seen: {
      zh: '对方没有发 RTCP 报告，也没有回声，不知道是否听到我方。',
      en: 'No RTCP report and no echo: whether they hear us is not known.',
    },
    todo: { zh: '请接听的人确认是否听到“嘟”声。', en: 'Ask whoever answered whether they heard the tone.' },
    figures,
  };
}

function* addresses({ announced, source, server, ourAddress }: MediaSeen): Generator<Finding> {
  const base = { step: 'media', state: 'warning' } as const;
  const serverIsPublic = server !== undefined && !isPrivate(server);
  if (serverIsPublic && isPrivate(announced.address))
    yield {
      ...base,
      code: 'media-nat-theirs',
      seen: {
        zh: `对方 SDP 写的是内网地址 ${announced.address}。`,
        en: `Their SDP names the private address ${announced.address}.`,
      },
      means: {
        zh: '对方在 NAT 后面；要等对方先发包我方才知道往哪里发。',
        en: 'They are behind a translation: we learn where to send only once they send.',
      },
      todo: { zh: '请运营商在 SDP 中写公网地址。', en: 'Ask the carrier for a public address in its SDP.' },
    };
  if (serverIsPublic && isPrivate(ourAddress))
    yield {
      ...base,
      code: 'media-nat-ours',
      seen: { zh: `我方 SDP 写的是内网地址 ${ourAddress}。`, en: `Our SDP names the private address ${ourAddress}.` },
      means: {
        zh: '不做 NAT 处理的运营商发不到这里。',
        en: 'A carrier that does not work around it cannot send there.',
      },
      todo: { zh: '把 rtp.host 和 sip.host 设为公网地址。', en: 'Set rtp.host and sip.host to public addresses.' },
    };
  if (source !== undefined && (source.address !== announced.address || source.port !== announced.port))
    yield {
      ...base,
      code: 'media-other-source',
      seen: {
        zh: `语音来自 ${source.address}:${source.port}，不是 SDP 所说的 ${announced.address}:${announced.port}。`,
        en: `Media comes from ${source.address}:${source.port}, not from ${announced.address}:${announced.port} as the SDP says.`,
      },
      means: {
        zh: '对方有 NAT 或另一台媒体服务器；外呼会跟随第一个有效来源。',
        en: 'A translation or another media server; Waihu follows the first valid source.',
      },
      todo: { zh: '防火墙须放行这个地址。', en: 'Firewalls must let this address in.' },
    };
}

function quality({ roundTripMs, jitterMs, mos, remoteMos, packetsLost, packetsReceived }: MediaStats): Finding {
  const lossRatio = packetsReceived + packetsLost === 0 ? undefined : packetsLost / (packetsReceived + packetsLost);
  const text = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '—';
  const poor = mos !== undefined && mos < 3.6;
  const list = `RTT ${text(roundTripMs, 0)} ms, jitter ${text(jitterMs, 1)} ms, MOS ${text(mos, 2)} / ${text(remoteMos, 2)}`;
  return {
    step: 'media',
    state: poor ? 'warning' : 'ok',
    code: poor ? 'media-poor' : 'media-quality',
    seen: { zh: `${list}（我方 / 对方听到的）`, en: `${list} (heard by us / by them)` },
    ...(poor
      ? {
          means: { zh: '丢包或抖动明显。', en: 'Packets are lost or late.' },
          todo: { zh: '检查带宽和到运营商的线路。', en: 'Check the bandwidth and the way to the carrier.' },
        }
      : {}),
    figures: { roundTripMs, jitterMs, mos, remoteMos, lossRatio },
  };
}
