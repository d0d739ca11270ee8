import { expect, test } from 'vitest';
import { SourceLatch } from './latch.ts';

test('the first source is locked and strangers are counted', () => {
  const latch = new SourceLatch();
  latch.expect('192.0.2.1', 4000);
  expect(latch.admit('198.51.100.7', 5000, 0)).toBe(true);
  expect(latch.admit('203.0.113.9', 5000, 10)).toBe(false);
  expect(latch.admit('198.51.100.7', 5002, 10)).toBe(false);
  expect(latch).toMatchObject({ address: '198.51.100.7', port: 5000, strangers: 2 });
});

test('the signalled address takes its stream back within a second, not later', () => {
  for (const [afterMs, taken] of [
    [900, true],
    [1100, false],
  ] as const) {
    const latch = new SourceLatch();
    latch.expect('192.0.2.1', 4000);
    latch.admit('203.0.113.9', 6000, 0);
    expect(latch.admit('192.0.2.1', 4000, afterMs)).toBe(taken);
  }
});

test('a new signalled address opens the lock, the same one does not', () => {
  const latch = new SourceLatch();
  latch.expect('192.0.2.1', 4000);
  latch.admit('198.51.100.7', 5000, 0);
  latch.expect('192.0.2.1', 4000);
  expect(latch.latched).toBe(true);
  latch.expect('192.0.2.1', 4002);
  expect(latch).toMatchObject({ latched: false, address: '192.0.2.1', port: 4002 });
});
