import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SampleReport } from '#bin/sample/report.ts';
import { sampleContacts } from '#simulator/sample-data.ts';
import { expectGone, openScratchDirectory, waihu } from '../support/waihu-process.ts';

const CONTACTS = 14;
const SEED = 3;

test.skipIf(process.platform !== 'linux')(
  'a small sample judges itself, prints one JSON object and leaves nothing behind',
  { timeout: 170_000 },
  async () => {
    const temporary = openScratchDirectory();
    const size = ['--contacts', String(CONTACTS), '--concurrency', '14', '--seed', String(SEED)];
    const result = await waihu(['sample', '--json', ...size], { environment: { TMPDIR: temporary } });
    const report = JSON.parse(result.stdout) as SampleReport;
    expect({ mismatches: report.mismatches, code: result.code }).toEqual({ mismatches: report.mismatches, code: 0 });
    expect(report.passed).toBe(true);

    const made = sampleContacts(CONTACTS, SEED);
    expect(report.contacts).toBe(CONTACTS);
    expect(report.rejected).toBe(made.invalid + made.duplicates);
    expect(report.imported).toBe(made.importable);
    expect(report.attempts).toBeGreaterThanOrEqual(report.calls);
    expect(report.calls).toBeGreaterThan(0);
    expect(report.recordings).toBe(report.calls);
    expect(sum(report.grades)).toBe(made.importable);
    expect(report.outcomes).toEqual(report.expected.outcomes);
    expect(sum(report.expected.grades)).toBe(made.importable);
    expect(report.maxConcurrentCalls).toBeGreaterThan(1);
    expect(report.maxConcurrentCalls).toBeLessThanOrEqual(14);
    expect(report.durationMs).toBeGreaterThan(0);
    expect(report.turnLatencyMs.p50).toBeGreaterThan(0);
    expect(report.turnLatencyMs.p95).toBeGreaterThanOrEqual(report.turnLatencyMs.p50 ?? 0);

    await expectGone([temporary, result.mark]);
    expect(readdirSync(temporary).filter((name) => name.startsWith('waihu-'))).toEqual([]);
  },
);

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
