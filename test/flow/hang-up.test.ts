import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedCall, TimelineEvent } from '#domain/call.ts';
import { afterOutcome } from '#campaigns/redial.ts';
import { defaultSettings } from '#campaigns/settings.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { openCallee } from '../support/callee.ts';
import type { CalleeCall, TestCallee } from '../support/callee.ts';
import { openTestCenter, readRecording, shortScript } from '../support/call-center.ts';
import type { TestCenter } from '../support/call-center.ts';
import { amplitudeAt, toneOf } from '../support/tones.ts';

const PHONE = '+8613800000001';
const OPERATOR = 'user:1';
const HZ = { callee: 470, agent: 730 };

let callee: TestCallee;
let desk: TestCallee;
let center: TestCenter;

beforeAll(async () => {
  callee = await openCallee({ rtp: { first: 26_300, last: 26_315 }, codecs: ['PCMA'] });
  desk = await openCallee({ rtp: { first: 26_320, last: 26_351 }, codecs: ['PCMA'] });
  center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 26_360, last: 26_375 } });
});
afterAll(async () => {
  await center.close();
  await callee.close();
  await desk.close();
});

/** Nobody waits for a word of the callee within a test. */
const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });

/** A call that has reached the callee's phone, which answers or rings on. */
async function dial(answers: boolean) {
  const reached = Promise.withResolvers<CalleeCall>();
  callee.onCall = (call, answer) => {
    if (answers) answer();
    else call.incoming.progress(180);
    reached.resolve(call);
  };
  const { attempt, observer, done } = center.call(PHONE, { script });
  const call = await reached.promise;
  await observer.until(() => observer.states.includes(answers ? 'talking' : 'ringing'));
  const hangUp = (by = OPERATOR): void => center.center.operatorHangUp(attempt.id)!(by);
  return { attempt, call, done, observer, hangUp, control: () => center.center.control(attempt.id)! };
}

/** The next call to the desk, answered or not. */
function nextAtDesk(answers = true): Promise<CalleeCall> {
  const { promise, resolve } = Promise.withResolvers<CalleeCall>();
  desk.onCall = (call, answer) => {
    if (answers) answer();
    else call.incoming.progress(180);
    resolve(call);
  };
  return promise;
}

const address = (user: string): string => `sip:${user}@127.0.0.1:${desk.port}`;
const whatHappened = (timeline: readonly TimelineEvent[]): string[] =>
  timeline.flatMap((event) => {
    if (event.type === 'hang-up') return [`hang-up ${event.by}`];
    if (event.type === 'ended') return [`ended ${event.by} ${event.detail}`];
    return event.type === 'transfer' || event.type === 'listen' ? [`${event.type} ${event.action}`] : [];
  });
/** What becomes of a lead after its first dial. */
const leadAfter = (finished: FinishedCall) =>
  afterOutcome(defaultSettings(), { attemptCount: 1, retries: {} }, decideOutcome(finished), finished.endedAt);

