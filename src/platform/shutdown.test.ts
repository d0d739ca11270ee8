import { expect, test } from 'vitest';
import { ManualClock } from './clock.ts';
import { watchSignals } from './shutdown.ts';

test('a first SIGTERM drains, the next signal stops, the one after that forces', () => {
  const clock = new ManualClock();
  const heard: string[] = [];
  const end = watchSignals({
    clock,
    drain: () => void heard.push('drain'),
    graceful: (signal) => void heard.push(signal),
    forced: () => void heard.push('forced'),
  });
  for (let i = 0; i < 4; i++) {
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    clock.advance(1000);
  }
  end();
  expect(heard).toEqual(['drain', 'SIGTERM', 'forced', 'forced']);
});

test('copies of one Ctrl-C ask once, a later one forces', () => {
  const clock = new ManualClock();
  const heard: string[] = [];
  const stop = watchSignals({
    clock,
    graceful: (signal) => void heard.push(signal),
    forced: () => void heard.push('forced'),
  });
  process.emit('SIGINT', 'SIGINT');
  clock.advance(300);
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  expect(heard).toEqual(['SIGINT']);
  clock.advance(1000);
  process.emit('SIGINT', 'SIGINT');
  expect(heard).toEqual(['SIGINT', 'forced']);
  stop();
  expect(process.listenerCount('SIGHUP')).toBe(0);
});
