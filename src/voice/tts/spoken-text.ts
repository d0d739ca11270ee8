import type { Language } from '#domain/text.ts';
import { spokenChinese } from './spoken-chinese.ts';
import { spokenEnglish } from './spoken-english.ts';

/** Writes out amounts, dates, times, percentages and phone numbers the way a person says them. */
export function spokenText(text: string, language: Language): string {
  return language === 'zh' ? spokenChinese(text) : spokenEnglish(text);
}