describe('an operator hangs up', () => {
  it('while the script talks: BYE in the middle of the word, the call recorded and not redialled', async () => {
    const { attempt, call, done, hangUp } = await dial(true);
    // The first words are under way: 100 ms a character.
    await expect.poll(() => amplitudeAt(400, call.received.slice(-1600)), { timeout: 4000 }).toBeGreaterThan(1500);
    hangUp();
    expect(await call.ended).toMatchObject({ cause: 'bye', reason: expect.stringContaining('Q.850') });
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      dialog: { endReason: 'hung-up-by-operator', optedOut: false },
    });
    expect(whatHappened(finished.timeline)).toEqual([`hang-up ${OPERATOR}`, 'ended platform hung-up-by-operator']);
    expect(finished.turns).toMatchObject([{ speaker: 'platform', interrupted: true }]);
    const { platform } = readRecording(join(center.recordings, finished.recording!.path));
    expect(amplitudeAt(400, platform.slice(-1600))).toBeGreaterThan(1500);
    expect(leadAfter(finished)).toMatchObject({ state: 'done', reason: 'completed' });
    expect(center.center.operatorHangUp(attempt.id)).toBeUndefined();
  });

  it('while somebody talks with the callee: everybody on the line gets BYE, whoever rings CANCEL', async () => {
    const { call, control, done, hangUp, observer } = await dial(true);
    await observer.until(() => observer.said.length > 0);
    const answered = nextAtDesk();
    control().transfer({ kind: 'attended', target: address('8001') }, OPERATOR);
    const agent = await answered;
    const joined = nextAtDesk();
    control().listen({ target: address('8002'), role: 'monitor' }, OPERATOR);
    const listener = await joined;
    const asked = nextAtDesk(false);
    control().listen({ target: address('8003'), role: 'monitor' }, OPERATOR);
    const ringing = await asked;
    call.speech = toneOf(HZ.callee, 20_000, 'PCMA');
    agent.speech = toneOf(HZ.agent, 20_000, 'PCMA');
    const heard = (by: CalleeCall, hz: number): number => amplitudeAt(hz, by.received.slice(-2400));
    await expect.poll(() => heard(listener, HZ.agent), { timeout: 4000 }).toBeGreaterThan(1500);
    await expect.poll(() => heard(call, HZ.agent), { timeout: 4000 }).toBeGreaterThan(1500);

    hangUp();
    // Asked twice, by whomever: it is ending already.
    hangUp('user:2');
    for (const one of [call, agent, listener]) expect(await one.ended).toMatchObject({ cause: 'bye' });
    expect(await ringing.ended).toMatchObject({ cause: 'cancelled' });
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      // The script had nothing to say any more.
      dialog: { endReason: 'transferred' },
      transfer: { kind: 'attended', result: 'connected' },
      legs: [{ role: 'agent' }, { role: 'monitor' }],
    });
    const events = whatHappened(finished.timeline);
    expect(events.slice(events.indexOf(`hang-up ${OPERATOR}`))).toEqual([
      `hang-up ${OPERATOR}`,
      'listen ended',
      'listen failed',
      'transfer ended',
      'ended platform hung-up-by-operator',
    ]);
    const { callee: left, platform: right } = readRecording(join(center.recordings, finished.recording!.path));
    expect(amplitudeAt(HZ.callee, left.slice(-2400))).toBeGreaterThan(1500);
    expect(amplitudeAt(HZ.agent, right.slice(-2400))).toBeGreaterThan(1500);
    expect(leadAfter(finished)).toMatchObject({ state: 'done', reason: 'completed' });
  });

  it('while it rings: CANCEL, `cancelled`, and the redial rule of that decides', async () => {
    const { call, done, hangUp } = await dial(false);
    hangUp();
    hangUp('user:2');
    expect(await call.ended).toMatchObject({ cause: 'cancelled', reason: expect.stringContaining('Q.850') });
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'cancelled',
      hangupBy: 'platform',
      sipStatus: 487,
      talkMs: 0,
      dialog: undefined,
      recording: undefined,
      evidence: [{ kind: 'platform', detail: 'hung-up-by-operator', suggests: 'cancelled' }],
    });
    expect(whatHappened(finished.timeline)).toEqual([`hang-up ${OPERATOR}`, 'ended platform hung-up-by-operator']);
    expect(leadAfter(finished)).toMatchObject({ state: 'waiting', reason: 'retry-delay', retries: { cancelled: 1 } });
  });

  it('too late: the callee was faster, and nothing says otherwise', async () => {
    const { attempt, call, done } = await dial(true);
    const hangUp = center.center.operatorHangUp(attempt.id)!;
    call.incoming.hangup();
    const finished = await done;
    expect(() => hangUp(OPERATOR)).toThrow('over');
    expect(center.center.operatorHangUp(attempt.id)).toBeUndefined();
    expect(whatHappened(finished.timeline)).toEqual(['ended callee BYE received']);
  });
});

it('leaves no call behind', async () => {
  await expect.poll(() => [center.sip.load.calls, center.center.liveCalls]).toEqual([0, 0]);
});
