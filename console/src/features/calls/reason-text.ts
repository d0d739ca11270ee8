import type { Language, LocalText } from '#domain/text.ts';
import { enCodes } from '../../i18n/en-codes.ts';
import { zhCodes } from '../../i18n/zh-codes.ts';

/** Words of the dialog's reasons as people read them. */
const WORDS: Readonly<Record<string, LocalText>> = {
  positive: { zh: '肯定', en: 'yes' },
  negative: { zh: '否定', en: 'no' },
  refuse: { zh: '拒绝', en: 'refusal' },
  neutral: { zh: '中性', en: 'neutral' },
  unmatched: { zh: '未匹配', en: 'unmatched' },
  exact: { zh: '完全一致', en: 'exact' },
  keyword: { zh: '关键词', en: 'keyword' },
  regex: { zh: '正则', en: 'pattern' },
  pinyin: { zh: '读音相近', en: 'sounds like' },
  'built-in': { zh: '通用说法', en: 'common phrase' },
  entity: { zh: '识别到内容', en: 'value' },
  silence: { zh: '沉默', en: 'silence' },
  unrecognised: { zh: '没听懂', en: 'not understood' },
  repeat: { zh: '请求重复', en: 'asked to repeat' },
  busy: { zh: '现在没空', en: 'busy now' },
  'opt-out': { zh: '要求不再来电', en: 'opted out' },
  'want-human': { zh: '要求人工', en: 'asked for a person' },
  voicemail: { zh: '语音信箱', en: 'voicemail' },
  'call-assistant': { zh: '来电助理', en: 'call assistant' },
  fax: { zh: '传真', en: 'fax' },
  clarify: { zh: '前后矛盾，再确认', en: 'unclear, asked again' },
  slot: { zh: '采集信息', en: 'collected' },
  callee: { zh: '客户', en: 'the callee' },
  platform: { zh: '平台', en: 'the platform' },
  network: { zh: '网络', en: 'the network' },
  operator: { zh: '操作员', en: 'an operator' },
  'time-limit': { zh: '超过最长通话时间', en: 'longest call time reached' },
  'max-rounds': { zh: '超过最多轮次', en: 'most rounds reached' },
  'no-next-node': { zh: '话术没有后续节点', en: 'the script goes no further' },
  'transfer-unavailable': { zh: '暂无人工可转', en: 'nobody to transfer to' },
  transferred: { zh: '已转接', en: 'transferred' },
  'media-timeout': { zh: '对方长时间没有声音', en: 'no media from the other side' },
  'dead-number': { zh: '提示音表明号码不可用', en: 'announcement of a dead number' },
  'ring-timeout': { zh: '振铃超时', en: 'rang too long' },
  cancelled: { zh: '任务取消', en: 'cancelled' },
  refused: { zh: '对方网络拒绝', en: 'refused by the network' },
  'CANCEL received': { zh: '已取消', en: 'cancelled' },
  'hung up by us': { zh: '平台挂断', en: 'hung up by us' },
  'worker-lost': { zh: '通话线程中断', en: 'the call worker ended' },
  'no final response': { zh: '线路没有最终响应', en: 'the trunk gave no final answer' },
  shutdown: { zh: '平台停止', en: 'the platform stopped' },
};

type Say = (groups: readonly string[], word: (key: string) => string) => LocalText;

