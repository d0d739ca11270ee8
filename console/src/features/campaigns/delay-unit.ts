/** A delay in the largest unit that holds it without a rest. */
export function delayUnit(seconds: number): {
  readonly unit: 'hours' | 'minutes' | 'seconds';
  readonly value: number;
} {
  if (seconds % 3600 === 0) return { unit: 'hours', value: seconds / 3600 };
  if (seconds % 60 === 0) return { unit: 'minutes', value: seconds / 60 };
  return { unit: 'seconds', value: seconds };
}
