import { Type } from 'typebox';
import { about } from './about.ts';

/** Where a server of a carrier is. */
export const peerFields = {
  host: Type.String({
    minLength: 1,
    pattern: '^[A-Za-z0-9.:_-]+$',
    ...about('Host name or address of the carrier, IPv4 or IPv6.', '运营商的主机名或地址（IPv4 或 IPv6）。'),
  }),
  port: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_535,
      ...about(
        'Its SIP port. Without one a name is looked up by its SRV records, then 5060 is taken, for TLS 5061.',
        '它的 SIP 端口。不设时先查域名的 SRV 记录，再用 5060（TLS 为 5061）。',
      ),
    }),
  ),
  transport: Type.Optional(
    Type.Enum(['udp', 'tcp', 'tls'], {
      ...about(
        'How SIP gets there; unless set the first of sip.transports that its SRV records name.',
        'SIP 的传输方式；不设则取 sip.transports 中第一个有 SRV 记录的。',
      ),
    }),
  ),
};

/** Who we are to the carrier; a registration is part of it, so that there is none without credentials. */
export const accountSchema = Type.Object(
  {
    username: Type.String({
      minLength: 1,
      pattern: '^[^\\s"<>@:;\\\\]+$',
      ...about('User of the account.', '账号的用户名。'),
    }),
    password: Type.String({ minLength: 1, ...about('Its password.', '账号的密码。') }),
    authUser: Type.Optional(
      Type.String({
        minLength: 1,
        pattern: '^[^"\\\\\\r\\n]+$',
        ...about(
          'User of digest authentication, where it differs from username.',
          '摘要认证用户名（与 username 不同时）。',
        ),
      }),
    ),
    realm: Type.Optional(
      Type.String({
        minLength: 1,
        ...about(
          'The only realm that gets credentials; without it whichever asks does.',
          '只对这个 realm 出示凭据；不设则谁要求都出示。',
        ),
      }),
    ),
    registration: Type.Optional(
      Type.Object(
        {
          registrar: Type.Optional(
            Type.String({
              pattern: '^[A-Za-z0-9.:_-]+$',
              ...about(
                'Domain to register at, where it is not the domain or server of the trunk.',
                '注册的域（与线路的域或服务器不同时）。',
              ),
            }),
          ),
          expiresSeconds: Type.Integer({
            minimum: 60,
            maximum: 86_400,
            default: 3600,
            ...about('Lifetime that is asked for; the registrar decides.', '请求的有效期；以注册服务器为准。'),
          }),
        },
        {
          additionalProperties: false,
          ...about(
            'Registers the account (RFC 3261 §10): the table turns it on.',
            '注册该账号（RFC 3261 §10）：有这个表即开启。',
          ),
        },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Which of our numbers a callee sees, and in which header fields. */
export const callerSchema = Type.Object(
  {
    rule: Type.Enum(['campaign', 'rotate', 'callee', 'area'], {
      default: 'campaign',
      ...about(
        "Which number is shown: the campaign's, the one not used for longest, always the same to one callee, or one by the callee's area.",
        '显示哪个号码：活动指定的、最久未用的、对同一被叫固定的、或按被叫地区选择的。',
      ),
    }),
    areas: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^\\+[0-9]{1,17}$' }),
        Type.Array(Type.String({ pattern: '^\\+?[0-9]{3,18}$' }), { minItems: 1 }),
        {
          ...about(
            'For rule area: numbers by the beginning of the callee number, the longest that fits counts; others rotate.',
            '规则为 area 时：按被叫号码开头（最长匹配）给出的号码；其他被叫轮换。',
          ),
        },
      ),
    ),
    identity: Type.Enum(['from', 'asserted', 'preferred'], {
      default: 'from',
      ...about(
        'Where else than in From the number goes: nowhere, P-Asserted-Identity or P-Preferred-Identity.',
        '除 From 外号码还写在哪里：不写、P-Asserted-Identity 或 P-Preferred-Identity。',
      ),
    }),
    privacy: Type.Enum(['none', 'id'], {
      default: 'none',
      ...about(
        'id hides the number from the callee (Privacy: id); the carrier learns it by the identity.',
        'id 表示对被叫隐藏号码（Privacy: id），运营商从 identity 得知号码。',
      ),
    }),
    from: Type.Enum(['number', 'account'], {
      default: 'number',
      ...about('Who stands in From: the number or the user of the account.', 'From 中写号码还是账号用户名。'),
    }),
    displayName: Type.Optional(
      Type.String({
        maxLength: 80,
        pattern: '^[^\\x00-\\x1f\\x7f]+$',
        ...about('Name beside the number.', '号码旁的显示名称。'),
      }),
    ),
  },
  { additionalProperties: false, default: {} },
);

/** How a trunk is watched by OPTIONS. */
export const probeSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      ...about(
        'Ask the servers by OPTIONS whether they are there. One that never answers those is judged by its calls alone.',
        '用 OPTIONS 探测服务器；从不应答 OPTIONS 的服务器只按通话判断。',
      ),
    }),
    intervalSeconds: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 30,
      ...about('Time between two, while all is well.', '正常时的探测间隔秒数。'),
    }),
    downAfter: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 3,
      ...about(
        'Failures in a row after which a server that has answered before gets no more calls.',
        '应答过的服务器连续失败这么多次后，不再向其发起呼叫。',
      ),
    }),
    upAfter: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 2,
      ...about('Answers in a row after which it gets calls again.', '连续应答这么多次后恢复。'),
    }),
  },
  { additionalProperties: false, default: {} },
);

/** How we and a carrier prove to each other who we are. */
export const trunkTlsSchema = Type.Object(
  {
    authorities: Type.Optional(
      Type.String({
        minLength: 1,
        ...about('Authorities to trust for this trunk (PEM file).', '本线路信任的 CA 证书（PEM 文件）。'),
      }),
    ),
    certificate: Type.Optional(
      Type.String({
        minLength: 1,
        ...about('Our certificate for this trunk (PEM file).', '本线路使用的我方证书（PEM 文件）。'),
      }),
    ),
    key: Type.Optional(
      Type.String({ minLength: 1, ...about('Its private key (PEM file).', '证书的私钥（PEM 文件）。') }),
    ),
    serverName: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._-]+$',
        ...about(
          'Name that the certificate must prove, where it is not the host.',
          '对方证书须证明的名称（与主机名不同时）。',
        ),
      }),
    ),
    verify: Type.Boolean({
      default: true,
      ...about(
        'Check the certificate. Without the check anybody on the way can listen and place calls for you.',
        '检查对方证书。不检查时，路径上的任何人都能窃听并冒用线路。',
      ),
    }),
  },
  { additionalProperties: false },
);
