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

test('a stream that goes on from another port of the same address is followed after half a second of silence', () => {
  const locked = () => {
    const latch = new SourceLatch();
    latch.expect('192.0.2.1', 4000);
    for (const atMs of [0, 1500, 2000]) latch.admit('192.0.2.1', 4000, atMs);
    return latch;
  };
  const tries = [
    // nowMs, address, goes on, authentic, followed
    [2600, '192.0.2.1', true, false, true],
    [2400, '192.0.2.1', true, false, false],
    [2600, '192.0.2.1', false, false, false],
    [2600, '203.0.113.9', true, false, false],
    [2600, '203.0.113.9', true, true, true],
    [2600, '203.0.113.9', false, true, false],
  ] as const;
  for (const [nowMs, address, goesOn, authentic, followed] of tries) {
    const latch = locked();
    expect(latch.admit(address, 5000, nowMs, goesOn, authentic)).toBe(followed);
    expect([latch.address, latch.port]).toEqual(followed ? [address, 5000] : ['192.0.2.1', 4000]);
    expect(latch.strangers).toBe(followed ? 0 : 1);
  }
});
