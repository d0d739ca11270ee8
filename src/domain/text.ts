/** The languages a user can read; every user-visible sentence exists in both. */
export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A sentence in every language of the product. */
export type LocalText = Readonly<Record<Language, string>>;
