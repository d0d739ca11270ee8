import { expect, it } from 'vitest';
import { parseBack } from './back.ts';

it('goes back to own pages only', () => {
  expect(parseBack({ back: '/calls?outcome=busy' })).toEqual({ back: '/calls?outcome=busy' });
  const others = ['//evil.example', '/\\evil.example', 'https://evil.example', '/sign-in', 5, undefined];
  expect(others.map((back) => parseBack({ back }))).toEqual(others.map(() => ({})));
});
