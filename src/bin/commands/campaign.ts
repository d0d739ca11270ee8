import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CampaignAction, CampaignDefaults, CampaignView, TrunkSummary } from '#domain/api.ts';
import type { CampaignSettings } from '#domain/campaign.ts';
import { GRADE_LABELS, OUTCOME_LABELS } from '#outcomes/labels.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { AppError } from '#platform/error.ts';
import { table } from '../cli/terminal.ts';
import type { CommandContext } from '../cli/settings.ts';
import { findScript } from '../cli/find-script.ts';
import type { ApiClient } from '../cli/client.ts';
import { aborted } from '../cli/stop-signal.ts';
import { print, withClient } from '../cli/with-client.ts';
import { SAMPLE_TRUNK } from '../sample/campaign.ts';

const LOOK_MS = 1000;

/** Prints all campaigns. */
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

/** Flags of `campaign create`. */
export interface CreateFlags {
  readonly script: string;
  readonly import: readonly string[];
  readonly trunk?: string;
  readonly settings?: string;
  readonly start?: boolean;
}

/** Makes a campaign, and with `start` runs it. */
export async function createCampaign(o: CommandContext, name: string, flags: CreateFlags): Promise<void> {
  const given = flags.settings === undefined ? {} : await readSettings(flags.settings);
  const starts = flags.start === true;
  await withClient(
    o,
    async (client, stop) => {
      const script = await findScript(client, flags.script);
      const defaults = await client.get<CampaignDefaults>('/api/defaults');
      const settings = { ...defaults.settings, ...onTrunk(defaults.trunks, flags.trunk), ...given };
      const body = { name, scriptId: script.id, settings, importIds: flags.import };
      let campaign = await client.post<CampaignView>('/api/campaigns', body);
      if (starts)
        campaign = await client.post<CampaignView>(`/api/campaigns/${campaign.id}/state`, { action: 'start' });
      if (starts && !client.remote) await follow(o, client, campaign.id, stop);
      else print(o, campaign, (view) => present(view, o));
    },
    { lines: { trunk: flags.trunk }, dials: starts },
  );
}

function onTrunk(trunks: readonly TrunkSummary[], name: string | undefined): Partial<CampaignSettings> {
  if (name === undefined) return {};
  const trunk = trunks.find((known) => known.name === name);
  const callerNumber = trunk?.callerNumbers[0];
  if (trunk !== undefined && callerNumber !== undefined) return { trunk: trunk.name, callerNumber };
  const names = trunks.map((known) => known.name).join(', ');
  throw new AppError('invalid-input', {
    zh: `没有线路 ${name}；可用：${names === '' ? '（无，请在配置文件中添加 [[trunks]]）' : names}`,
    en: `There is no trunk ${name}; there are: ${names === '' ? '(none; add [[trunks]] to the configuration file)' : names}`,
  });
}

/** Starts, pauses, resumes or cancels. */
export async function changeCampaign(o: CommandContext, id: string, action: CampaignAction['action']): Promise<void> {
  const dials = action === 'start' || action === 'resume';
  await withClient(
    o,
    async (client, stop) => {
      const campaign = await client.post<CampaignView>(`/api/campaigns/${id}/state`, { action });
      if (dials && !client.remote) await follow(o, client, id, stop);
      else print(o, campaign, (view) => present(view, o));
    },
    dials ? { lines: { trunk: SAMPLE_TRUNK }, dials } : {},
  );
}

/** Prints one campaign with its counts. */
export async function showCampaign(o: CommandContext, id: string): Promise<void> {
  await withClient(o, async (client) =>
    print(o, await client.get<CampaignView>(`/api/campaigns/${id}`), (view) => present(view, o)),
  );
}

/** Shows the progress until the campaign does not run any more. */
export async function watchCampaign(o: CommandContext, id: string): Promise<void> {
  await withClient(o, async (client, stop) => follow(o, client, id, stop), {
    lines: { trunk: SAMPLE_TRUNK },
    dials: true,
  });
}

/** A campaign runs only while a server does; a command that is its own server stays until the end. */
async function follow(o: CommandContext, client: ApiClient, id: string, stop: AbortSignal): Promise<void> {
  for (;;) {
    const campaign = await client.get<CampaignView>(`/api/campaigns/${id}`);
    const { dialing, done } = campaign.counts.leads;
    if (campaign.state !== 'running' || stop.aborted) {
      o.terminal.endProgress();
      print(o, campaign, (view) => present(view, o));
      if (campaign.state === 'running' && !client.remote)
        o.terminal.say({
          zh: '任务还没有完成；下次启动 waihu 时会继续。',
          en: 'The campaign is not finished; it goes on when waihu is started next.',
        });
      return;
    }
    o.terminal.progress(
      { zh: campaign.name, en: campaign.name },
      done,
      totalOf(campaign),
      o.terminal.text({ zh: `通话中 ${dialing}`, en: `${dialing} in call` }),
    );
    await Promise.race([aborted(stop), delay(LOOK_MS)]);
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
