import type { Language } from '#domain/text.ts';
import type { ScriptVariable, Slot, SlotKind } from '#domain/script.ts';
import type { SlotValue } from '../state.ts';
import { COMPILED_MEANINGS } from '../compile.ts';
import { tryMatch, type CompiledMatch, type Utterance } from '../understand/match.ts';
import { foldWidth } from '../understand/normalize.ts';
import { findAmount } from './amount.ts';
import { isoDate } from './civil.ts';
import { findNumbers, zhNumber } from './number.ts';
import { findWhen } from './when.ts';

/** What values are read against. */
export interface EntityContext {
  readonly now: Date;
  readonly timeZone: string;
  readonly language: Language;
}

/** Finds the value of a kind in an utterance; `asked` where the platform just asked for it, so that bare numbers count. */
export function findEntity(
  kind: Exclude<SlotKind, 'choice'>,
  utterance: Utterance,
  context: EntityContext,
  asked: boolean,
): SlotValue | undefined {
  const text = foldWidth(utterance.raw);
  const { language } = context;
  switch (kind) {
    case 'amount': {
      const amount = findAmount(text, { bare: asked });
      if (amount === undefined) return undefined;
      return { value: amount.value.toFixed(2), spoken: spokenAmount(amount.value, language, amount.currency) };
    }
    case 'number': {
      const number = findNumbers(text)[0];
      return number === undefined ? undefined : { value: String(number.value), spoken: String(number.value) };
    }
    case 'phone': {
      const phone = findPhone(text);
      return phone === undefined ? undefined : { value: phone, spoken: phone };
    }
    case 'yes-no': {
      const no = tryMatch(utterance, COMPILED_MEANINGS.negative, 'text') !== undefined;
      const yes = !no && tryMatch(utterance, COMPILED_MEANINGS.positive, 'text') !== undefined;
      if (!no && !yes) return undefined;
      return { value: yes ? 'yes' : 'no', spoken: language === 'zh' ? (yes ? '是' : '否') : yes ? 'yes' : 'no' };
    }
    case 'date':
    case 'time':
    case 'date-time': {
      const when = findWhen(text, context.now, context.timeZone);
      if (when === undefined) return undefined;
      if (kind === 'date') return { value: isoDate(when.date), spoken: spokenDate(when.date, language) };
      const time = spokenTime(when.minuteOfDay, language);
      if (kind === 'time') return when.hasTime ? { value: clockText(when.minuteOfDay), spoken: time } : undefined;
      const date = spokenDate(when.date, language);
      return { value: when.at.toISOString(), spoken: language === 'zh' ? `${date}${time}` : `${date} at ${time}` };
    }
  }
}

/** Fills a slot from an utterance. Choices are taken by their match, by sound where the words fail. */
export function fillSlot(
  slot: Slot,
  choices: readonly { readonly value: string; readonly match: CompiledMatch }[],
  utterance: Utterance,
  context: EntityContext,
  asked: boolean,
): SlotValue | undefined {
  if (slot.kind !== 'choice') return findEntity(slot.kind, utterance, context, asked);
  for (const layer of ['text', 'sound'] as const) {
    let best: { value: string; score: number } | undefined;
    for (const choice of choices) {
      const reason = tryMatch(utterance, choice.match, layer);
      if (reason !== undefined && reason.score > (best?.score ?? 0))
        best = { value: choice.value, score: reason.score };
    }
    if (best !== undefined) return { value: best.value, spoken: best.value };
  }
  return undefined;
}

const PHONE = /(?:\+?86)?1[3-9]\d{9}|0\d{9,11}|\+\d{8,15}|[2-9]\d{6,7}/u;

/** A phone number said digit by digit or typed; digits only, `+` kept. */
function findPhone(text: string): string | undefined {
  const digits = text.replace(/[零〇一幺二三四五六七八九]/gu, (character) => String(zhNumber(character) ?? character));
  return PHONE.exec(digits.replace(/[\s\-().]/gu, ''))?.[0];
}

/** How a contact's value is read out; values that are not of their kind are read as they are. */
export function spokenVariable(variable: ScriptVariable | undefined, value: string, language: Language): string {
  if (variable?.kind === 'amount' && /^[\d,]+(?:\.\d+)?$/u.test(value.trim()))
    return spokenAmount(Number(value.replaceAll(',', '')), language, undefined);
  const date = variable?.kind === 'date' ? /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/u.exec(value.trim()) : null;
  if (date !== null)
    return spokenDate({ year: Number(date[1]), month: Number(date[2]), day: Number(date[3]) }, language);
  const time = variable?.kind === 'time' ? /^(\d{1,2}):(\d{2})$/u.exec(value.trim()) : null;
  if (time !== null) return spokenTime(Number(time[1]) * 60 + Number(time[2]), language);
  return value;
}

function spokenAmount(value: number, language: Language, currency: 'CNY' | 'USD' | undefined): string {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(2).replace(/0$/u, '');
  if (language === 'zh') return `${text}${currency === 'USD' ? '美元' : '元'}`;
  return currency === 'CNY' ? `${text} yuan` : currency === 'USD' ? `${text} dollars` : text;
}

const EN_MONTHS = 'January,February,March,April,May,June,July,August,September,October,November,December'.split(',');

function spokenDate(date: { year: number; month: number; day: number }, language: Language): string {
  return language === 'zh' ? `${date.month}月${date.day}日` : `${EN_MONTHS[date.month - 1] ?? ''} ${date.day}`;
}

function spokenTime(minuteOfDay: number, language: Language): string {
  const [hour, minute] = [Math.floor(minuteOfDay / 60), minuteOfDay % 60];
  if (language === 'en') {
    const shown = hour % 12 === 0 ? 12 : hour % 12;
    return `${shown}${minute === 0 ? '' : `:${String(minute).padStart(2, '0')}`} ${hour < 12 ? 'am' : 'pm'}`;
  }
  const period = hour < 6 ? '凌晨' : hour < 12 ? '上午' : hour === 12 ? '中午' : hour < 18 ? '下午' : '晚上';
  const shown = hour > 12 ? hour - 12 : hour;
  return `${period}${shown}点${minute === 0 ? '' : minute === 30 ? '半' : `${minute}分`}`;
}

function clockText(minuteOfDay: number): string {
  return `${String(Math.floor(minuteOfDay / 60)).padStart(2, '0')}:${String(minuteOfDay % 60).padStart(2, '0')}`;
}
