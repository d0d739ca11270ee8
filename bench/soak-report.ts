import { printFigure } from './figure.ts';
import type { FromSoakPlatform, SoakSample, SoakSettings } from './soak-protocol.ts';
import { slopePerHour } from './soak-watch.ts';

const MIB = 2 ** 20;
const TENTHS = 10;
/** Behind this part of the run caches are full, code is compiled and the first transactions have ended. */
const WARM_SHARE = 0.2;
/** What live memory may gain an hour, beyond what chance explains (two standard errors). */
const MAX_SLOPE_MIB = 1;
const MAX_GROWTH_RATIO = 1.05;
/** Used memory of a worker holds garbage: the least of so many samples in a row comes near what is live. */
const FLOOR_SAMPLES = 12;

/** Prints what a soak found, one JSON line a figure; false where something is left behind or a target is missed. */
export function reportSoak(run: {
  readonly settings: SoakSettings;
  readonly samples: readonly SoakSample[];
  readonly end: Extract<FromSoakPlatform, { type: 'end' }>;
  readonly logged: { readonly errors: number; readonly warnings: number; readonly other: number };
  readonly far: Readonly<Record<string, number>>;
  readonly farCpuSeconds: number | undefined;
}): boolean {
  const { settings, end, logged, far } = run;
  const { base, after, tally } = end;
  const loaded = run.samples.filter((sample) => sample.atMs <= settings.seconds * 1000 + settings.sampleMs / 2);
  let whole = true;
  const figure = (name: string, value: number | undefined, unit: string, target?: number): void => {
    if (value === undefined) return;
    if (target !== undefined && value > target) whole = false;
    printFigure({ bench: 'soak', figure: name, value, unit, ...(target === undefined ? {} : { target }) });
  };

  figure('calls placed', tally.placed, 'calls');
  figure('calls answered', tally.answered, 'calls');
  figure('calls recorded', tally.recorded, 'calls');
  figure('calls that could not be placed', tally.failed, 'calls', 0);
  figure('calls without an end', tally.placed - tally.finished - tally.failed, 'calls', 0);
  for (const [kind, count] of Object.entries(tally.ends).toSorted(([, a], [, b]) => b - a))
    figure(`ended: ${kind}`, count, 'calls');
  for (const [name, count] of Object.entries(far))
    figure(`far end: ${name}`, count, name.startsWith('packets') ? 'packets' : 'calls');
  figure('calls at once, most', Math.max(...loaded.map((sample) => sample.liveCalls)), 'calls');
  figure('packets sent', tally.packetsSent, 'packets');
  figure('frames not sent in the time talked', tally.talkMs / 20 - tally.packetsSent, 'frames');
  figure('errors logged', logged.errors, 'lines', 0);
  figure('warnings and other lines', logged.warnings + logged.other, 'lines');
  figure('CPU', end.cpuSeconds / settings.seconds, 'cores');
  if (run.farCpuSeconds !== undefined) figure('CPU of the far end', run.farCpuSeconds / settings.seconds, 'cores');

  const left = (name: string, of: (sample: SoakSample) => number | undefined, unit: string): void => {
    const before = of(base);
    const behind = of(after);
    if (before === undefined || behind === undefined) return;
    figure(`${name}, most`, Math.max(...loaded.map((sample) => of(sample) ?? 0)), unit);
    figure(`${name} left behind`, behind - before, unit, 0);
  };
  left('sockets', (sample) => sample.sockets, 'descriptors');
  left('UDP ports', (sample) => sample.udpPorts, 'ports');
  left('open files', (sample) => sample.openFiles, 'descriptors');
  left('other descriptors', (sample) => sample.otherFds, 'descriptors');
  left('timers', (sample) => sample.timers, 'timers');
  left('other resources', (sample) => sample.otherResources, 'resources');
  left('dialogs', (sample) => sample.calls, 'dialogs');
  left('transactions', (sample) => sample.transactions, 'transactions');
  left('phrases pending', (sample) => sample.phrases, 'phrases');
  left('recordings on the disk', (sample) => sample.files, 'files');
  left('recordings being written', (sample) => sample.parts, 'files');
  figure('files left behind', end.filesLeft, 'files', 0);
  figure('workers that did not end by themselves', end.workerExits.filter((code) => code !== 0).length, 'workers', 0);

  figure('live memory of the main thread before the first call', base.mainBytes / MIB, 'MiB');
  figure('live memory of the main thread behind the last', after.mainBytes / MIB, 'MiB');
  const warm = loaded.slice(Math.floor(loaded.length * WARM_SHARE));
  figure('live memory of the main thread', (warm.at(-1)?.mainBytes ?? 0) / MIB, 'MiB');
  slope(
    'live memory of the main thread',
    warm.map(({ atMs, mainBytes }) => ({ atMs, value: mainBytes / MIB })),
  );
  for (const index of base.workerBytes.keys()) {
    const floors = floorsOf(warm.map(({ atMs, workerBytes }) => ({ atMs, value: (workerBytes[index] ?? 0) / MIB })));
    figure(`used memory of worker ${index}, least`, floors.at(-1)?.value, 'MiB');
    slope(`used memory of worker ${index}`, floors);
  }
  const tenths = Array.from({ length: TENTHS }, (_, tenth) =>
    median(
      loaded.flatMap(({ atMs, residentBytes }) =>
        Math.min(TENTHS - 1, Math.floor((atMs * TENTHS) / (settings.seconds * 1000))) === tenth ? residentBytes : [],
      ),
    ),
  );
  for (const [tenth, bytes] of tenths.entries())
    if (bytes !== undefined) figure(`resident memory, tenth ${tenth + 1}`, bytes / MIB, 'MiB');
  const [, second] = tenths;
  const last = tenths.at(-1);
  if (second !== undefined && last !== undefined)
    figure('resident memory, last to second tenth', last / second, 'ratio', MAX_GROWTH_RATIO);
  return whole;

  function slope(name: string, points: readonly { readonly atMs: number; readonly value: number }[]): void {
    const line = slopePerHour(points);
    if (line === undefined) return;
    figure(`${name}, gain an hour`, line.slope, 'MiB/h');
    figure(`${name}, standard error`, line.error, 'MiB/h');
    figure(`${name}, gain beyond chance`, Math.max(0, line.slope - 2 * line.error), 'MiB/h', MAX_SLOPE_MIB);
  }
}

/** The least of every so many points. */
function floorsOf(
  points: readonly { readonly atMs: number; readonly value: number }[],
): readonly { readonly atMs: number; readonly value: number }[] {
  return Array.from({ length: Math.floor(points.length / FLOOR_SAMPLES) }, (_, index) => {
    const group = points.slice(index * FLOOR_SAMPLES, (index + 1) * FLOOR_SAMPLES);
    return group.reduce((least, point) => (point.value < least.value ? point : least));
  });
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
