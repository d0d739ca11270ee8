import { Type, type Static } from 'typebox';
import { LANGUAGES } from '#domain/text.ts';
import { about } from './about.ts';
import { drainSchema, inboundSchema, overloadSchema, transferSchema } from './inbound-schema.ts';
import { sipSchema } from './sip-schema.ts';
import { trunkSchema } from './trunk-schema.ts';

const port = (fallback: number, text: ReturnType<typeof about>) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: fallback, ...text });

const host = (text: ReturnType<typeof about>) =>
  Type.String({ minLength: 1, pattern: '^[A-Za-z0-9.:_-]+$', default: '127.0.0.1', ...text });

/** Every setting there is, with its default and its explanation. */
export const configSchema = Type.Object(
  {
    dataDirectory: Type.String({
      minLength: 1,
      default: 'data',
      ...about(
        'Where recordings, the voice cache and the embedded database lie; relative to the working directory. Where root runs Waihu and only root may enter this directory, the database cluster lies below /var/lib/waihu, because PostgreSQL must not run as root.',
        '录音、语音缓存和内置数据库所在的目录，相对于工作目录。以 root 运行且只有 root 能进入该目录时，数据库文件放在 /var/lib/waihu 下，因为 PostgreSQL 不能以 root 运行。',
      ),
    }),
    databaseUrl: Type.Optional(
      Type.String({
        pattern: '^postgres(ql)?://.+',
        ...about(
          'A PostgreSQL (15 or newer) to use instead of the embedded one.',
          '改用一个已有的 PostgreSQL（15 或更新），不用内置数据库。',
        ),
      }),
    ),
    language: Type.Enum([...LANGUAGES], {
      default: 'zh',
      ...about('Language of messages and of new users.', '提示信息和新用户的语言。'),
    }),
    log: Type.Object(
      {
        level: Type.Enum(['debug', 'info', 'warn', 'error', 'silent'], {
          default: 'info',
          ...about('Least level that is logged.', '记录的最低日志级别。'),
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    http: Type.Object(
      {
        host: host(about('Address the console and the API listen on.', '控制台和 API 的监听地址。')),
        port: port(8080, about('Its port; 0 takes a free one.', '端口；0 表示任选空闲端口。')),
      },
      { additionalProperties: false, default: {} },
    ),
    sip: sipSchema,
    rtp: Type.Object(
      {
        host: host(about('Address that media is sent from and received on.', '媒体收发地址。')),
        firstPort: Type.Integer({
          minimum: 1024,
          maximum: 65_534,
          default: 20_000,
          ...about('First UDP port of media.', '媒体 UDP 端口范围的第一个。'),
        }),
        lastPort: Type.Integer({
          minimum: 1025,
          maximum: 65_535,
          default: 29_999,
          ...about('Last UDP port of media; a call takes four.', '媒体 UDP 端口范围的最后一个；每通电话占四个。'),
        }),
        workers: Type.Integer({
          minimum: 0,
          maximum: 256,
          default: 0,
          ...about(
            'Threads that run calls; 0 chooses by the number of cores.',
            '处理通话的线程数；0 表示按 CPU 核数选择。',
          ),
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    trunks: Type.Array(trunkSchema, {
      default: [],
      ...about('Lines to carriers.', '到运营商的线路。'),
    }),
    inbound: inboundSchema,
    overload: overloadSchema,
    drain: drainSchema,
    transfer: transferSchema,
    voice: Type.Object(
      {
        name: Type.String({
          minLength: 1,
          pattern: '^[A-Za-z0-9+_.-]+$',
          default: 'cmn',
          ...about('Voice of the built-in synthesiser.', '内置语音合成的发音人。'),
        }),
        cacheDirectory: Type.Optional(
          Type.String({
            minLength: 1,
            ...about(
              'Where synthesised phrases are kept; otherwise below the data directory.',
              '合成语音的缓存目录；默认在数据目录下。',
            ),
          }),
        ),
      },
      { additionalProperties: false, default: {} },
    ),
    simulator: Type.Object(
      {
        enabled: Type.Boolean({
          default: true,
          ...about(
            'Run the simulated carrier beside the platform, as trunk "simulator".',
            '在平台旁运行模拟运营商，线路名为 simulator。',
          ),
        }),
        port: port(
          5090,
          about('Its SIP port on 127.0.0.1; 0 takes a free one.', '它在 127.0.0.1 上的 SIP 端口；0 表示任选空闲端口。'),
        ),
      },
      { additionalProperties: false, default: {} },
    ),
    retention: Type.Object(
      {
        recordingsDays: Type.Integer({
          minimum: 1,
          maximum: 36_500,
          default: 180,
          ...about('Recordings are deleted after this many days.', '录音保留天数。'),
        }),
        earlyMediaDays: Type.Integer({
          minimum: 0,
          maximum: 365,
          default: 7,
          ...about(
            'Early media of unanswered calls that was not recognised is kept this many days, so that announcements can be taught from it; 0 keeps none.',
            '未接通且未识别的早期媒体保留天数，用于学习提示音；0 表示不保存。',
          ),
        }),
        recordsDays: Type.Integer({
          minimum: 1,
          maximum: 36_500,
          default: 1095,
          ...about('Call records and transcripts are deleted after this many days.', '通话记录和文字稿保留天数。'),
        }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

/** All settings, complete. */
export type Config = Static<typeof configSchema>;
/** One line to a carrier. */
export type TrunkConfig = Config['trunks'][number];
