import { Type } from 'typebox';
import { about } from './about.ts';

const file = (text: ReturnType<typeof about>) => Type.String({ minLength: 1, ...text });

/** Where SIP is sent from and received on. */
export const sipSchema = Type.Object(
  {
    host: Type.String({
      minLength: 1,
      pattern: '^[A-Za-z0-9.:_-]+$',
      default: '127.0.0.1',
      ...about(
        'Address that SIP is sent from and received on, IPv4 or IPv6; carriers must reach it.',
        'SIP 收发地址（IPv4 或 IPv6），运营商须能访问。',
      ),
    }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 5060,
      ...about('Port of UDP and TCP; 0 takes a free one.', 'UDP 与 TCP 端口；0 表示任选空闲端口。'),
    }),
    transports: Type.Array(Type.Enum(['udp', 'tcp', 'tls']), {
      minItems: 1,
      uniqueItems: true,
      default: ['udp'],
      ...about(
        'Transports to bind, the preferred one first where a carrier leaves the choice; every transport that a trunk uses is among them.',
        '要绑定的传输方式，对方不限定时优先用第一个；线路用到的传输方式都要列在这里。',
      ),
    }),
    tls: Type.Object(
      {
        port: Type.Integer({
          minimum: 0,
          maximum: 65_535,
          default: 5061,
          ...about(
            'Port of TLS, where a certificate is set; 0 takes a free one.',
            'TLS 端口（设了证书才监听）；0 表示任选空闲端口。',
          ),
        }),
        certificate: Type.Optional(
          file(
            about(
              'Our certificate with its chain (PEM file). Without it TLS connections are only made, not taken.',
              '我方证书及证书链（PEM 文件）；不设时只能主动连出，不接受 TLS 连入。',
            ),
          ),
        ),
        key: Type.Optional(file(about('Its private key (PEM file).', '证书的私钥（PEM 文件）。'))),
        authorities: Type.Optional(
          file(
            about(
              'Certificates of the authorities to trust in place of those of the system (PEM file).',
              '信任的 CA 证书（PEM 文件），代替系统自带的。',
            ),
          ),
        ),
        requireClientCertificate: Type.Boolean({
          default: false,
          ...about(
            'Peers that connect to us must show a certificate that these authorities signed.',
            '连入的对端必须出示由上述 CA 签发的证书。',
          ),
        }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false, default: {} },
);
