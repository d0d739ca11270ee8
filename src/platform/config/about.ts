/** `description` is English and `zh` Chinese; both go into docs/config.md, so every setting has both. */
export function about(en: string, zh: string): { readonly description: string; readonly zh: string } {
  return { description: en, zh };
}
