/** A length of time as `m:ss`, or `h:mm:ss` from an hour on; negative counts as zero. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const s = String(seconds % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/** As `clockText` with tenths of a second, for positions within a call. */
export function positionText(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  return `${clockText(ms)}.${tenths % 10}`;
}
