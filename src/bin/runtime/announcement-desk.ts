import type { AnnouncementLesson, AnnouncementTrial, AnnouncementView, UnknownAnnouncementView } from '#domain/api.ts';
import { maskPhone } from '#domain/phone.ts';
import type { LocalText } from '#domain/text.ts';
import type { AnnouncementDesk } from '#api/context.ts';
import { AppError } from '#platform/error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { LessonFault } from '#telephony/progress/teach.ts';
import { announcementLabel } from './announcement-names.ts';
import { libraryOf, readAnnouncements, removeAnnouncement, writeAnnouncement } from './announcement-store.ts';
import type { StoredAnnouncement } from './announcement-store.ts';
import { RecordingAnalyst } from './recording-analysis.ts';
import { UnknownAnnouncements } from './unknown-announcements.ts';

export interface AnnouncementDeskOptions {
  readonly directory: string;
  readonly earlyMediaDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives the call workers what they listen for from now on. */
  readonly teach: (fingerprints: unknown) => void;
  /** What the records say of calls. */
  readonly findCalls: (
    ids: readonly string[],
  ) => Promise<
    ReadonlyMap<string, { readonly phone: string; readonly outcome: string; readonly sipStatus: number | null }>
  >;
}

const FAULT_TEXT: Readonly<Record<LessonFault, LocalText>> = {
  silent: { zh: '录音是静音。', en: 'The recording is silent.' },
  'too-short': {
    zh: '提示音不到两秒，无法与其他声音区分；请录下完整的提示音。',
    en: 'The announcement is shorter than two seconds and cannot be told from others; record all of it.',
  },
  'music-only': {
    zh: '录音里只有音乐（彩铃），没有提示音。',
    en: 'The recording holds music alone, no announcement.',
  },
  clipped: { zh: '录音削波失真，识别可能变差。', en: 'The recording is clipped; it may be recognised less well.' },
  faint: { zh: '录音很轻，识别可能变差。', en: 'The recording is faint; it may be recognised less well.' },
  long: { zh: '只用了前 60 秒。', en: 'Only the first 60 seconds are used.' },
};
const USELESS: ReadonlySet<LessonFault> = new Set(['silent', 'too-short', 'music-only']);
/** A label other than the new one's that shares so much of it would make both undecided. */
const RESEMBLES_RATIO = 0.3;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;

/** Teaches, lists, tries and forgets announcements while calls go on; its owner closes it. */
export async function openAnnouncementDesk(
  o: AnnouncementDeskOptions,
): Promise<AnnouncementDesk & { readonly fingerprints: unknown; close(): Promise<void> }> {
  let stored: readonly StoredAnnouncement[] = await readAnnouncements(o.directory, o.log);
  let library = libraryOf(stored);
  const analyst = new RecordingAnalyst(o.clock);
  const kept = new UnknownAnnouncements(o.earlyMediaDirectory);
  const change = (now: readonly StoredAnnouncement[]): void => {
    stored = now.toSorted((a, b) => a.name.localeCompare(b.name));
    library = libraryOf(stored);
    o.teach(library.toJson());
  };
  const freeName = (label: string): string => {
    for (let n = 1; ; n++) if (!stored.some(({ name }) => name === `${label}-${n}`)) return `${label}-${n}`;
  };

  return {
    get fingerprints() {
      return library.toJson();
    },
    list: () => stored.map(viewOf),
    async learn({ bytes, label: word, name: wanted }): Promise<AnnouncementLesson> {
      const label = announcementLabel(word);
      if (wanted !== undefined && !NAME.test(wanted)) throw badName(wanted);
      const { channel, lesson, likenesses, print } = await analyst.analyse({
        bytes,
        fingerprints: library.toJson(),
        listens: false,
      });
      const useless = lesson.faults.find((fault) => USELESS.has(fault));
      if (print === undefined || useless !== undefined)
        throw new AppError('invalid-input', FAULT_TEXT[useless ?? 'too-short']);
      const name = wanted ?? freeName(label);
      const [likest] = likenesses.filter((like) => like.label !== label && like.name !== name);
      const warnings = lesson.faults.map((fault) => FAULT_TEXT[fault]);
      if (likest !== undefined && likest.sharedRatio >= RESEMBLES_RATIO) warnings.push(resembles(likest));
      const before = stored.find((each) => each.name === name);
      if (before !== undefined) await removeAnnouncement(o.directory, before);
      const one = await writeAnnouncement(o.directory, { name, label, taughtAt: o.clock.now(), print });
      change([...stored.filter((each) => each.name !== name), one]);
      const { fromMs, toMs } = lesson;
      return { announcement: viewOf(one), channel, fromMs, toMs, warnings, nearest: likest ?? null };
    },
    async forget(name) {
      const one = stored.find((each) => each.name === name);
      if (one === undefined)
        throw new AppError('not-found', {
          zh: `没有名为“${name}”的提示音；waihu progress list 列出全部。`,
          en: `No announcement is named "${name}"; waihu progress list shows them.`,
        });
      await removeAnnouncement(o.directory, one);
      change(stored.filter((each) => each !== one));
    },
    async tryOut({ bytes }): Promise<AnnouncementTrial> {
      const { channel, heard, lesson, likenesses } = await analyst.analyse({
        bytes,
        fingerprints: library.toJson(),
        listens: true,
      });
      const recognised = heard.filter(({ kind }) => kind === 'announcement');
      const decided = recognised.at(-1)?.label;
      return {
        channel,
        heard: heard.map(({ kind, label, name, confidence, atMs }) => ({
          kind,
          label,
          name: name ?? null,
          confidence,
          atMs: Math.round(atMs),
        })),
        recognised: decided ?? null,
        nearest: likenesses.find(({ label }) => label !== decided) ?? null,
        warnings: lesson.faults.map((fault) => FAULT_TEXT[fault]),
      };
    },
    async unknown(): Promise<readonly UnknownAnnouncementView[]> {
      const groups = await kept.groups(library);
      const calls = await o.findCalls(groups.map(([first]) => first!.callId));
      return groups.map(([first, ...rest]) => {
        const call = calls.get(first!.callId);
        return {
          callId: first!.callId,
          calls: rest.length + 1,
          durationMs: first!.durationMs,
          phone: call === undefined ? '' : maskPhone(call.phone),
          outcome: call?.outcome ?? '',
          sipStatus: call?.sipStatus ?? null,
          url: `/api/early-media/${first!.callId}.wav`,
        };
      });
    },
    earlyMedia: (callId) => kept.file(callId),
    close: () => analyst.close(),
  };
}

function viewOf({ name, label, durationMs, taughtAt }: StoredAnnouncement): AnnouncementView {
  return { name, label, durationMs, taughtAt: taughtAt?.toISOString() ?? null };
}

function resembles({ name, label, sharedRatio }: { name: string; label: string; sharedRatio: number }): LocalText {
  const percent = Math.round(sharedRatio * 100);
  return {
    zh: `它的 ${percent}% 与已学的“${name}”（${label}）相同；若是同一段提示音，请先 waihu progress forget ${name}。`,
    en: `${percent} % of it is also in "${name}" (${label}); if that is the same announcement, forget it first: waihu progress forget ${name}.`,
  };
}

function badName(name: string): AppError {
  return new AppError('invalid-input', {
    zh: `名称“${name}”无效：只能用文字、数字和 . _ -，最多 64 个字符。`,
    en: `"${name}" is not a usable name: letters, digits and . _ - only, at most 64 characters.`,
  });
}
