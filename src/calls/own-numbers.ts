/** Which number of ours was called, and what answers it. */
export interface InboundRoute {
  /** Numbers, or their beginnings followed by `*`; `*` alone is every number. */
  readonly numbers: readonly string[];
  /** Only calls that come in over this trunk. */
  readonly trunk?: string;
  /** Key of the published script; absent: that of the campaign that called the number last. */
  readonly script?: string;
}

/**
 * A number in a form in which its spellings are the same: `+8621…`, `8621…`, `008621…` and `021…` all become `21…`.
 * Only for comparing numbers that are known to be ours.
 */
export function comparable(number: string): string {
  const digits = number.replaceAll(/\D/g, '').replace(/^00/, '');
  const national = digits.length > 10 && digits.startsWith('86') ? digits.slice(2) : digits;
  return national.replace(/^0/, '');
}

/** Whether a called number is one of `own`. */
export function isOwn(called: string, own: ReadonlySet<string>): boolean {
  return own.has(comparable(called));
}

/** The routes that take a call, in the order in which they are tried. */
export function routesFor(
  routes: readonly InboundRoute[],
  call: { readonly called: string; readonly trunk: string },
): readonly InboundRoute[] {
  const called = comparable(call.called);
  return routes.filter(
    ({ numbers, trunk }) =>
      (trunk === undefined || trunk === call.trunk) &&
      numbers.some((pattern) =>
        pattern.endsWith('*')
          ? pattern === '*' || called.startsWith(comparable(pattern))
          : called === comparable(pattern),
      ),
  );
}
