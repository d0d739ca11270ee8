/** Minutes from midnight as `HH:MM`; 1440 is `24:00`. */
export function clockOfMinute(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** Minutes from midnight of `H:MM` or `HH:MM` (also with a full-width colon), at most `24:00`; undefined for anything else. */
export function minuteOfClock(text: string): number | undefined {
  const match = /^\s*(\d{1,2})\s*[:：]\s*(\d{2})\s*$/.exec(text);
  if (match === null) return undefined;
  const minute = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) < 60 && minute <= 1440 ? minute : undefined;
}
