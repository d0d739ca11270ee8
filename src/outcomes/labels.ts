import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { CallDirection, HangupSide } from '#domain/call.ts';
import type { Language, LocalText } from '#domain/text.ts';

/** Outcomes as people call them. */
export const OUTCOME_LABELS: Readonly<Record<OutcomeCode, LocalText>> = {
  answered: { zh: '接通', en: 'Answered' },
  busy: { zh: '占线', en: 'Busy' },
  'no-answer': { zh: '无人接听', en: 'No answer' },
  rejected: { zh: '拒接', en: 'Rejected' },
  'powered-off': { zh: '关机', en: 'Switched off' },
  'out-of-coverage': { zh: '不在服务区', en: 'Out of coverage' },
  unreachable: { zh: '无法接通', en: 'Unreachable' },
  'invalid-number': { zh: '空号', en: 'Invalid number' },
  'number-changed': { zh: '号码已变更', en: 'Number changed' },
  suspended: { zh: '停机', en: 'Suspended' },
  arrears: { zh: '欠费停机', en: 'In arrears' },
  'incoming-barred': { zh: '呼入限制', en: 'Incoming calls barred' },
  forwarded: { zh: '呼叫转移', en: 'Forwarded' },
  voicemail: { zh: '语音信箱', en: 'Voicemail' },
  'call-assistant': { zh: '来电助手', en: 'Call assistant' },
  fax: { zh: '传真', en: 'Fax' },
  congestion: { zh: '网络忙', en: 'Network congestion' },
  'operator-blocked': { zh: '运营商拦截', en: 'Blocked by carrier' },
  'caller-id-blocked': { zh: '主叫号码被拦截', en: 'Caller number blocked' },
  'spam-labelled': { zh: '被标记为骚扰', en: 'Labelled as spam' },
  'trunk-unreachable': { zh: '线路不可达', en: 'Trunk unreachable' },
  'trunk-auth-failed': { zh: '线路认证失败', en: 'Trunk refused our credentials' },
  'media-refused': { zh: '媒体协商失败', en: 'No media agreed' },
  cancelled: { zh: '已取消', en: 'Cancelled' },
  lost: { zh: '系统中断', en: 'Lost' },
  suppressed: { zh: '勿扰名单', en: 'On the suppression list' },
  'no-consent': { zh: '未授权', en: 'No consent' },
  'outside-hours': { zh: '非拨打时段', en: 'Outside calling hours' },
  'frequency-capped': { zh: '超出频次', en: 'Frequency cap' },
  'region-barred': { zh: '地区受限', en: 'Region barred' },
  'budget-exhausted': { zh: '预算用尽', en: 'Budget exhausted' },
};

/** Grades as the market names them. */
export const GRADE_LABELS: Readonly<Record<GradeCode, LocalText>> = {
  A: { zh: '强烈意向', en: 'Strong intent' },
  B: { zh: '有意向', en: 'Interested' },
  C: { zh: '需跟进', en: 'Follow up' },
  D: { zh: '无意向', en: 'No intent' },
  E: { zh: '拒绝', en: 'Refused' },
  F: { zh: '未触达', en: 'Not reached' },
};

/** Who ended a call. */
export const HANGUP_LABELS: Readonly<Record<HangupSide, LocalText>> = {
  callee: { zh: '客户', en: 'Callee' },
  platform: { zh: '平台', en: 'Platform' },
  network: { zh: '网络', en: 'Network' },
};

/** Who called. */
export const DIRECTION_LABELS: Readonly<Record<CallDirection, LocalText>> = {
  outbound: { zh: '呼出', en: 'Outbound' },
  inbound: { zh: '呼入', en: 'Inbound' },
};

/** Scripts give their reasons in their own language; ours for whoever was not reached is told in the reader's. */
export function gradeReasonText(reason: string, language: Language): string {
  const code = /^not reached: (\S+)$/.exec(reason)?.[1];
  const label = Object.entries(OUTCOME_LABELS).find(([known]) => known === code)?.[1];
  if (label === undefined) return reason;
  return { zh: `未触达：${label.zh}`, en: `Not reached: ${label.en}` }[language];
}
