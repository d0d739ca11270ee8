import { Type } from 'typebox';
import { TARGET_PATTERN } from '#domain/transfer.ts';
import { about } from './about.ts';

/** Calls that come in. */
export const inboundSchema = Type.Object(
  {
    strangers: Type.Enum(['drop', 'refuse'], {
      default: 'drop',
      ...about(
        'What SIP requests get that come neither from a trunk nor from inbound.allow: nothing at all, so that scanners learn of nobody here, or 403.',
        '既不来自线路也不在 inbound.allow 中的 SIP 请求如何处理：drop 不作任何回应（扫描器发现不了本机），refuse 回 403。',
      ),
    }),
    allow: Type.Array(Type.String({ minLength: 2, pattern: '^[0-9A-Fa-f.:/]+$' }), {
      default: [],
      ...about(
        'Further addresses that carriers call from, as 192.0.2.0/24 or 2001:db8::/32; what they say about callers is trusted.',
        '运营商来电的其他地址，例如 192.0.2.0/24 或 2001:db8::/32；它们给出的主叫号码会被信任。',
      ),
    }),
    numbers: Type.Array(Type.String({ pattern: '^\\+?[0-9]{3,18}$' }), {
      default: [],
      ...about(
        'Numbers of ours that may be called, beside the caller numbers of the trunks.',
        '除各线路的主叫号码外，其他可以呼入的本方号码。',
      ),
    }),
    announcement: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        ...about(
          'What a caller hears whom no route takes, before the call ends politely; a built-in sentence unless set.',
          '没有路由接听的来电会听到的话，说完后礼貌挂断；不设则用内置的一句。',
        ),
      }),
    ),
    routes: Type.Array(
      Type.Object(
        {
          numbers: Type.Array(Type.String({ pattern: '^(\\+?[0-9]{0,18}\\*|\\+?[0-9]{3,18})$' }), {
            minItems: 1,
            default: ['*'],
            ...about(
              'Our numbers that were called, or their beginnings followed by *.',
              '被叫的本方号码，或号码开头加 *。',
            ),
          }),
          trunk: Type.Optional(
            Type.String({
              minLength: 1,
              ...about('Only calls that come in over this trunk.', '只接从这条线路进来的电话。'),
            }),
          ),
          script: Type.Optional(
            Type.String({
              minLength: 1,
              ...about(
                'Key of the published script that answers; without it the script of the campaign that called the number last.',
                '接听用的已发布话术的标识；不设则用最近一次呼叫该号码的任务的话术。',
              ),
            }),
          ),
        },
        { additionalProperties: false },
      ),
      {
        default: [],
        ...about(
          'Which script answers which number; the first whose script exists and has all its variables wins.',
          '哪个号码由哪套话术接听；按顺序取第一条话术存在且变量齐全的。',
        ),
      },
    ),
  },
  { additionalProperties: false, default: {} },
);
/** When new calls are refused so that those that go on do not suffer. */
export const overloadSchema = Type.Object(
  {
    maxCalls: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      default: 0,
      ...about(
        'Most calls at once, both ways together; 0 is as many as there are media ports for.',
        '呼入呼出合计的最大并发数；0 表示以媒体端口数为限。',
      ),
    }),
    frameLatenessMs: Type.Number({
      minimum: 1,
      maximum: 1000,
      default: 60,
      ...about(
        'No new call is taken while media frames are later than this (99th percentile of the worst call worker), until they are back at half of it.',
        '媒体帧晚于此值（最差通话线程的第 99 百分位）时不接新呼叫，直到回落到一半。',
      ),
    }),
    loopDelayMs: Type.Number({
      minimum: 5,
      maximum: 10_000,
      default: 250,
      ...about(
        'No new call is taken while the main event loop is delayed by more than this (90th percentile of a second), until it is back at half of it.',
        '主线程事件循环延迟超过此值（一秒内第 90 百分位）时不接新呼叫，直到回落到一半。',
      ),
    }),
    retryAfterSeconds: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 5,
      ...about(
        'What a refused caller is asked to wait (Retry-After of the 503), up to twice as long at random.',
        '被拒呼叫应等待的秒数（503 的 Retry-After），随机加至两倍。',
      ),
    }),
  },
  { additionalProperties: false, default: {} },
);
/** Whom calls under way may be handed to. */
export const transferSchema = Type.Object(
  {
    targets: Type.Array(Type.String({ pattern: TARGET_PATTERN }), {
      default: [],
      ...about(
        'Whom transfers and listeners may call, whoever asks for it: numbers as they are dialled, their beginnings followed by *, and SIP hosts as @pbx.example; none listed allows everybody.',
        '转接和旁听可以呼叫谁（不论由谁发起）：按拨出写法的号码、号码开头加 *、以 @pbx.example 形式写的 SIP 主机；不写则不限制。',
      ),
    }),
  },
  { additionalProperties: false, default: {} },
);
/** How a node goes away. */
export const drainSchema = Type.Object(
  {
    limitSeconds: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 60,
      ...about(
        'How long live calls may go on after SIGTERM or `waihu drain`; then they are hung up. A service manager must wait longer than this.',
        '收到 SIGTERM 或执行 waihu drain 后，进行中的通话最多再继续多少秒，之后挂断。服务管理器的等待时间要比它长。',
      ),
    }),
  },
  { additionalProperties: false, default: {} },
);
