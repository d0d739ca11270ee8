import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExampleConversation } from '#domain/script.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { decideNetworkOutcome } from '#telephony/progress/decide.ts';
import { ProgressDetector, type Detection } from '#telephony/progress/detector.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent, type CallEnd, type OutgoingCall } from '#telephony/sip/user-agent.ts';
import { readCallLog } from './call-log.ts';
import type { EndedLine } from './call-record.ts';
import { openCarrier, type Carrier } from './carrier.ts';
import { murmur } from './murmur.ts';
import { behaviourOf, personaOf, type LineBehaviour, type Persona, type SwitchKind } from './persona.ts';
import { randomFor } from './random.ts';
import { announcementRecordings } from './sound-bank.ts';
import { SpeechEar } from './speech-ear.ts';
import { Talker } from './talker.ts';
import { toClip } from './playout.ts';

const SEED = 11;
const clock = systemClock;
const directory = mkdtempSync(join(tmpdir(), 'waihu-carrier-'));
const logFile = join(directory, 'calls.jsonl');
const library = new FingerprintLibrary();
const conversation: ExampleConversation = {
  name: '愿意还款',
  variables: {},
  turns: [{ callee: '我是。' }, { callee: '好的我会还。' }],
  expectGrade: 'A',
};
let carrier: Carrier;
let agent: SipUserAgent;
let engine: MediaEngine;

/** The first number of a series whose persona is wanted. */
function numberOf(wanted: (persona: Persona) => boolean): string {
  const random = randomFor('test numbers');
  for (;;) {
    const number = `154${String(random.integer(0, 99_999_999)).padStart(8, '0')}`;
    if (wanted(personaOf(number, SEED))) return number;
  }
}
const lineOf = (behaviour: LineBehaviour, switchKind?: SwitchKind): string =>
  numberOf(
    (persona) =>
      [1, 2, 3].every((attempt) => behaviourOf(persona, attempt, SEED) === behaviour) &&
      (switchKind === undefined || persona.switchKind === switchKind),
  );

interface Heard {
  readonly end: CallEnd;
  readonly answered: boolean;
  readonly detections: readonly Detection[];
  readonly progress: readonly number[];
  readonly text: string;
  /** Utterances of the other side after the answer. */
  readonly utterances: number;
  /** Packets that came too late to be heard. */
  readonly late: number;
}

/** Calls a number and, once answered, says `lines`, each when the other side has finished one of its own. */
async function call(
  number: string,
  options: { ringTimeoutMs?: number; lines?: readonly string[]; vanish?: boolean } = {},
): Promise<Heard> {
  const detector = new ProgressDetector({ fingerprints: library, plan: 'cn' });
  const detections: Detection[] = [];
  const progress: number[] = [];
  let ear = new SpeechEar();
  const lines = [...(options.lines ?? [])];
  let [answered, text, utterances] = [false, '', 0];
  const talker = new Talker({ sendText: (piece) => leg.sendText(piece), background: undefined });
  const sayNext = (): void => {
    const line = lines.shift();
    if (line !== undefined) talker.say(line, toClip(murmur(line), 'PCMA'));
    else if (options.lines !== undefined) dialled.hangup();
  };
  const leg: MediaLeg = await engine.openLeg({
    onFrame: (rx, tx) => {
      if (!answered) detections.push(...detector.push(rx.pcm, rx.atMs, rx.kind !== 'audio'));
      const change = ear.push(rx.pcm, 600);
      if (answered && change === 'stopped') {
        utterances++;
        if (!talker.speaking) sayNext();
      }
      talker.fill(tx);
    },
    onText: (piece) => {
      text += piece;
      // As a process that is killed: no BYE, no more audio.
      if (options.vanish === true) leg.close();
    },
    onDtmf: () => undefined,
  });
  const offer = createOffer({
    address: '127.0.0.1',
    audioPort: leg.audioPort,
    textPort: leg.textPort,
    codecs: ['PCMA'],
    dtmf: true,
    direction: 'sendrecv',
  });
  let dialled!: OutgoingCall;
  const connect = (sdp: string): void => {
    const accepted = acceptAnswer(offer, parseSdp(sdp));
    if (accepted.ok) leg.start(accepted.media);
  };
  const end = await new Promise<CallEnd>((resolve) => {
    dialled = agent.placeCall(
      {
        callId: randomUUID(),
        target: `sip:${number}@127.0.0.1:${carrier.address.port}`,
        from: `sip:02100000000@127.0.0.1:${agent.address.port}`,
        sdp: writeSdp(offer),
        ringTimeoutMs: options.ringTimeoutMs ?? 20_000,
      },
      {
        onProgress: ({ status, sdp }) => {
          progress.push(status);
          if (sdp !== undefined) connect(sdp);
        },
        onAnswered: ({ sdp }) => {
          connect(sdp);
          answered = true;
          ear = new SpeechEar();
          if (options.lines !== undefined) sayNext();
        },
        onEnded: resolve,
      },
    );
  });
  const late = leg.stats().packetsLate;
  leg.close();
  const announced = answered ? undefined : detector.finish(clock.monotonicMs());
  if (announced !== undefined) detections.push(announced);
  return { end, answered, detections, progress, text, utterances, late };
}

