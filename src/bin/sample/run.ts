import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '#platform/clock.ts';
import { OUTCOME_LABELS } from '#outcomes/labels.ts';
import { SAMPLE_SEED, sampleContacts } from '#simulator/sample-data.ts';
import type { Terminal } from '../cli/terminal.ts';
import type { Platform } from '../runtime/platform.ts';
import { sampleSettings, startSampleCampaign } from './campaign.ts';
import { reportSample } from './report.ts';
import type { SampleReport } from './report.ts';
import { watchCampaign } from './watch.ts';

const SHIPPED = new URL('../../../examples/sample/', import.meta.url);
export const DEFAULT_CONCURRENCY = 45;
export { SAMPLE_SEED };

/** Runs the sample campaign on a platform whose trunk `simulator` is a simulator with this log; undefined when stopped. */
export async function runSample(
  platform: Platform,
  o: {
    readonly clock: Clock;
    readonly terminal: Terminal;
    readonly contacts: number | undefined;
    readonly concurrency: number;
    readonly seed: number;
    readonly simulatorLog: string;
    readonly signal: AbortSignal;
  },
): Promise<SampleReport | undefined> {
  const files = await filesOf(o.contacts, o.seed, platform.directories.data);
  const startedMs = o.clock.monotonicMs();
  const { campaignId, report } = await startSampleCampaign(platform, {
    clock: o.clock,
    name: o.terminal.text({ zh: '示例：信用卡还款提醒', en: 'Sample: credit card reminder' }),
    ...files,
    settings: sampleSettings(o.concurrency),
  });
  const watched = await watchCampaign(platform, {
    campaignId,
    clock: o.clock,
    signal: o.signal,
    onProgress: (counts, live) => {
      const { pending, dialing, waiting, done } = counts.leads;
      const answered = counts.outcomes.answered ?? 0;
      const detail = {
        zh: `通话中 ${live}  ${OUTCOME_LABELS.answered.zh} ${answered}`,
        en: `${live} in call  ${answered} ${OUTCOME_LABELS.answered.en.toLowerCase()}`,
      };
      o.terminal.progress(
        { zh: '示例任务', en: 'Sample campaign' },
        done,
        pending + dialing + waiting + done,
        o.terminal.text(detail),
      );
    },
  });
  o.terminal.endProgress();
  if (!watched.finished) return undefined;
  return reportSample(platform, {
    campaignId,
    imported: report,
    logFile: o.simulatorLog,
    maxConcurrentCalls: watched.maxConcurrentCalls,
    durationMs: o.clock.monotonicMs() - startedMs,
    suppressed: files.suppressed,
  });
}

/** The shipped files, or generated ones of another size or seed. */
async function filesOf(
  contacts: number | undefined,
  seed: number,
  directory: string,
): Promise<{ readonly contactsFile: string; readonly suppressedFile: string; readonly suppressed: number }> {
  const shipped = contacts === undefined;
  const made = sampleContacts(contacts ?? 200, shipped ? SAMPLE_SEED : seed);
  if (shipped) {
    return {
      contactsFile: fileURLToPath(new URL('contacts.csv', SHIPPED)),
      suppressedFile: fileURLToPath(new URL('suppressed.csv', SHIPPED)),
      suppressed: made.suppressed.length,
    };
  }
  const contactsFile = join(directory, 'sample-contacts.csv');
  const suppressedFile = join(directory, 'sample-suppressed.csv');
  await writeFile(contactsFile, csv([made.columns, ...made.rows]));
  await writeFile(suppressedFile, csv(made.suppressed.map((number) => [number])));
  return { contactsFile, suppressedFile, suppressed: made.suppressed.length };
}

function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
