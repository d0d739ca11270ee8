import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CampaignSettings, Weekday } from '#domain/campaign.ts';
import type { ImportReport } from '#domain/contact.ts';
import type { CampaignId } from '#domain/ids.ts';
import type { Clock } from '#platform/clock.ts';
import { importSuppressions } from '#compliance/suppression.ts';
import { addLeadsFromImport, changeState, createCampaign } from '#campaigns/store.ts';
import { findByKey } from '#dialog/store.ts';
import { importContacts } from '#leads/import.ts';
import { parsePhone } from '#leads/phone.ts';
import type { Platform } from '../runtime/platform.ts';

export const SAMPLE_SCRIPT = 'credit-card-reminder';
export const SAMPLE_TRUNK = 'simulator';
export const SAMPLE_CALLER = '01000000000';

const SECONDS_TO_REDIAL = [
  'busy',
  'no-answer',
  'rejected',
  'powered-off',
  'out-of-coverage',
  'unreachable',
  'congestion',
  'voicemail',
  'call-assistant',
  'lost',
  'cancelled',
] as const;

/** A sample must run at any hour, so its windows are always open; its redials come after seconds instead of hours. */
export function sampleSettings(concurrency: number): CampaignSettings {
  return {
    windows: ([1, 2, 3, 4, 5, 6, 7] as Weekday[]).map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 })),
    redial: SECONDS_TO_REDIAL.map((outcome) => ({
      outcome,
      delaysSeconds: outcome === 'congestion' ? [2] : [4, 8],
      maxRetries: outcome === 'lost' ? 5 : 2,
    })),
    maxAttempts: 4,
    dailyCap: 20,
    // Tomorrow's call-backs are kept with the calls; the sample ends today.
    callBacks: 'record',
    maxConcurrentCalls: concurrency,
    maxCallsPerSecond: 15,
    ringTimeoutMs: 20_000,
    trunk: SAMPLE_TRUNK,
    callerNumber: SAMPLE_CALLER,
  };
}

/** Imports the sample's suppression list and contacts and starts its campaign. */
export async function startSampleCampaign(
  platform: Platform,
  o: {
    readonly clock: Clock;
    readonly name: string;
    readonly contactsFile: string;
    readonly suppressedFile: string;
    readonly settings: CampaignSettings;
  },
): Promise<{ readonly campaignId: CampaignId; readonly report: ImportReport }> {
  const { db, pool } = platform.database;
  await importSuppressions(db, { phones: await phonesOf(o.suppressedFile), note: 'sample' });
  const report = await importContacts({
    db,
    pool,
    source: createReadStream(o.contactsFile),
    fileName: 'contacts.csv',
    mapping: undefined,
    rejectedFile: join(platform.directories.imports, 'sample-rejected.csv'),
    clock: o.clock,
  });
  const script = await findByKey(db, SAMPLE_SCRIPT);
  if (script === undefined) throw new Error('the sample script is not published');
  const campaign = await createCampaign(db, {
    name: o.name,
    scriptId: script.id,
    settings: o.settings,
    now: o.clock.now(),
  });
  await addLeadsFromImport(db, platform.bus, { campaignId: campaign.id, importId: report.id, now: o.clock.now() });
  await changeState(db, platform.bus, { id: campaign.id, action: 'start', now: o.clock.now() });
  return { campaignId: campaign.id, report };
}

async function phonesOf(file: string) {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  return lines.flatMap((line) => {
    const parsed = parsePhone(line.split(',')[0] ?? '');
    return parsed.ok ? [parsed.phone] : [];
  });
}
