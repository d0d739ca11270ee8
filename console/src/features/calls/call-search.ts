/** The call list's filters as the page's address holds them. */
export interface CallSearch {
  readonly direction?: string;
  readonly campaignId?: string;
  readonly outcome?: string;
  readonly grade?: string;
  readonly phone?: string;
  /** Days as `YYYY-MM-DD` in the browser's time zone, both inclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly minTalkSeconds?: number;
}

const TEXTS = ['direction', 'campaignId', 'outcome', 'grade', 'phone'] as const;
const DAYS = ['from', 'to'] as const;

/** Reads an address; what makes no sense is dropped. */
export function parseCallSearch(search: Record<string, unknown>): CallSearch {
  const found: Record<string, string | number> = {};
  for (const key of TEXTS) {
    const value = search[key];
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') found[key] = String(value);
  }
  for (const key of DAYS) {
    const value = search[key];
    if (typeof value === 'string' && startOfDay(value) !== undefined) found[key] = value;
  }
  const seconds = Number(search['minTalkSeconds']);
  if (Number.isFinite(seconds) && seconds > 0) found['minTalkSeconds'] = seconds;
  return found;
}

/** The query that the API takes for a filter: days become moments, the last day counts whole. */
export function callQuery(search: CallSearch): Readonly<Record<string, string | number | undefined>> {
  const { from, to, ...rest } = search;
  return {
    ...rest,
    from: from === undefined ? undefined : startOfDay(from)?.toISOString(),
    to: to === undefined ? undefined : startOfDay(to, 1)?.toISOString(),
  };
}

/** Local midnight of a day, some days later; undefined where there is no such day. */
function startOfDay(day: string, plusDays = 0): Date | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (match === null) return undefined;
  const [year, month, date] = [Number(match[1]), Number(match[2]) - 1, Number(match[3])];
  const exact = new Date(year, month, date);
  if (exact.getMonth() !== month || exact.getDate() !== date) return undefined;
  return new Date(year, month, date + plusDays);
}