/** What the dialog writes, by its shape; see `decide` in src/dialog. */
const SHAPES: readonly (readonly [RegExp, Say])[] = [
  [
    /^branch (\S+): (\S+) “(.*)” ([\d.]+)$/u,
    ([meaning = '', layer = '', phrase = '', score = ''], word) => ({
      zh: `理解为“${word(meaning)}”（${word(layer)}“${phrase}”，${score}）`,
      en: `taken as ${word(meaning)} (${word(layer)} “${phrase}”, ${score})`,
    }),
  ],
  [
    /^knowledge (\S+): (\S+) “(.*)” ([\d.]+)$/u,
    ([id = '', layer = '', phrase = '', score = ''], word) => ({
      zh: `回答问题“${id}”（${word(layer)}“${phrase}”，${score}）`,
      en: `answers question “${id}” (${word(layer)} “${phrase}”, ${score})`,
    }),
  ],
  [
    /^(\S+): (\S+) “(.*)” ([\d.]+)$/u,
    ([what = '', layer = '', phrase = '', score = ''], word) => ({
      zh: `${word(what)}（${word(layer)}“${phrase}”，${score}）`,
      en: `${word(what)} (${word(layer)} “${phrase}”, ${score})`,
    }),
  ],
  [/^slot (\S+): (\S+)$/u, ([name = '']) => ({ zh: `采集到“${name}”`, en: `collected “${name}”` })],
  [/^end: ?(.+)$/u, ([reason = ''], word) => ({ zh: `结束：${word(reason)}`, en: `end: ${word(reason)}` })],
  [
    /^not reached: (\S+)$/u,
    ([code = '']) => ({
      zh: `未触达：${Object.entries(zhCodes.outcome).find(([known]) => known === code)?.[1] ?? code}`,
      en: `not reached: ${Object.entries(enCodes.outcome).find(([known]) => known === code)?.[1] ?? code}`,
    }),
  ],
  [/^hung-up-by-(\w+)$/u, ([who = ''], word) => ({ zh: `${word(who)}挂断`, en: `hung up by ${word(who)}` })],
  [/^more than (\d+) visits$/u, ([n = '']) => ({ zh: `经过超过 ${n} 次`, en: `visited more than ${n} times` })],
  [/^no agent for a transfer$/u, () => ({ zh: '暂无人工可转', en: 'nobody to transfer to' })],
  [/^handed over by an operator$/u, () => ({ zh: '由操作员转接', en: 'handed over by an operator' })],
  [/^transfer answered$/u, () => ({ zh: '转接已接通', en: 'transfer answered' })],
  [
    /^transfer handed over$/u,
    () => ({ zh: '对方线路已接受转接，结果未知', en: 'the line took the transfer over, its end is unknown' }),
  ],
  [/^transfer ended$/u, () => ({ zh: '转接的通话已结束', en: 'transfer ended' })],
  [/^transfer target is empty$/u, () => ({ zh: '没有转接目标', en: 'nobody named to transfer to' })],
  [
    /^transfer failed: (\S+)$/u,
    ([code = '']) => ({
      zh: `转接失败：${Object.entries(zhCodes.transferFailure).find(([known]) => known === code)?.[1] ?? code}`,
      en: `transfer failed: ${Object.entries(enCodes.transferFailure).find(([known]) => known === code)?.[1] ?? code}`,
    }),
  ],
  [/^otherwise$/u, () => ({ zh: '其他情况', en: 'otherwise' })],
  [/^when (.+)$/u, ([source = '']) => ({ zh: `满足条件 ${source}`, en: `when ${source}` })],
  [
    /^answered by a machine: (\S+)$/u,
    ([kind = ''], word) => ({ zh: `接听方是${word(kind)}`, en: `answered by ${word(kind)}` }),
  ],
  [
    /^heard while speaking: kept$/u,
    () => ({ zh: '平台说话时听到，先记下', en: 'heard while speaking, kept for later' }),
  ],
  [/^nothing matched$/u, () => ({ zh: '没有匹配到任何意图', en: 'nothing matched' })],
  [/^optional slot left open$/u, () => ({ zh: '选填信息未采集，继续', en: 'optional value left open' })],
  [
    /^silence after an interruption: said again$/u,
    () => ({ zh: '打断后无人说话，重说一遍', en: 'silence after an interruption, said again' }),
  ],
  [
    /^silence (\d+) of (\d+)$/u,
    ([n = '', limit = '']) => ({ zh: `客户沉默，第 ${n} 次（上限 ${limit}）`, en: `silence ${n} of ${limit}` }),
  ],
  [/^answered just before the end$/u, () => ({ zh: '话音将落时已作答', en: 'answered just before the end' })],
  [/^key pressed$/u, () => ({ zh: '按键有效', en: 'key pressed' })],
  [/^key pressed: nothing waits for it$/u, () => ({ zh: '按键，此处不需要', en: 'key pressed, nothing waits for it' })],
];

/** A reason of the dialog in the reader's language; what is not known is shown as it is. */
export function reasonText(reason: string, language: Language): string {
  const word = (key: string): string => WORDS[key]?.[language] ?? key;
  for (const [shape, say] of SHAPES) {
    const match = shape.exec(reason);
    if (match !== null) return say(match.slice(1), word)[language];
  }
  return word(reason);
}
