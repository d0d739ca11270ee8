import type { Language } from '#domain/text.ts';

const KEY = 'waihu-language';

/** The language that this browser used last, else the one its user prefers, else Chinese. */
export function rememberedLanguage(): Language {
  const stored = localStorage.getItem(KEY);
  if (stored === 'zh' || stored === 'en') return stored;
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh';
}

/** Keeps the language for the next visit of this browser. */
export function rememberLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
}