const unanswered: readonly (readonly [LineBehaviour, SwitchKind])[] = [
  ['busy', 'exact'],
  ['busy', 'vague-480'],
  ['rejected', 'exact'],
  ['powered-off', 'exact'],
  ['powered-off', 'vague-486'],
  ['out-of-coverage', 'exact'],
  ['out-of-coverage', 'vague-486'],
  ['unreachable', 'vague-480'],
  ['invalid-number', 'exact'],
  ['invalid-number', 'vague-486'],
  ['number-changed', 'vague-480'],
  ['suspended', 'vague-486'],
  ['arrears', 'exact'],
  ['incoming-barred', 'vague-480'],
  ['operator-blocked', 'exact'],
  ['caller-id-blocked', 'exact'],
  ['spam-labelled', 'exact'],
  ['no-answer', 'exact'],
  ['no-answer', 'vague-486'],
];

const ringsForever = numberOf(
  (persona) =>
    persona.linePlan === 'no-answer' && persona.networkRingLimitMs === undefined && persona.ringBack === 'tone',
);
const congestedOnce = numberOf((persona) => persona.linePlan === 'congestion-then-human');
const calmPerson = numberOf(
  ({ linePlan, ringBack, human }) =>
    linePlan === 'human' &&
    // Early media would still be in the jitter buffer when the call is answered.
    ringBack === 'local' &&
    human.silentAtLine === undefined &&
    human.bargesInAtLine === undefined &&
    !human.greets,
);
const greetingPerson = numberOf(({ linePlan, human }) => linePlan === 'human' && human.greets);
const TALK = ['您好请问是本人吗', '这期账单请按时还', '谢谢再见'];
/** All calls go on at once, as on a real trunk; each test waits for its own. */
const calls = new Map<string, Promise<Heard>>();
const unansweredCalls = new Map<string, ReturnType<typeof callInTime>>();
const callTo = (number: string): Promise<Heard> => calls.get(number)!;

/**
 * A call whose announcement this machine could not carry in real time is dialled again: what was given up before it was
 * sent or heard, or was sent so late that it could not be heard, says nothing about the detectors. The last try counts.
 */
async function callInTime(number: string): Promise<Heard & { readonly attempt: number }> {
  for (let attempt = 1; ; attempt++) {
    const droppedBefore = engine.load().framesDropped;
    const heard = await call(number, { ringTimeoutMs: 6_000 });
    const inTime = engine.load().framesDropped === droppedBefore && heard.late === 0;
    if (inTime || attempt === 3) return { ...heard, attempt };
  }
}

