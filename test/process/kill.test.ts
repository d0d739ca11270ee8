import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import type { CampaignView, ImportView } from '#domain/api.ts';
import { sampleSettings } from '#bin/sample/campaign.ts';
import { readServerFile } from '#bin/runtime/server-file.ts';
import { readCallLog } from '#simulator/call-log.ts';
import { randomFor } from '#simulator/random.ts';
import { contactsCsv, sampleContacts } from '#simulator/sample-data.ts';
import { jsonOf, serveIn, simulatedTrunk } from '../support/simulated-trunk.ts';
import { expectGone, openScratchDirectory } from '../support/waihu-process.ts';

/** How often the platform is killed and how many people it calls: more than by default where somebody waits for it. */
const KILLS = Number(process.env['WAIHU_KILLS'] ?? 2);
const CONTACTS = Number(process.env['WAIHU_KILL_CONTACTS'] ?? 24);
const SEED = Number(process.env['WAIHU_KILL_SEED'] ?? 11);
const LIMIT_MS = 170_000 + KILLS * 60_000;

test.skipIf(process.platform !== 'linux')(
  `a campaign that is killed ${KILLS} times dials nobody twice and forgets nobody`,
  { timeout: LIMIT_MS },
  async () => {
    const home = openScratchDirectory();
    const { simulator, log, data } = await simulatedTrunk(home, { seed: SEED, pace: 0.15 });
    const sample = sampleContacts(CONTACTS, SEED);
    writeFileSync(path.join(home, 'contacts.csv'), contactsCsv(sample));
    const settings = { ...sampleSettings(30), trunk: 'carrier', ringTimeoutMs: 10_000 };
    writeFileSync(path.join(home, 'settings.json'), JSON.stringify(settings));
    let server = await serveIn(home);
    const imported = await jsonOf<ImportView>(home, ['import', 'contacts.csv']);
    expect(imported.imported).toBe(sample.importable);
    const create = `campaign create killed --script credit-card-reminder --import ${imported.id} --trunk carrier`;
    const created = await jsonOf<CampaignView>(home, [...create.split(' '), '--settings', 'settings.json', '--start']);
    expect(created.state).toBe('running');

    const random = randomFor('kills', SEED);
    const kept = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      const lines = readCallLog(log).length + random.integer(14, 36);
      // In mid-campaign, at a moment that differs by the seed and yet needs no guess about this machine's speed.
      await expect.poll(() => readCallLog(log).length, { timeout: 90_000, interval: 5 }).toBeGreaterThanOrEqual(lines);
      server.killGroup();
      // Every second time the database dies with it; else its server is left behind, as by a kill of waihu alone.
      if (kill % 2 === 1) process.kill(postmasterOf(data), 'SIGKILL');
      await server.exited;
      for (const file of recordingsIn(data)) kept.add(file);
      server = await serveIn(home);
      expect((await view(data, created.id)).state).toBe('running');
    }
    await expect
      .poll(async () => (await view(data, created.id)).state, { timeout: LIMIT_MS - 20_000, interval: 250 })
      .toBe('finished');
    const facts = await factsOf(data, created.id);

    expect(facts.leads.map(({ state }) => state)).toEqual(sample.importable === 0 ? [] : facts.leads.map(() => 'done'));
    expect(facts.leads).toHaveLength(sample.importable);
    expect(facts.attempts.every(({ state }) => state === 'ended')).toBe(true);
    for (const lead of facts.leads) {
      const own = facts.attempts.filter(({ lead_id }) => lead_id === lead.id);
      expect(own.map(({ number }) => number)).toEqual(own.map((_, index) => index + 1));
      // Who asked not to be called, in a call that a kill cut off, is not dialled again.
      const last = lead.last_outcome === 'suppressed' ? 'lost' : lead.last_outcome;
      expect(own.at(-1)?.outcome).toBe(last);
      // Whatever was ended by a kill was dialled again, and nobody was dialled after a conversation.
      expect(own.findIndex(({ outcome }) => outcome === 'answered')).toBe(
        lead.last_outcome === 'answered' ? own.length - 1 : -1,
      );
    }
    const invites = readCallLog(log).flatMap((line) => (line.type === 'invite' ? [line] : []));
    expect(new Set(invites.map(({ callId }) => callId)).size).toBe(invites.length);
    const attempts = new Map(facts.attempts.map((attempt) => [attempt.id, attempt]));
    for (const { callId, phone } of invites) expect(`+${phone}`).toBe(attempts.get(callId)?.phone);
    const invited = new Set(invites.map(({ callId }) => callId));
    const undialled = facts.attempts.filter(({ id }) => !invited.has(id));
    expect(undialled.every(({ outcome }) => outcome === 'lost')).toBe(true);
    const lost = facts.attempts.filter(({ outcome }) => outcome === 'lost');
    expect(lost.length).toBeGreaterThan(0);

    const files = new Set(recordingsIn(data));
    expect([...kept].filter((file) => !files.has(file))).toEqual([]);
    const recorded = facts.calls.flatMap(({ path: file }) => (file === null ? [] : [file]));
    expect(recorded.filter((file) => !files.has(file))).toEqual([]);
    expect(facts.calls.filter(({ outcome }) => outcome === 'answered').every(({ path: file }) => file !== null)).toBe(
      true,
    );

    server.signal('SIGTERM');
    simulator.signal('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await simulator.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, server.mark, simulator.mark]);
  },
);

async function view(data: string, id: string): Promise<CampaignView> {
  const server = readServerFile(data);
  const response = await fetch(`${server?.url}/api/campaigns/${id}`, {
    headers: { authorization: `Bearer ${server?.token}` },
  });
  return (await response.json()) as CampaignView;
}

function postmasterOf(data: string): number {
  return Number(readFileSync(path.join(data, 'postgresql/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Finished recordings, relative to their folder. */
function recordingsIn(data: string): readonly string[] {
  const directory = path.join(data, 'recordings');
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.wav'));
}

interface Facts {
  readonly leads: readonly { readonly id: string; readonly state: string; readonly last_outcome: string | null }[];
  readonly attempts: readonly {
    readonly id: string;
    readonly lead_id: string;
    readonly number: number;
    readonly state: string;
    readonly outcome: string | null;
    readonly phone: string;
  }[];
  readonly calls: readonly { readonly outcome: string; readonly path: string | null }[];
}

/** Straight from the tables, so that no view can hide a row. */
async function factsOf(data: string, campaignId: string): Promise<Facts> {
  const port = readFileSync(path.join(data, 'postgresql/cluster/postmaster.pid'), 'utf8').split('\n')[3]?.trim();
  const password = readFileSync(path.join(data, 'database-password'), 'utf8').trim();
  const client = new Client({ connectionString: `postgres://waihu:${password}@127.0.0.1:${port}/waihu` });
  await client.connect();
  const rows = async (query: string) => (await client.query(query, [campaignId])).rows as never;
  try {
    return {
      leads: await rows('SELECT id, state, last_outcome FROM leads WHERE campaign_id = $1'),
      attempts: await rows('SELECT * FROM attempts WHERE campaign_id = $1 ORDER BY id'),
      calls: await rows(`SELECT outcome, recording->>'path' AS path FROM calls WHERE campaign_id = $1`),
    };
  } finally {
    await client.end();
  }
}
