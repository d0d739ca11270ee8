import { readFile } from 'node:fs/promises';
import type { CampaignAction, CampaignDefaults, CampaignView, ScriptSummary } from '#domain/api.ts';
import type { CampaignSettings } from '#domain/campaign.ts';
import { GRADE_LABELS, OUTCOME_LABELS } from '#outcomes/labels.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { AppError } from '#platform/error.ts';
import { table } from '../cli/terminal.ts';
import type { CommandContext } from '../cli/settings.ts';
import { aborted, stopSignal } from '../cli/stop-signal.ts';
import { print, withClient } from '../cli/with-client.ts';

const LOOK_MS = 1000;

export async function listCampaigns(o: CommandContext): Promise<void> {
  await withClient(o, async (client) => {
    const campaigns = await client.get<readonly CampaignView[]>('/api/campaigns');
    print(o, campaigns, (all) => {
      const head =
        o.terminal.language === 'zh' ? ['编号', '名称', '状态', '完成', '共'] : ['id', 'name', 'state', 'done', 'of'];
      return table(
        head,
        all.map((campaign) => [
          campaign.id,
          campaign.name,
          campaign.state,
          String(campaign.counts.leads.done),
          String(totalOf(campaign)),
        ]),
      );
    });
  });
}

export interface CreateFlags {
  readonly script: string;
  readonly import: readonly string[];
  readonly trunk?: string;
  readonly settings?: string;
  readonly start?: boolean;
}

export async function createCampaign(o: CommandContext, name: string, flags: CreateFlags): Promise<void> {
  const given = flags.settings === undefined ? {} : await readSettings(flags.settings);
  await withClient(o, async (client) => {
    const scripts = await client.get<readonly ScriptSummary[]>('/api/scripts');
    const script = scripts.find(({ key }) => key === flags.script);
    if (script === undefined) {
      const keys = scripts.map(({ key }) => key).join(', ');
      throw new AppError('invalid-input', {
        zh: `没有话术 ${flags.script}；可用：${keys}`,
        en: `There is no script ${flags.script}; there are: ${keys}`,
      });
    }
    const defaults = await client.get<CampaignDefaults>('/api/defaults');
    const trunk = defaults.trunks.find(({ name: known }) => known === flags.trunk);
    const onTrunk = trunk === undefined ? {} : { trunk: trunk.name, callerNumber: trunk.callerNumbers[0] };
    const settings = { ...defaults.settings, ...onTrunk, ...given };
    const body = { name, scriptId: script.id, settings, importIds: flags.import };
    let campaign = await client.post<CampaignView>('/api/campaigns', body);
    if (flags.start === true)
      campaign = await client.post<CampaignView>(`/api/campaigns/${campaign.id}/state`, { action: 'start' });
    print(o, campaign, (view) => present(view, o));
    if (flags.start === true && !client.remote) await follow(o, client.get, campaign.id);
  });
}

export async function changeCampaign(o: CommandContext, id: string, action: CampaignAction['action']): Promise<void> {
  await withClient(o, async (client) => {
    const campaign = await client.post<CampaignView>(`/api/campaigns/${id}/state`, { action });
    print(o, campaign, (view) => present(view, o));
    if (!client.remote && (action === 'start' || action === 'resume')) await follow(o, client.get, id);
  });
}

export async function showCampaign(o: CommandContext, id: string): Promise<void> {
  await withClient(o, async (client) =>
    print(o, await client.get<CampaignView>(`/api/campaigns/${id}`), (view) => present(view, o)),
  );
}

export async function watchCampaign(o: CommandContext, id: string): Promise<void> {
  await withClient(o, async (client) => follow(o, client.get, id));
}

/** A campaign runs only while a server does; a command that is its own server stays until the end. */
async function follow(o: CommandContext, get: <Body>(path: string) => Promise<Body>, id: string): Promise<void> {
  const stop = stopSignal();
  for (;;) {
    const campaign = await get<CampaignView>(`/api/campaigns/${id}`);
    const { dialing, done } = campaign.counts.leads;
    o.terminal.progress(
      { zh: campaign.name, en: campaign.name },
      done,
      totalOf(campaign),
      o.terminal.text({ zh: `通话中 ${dialing}`, en: `${dialing} in call` }),
    );
    if (campaign.state !== 'running' || stop.aborted) {
      o.terminal.endProgress();
      print(o, campaign, (view) => present(view, o));
      return;
    }
    await Promise.race([aborted(stop), new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
  }
}

function present(campaign: CampaignView, o: CommandContext): string {
  const { language } = o.terminal;
  const { outcomes, grades } = campaign.counts;
  const rows = [
    ...Object.entries(outcomes).map(([code, count]) => [OUTCOME_LABELS[code as OutcomeCode][language], String(count)]),
    ...Object.entries(grades).map(([code, count]) => [
      `${code} ${GRADE_LABELS[code as GradeCode][language]}`,
      String(count),
    ]),
  ];
  const title = `${campaign.name}  ${campaign.state}  ${campaign.counts.leads.done}/${totalOf(campaign)}  ${campaign.id}`;
  return rows.length === 0
    ? title
    : `${title}\n${table(language === 'zh' ? ['结果', '数量'] : ['result', 'count'], rows)}`;
}

function totalOf(campaign: CampaignView): number {
  return Object.values(campaign.counts.leads).reduce((sum, count) => sum + count, 0);
}

async function readSettings(file: string): Promise<Partial<CampaignSettings>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Partial<CampaignSettings>;
  } catch (cause) {
    throw new AppError(
      'invalid-input',
      { zh: `读不到设置文件，或它不是 JSON：${file}`, en: `The settings file cannot be read or is no JSON: ${file}` },
      { cause },
    );
  }
}
