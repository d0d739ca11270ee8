import type { Language, LocalText } from '#domain/text.ts';

/** The sentence in one language. */
export function localize(text: LocalText, language: Language): string {
  return text[language];
}

/** The language of a terminal: English where the locale says so, Chinese otherwise. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale !== undefined && /^en/i.test(locale) ? 'en' : 'zh';
}
