import { LINE_PLAN_WEIGHTS, LINE_PLANS, personaOf, type LinePlan } from './persona.ts';
import { randomFor, type Random } from './random.ts';

/** The seed of the shipped files. */
export const SAMPLE_SEED = 1;

/** A contact file as a bank would send it, with the faults that such files have; every person is invented. */
export interface SampleContacts {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Numbers that are on the suppression list; each is in `rows` too. */
  readonly suppressed: readonly string[];
  /** What an import makes of the rows. */
  readonly importable: number;
  readonly duplicates: number;
  readonly invalid: number;
}

/** Named as the credit card reminder labels its variables, so that they fit without a mapping. */
const COLUMNS = ['姓名', '手机号', '机构名称', '卡号后四位', '本期账单金额', '最低还款额', '最后还款日'] as const;
const BANKS = ['云山银行信用卡中心', '海棠银行信用卡中心', '北辰银行信用卡中心'] as const;

/** No operator has been given these prefixes, so no sample number can belong to anybody. */
const PREFIXES = ['154', '161', '163', '164', '168', '169'] as const;

const SURNAMES = '王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈';
const GIVEN = '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华建文辉玲红志慧鑫宇晨欣怡梓涵浩然子轩思雨佳琪俊博雅婷';

/** Cells that are no phone number, each wrong in another way. */
const BAD_NUMBERS = [
  '1640012345',
  '164001234567',
  '12345678901',
  '1640O123456',
  '',
  '1.64E+10',
  '16400123456/16400123457',
  '88886666',
  '010-66668888-801',
  '无',
] as const;

const DUPLICATE_SHARE = 0.03;
const INVALID_SHARE = 0.04;

/**
 * A contact file of `count` rows for a seed: every kind of line is among the numbers in its share, each at least once
 * from about 80 rows on. The same arguments always give the same rows.
 */
export function sampleContacts(count: number, seed: number): SampleContacts {
  const random = randomFor('sample', seed, count);
  const invalid = Math.round(count * INVALID_SHARE);
  const duplicates = Math.round(count * DUPLICATE_SHARE);
  const importable = count - invalid - duplicates;
  const valid = numbersOf(importable, seed, random).map((number) => row(number, random));
  const rows = [...valid];
  for (let index = 0; index < duplicates; index++) {
    const twin = valid[random.integer(0, valid.length - 1)];
    // Later in the file and written another way, as lists merged by hand have it.
    if (twin !== undefined) rows.splice(random.integer(rows.indexOf(twin) + 1, rows.length), 0, rewritten(twin, index));
  }
  for (let index = 0; index < invalid; index++) {
    rows.splice(random.integer(0, rows.length), 0, row(BAD_NUMBERS[index % BAD_NUMBERS.length]!, random));
  }
  const suppressed = valid.find((cells) => personaOf(cells[1]!, seed).linePlan === 'human')?.[1];
  return {
    columns: COLUMNS,
    rows,
    suppressed: suppressed === undefined ? [] : [suppressed],
    importable,
    duplicates,
    invalid,
  };
}

/** The contact file as CSV (UTF-8, RFC 4180 quoting, LF). */
export function contactsCsv(sample: SampleContacts): string {
  return csv([sample.columns, ...sample.rows]);
}

/** The suppression list as CSV. */
export function suppressedCsv(sample: SampleContacts): string {
  return csv([['手机号', '备注'], ...sample.suppressed.map((number) => [number, '客户要求不再来电'])]);
}

function csv(rows: readonly (readonly string[])[]): string {
  const quoted = (cell: string): string => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}

/** How many numbers of each plan: their shares, and one of each where there is room. */
function quotas(total: number): Map<LinePlan, number> {
  const plans = Object.keys(LINE_PLANS) as LinePlan[];
  const sum = plans.reduce((all, plan) => all + LINE_PLAN_WEIGHTS[plan], 0);
  const least = total >= 3 * plans.length ? 1 : 0;
  const exact = (plan: LinePlan): number => (total * LINE_PLAN_WEIGHTS[plan]) / sum;
  const wanted = new Map(plans.map((plan) => [plan, Math.max(least, Math.floor(exact(plan)))] as const));
  let missing = total - [...wanted.values()].reduce((all, share) => all + share, 0);
  const shortest = plans.toSorted((a, b) => exact(b) - wanted.get(b)! - (exact(a) - wanted.get(a)!));
  for (let index = 0; missing > 0; index++, missing--) {
    const plan = shortest[index % shortest.length]!;
    wanted.set(plan, wanted.get(plan)! + 1);
  }
  // The plans lifted to one may add up to more than there is; people make room.
  if (missing < 0) wanted.set('human', wanted.get('human')! + missing);
  return wanted;
}

function numbersOf(total: number, seed: number, random: Random): string[] {
  const open = quotas(total);
  const numbers = new Set<string>();
  while (numbers.size < total) {
    const number = random.pick(PREFIXES) + String(random.integer(0, 99_999_999)).padStart(8, '0');
    const { linePlan } = personaOf(number, seed);
    const left = open.get(linePlan) ?? 0;
    if (left <= 0 || numbers.has(number)) continue;
    open.set(linePlan, left - 1);
    numbers.add(number);
  }
  return [...numbers];
}

function row(number: string, random: Random): string[] {
  const surname = SURNAMES[random.integer(0, SURNAMES.length - 1)]!;
  const given = Array.from({ length: random.integer(1, 2) }, () => GIVEN[random.integer(0, GIVEN.length - 1)]!).join(
    '',
  );
  const amountCents = random.integer(200, 38_000) * 100 + (random.chance(0.5) ? 0 : random.integer(1, 99));
  return [
    surname + given,
    number,
    random.pick(BANKS),
    String(random.integer(0, 9_999)).padStart(4, '0'),
    yuan(amountCents),
    yuan(Math.round(amountCents / 10)),
    `本月${random.integer(10, 28)}日`,
  ];
}

function yuan(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** The same contact with its number written another way. */
function rewritten(cells: readonly string[], style: number): string[] {
  const number = cells[1]!;
  const grouped = `${number.slice(0, 3)}-${number.slice(3, 7)}-${number.slice(7)}`;
  const styles = [
    `+86 ${grouped}`,
    grouped.replaceAll('-', ' '),
    `0086${number}`,
    number,
    number.replace(/\d/g, (digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xfee0)),
  ];
  return cells.with(1, styles[style % styles.length]!);
}
