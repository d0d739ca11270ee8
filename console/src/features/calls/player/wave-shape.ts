/** The highest peak of each of `count` equal stretches, 0–1; shorter material is stretched. */
export function columnsOf(peaks: readonly number[], count: number): readonly number[] {
  return Array.from({ length: count }, (_, column) => {
    const from = Math.floor((column * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((column + 1) * peaks.length) / count));
    return peaks.slice(from, to).reduce((highest, peak) => Math.max(highest, peak), 0) / 255;
  });
}

/** An SVG outline over a middle line at 0: `up` draws above it, else below; 1 is full height. */
export function outlineOf(columns: readonly number[], height: number, up: boolean): string {
  const sign = up ? -1 : 1;
  const points = columns.map((level, x) => `L${x} ${(sign * Math.max(level, 0.012) * height).toFixed(2)}`);
  return `M0 0${points.join('')}L${columns.length} 0Z`;
}
