import { describe, expect, it } from 'vitest';
import { queryString } from '../../api/query-string.ts';
import { callQuery, parseCallSearch } from './call-search.ts';

describe('call filters in the address', () => {
  it('keeps what makes sense and drops the rest', () => {
    expect(
      parseCallSearch({
        outcome: 'busy',
        phone: 13800000000,
        from: '2026-02-30',
        to: '2026-03-01',
        minTalkSeconds: 'x',
        a: 1,
      }),
    ).toEqual({ outcome: 'busy', phone: '13800000000', to: '2026-03-01' });
    expect(parseCallSearch({ outcome: '', minTalkSeconds: '5' })).toEqual({ minTalkSeconds: 5 });
  });

  it('takes whole days of the browser’s time zone', () => {
    const query = callQuery({ from: '2026-03-01', to: '2026-03-01', grade: 'A' });
    expect(query).toEqual({
      grade: 'A',
      from: new Date(2026, 2, 1).toISOString(),
      to: new Date(2026, 2, 2).toISOString(),
    });
  });

  it('asks for nothing that is not set', () => {
    expect(queryString({ a: undefined, b: '', c: 0, d: 'x y' })).toBe('?c=0&d=x+y');
    expect(queryString({})).toBe('');
  });
});
