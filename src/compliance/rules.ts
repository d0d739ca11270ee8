import type { CallingWindow, Weekday } from '#domain/campaign.ts';
import type { LocalText } from '#domain/text.ts';

/** A rule as data, so that counsel can correct it without code. */
export interface Rule {
  readonly id: string;
  /** Changes whenever the meaning does; decisions keep it. */
  readonly version: string;
  readonly text: LocalText;
  /** Where the rule comes from; `[S]` marks a secondary source. */
  readonly source: string;
}

const WEEKDAYS: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

function daily(startMinute: number, endMinute: number): readonly CallingWindow[] {
  return WEEKDAYS.map((weekday) => ({ weekday, startMinute, endMinute }));
}

export const RULES = {
  SUPPRESSION: {
    id: 'SUPPRESSION',
    version: '2026-01',
    text: {
      zh: '名单内的号码不得拨打；用户拒绝后立即停止。',
      en: 'A number on the suppression list is never dialled; a refusal stops calls at once.',
    },
    source: 'PIPL art. 15, 24; MIIT draft on communication short messages and voice calls [S]',
  },
  'UNKNOWN-ZONE': {
    id: 'UNKNOWN-ZONE',
    version: '2026-01',
    text: {
      zh: '被叫所在时区未知时不得拨打。',
      en: 'A callee whose time zone is unknown is not dialled.',
    },
    source: 'Own rule: what cannot be proved lawful is denied',
  },
  'CN-HOURS': {
    id: 'CN-HOURS',
    version: '2026-01',
    text: {
      zh: '只在外呼时段内拨打；默认 09:00–20:00，运营商一般允许 09:00–21:00。',
      en: 'Dials only within the calling windows; 09:00–20:00 by default, carriers generally allow 09:00–21:00.',
    },
    source: 'Carrier terms for outbound calls in mainland China [S]',
  },
  'CN-FREQ': {
    id: 'CN-FREQ',
    version: '2026-01',
    text: {
      zh: '同一号码每天的拨打次数不超过上限。',
      en: 'A number is dialled no more often a day than the cap allows.',
    },
    source: 'Carrier terms for outbound calls in mainland China: at most 5 a day a number [S]',
  },
  HOURS: {
    id: 'HOURS',
    version: '2026-01',
    text: {
      zh: '只在外呼时段内拨打，按被叫所在地时间。',
      en: 'Dials only within the calling windows, by the time at the callee’s place.',
    },
    source: "The campaign's own windows",
  },
  FREQ: {
    id: 'FREQ',
    version: '2026-01',
    text: {
      zh: '同一号码每天的拨打次数不超过上限。',
      en: 'A number is dialled no more often a day than the cap allows.',
    },
    source: "The campaign's own daily cap",
  },
} as const satisfies Record<string, Rule>;

/** When carriers in mainland China let outbound calls through; dials outside are allowed and noted as evidence. */
export const CARRIER_WINDOWS_CN = daily(9 * 60, 21 * 60);
