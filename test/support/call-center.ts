import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attempt, FinishedCall } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Script } from '#domain/script.ts';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import type { Log } from '#platform/log.ts';
import { openCallCenter } from '#calls/call-center.ts';
import type { CallCenter } from '#calls/call-center.ts';
import type { TakeLine } from '#calls/bridge/outside-target.ts';
import type { CallObserver } from '#calls/call-side.ts';
import type { FailOver } from '#calls/fail-over.ts';
import { plainRoute } from '#calls/trunk-route.ts';
import { Trunk } from '#calls/trunk.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import type { PhraseRequest } from '#calls/worker-protocol.ts';
import { linearTable } from '#telephony/codec/g711.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { UserAgentOptions } from '#telephony/sip/user-agent.ts';
import { sampleScripts } from '#dialog/samples.ts';

/** Everything that one call told its observer, and a way to wait for it. */
export class WatchedObserver implements CallObserver {
  readonly states: string[] = [];
  readonly said: { readonly speaker: 'callee' | 'platform'; readonly text: string }[] = [];
  optOuts = 0;
  readonly #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  onState(state: 'dialing' | 'ringing' | 'talking'): void {
    this.states.push(state);
    this.#wake();
  }

  onSaid(speaker: 'callee' | 'platform', text: string): void {
    this.said.push({ speaker, text });
    this.#wake();
  }

  onOptOut(): void {
    this.optOuts++;
    this.#wake();
  }

  /** Resolves as soon as something told makes `holds` true. */
  until(holds: () => boolean): Promise<void> {
    return holds() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  #wake(): void {
    for (const { holds, resolve } of this.#waiting) if (holds()) resolve();
  }
}

/** A call centre with one trunk to a port of 127.0.0.1, in a folder of its own. */
export interface TestCenter {
  readonly center: CallCenter;
  readonly sip: SipUserAgent;
  readonly recordings: string;
  /** Requests that the phrase function saw. */
  readonly phrases: PhraseRequest[];
  /** Places a call; `observer` records what it tells. */
  call(
    phone: string,
    options?: {
      readonly script?: Script;
      readonly variables?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
      readonly ringTimeoutMs?: number;
      /** One of `routes`, by name. */
      readonly trunk?: string;
      readonly standIns?: Attempt['standIns'];
    },
  ): { readonly attempt: Attempt; readonly observer: WatchedObserver; readonly done: Promise<FinishedCall> };
  close(): Promise<void>;
}

/** Opens one; `phrase` is 100 ms of loud tone a character unless given. */
export async function openTestCenter(options: {
  readonly trunkPort: number;
  readonly codecs?: TrunkRoute['codecs'];
  /** What else is special about its trunk. */
  readonly route?: Partial<TrunkRoute>;
  /** Further trunks. */
  readonly routes?: readonly TrunkRoute[];
  readonly failOver?: FailOver;
  /** How second calls find their trunk among those; over the call's own unless given. */
  readonly takeLine?: (find: (name: string) => Trunk | undefined) => TakeLine;
  readonly bind?: UserAgentOptions['bind'];
  readonly log?: Log;
  /** Where the call workers write their warnings; nowhere unless set. */
  readonly workerLogFd?: number;
  readonly workers?: number;
  readonly rtp: { readonly first: number; readonly last: number };
  readonly fingerprints?: FingerprintLibrary;
  readonly phrase?: (request: PhraseRequest) => Promise<Uint8Array | undefined>;
}): Promise<TestCenter> {
  const recordings = mkdtempSync(join(tmpdir(), 'waihu-calls-'));
  const sip = await SipUserAgent.open({
    clock: systemClock,
    log: options.log ?? silentLog,
    bind: options.bind ?? { address: '127.0.0.1', port: 0 },
    product: 'waihu-test',
  });
  const phrases: PhraseRequest[] = [];
  const server = { host: '127.0.0.1', port: options.trunkPort };
  const route = plainRoute('test', server, { codecs: options.codecs ?? ['PCMA', 'PCMU'], ...options.route });
  const trunks = new Map(
    [route, ...(options.routes ?? [])].map((one) => [one.name, new Trunk(one, { clock: systemClock })]),
  );
  const center = await openCallCenter({
    clock: systemClock,
    log: options.log ?? silentLog,
    sip,
    trunk: (name) => trunks.get(name),
    ...(options.failOver === undefined ? {} : { failOver: options.failOver }),
    ...(options.takeLine === undefined ? {} : { takeLine: options.takeLine((name) => trunks.get(name)) }),
    workers: options.workers ?? 1,
    rtp: { address: '127.0.0.1', ...options.rtp },
    recordingsDirectory: recordings,
    fingerprints: (options.fingerprints ?? new FingerprintLibrary()).toJson(),
    logLevel: options.workerLogFd === undefined ? 'silent' : 'warn',
    logFd: options.workerLogFd,
    phrase: (request) => {
      phrases.push(request);
      return (options.phrase ?? tonePhrase)(request);
    },
  });
  return {
    center,
    sip,
    recordings,
    phrases,
    call(phone, { script, variables, signal, ringTimeoutMs, trunk, standIns } = {}) {
      const now = systemClock.now();
      const attempt: Attempt = {
        id: newId<'attempt'>(now),
        campaignId: undefined,
        leadId: undefined,
        contactId: undefined,
        number: 1,
        phone: phone as PhoneNumber,
        callerNumber: '+862100000000',
        timeZone: 'Asia/Shanghai',
        trunk: trunk ?? route.name,
        standIns,
        ringTimeoutMs: ringTimeoutMs ?? 20_000,
        script: script ?? shortScript(),
        variables: variables ?? {},
        createdAt: now,
      };
      const observer = new WatchedObserver();
      return { attempt, observer, done: center.placeCall(attempt, signal ?? new AbortController().signal, observer) };
    },
    async close() {
      await center.close('test is over');
      await sip.close('test is over');
      rmSync(recordings, { recursive: true, force: true });
    },
  };
}

