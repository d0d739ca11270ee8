import { openAsBlob } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AnnouncementLesson, AnnouncementTrial, AnnouncementView, UnknownAnnouncementView } from '#domain/api.ts';
import { OUTCOME_LABELS } from '#outcomes/labels.ts';
import { AppError } from '#platform/error.ts';
import { isUuid } from '#platform/id.ts';
import type { ApiClient } from '../cli/client.ts';
import type { CommandContext } from '../cli/settings.ts';
import { print, withClient } from '../cli/with-client.ts';

/** Teaches the announcement of a recording, or of the kept early media of a call. */
export async function learn(
  o: CommandContext,
  file: string,
  flags: { readonly as: string; readonly name?: string },
): Promise<void> {
  await withClient(o, async (client) => {
    const form = await formOf(client, file);
    const query = new URLSearchParams({ label: flags.as, ...(flags.name === undefined ? {} : { name: flags.name }) });
    const learnt = await client.upload<AnnouncementLesson>(`/api/announcements?${query.toString()}`, form);
    print(o, learnt, ({ announcement, channel, fromMs, toMs, warnings, nearest }) =>
      [
        o.terminal.text({
          zh: `已学会“${announcement.name}”：${labelText(o, announcement.label)}。用了 ${seconds(fromMs)}–${seconds(toMs)} 秒${channel === 'mono' ? '' : `，${channel === 'left' ? '左' : '右'}声道`}；新的呼叫立即生效。`,
          en: `Learnt "${announcement.name}": ${labelText(o, announcement.label)}. Used ${seconds(fromMs)}–${seconds(toMs)} s${channel === 'mono' ? '' : `, the ${channel} channel`}; new calls know it at once.`,
        }),
        ...(nearest === null
          ? []
          : [
              o.terminal.text({
                zh: `最像的另一段：${nearest.name}（${labelText(o, nearest.label)}），相同部分 ${percent(nearest.sharedRatio)}。`,
                en: `The likest other one: ${nearest.name} (${labelText(o, nearest.label)}), ${percent(nearest.sharedRatio)} shared.`,
              }),
            ]),
        ...warnings.map((warning) => o.terminal.text({ zh: `注意：${warning.zh}`, en: `Note: ${warning.en}` })),
      ].join('\n'),
    );
  });
}

/** Lists what is taught. */
export async function list(o: CommandContext): Promise<void> {
  await withClient(o, async (client) => {
    const all = await client.get<readonly AnnouncementView[]>('/api/announcements');
    print(o, all, (rows) =>
      rows.length === 0
        ? o.terminal.text({
            zh: '还没有学过提示音。waihu progress unknown 列出听到过的，waihu progress learn 文件 --as empty-number 来教。',
            en: 'Nothing is taught yet. waihu progress unknown shows what was heard; waihu progress learn FILE --as empty-number teaches.',
          })
        : rows
            .map(
              ({ name, label, durationMs, taughtAt }) =>
                `${name}  ${labelText(o, label)}  ${seconds(durationMs)} s  ${taughtAt?.slice(0, 10) ?? 'WAV'}`,
            )
            .join('\n'),
    );
  });
}

/** Forgets one announcement. */
export async function forget(o: CommandContext, name: string): Promise<void> {
  await withClient(o, async (client) => {
    await client.remove(`/api/announcements/${encodeURIComponent(name)}`);
    print(o, { forgotten: name }, () => o.terminal.text({ zh: `已忘记“${name}”。`, en: `Forgot "${name}".` }));
  });
}

