import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FinishedCall, Turn } from '#domain/call.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { openSpeech, type Speech } from '#bin/runtime/speech.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { readCallLog } from '#simulator/call-log.ts';
import type { EndedLine } from '#simulator/call-record.ts';
import { openCarrier, type Carrier } from '#simulator/carrier.ts';
import { behaviourOf, personaOf, type LineBehaviour, type Persona } from '#simulator/persona.ts';
import { randomFor } from '#simulator/random.ts';
import { announcementRecordings } from '#simulator/sound-bank.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import {
  openTestCenter,
  readRecording,
  REMINDER_VARIABLES,
  rms,
  sampleScript,
  type TestCenter,
  type WatchedObserver,
} from '../support/call-center.ts';

const SEED = 5;
const ANNOUNCED = [
  'invalid-number',
  'powered-off',
  'suspended',
  'arrears',
  'out-of-coverage',
  'unreachable',
  'busy',
  'number-changed',
  'incoming-barred',
] as const;
const MACHINES = ['voicemail', 'call-assistant', 'fax'] as const;

interface Placed {
  readonly finished: FinishedCall;
  readonly observer: WatchedObserver;
  readonly carrier: EndedLine;
}

/** Whole calls to the simulated carrier, all at the same time, with synthesised speech on both sides. */
describe('calls to the simulated carrier', () => {
  const directory = mkdtempSync(join(tmpdir(), 'waihu-flow-'));
  const script = sampleScript('credit-card-reminder');
  const examples = new Map<string, string>();
  const placed = new Map<string, Placed>();
  let speech: Speech;
  let carrier: Carrier;
  let center: TestCenter;

  const numberOf = (kind: string, wanted: (persona: Persona) => boolean): string => {
    const random = randomFor('flow', kind);
    for (;;) {
      const number = `154${String(random.integer(0, 99_999_999)).padStart(8, '0')}`;
      const persona = personaOf(number, SEED);
      if (wanted(persona)) return number;
    }
  };
  const line = (behaviour: LineBehaviour, more: (persona: Persona) => boolean = () => true): string =>
    numberOf(behaviour, (persona) => behaviourOf(persona, 1, SEED) === behaviour && more(persona));
  const person = (example: string, traits: Partial<Persona['human']> = {}): string => {
    const wanted = { greets: false, acknowledges: false, hangsUpEarly: false, silentAtLine: undefined, ...traits };
    const number = numberOf(example, (persona) => {
      const human: Readonly<Record<string, unknown>> = { ...persona.human };
      return (
        behaviourOf(persona, 1, SEED) === 'human' &&
        Object.entries(wanted).every(([trait, value]) => human[trait] === value) &&
        ('bargesInAtLine' in traits || persona.human.bargesInAtLine === undefined)
      );
    });
    examples.set(number, example);
    return number;
  };

  async function place(key: string, number: string): Promise<void> {
    const { attempt, observer, done } = center.call(`+86${number}`, { script, variables: REMINDER_VARIABLES });
    const finished = await done;
    const log = (): EndedLine | undefined =>
      readCallLog(join(directory, 'calls.jsonl')).findLast(
        (entry): entry is EndedLine => entry.type === 'ended' && entry.callId === attempt.id,
      );
    await vi.waitUntil(() => log() !== undefined);
    placed.set(key, { finished, observer, carrier: log()! });
  }
  const of = (key: string): Placed => {
    const call = placed.get(key);
    if (call === undefined) throw new Error(`no call ${key}`);
    return call;
  };

  beforeAll(async () => {
    const voice = join(directory, 'voice');
    speech = openSpeech({ log: silentLog, cacheDirectory: voice, promptsDirectory: join(directory, 'prompts') });
    const fingerprints = new FingerprintLibrary();
    const synthesize: Speech['synthesize'] = (text, options) => speech.synthesize(text, options);
    for (const { label, pcm } of await announcementRecordings(synthesize)) fingerprints.add(label, pcm);
    carrier = await openCarrier({
      clock: systemClock,
      log: silentLog,
      bind: { address: '127.0.0.1', port: 0 },
      rtp: { first: 22_000, last: 22_399 },
      seed: SEED,
      pace: 0.2,
      logFile: join(directory, 'calls.jsonl'),
      synthesize,
      conversationsFor: (number) => script.examples.filter(({ name }) => name === examples.get(number)),
    });
    center = await openTestCenter({
      trunkPort: carrier.address.port,
      rtp: { first: 22_400, last: 22_799 },
      fingerprints,
      phrase: (request) => speech.phrase(request),
    });
    // A few at a time, so that a busy machine does not tear holes into their audio.
    const announced = async (behaviours: readonly LineBehaviour[]): Promise<void> => {
      for (const behaviour of behaviours)
        await place(
          behaviour,
          line(behaviour, ({ switchKind }) => switchKind !== 'exact'),
        );
    };
    await Promise.all([
      place('human', person('一句话说清还款日')),
      place('opt-out', person('一接通就要求别打')),
      place('barge-in', person('已经还过了', { bargesInAtLine: 1 })),
      ...MACHINES.map((machine) => place(machine, line(machine))),
      ...[0, 3, 6].map((from) => announced(ANNOUNCED.slice(from, from + 3))),
    ]);
  }, 120_000);

  afterAll(async () => {
    await center.close();
    await carrier.close();
    await speech.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('talks with a person to the grade that the script promises', () => {
    const { finished, observer, carrier: line } = of('human');
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      dialog: { endReason: 'end:promise-end' },
    });
    expect(decideOutcome(finished)).toMatchObject({ code: line.expectedOutcome, grade: line.expectedGrade });
    expect(observer.states).toEqual(['dialing', 'ringing', 'talking']);
  });

  it.each(['human', 'opt-out', 'barge-in'])('understands all that the callee said and nothing else: %s', (key) => {
    const { finished, carrier: line } = of(key);
    const words = (texts: readonly string[]): string => texts.join('').replaceAll(/[\s，。？！]/g, '');
    const heard = finished.turns.filter(({ speaker }) => speaker === 'callee').map(({ text }) => text);
    expect(words(heard)).toBe(words(line.said.map(({ text }) => text)));
    expect(words(heard)).not.toBe('');
  });

  it.each(['human', 'opt-out', 'barge-in'])('records both sides where the transcript says they spoke: %s', (key) => {
    const { finished } = of(key);
    const recording = readRecording(join(center.recordings, finished.recording!.path));
    const answeredMs = finished.answeredMs!;
    for (const turn of finished.turns) {
      const level = (fromMs: number, toMs: number): number =>
        rms(recording[turn.speaker], recording.codec, fromMs - answeredMs, toMs - answeredMs);
      const spoken = level(turn.startMs, turn.endMs);
      expect(spoken, `${turn.speaker} ${turn.startMs}`).toBeGreaterThan(400);
      // 300 ms outside of the turn this side is silent again, unless it has another turn there.
      for (const [fromMs, toMs] of quietAround(turn, finished.turns, answeredMs))
        expect(level(fromMs, toMs), `${turn.speaker} around ${turn.startMs}`).toBeLessThan(spoken / 5);
    }
    expect(new Set(finished.turns.map(({ speaker }) => speaker))).toEqual(new Set(['callee', 'platform']));
    expect(Math.abs(finished.recording!.durationMs - finished.talkMs)).toBeLessThan(150);
  });

  it('reports an opt-out at once and ends politely', () => {
    const { finished, observer } = of('opt-out');
    expect(observer.optOuts).toBe(1);
    expect(finished).toMatchObject({ outcome: 'answered', hangupBy: 'platform', dialog: { optedOut: true } });
    expect(finished.turns.at(-1)).toMatchObject({ speaker: 'platform', interrupted: false });
  });

  it('lets a person barge in and keeps only what was played', () => {
    const { finished } = of('barge-in');
    expect(finished.timeline).toContainEqual(expect.objectContaining({ type: 'barge-in', action: 'interrupt' }));
    expect(finished.turns).toContainEqual(expect.objectContaining({ speaker: 'platform', interrupted: true }));
    expect(finished.outcome).toBe('answered');
  });

  it.each(MACHINES)('recognises what is no person: %s', (machine) => {
    expect(of(machine).finished).toMatchObject({ outcome: machine });
    expect(of(machine).finished.answeredMs).toBeDefined();
  });

  it.each(ANNOUNCED)('names the announced cause behind a vague code: %s', (behaviour) => {
    const { finished, carrier: line } = of(behaviour);
    expect(finished).toMatchObject({ outcome: behaviour });
    expect(line.expectedOutcome).toBe(behaviour);
    expect(finished).toMatchObject({ answeredMs: undefined, recording: undefined, dialog: undefined });
    expect(finished.timeline).toContainEqual(expect.objectContaining({ type: 'announcement', label: behaviour }));
  });
});

/** The stretches just outside of 300 ms around a turn in which its side has no other turn. */
function quietAround(turn: Turn, turns: readonly Turn[], answeredMs: number): readonly (readonly [number, number])[] {
  const stretches = [
    [turn.startMs - 450, turn.startMs - 300],
    [turn.endMs + 300, turn.endMs + 450],
  ] as const;
  const last = Math.max(...turns.map(({ endMs }) => endMs));
  return stretches.filter(
    ([fromMs, toMs]) =>
      fromMs > answeredMs &&
      toMs < last &&
      !turns.some(
        (other) =>
          other !== turn && other.speaker === turn.speaker && other.startMs - 300 < toMs && other.endMs + 300 > fromMs,
      ),
  );
}
