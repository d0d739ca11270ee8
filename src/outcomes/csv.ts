import { maskPhone } from '#domain/phone.ts';
import type { Language, LocalText } from '#domain/text.ts';
import type { Db } from '#platform/db/database.ts';
import { callRows } from './calls.ts';
import type { CallFilter, CallRow } from './calls.ts';
import { DIRECTION_LABELS, GRADE_LABELS, gradeReasonText, HANGUP_LABELS, OUTCOME_LABELS } from './labels.ts';

/** How an export looks; numbers are masked unless `fullPhones`. */
export interface CsvOptions {
  readonly language: Language;
  /** IANA zone of the times. */
  readonly timeZone: string;
  readonly fullPhones?: boolean;
}

/** Rows read at once: bounds memory, whatever the size of the export. */
const PAGE_ROWS = 1000;

interface Column {
  readonly title: LocalText;
  readonly value: (row: CallRow, options: CsvOptions, time: (at: Date) => string) => string;
}

const COLUMNS: readonly Column[] = [
  { title: { zh: '拨打时间', en: 'Dialled at' }, value: (row, _, time) => time(row.dialed_at) },
  { title: { zh: '任务', en: 'Campaign' }, value: (row) => row.campaign_name ?? '' },
  { title: { zh: '姓名', en: 'Name' }, value: (row) => row.name },
  {
    title: { zh: '号码', en: 'Number' },
    value: (row, options) => (options.fullPhones === true ? row.phone : maskPhone(row.phone)),
  },
  { title: { zh: '结果', en: 'Outcome' }, value: (row, options) => OUTCOME_LABELS[row.outcome][options.language] },
  { title: { zh: '意向等级', en: 'Grade' }, value: (row) => row.grade },
  {
    title: { zh: '等级含义', en: 'Grade meaning' },
    value: (row, options) => GRADE_LABELS[row.grade][options.language],
  },
  {
    title: { zh: '等级原因', en: 'Grade reason' },
    value: (row, options) => gradeReasonText(row.grade_reason, options.language),
  },
  { title: { zh: '标签', en: 'Tags' }, value: (row) => row.tags.join('; ') },
  {
    title: { zh: '采集信息', en: 'Collected' },
    value: (row) =>
      Object.entries(row.slots)
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
  },
  { title: { zh: '通话秒数', en: 'Talk seconds' }, value: (row) => (row.talk_ms / 1000).toFixed(1) },
  { title: { zh: '挂断方', en: 'Ended by' }, value: (row, options) => HANGUP_LABELS[row.hangup_by][options.language] },
  {
    title: { zh: '约定回拨', en: 'Call back at' },
    value: (row, _, time) => (row.call_back_at ? time(row.call_back_at) : ''),
  },
  {
    title: { zh: '拒绝再拨', en: 'Opted out' },
    value: (row, options) => (row.opted_out ? { zh: '是', en: 'yes' } : { zh: '否', en: 'no' })[options.language],
  },
  {
    title: { zh: '方向', en: 'Direction' },
    value: (row, options) => DIRECTION_LABELS[row.direction][options.language],
  },
  { title: { zh: '通话编号', en: 'Call id' }, value: (row) => row.id },
];

/** The calls of a filter as CSV for spreadsheets (byte-order mark, CRLF, RFC 4180), streamed newest first. */
export async function* callsCsv(db: Db, filter: CallFilter, options: CsvOptions): AsyncGenerator<string> {
  const time = timeFormat(options.timeZone);
  yield `\uFEFF${csvLine(COLUMNS.map((column) => column.title[options.language]))}`;
  let before: string | undefined;
  for (;;) {
    const rows = await callRows(db, filter, { limit: PAGE_ROWS, ...(before === undefined ? {} : { before }) });
    if (rows.length > 0) {
      yield rows.map((row) => csvLine(COLUMNS.map((column) => column.value(row, options, time)))).join('');
    }
    if (rows.length < PAGE_ROWS) return;
    before = rows.at(-1)?.id;
  }
}

/** One CSV line with its CRLF. A cell that a spreadsheet would run as a formula is led by an apostrophe. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: string): string {
  const safe = /^\s*[=+\-@|＝＋－＠]|^[\t\r\n]/u.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** `2026-01-05 10:00:00` at the zone. */
function timeFormat(timeZone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => format.format(at);
}
