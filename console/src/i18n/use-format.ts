import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Language, LocalText } from '#domain/text.ts';

/** Dates, times and counts in the user's language and the browser's time zone. */
export interface Format {
  readonly language: Language;
  /** Day and time to the second. */
  readonly dateTime: (iso: string | null) => string;
  /** Time of day to the second. */
  readonly time: (iso: string) => string;
  readonly count: (value: number) => string;
  readonly percent: (ratio: number) => string;
  /** Picks the sentence of the user's language. */
  readonly text: (text: LocalText) => string;
}

/** The formats of the language shown now. */
export function useFormat(): Format {
  const { i18n } = useTranslation();
  const language: Language = i18n.language === 'en' ? 'en' : 'zh';
  return useMemo(() => createFormat(language), [language]);
}

function createFormat(language: Language): Format {
  const locale = language === 'en' ? 'en-GB' : 'zh-CN';
  const dateTime = new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const time = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const count = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  return {
    language,
    dateTime: (iso) => (iso === null ? '—' : dateTime.format(new Date(iso))),
    time: (iso) => time.format(new Date(iso)),
    count: (value) => count.format(value),
    percent: (ratio) => percent.format(ratio),
    text: (text) => text[language],
  };
}
