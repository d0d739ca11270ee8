import { Writable } from 'node:stream';
import { createLog } from '#platform/log.ts';
import type { Log } from '#platform/log.ts';

/** One line of the log as it was written, masked. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string };

/** A real log whose lines of level warn and error, or from `level` on, can be read. */
export function openLogLines(level: 'info' | 'warn' = 'warn'): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      for (const line of chunk.toString().split('\n')) if (line !== '') lines.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  return { log: createLog({ level, destination }), lines };
}