/** Says what would be recognised in a recording; exit code 3 where nothing would. */
export async function tryOut(o: CommandContext, file: string): Promise<void> {
  await withClient(o, async (client) => {
    const trial = await client.upload<AnnouncementTrial>('/api/announcements/try', await formOf(client, file));
    print(o, trial, ({ heard, recognised, nearest, warnings }) =>
      [
        ...heard.map(
          ({ kind, label, name, confidence, atMs }) =>
            `${seconds(atMs).padStart(6)} s  ${kindText(o, kind)}  ${kind === 'announcement' ? labelText(o, label) : label}${name === null ? '' : ` (${name})`}  ${percent(confidence)}`,
        ),
        recognised === null
          ? o.terminal.text({
              zh: '不会识别为任何学过的提示音。',
              en: 'Recognised as none of the taught announcements.',
            })
          : o.terminal.text({
              zh: `会识别为：${labelText(o, recognised)}。`,
              en: `Recognised as: ${labelText(o, recognised)}.`,
            }),
        ...(nearest === null
          ? []
          : [
              o.terminal.text({
                zh: `最接近的其他提示音：${nearest.name}（${labelText(o, nearest.label)}），相同部分 ${percent(nearest.sharedRatio)}，最像处误码 ${percent(nearest.bitErrorRatio)}（36% 以下算相同）。`,
                en: `The nearest other one: ${nearest.name} (${labelText(o, nearest.label)}), ${percent(nearest.sharedRatio)} shared, ${percent(nearest.bitErrorRatio)} bit errors where it is likest (under 36 % is alike).`,
              }),
            ]),
        ...warnings.map((warning) => o.terminal.text({ zh: `注意：${warning.zh}`, en: `Note: ${warning.en}` })),
      ].join('\n'),
    );
    if (trial.recognised === null) process.exitCode = 3;
  });
}

/** Lists early media that nobody has taught, the most frequent first. */
export async function unknown(o: CommandContext): Promise<void> {
  await withClient(o, async (client) => {
    const all = await client.get<readonly UnknownAnnouncementView[]>('/api/early-media');
    print(o, all, (rows) =>
      rows.length === 0
        ? o.terminal.text({
            zh: '没有未识别的早期媒体（retention.earlyMediaDays 决定保存多久）。',
            en: 'No early media is unrecognised (retention.earlyMediaDays says how long it is kept).',
          })
        : [
            ...rows.map(
              ({ callId, calls, durationMs, phone, outcome, sipStatus }) =>
                `${callId}  ×${calls}  ${seconds(durationMs)} s  ${phone}  SIP ${sipStatus ?? '—'}  ${outcome === '' ? '—' : labelText(o, outcome)}`,
            ),
            o.terminal.text({
              zh: '听：waihu progress save 通话编号 文件.wav；教：waihu progress learn 通话编号 --as empty-number。',
              en: 'Listen: waihu progress save CALL FILE.wav; teach: waihu progress learn CALL --as empty-number.',
            }),
          ].join('\n'),
    );
  });
}

/** Writes the kept early media of a call to a file, to be listened to. */
export async function save(o: CommandContext, callId: string, file: string): Promise<void> {
  await withClient(o, async (client) => {
    const bytes = await client.bytes(`/api/early-media/${encodeURIComponent(callId)}.wav`);
    await writeFile(file, bytes);
    print(o, { file, bytes: bytes.length }, () => o.terminal.text({ zh: `已写入 ${file}。`, en: `Wrote ${file}.` }));
  });
}

async function formOf(client: ApiClient, file: string): Promise<FormData> {
  const form = new FormData();
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) form.append('file', await openAsBlob(file), basename(file));
  else if (isUuid(file))
    form.append('file', new Blob([await client.bytes(`/api/early-media/${file}.wav`)]), `${file}.wav`);
  else
    throw new AppError('invalid-input', {
      zh: `找不到文件：${file}。请给出 WAV 文件，或 waihu progress unknown 列出的通话编号。`,
      en: `There is no such file: ${file}. Give a WAV file, or the id of a call that waihu progress unknown lists.`,
    });
  return form;
}

function labelText(o: CommandContext, label: string): string {
  const known = Object.entries(OUTCOME_LABELS).find(([code]) => code === label)?.[1];
  return known === undefined ? label : `${known[o.terminal.language]} (${label})`;
}

function kindText(o: CommandContext, kind: string): string {
  if (kind === 'tone') return o.terminal.text({ zh: '信号音', en: 'tone' });
  if (kind === 'announcement') return o.terminal.text({ zh: '提示音', en: 'announcement' });
  return o.terminal.text({ zh: '声音', en: 'sound' });
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
