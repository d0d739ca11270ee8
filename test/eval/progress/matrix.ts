/** Confusion matrices as Markdown. */

/** What was expected of a case and what came of it. */
export interface Judged {
  readonly expected: string;
  readonly got: string;
  readonly line: string;
}

/** Share of what was recognised as expected, 0–1. */
export function recall(judged: readonly Judged[]): number {
  return judged.filter(({ expected, got }) => expected === got).length / Math.max(1, judged.length);
}

/** Rows by what was expected, with what else was heard, recall and precision; or rows by `group` with recall alone. */
export function matrix(judged: readonly Judged[], group?: (one: Judged) => string): string {
  const rows = Map.groupBy(judged, group ?? (({ expected }) => expected));
  const lines = [...rows].map(([row, of]) => {
    const right = of.filter(({ expected, got }) => expected === got).length;
    const wrong = Map.groupBy(
      of.filter(({ expected, got }) => expected !== got),
      ({ expected, got }) => (group === undefined ? got : `${expected} → ${got}`),
    );
    const others = [...wrong]
      .toSorted((a, b) => b[1].length - a[1].length)
      .map(([got, list]) => `${got} ${list.length}`);
    const said = judged.filter(({ got }) => got === row);
    const precision = group === undefined ? ` ${percent(recall(said))} |` : '';
    return `| ${row} | ${right} of ${of.length} | ${others.join(', ')} | ${percent(right / of.length)} |${precision}`;
  });
  const head = group === undefined ? ['expected', 'precision |'] : ['line', ''];
  return [
    `| ${head[0]} | right | taken for | recall | ${head[1]}`,
    `| --- | --- | --- | --- |${group === undefined ? ' --- |' : ''}`,
    ...lines,
  ].join('\n');
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
