import { availableParallelism, cpus, totalmem } from 'node:os';

/** Where a figure was measured: absolute figures mean nothing without it. */
export function machine(): string {
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, ${memoryGib} GiB, Node ${process.versions.node}`;
}

/** Prints one JSON line. A target is an upper bound unless `atLeast`. */
export function printFigure(options: {
  readonly bench: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: number;
  readonly atLeast?: boolean;
}): void {
  const { bench, figure, unit, target } = options;
  const value = Number(options.value.toPrecision(4));
  const met = target === undefined ? undefined : options.atLeast === true ? value >= target : value <= target;
  process.stdout.write(`${JSON.stringify({ bench, figure, value, unit, target, met, machine: machine() })}\n`);
}
