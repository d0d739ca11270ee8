declare const e164: unique symbol;

/** A number in E.164 form with its plus, for example `+8613800000000`; made only by `#leads/phone.ts`. */
export type PhoneNumber = string & { readonly [e164]: true };

/** Hides all but the country code's end and the last four digits, for every place that need not know who it is. */
export function maskPhone(phone: string): string {
  const digits = phone.replace(/^\+/, '');
  if (digits.length <= 4) return '*'.repeat(digits.length);
  const head = phone.startsWith('+86') ? '+86' : phone.slice(0, phone.startsWith('+') ? 2 : 0);
  const rest = phone.slice(head.length);
  const visible = rest.length >= 11 ? rest.slice(0, 3) : '';
  return `${head}${visible}${'*'.repeat(Math.max(0, rest.length - visible.length - 4))}${rest.slice(-4)}`;
}
