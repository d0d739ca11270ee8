import { Type } from 'typebox';
import { NETWORK_OUTCOMES } from '#domain/outcome.ts';
import { about } from './about.ts';
import { accountSchema, callerSchema, peerFields, probeSchema, trunkTlsSchema } from './trunk-parts.ts';

const NAME = '^[a-z0-9][a-z0-9-]{0,31}$';
const DIGITS = '^\\+?[0-9]{1,18}$';

/** One line to a carrier: where its servers are, who we are to it, and how it wants its calls. */
export const trunkSchema = Type.Object(
  {
    name: Type.String({
      pattern: NAME,
      ...about(
        'Name that campaigns use; lower-case letters, digits, hyphens.',
        '线路名，活动引用它；小写字母、数字、连字符。',
      ),
    }),
    group: Type.Optional(
      Type.String({
        pattern: NAME,
        ...about(
          'Trunks of one group stand in for each other; a campaign may name the group as its trunk.',
          '同组线路互为备份；活动可以用组名作为线路。',
        ),
      }),
    ),
    priority: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 0,
      ...about(
        'Within the group: lower ones first, others only where those are full, resting or dead.',
        '组内优先级：数字小的先用，用满、暂停或不可达时才用其他的。',
      ),
    }),
    weight: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 1,
      ...about('Share of the calls among trunks of one priority.', '同优先级线路之间分配呼叫的权重。'),
    }),
    takes: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        ...about(
          'Which numbers this trunk takes: a regular expression over +8613800000000; all unless set.',
          '本线路接受哪些号码：针对 +8613800000000 写法的正则表达式；不设为全部。',
        ),
      }),
    ),
    host: Type.Optional(peerFields.host),
    port: peerFields.port,
    transport: peerFields.transport,
    peers: Type.Optional(
      Type.Array(
        Type.Object(
          {
            ...peerFields,
            priority: Type.Integer({
              minimum: 0,
              maximum: 65_535,
              default: 0,
              ...about('Lower ones first; others when those fail.', '数字小的先用，失败时才用其他的。'),
            }),
            weight: Type.Integer({
              minimum: 1,
              maximum: 65_535,
              default: 1,
              ...about('Share of the calls among servers of one priority.', '同优先级服务器之间的权重。'),
            }),
            channels: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 100_000,
                ...about('Most calls at once on this server.', '这台服务器的最大并发数。'),
              }),
            ),
            callsPerSecond: Type.Optional(
              Type.Number({
                exclusiveMinimum: 0,
                maximum: 10_000,
                ...about('Most new calls a second on this server.', '这台服务器的每秒新呼叫数。'),
              }),
            ),
          },
          { additionalProperties: false },
        ),
        {
          minItems: 1,
          maxItems: 32,
          ...about('Several servers of the carrier, in place of host.', '运营商的多台服务器，代替 host。'),
        },
      ),
    ),
    outboundProxy: Type.Optional(
      Type.String({
        pattern: '^sips?:[A-Za-z0-9.:_\\[\\]-]+(;transport=(udp|tcp|tls))?$',
        ...about(
          'Where requests go first in place of the servers, for example sip:edge.example:5060;transport=tcp.',
          '请求先发往的代理，代替直接发往服务器，例如 sip:edge.example:5060;transport=tcp。',
        ),
      }),
    ),
    domain: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9.:_-]+$',
        ...about(
          'Host part of the addresses in requests, where the carrier wants another one than its server.',
          '请求中地址的主机部分（运营商要求与服务器不同时）。',
        ),
      }),
    ),
    account: Type.Optional(accountSchema),
    codecs: Type.Array(Type.Enum(['PCMA', 'PCMU', 'G722', 'opus']), {
      minItems: 1,
      default: ['PCMA', 'PCMU'],
      ...about('Offered codecs, the preferred one first.', '提供的编码，优先的在前。'),
    }),
    channels: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 30,
      ...about('Most calls at once that the contract allows.', '合同允许的最大并发数。'),
    }),
    callsPerSecond: Type.Number({
      exclusiveMinimum: 0,
      maximum: 10_000,
      default: 5,
      ...about('Most new calls a second that the contract allows.', '合同允许的每秒新呼叫数。'),
    }),
    callerNumbers: Type.Array(Type.String({ pattern: '^\\+?[0-9]{3,18}$' }), {
      minItems: 1,
      ...about('Numbers this trunk may show to callees.', '这条线路可以显示的主叫号码。'),
    }),
    caller: callerSchema,
    numberFormat: Type.Enum(['e164', 'national', 'plus'], {
      default: 'e164',
      ...about(
        'How numbers are written in SIP: 8613800000000, 13800000000 or +8613800000000.',
        'SIP 中号码的写法：8613800000000、13800000000 或 +8613800000000。',
      ),
    }),
    stripPrefix: Type.Optional(
      Type.String({
        pattern: DIGITS,
        ...about(
          'Taken off the callee number, once written in that format, where it begins with it.',
          '按上述写法写出的被叫号码若以此开头，则去掉。',
        ),
      }),
    ),
    addPrefix: Type.Optional(
      Type.String({
        pattern: '^[+*#0-9]{1,18}$',
        ...about('Put before the callee number after that.', '之后加在被叫号码前面。'),
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 500 }), {
        ...about(
          'Header fields that every INVITE carries. In the values {attemptId}, {campaignId}, {leadId}, {trunk}, {phone} and {callerNumber} are replaced.',
          '每个 INVITE 附带的头域；值中的 {attemptId}、{campaignId}、{leadId}、{trunk}、{phone}、{callerNumber} 会被替换。',
        ),
      }),
    ),
    srtp: Type.Optional(
      Type.Enum(['off', 'optional', 'required'], {
        ...about(
          'Media encryption with keys in the SDP (SRTP, RFC 4568): off unless set; optional encrypts where the carrier does; required refuses calls that would not be encrypted. The keys are as secret as the SIP signalling that carries them.',
          '媒体加密，密钥在 SDP 中交换（SRTP，RFC 4568）：不设即关闭；optional 表示对方支持时加密；required 表示不加密的呼叫一律拒绝。密钥的保密程度取决于承载它的 SIP 信令。',
        ),
      }),
    ),
    progress: Type.Optional(
      Type.Record(Type.String({ pattern: '^([3-6][0-9][0-9]|cause-[0-9]{1,3})$' }), Type.Enum([...NETWORK_OUTCOMES]), {
        ...about(
          'Outcome by final SIP status (486) or Q.850 cause (cause-17), where this carrier means something else by it than the standards.',
          '按最终 SIP 状态码（486）或 Q.850 原因值（cause-17）指定结果，用于该运营商与标准含义不同之处。',
        ),
      }),
    ),
    tonePlan: Type.Enum(['cn', 'eu', 'us'], {
      default: 'cn',
      ...about(
        'Whose ringback, busy and congestion tones are listened for: China, Europe, North America.',
        '识别哪种回铃音、忙音和拥塞音：中国、欧洲、北美。',
      ),
    }),
    probe: probeSchema,
    tls: Type.Optional(trunkTlsSchema),
    sessionSeconds: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 1800,
      ...about(
        'Session interval that is asked for (RFC 4028); 0 asks for none, others are at least 90.',
        '请求的会话定时器秒数（RFC 4028）；0 表示不用，否则至少 90。',
      ),
    }),
    reliable: Type.Enum(['supported', 'required', 'off'], {
      default: 'supported',
      ...about(
        'Reliable provisional responses (100rel, RFC 3262): offered, insisted on, or not offered.',
        '可靠临时响应（100rel，RFC 3262）：支持、必须或不用。',
      ),
    }),
  },
  { additionalProperties: false },
);
