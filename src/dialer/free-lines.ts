import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { DialCampaign, OfferedLines } from './dial-store.ts';
import type { DueLead } from './lead-sql.ts';

/** Lines that a round of taking leads may still use. */
export interface FreeLines {
  /** Attempts that the campaign may have more. */
  readonly campaign: number;
  /** What is left on all trunks together. */
  total(): number;
  /**
   * Takes a line for the lead: the first that has room and takes its number, another one than that of its latest dial
   * where that failed by the trunk.
   */
  take(lead: Pick<DueLead, 'phone' | 'avoid'>): OfferedLines | undefined;
}

/** Lines that the campaign and its trunks still have, from the attempts open on all nodes. */
export async function freeLines(
  trx: Transaction<unknown>,
  campaign: DialCampaign,
  lines: readonly OfferedLines[],
): Promise<FreeLines> {
  const result = await sql<{ trunk: string; open: number; own: number }>`
    SELECT used.trunk, count(*)::int AS open,
      count(*) FILTER (WHERE nth = 1 AND campaign_id = ${campaign.id}::uuid AND direction = 'outbound')::int AS own
    FROM attempts a, unnest(a.trunk || a.second_trunks) WITH ORDINALITY AS used (trunk, nth)
    WHERE state = 'open' GROUP BY used.trunk`.execute(trx);
  const open = new Map(result.rows.map((row) => [row.trunk, row.open]));
  const own = result.rows.reduce((sum, row) => sum + row.own, 0);
  const left = new Map(
    lines.map((one) => [one, Math.max(0, Math.min(one.free, one.channels - (open.get(one.trunk) ?? 0)))]),
  );
  return {
    campaign: campaign.settings.maxConcurrentCalls - own,
    total: () => [...left.values()].reduce((sum, one) => sum + one, 0),
    take({ phone, avoid }) {
      const fits = lines.filter((one) => (left.get(one) ?? 0) > 0 && one.takes?.test(phone) !== false);
      const line = fits.find(({ trunk }) => trunk !== avoid) ?? fits[0];
      if (line !== undefined) left.set(line, (left.get(line) ?? 0) - 1);
      return line;
    },
  };
}