/** The last call's record; the carrier may hear of the end after the caller. */
async function endedOf(number: string, attempt = 1): Promise<EndedLine> {
  const find = (): EndedLine | undefined =>
    readCallLog(logFile).find(
      (line): line is EndedLine => line.type === 'ended' && line.number === number && line.attempt === attempt,
    );
  await expect.poll(find).toBeDefined();
  return find()!;
}

beforeAll(async () => {
  const recordings = await announcementRecordings((text) => Promise.resolve(murmur(text)));
  for (const [index, { label, pcm }] of recordings.entries()) library.add(label, pcm, `${label} ${index}`);
  engine = await MediaEngine.open({
    clock,
    log: silentLog,
    address: '127.0.0.1',
    ports: { first: 46_000, last: 46_999 },
  });
  agent = await SipUserAgent.open({ clock, log: silentLog, bind: { address: '127.0.0.1', port: 0 }, product: 'test' });
  carrier = await openCarrier({
    clock,
    log: silentLog,
    bind: { address: '127.0.0.1', port: 0 },
    rtp: { first: 47_000, last: 47_999 },
    seed: SEED,
    pace: 0.02,
    logFile,
    conversationsFor: () => [conversation],
  });
  for (const [behaviour, switchKind] of unanswered) {
    const number = lineOf(behaviour, switchKind);
    unansweredCalls.set(number, callInTime(number));
  }
  calls.set(ringsForever, call(ringsForever, { ringTimeoutMs: 1_500 }));
  calls.set(congestedOnce, call(congestedOnce));
  calls.set(calmPerson, call(calmPerson, { lines: TALK }));
  calls.set(greetingPerson, call(greetingPerson, { vanish: true }));
  for (const machine of ['voicemail', 'fax'] as const) calls.set(lineOf(machine), call(lineOf(machine)));
  calls.set(
    lineOf('call-assistant'),
    call(lineOf('call-assistant'), { lines: ['您好银行', '请回电', '谢谢', '再见'] }),
  );
});
afterAll(async () => {
  await agent.close('test is over');
  await carrier.close();
  await engine.close();
  rmSync(directory, { recursive: true });
});

describe('a line that nobody answers', () => {
  it.each(unanswered)('is understood as %s behind a switch that is %s', async (behaviour, switchKind) => {
    const number = lineOf(behaviour, switchKind);
    const { attempt, ...heard } = await unansweredCalls.get(number)!;
    const decision = decideNetworkOutcome({
      status: heard.end.status,
      reason: heard.end.reason,
      cause: heard.end.cause,
      by: heard.end.by,
      detections: heard.detections,
      ringMs: undefined,
      answered: heard.answered,
      hangUpReason: undefined,
      callClass: 'unknown',
      callClassEvidence: '',
    });
    expect(decision.outcome).toBe(behaviour);
    expect(await endedOf(number, attempt)).toMatchObject({ behaviour, expectedOutcome: behaviour, expectedGrade: 'F' });
  });

  it('is congested once and then has a person', async () => {
    expect((await callTo(congestedOnce)).end).toMatchObject({
      status: 503,
      reason: expect.stringContaining('cause=42'),
    });
    const second = await call(congestedOnce, { lines: ['喂'] });
    expect(second.answered).toBe(true);
    await endedOf(congestedOnce, 2);
    expect(carrier.expectations().get(congestedOnce)).toMatchObject({ outcome: 'answered', attempts: 2 });
  });

  it('rings until the caller gives up', async () => {
    const heard = await callTo(ringsForever);
    expect(heard.end).toMatchObject({ cause: 'ring-timeout' });
    expect(heard.progress).toContain(183);
    expect(await endedOf(ringsForever)).toMatchObject({
      ending: { by: 'caller', reason: 'cancelled' },
      expectedOutcome: 'no-answer',
    });
  });
});