/** One of the scripts that are shipped. */
export function sampleScript(id: string): Script {
  const script = sampleScripts().find((each) => each.id === id);
  if (script === undefined) throw new Error(`no sample script ${id}`);
  return script;
}

/** The credit card reminder's required variables. */
export const REMINDER_VARIABLES = {
  name: '王伟',
  org: '云山银行',
  amount: '1200',
  minimum: '120',
  dueDate: '本月20日',
};

/** A script with one question: yes thanks, no apologises, three silences and every end hang up; short waits. */
export function shortScript(overrides: Partial<Script['settings']> = {}): Script {
  const reminder = sampleScript('credit-card-reminder');
  return {
    ...reminder,
    id: `short-${JSON.stringify(overrides)}`,
    variables: [],
    intents: [],
    knowledge: [],
    examples: [],
    grades: reminder.grades.slice(-1),
    tags: [],
    globals: [],
    nodes: [
      {
        id: 'ask',
        type: 'start',
        stage: 'ask',
        speech: [{ text: '方便吗？' }],
        branches: [
          { meaning: 'positive', next: 'yes' },
          { meaning: 'negative', next: 'no' },
        ],
        maxVisits: 5,
        scoreDelta: 0,
      },
      { id: 'yes', type: 'end', stage: 'end', speech: [{ text: '谢谢。' }], branches: [], maxVisits: 1, scoreDelta: 0 },
      { id: 'no', type: 'end', stage: 'end', speech: [{ text: '抱歉。' }], branches: [], maxVisits: 1, scoreDelta: 0 },
    ],
    settings: {
      ...reminder.settings,
      aiDisclosure: '智能语音。',
      greetDelayMs: 100,
      maxSeconds: 60,
      noReply: { waitMs: 1500, reprompts: 1, hangupMs: 1000 },
      ...overrides,
    },
  };
}

/** 100 ms of a 400 Hz tone a character, in the codec asked for. */
export function tonePhrase({ text, codec }: PhraseRequest): Promise<Uint8Array> {
  const [plus, minus] = codec === 'PCMA' ? [0xb5, 0x35] : [0x9f, 0x1f];
  return Promise.resolve(Uint8Array.from({ length: text.length * 800 }, (_, i) => (i % 20 < 10 ? plus : minus)));
}

/** Both channels of a recording as it lies on the disk. */
export interface ReadRecording {
  readonly callee: Uint8Array;
  readonly platform: Uint8Array;
  readonly codec: 'PCMA' | 'PCMU';
}

/** Reads a recording of ours: a 58 byte header, then the octets of both sides in turn. */
export function readRecording(path: string): ReadRecording {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 50, 54) !== 'data')
    throw new Error('not a recording');
  const data = bytes.subarray(58, 58 + bytes.readUInt32LE(54));
  return {
    callee: data.filter((_, index) => index % 2 === 0),
    platform: data.filter((_, index) => index % 2 === 1),
    codec: bytes.readUInt16LE(20) === 6 ? 'PCMA' : 'PCMU',
  };
}

/** RMS of a stretch of one channel, as a sample value of 16 bits. */
export function rms(octets: Uint8Array, codec: 'PCMA' | 'PCMU', fromMs: number, toMs: number): number {
  const table = linearTable(codec);
  const part = octets.subarray(Math.max(0, Math.round(fromMs * 8)), Math.round(toMs * 8));
  if (part.length === 0) return 0;
  return Math.sqrt(part.reduce((sum, octet) => sum + table[octet]! ** 2, 0) / part.length);
}
