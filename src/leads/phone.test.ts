import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePhone } from './phone.ts';

const mobile = fc
  .tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([second, rest]) => `1${second}${String(rest).padStart(9, '0')}`);

function numberOf(raw: string, region?: string): string {
  const parsed = parsePhone(raw, region);
  return parsed.ok ? parsed.phone : `refused: ${parsed.reason.en}`;
}

describe('parsePhone', () => {
  it('reads every mainland mobile however it is written', () => {
    const prefix = fc.constantFrom('', '+86', '0086', '086', '86', '0', '＋86 ', '+86-', '(+86)', '00 86 ');
    const dress = fc.constantFrom(
      (n: string) => n,
      (n: string) => `${n.slice(0, 3)} ${n.slice(3, 7)} ${n.slice(7)}`,
      (n: string) => `${n.slice(0, 3)}-${n.slice(3, 7)}-${n.slice(7)}`,
      (n: string) => `${n.slice(0, 3)}.${n.slice(3, 7)}.${n.slice(7)}`,
      (n: string) =>
        n
          .split('')
          .map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))
          .join(''),
    );
    const wrap = fc.constantFrom(
      (n: string) => n,
      (n: string) => ` ${n}\u00a0`,
      (n: string) => `'${n}`,
      (n: string) => `="${n}"`,
      (n: string) => `\u202d${n}\u202c`,
      (n: string) => `tel:${n}`,
    );
    fc.assert(
      fc.property(mobile, prefix, dress, wrap, (number, before, dressed, wrapped) => {
        expect(parsePhone(wrapped(before + dressed(number)))).toEqual({
          ok: true,
          phone: `+86${number}`,
          timeZone: 'Asia/Shanghai',
        });
      }),
    );
  });

  it('answers every text with a number in E.164 or with a reason in both languages', () => {
    const noise = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[-+0-9 ().eE转x#'/]{0,24}$/));
    fc.assert(
      fc.property(noise, fc.constantFrom('CN', 'US', 'DE', 'XX'), (raw, region) => {
        const parsed = parsePhone(raw, region);
        // What was made once is read again as the same number.
        const sound = parsed.ok
          ? /^\+\d{3,15}$/.test(parsed.phone) && JSON.stringify(parsePhone(parsed.phone)) === JSON.stringify(parsed)
          : /\p{Script=Han}/u.test(parsed.reason.zh) && /[a-z]/.test(parsed.reason.en);
        expect({ parsed, sound }).toMatchObject({ sound: true });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['010-62345678', '+861062345678'],
    ['(010)62345678', '+861062345678'],
    ['+86 755 2654 3210', '+8675526543210'],
    ['0573-82345678', '+8657382345678'],
    ['95588', '+8695588'],
    ['400-812-3123', '+864008123123'],
    ['8008108888', '+868008108888'],
    ['13800138000.0', '+8613800138000'],
    ['001 650 253 0000', '+16502530000'],
    ['+852 2123 4567', '+85221234567'],
  ])('reads %s', (raw, phone) => {
    expect(numberOf(raw)).toBe(phone);
  });

  it.each([
    ['1.38E+10', 'scientific notation'],
    ['1.3800138E10', 'scientific notation'],
    ['13800138000/13900139000', 'several numbers'],
    ['13800138000、13900139000', 'several numbers'],
    ['010-62345678-801', 'extension'],
    ['010-62345678转801', 'extension'],
    ['17012345678 x12', 'extension'],
    ['62345678', 'area code'],
    ['1380013800', '11 digits'],
    ['138001380000', '11 digits'],
    ['12345678901', '13 to 19'],
    ['110', 'too short'],
    ['1380013800O', 'characters'],
    ['不详', 'not a valid'],
    ['+1 234', 'not a valid'],
    ['  ', 'no phone number'],
  ])('refuses %s and says why', (raw, why) => {
    expect(numberOf(raw)).toContain(why);
  });

  it('gives a zone only where the number makes it certain', () => {
    const zoneOf = (raw: string): string | undefined => {
      const parsed = parsePhone(raw);
      return parsed.ok ? parsed.timeZone : 'refused';
    };
    expect(zoneOf('+442079460958')).toBe('Europe/London');
    expect(zoneOf('+85221234567')).toBe('Asia/Hong_Kong');
    expect(zoneOf('+16502530000')).toBeUndefined();
  });

  it('reads national numbers of another region', () => {
    expect(numberOf('030 901820', 'DE')).toBe('+4930901820');
    expect(numberOf('13800138000', 'US')).toContain('refused');
  });
});