describe('a line that is answered', () => {
  it('has a person who hears, speaks and types the conversation', async () => {
    const heard = await callTo(calmPerson);
    expect(heard.answered).toBe(true);
    expect(heard.text).toBe('我是。好的我会还。');
    expect(heard.utterances).toBe(2);
    expect(await endedOf(calmPerson)).toMatchObject({
      behaviour: 'human',
      linesSaid: 2,
      heard: TALK,
      expectedOutcome: 'answered',
      expectedGrade: 'A',
    });
  });

  it('has a person who hangs up on a caller that vanished, and expects the call to be lost', async () => {
    expect((await callTo(greetingPerson)).end).toMatchObject({ by: 'callee', cause: 'bye' });
    expect(await endedOf(greetingPerson)).toMatchObject({
      said: [{ kind: 'greeting', text: '喂？' }],
      ending: { by: 'failure', reason: 'caller-gone' },
      expectedOutcome: 'lost',
    });
  });

  it('has a mailbox that greets, beeps and hangs up', async () => {
    const number = lineOf('voicemail');
    const heard = await callTo(number);
    expect(heard.end).toMatchObject({ by: 'callee', cause: 'bye' });
    expect(heard.text).toMatch(/留言/);
    expect(await endedOf(number)).toMatchObject({ expectedOutcome: 'voicemail', expectedGrade: 'F' });
  });

  it('has an assistant that asks and in the end takes its leave', async () => {
    const number = lineOf('call-assistant');
    const heard = await callTo(number);
    expect(heard.text).toMatch(/(助理|助手).*转告/);
    expect((await endedOf(number)).expectedOutcome).toBe('call-assistant');
  });

  it('has a fax machine that sends its tone and hangs up', async () => {
    const number = lineOf('fax');
    const heard = await callTo(number);
    expect(heard.end).toMatchObject({ by: 'callee', cause: 'bye' });
    expect(heard.text).toBe('');
    expect(await endedOf(number)).toMatchObject({ said: [{ kind: 'machine', text: 'CED' }], expectedOutcome: 'fax' });
  });
});

describe('a carrier', () => {
  it('writes an invite line for every call before its end', () => {
    const lines = readCallLog(logFile);
    for (const [index, line] of lines.entries()) {
      if (line.type !== 'ended') continue;
      expect(lines.findIndex((other) => other.type === 'invite' && other.callId === line.callId)).toBeLessThan(index);
    }
    expect(lines.filter((line) => line.type === 'ended').length).toBeGreaterThan(20);
  });

  it('goes on counting where the log of an earlier one ends, and ends its calls when it closes', async () => {
    const number = ringsForever;
    const old = carrier;
    const ringing = call(number);
    await expect.poll(() => old.activeCalls).toBe(1);
    await old.close();
    expect((await ringing).end.status).toBe(503);
    expect(await endedOf(number, 2)).toMatchObject({ ending: { reason: 'carrier-closed' } });
    carrier = await openCarrier({
      clock,
      log: silentLog,
      bind: { address: '127.0.0.1', port: 0 },
      // No room for a single leg.
      rtp: { first: 47_000, last: 47_001 },
      seed: SEED,
      pace: 0.02,
      logFile,
    });
    expect((await call(number)).end).toMatchObject({ status: 503, reason: expect.stringContaining('cause=34') });
    expect(await endedOf(number, 3)).toMatchObject({ ending: { reason: 'overloaded' }, expectedOutcome: 'congestion' });
  });

  it('refuses what it cannot carry: too many calls, or media that it does not speak', async () => {
    await carrier.close();
    const open = (channels: number, codecs: readonly ('PCMA' | 'PCMU')[]) =>
      openCarrier({
        clock,
        log: silentLog,
        bind: { address: '127.0.0.1', port: 0 },
        rtp: { first: 47_000, last: 47_999 },
        seed: SEED,
        pace: 0.02,
        channels,
        codecs,
      });
    carrier = await open(0, ['PCMA']);
    expect((await call(calmPerson)).end.status).toBe(503);
    expect(carrier.expectations().get(calmPerson)).toMatchObject({ outcome: 'congestion', attempts: 1 });
    await carrier.close();
    carrier = await open(1, ['PCMU']);
    expect((await call(calmPerson)).end.status).toBe(488);
  });
});
