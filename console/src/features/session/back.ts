/** Where to go after signing in; only paths of the console itself, so that no link leads elsewhere. */
export function parseBack(search: Record<string, unknown>): { readonly back?: string } {
  const { back } = search;
  const own = typeof back === 'string' && /^\/(?![/\\])/.test(back) && !back.startsWith('/sign-in');
  return own ? { back } : {};
}
