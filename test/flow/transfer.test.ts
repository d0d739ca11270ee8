import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedCall, TimelineEvent } from '#domain/call.ts';
import type { Script } from '#domain/script.ts';
import type { ListenerRole } from '#domain/transfer.ts';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import type { PhraseRequest } from '#calls/worker-protocol.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { openCallee } from '../support/callee.ts';
import type { CalleeCall, TestCallee } from '../support/callee.ts';
import { openTestCenter, readRecording, shortScript, tonePhrase } from '../support/call-center.ts';
import type { TestCenter, WatchedObserver } from '../support/call-center.ts';
import { amplitudeAt, toneOf } from '../support/tones.ts';

const PHONE = '+8613800000001';
/** Whole periods in 100 ms, and none a multiple of another. */
const HZ = { callee: 470, target: 730, monitor: 1010, whisper: 1270, barge: 1610 };
const TONE_MS = 20_000;

let port = 26_000;
function range(calls: number): { readonly first: number; readonly last: number } {
  const first = port;
  port += calls * 4;
  return { first, last: port - 1 };
}

let callee: TestCallee;
let target: TestCallee;
let center: TestCenter;

beforeAll(async () => {
  callee = await openCallee({ rtp: range(4), codecs: ['PCMA'] });
  target = await openCallee({ rtp: range(8), codecs: ['PCMU'] });
  // Ports for one call with three second legs: whatever leaks one is noticed by the calls that follow.
  center = await openTestCenter({ trunkPort: callee.port, rtp: range(4), phrase });
});
afterAll(async () => {
  await center.close();
  await callee.close();
  await target.close();
});

interface Talk {
  readonly call: CalleeCall;
  readonly control: CallControl;
  readonly observer: WatchedObserver;
  readonly done: Promise<FinishedCall>;
}

/** A call under way; the callee sends a tone that passes for silence with the script's waits. */
async function talk(script: Script = waiting()): Promise<Talk> {
  const answered = Promise.withResolvers<CalleeCall>();
  callee.onCall = (call, answer) => {
    answer();
    answered.resolve(call);
  };
  const { attempt, observer, done } = center.call(PHONE, { script });
  const call = await answered.promise;
  await observer.until(() => observer.said.length > 0);
  const control = center.center.control(attempt.id);
  if (control === undefined) throw new Error('the call cannot be controlled');
  return { call, control, observer, done };
}

/** Long waits: the tests transfer at once. */
function waiting(): Script {
  return shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
}

/** What the target does with its calls, in order of their coming. */
function targetCalls(answer = true): { readonly next: () => Promise<CalleeCall>; readonly all: CalleeCall[] } {
  const all: CalleeCall[] = [];
  const waitingFor: ((call: CalleeCall) => void)[] = [];
  let taken = 0;
  target.onCall = (call, take) => {
    if (answer) take();
    all.push(call);
    waitingFor.shift()?.(call);
  };
  return {
    all,
    next: () => {
      const call = all[taken++];
      return call === undefined ? new Promise((resolve) => waitingFor.push(resolve)) : Promise.resolve(call);
    },
  };
}

const uri = (user: string): string => `sip:${user}@127.0.0.1:${target.port}`;
const sing = (call: CalleeCall, hz: number, codec: G711Codec): void => {
  call.speech = toneOf(hz, TONE_MS, codec);
};
/** The last 300 ms that somebody received. */
const lately = (call: CalleeCall): number[] => call.received.slice(-2400);

async function hearsOnly(call: CalleeCall, codec: G711Codec, wanted: readonly (keyof typeof HZ)[]): Promise<void> {
  await expect
    .poll(() => Object.keys(HZ).filter((who) => amplitudeAt(HZ[who as keyof typeof HZ], lately(call), codec) > 1500), {
      timeout: 4000,
    })
    .toEqual(Object.keys(HZ).filter((who) => wanted.includes(who as keyof typeof HZ)));
}

const transfers = (timeline: readonly TimelineEvent[]) =>
  timeline.filter((event) => event.type === 'transfer').map((event) => event.action);

describe('an attended transfer', () => {
  it('connects callee and target in different laws, plays music meanwhile, and records both', async () => {
    const ringing = targetCalls(false);
    const { call, control, done } = await talk();
    sing(call, HZ.callee, 'PCMA');
    control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
    const consulted = await ringing.next();
    // A note of the built-in music, and nothing of the target yet.
    const heardBefore = call.received.length;
    await expect.poll(() => call.received.length - heardBefore, { timeout: 5000 }).toBeGreaterThan(8000);
    const notes = [220, 330, 440, 554.37].map((hz) => amplitudeAt(hz, call.received.slice(heardBefore)));
    expect(Math.max(...notes)).toBeGreaterThan(200);
    expect(consulted.received).toEqual([]);
    expect(control.view.transfer).toMatchObject({ state: 'calling', kind: 'attended' });

    consulted.answer();
    sing(consulted, HZ.target, 'PCMU');
    await hearsOnly(call, 'PCMA', ['target']);
    await hearsOnly(consulted, 'PCMU', ['callee']);
    expect(control.view.transfer).toMatchObject({ state: 'connected' });

    call.incoming.hangup();
    const finished = await done;
    expect(await consulted.ended).toMatchObject({ cause: 'bye' });
    expect(transfers(finished.timeline)).toEqual(['started', 'answered', 'ended']);
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'callee',
      transfer: { kind: 'attended', result: 'connected', talkMs: expect.any(Number) },
      dialog: { endReason: 'transferred' },
    });
    expect(finished.transfer!.talkMs).toBeGreaterThan(100);
    expect(finished.media).toMatchObject({ codec: 'PCMA' });
    expect(finished.legs).toMatchObject([
      { role: 'agent', target: uri('8001'), media: { codec: 'PCMU', packetsLost: 0, jitterMs: expect.any(Number) } },
    ]);
    const { joinedMs, leftMs, media } = finished.legs![0]!;
    expect(leftMs - joinedMs).toBeGreaterThan(finished.transfer!.talkMs - 50);
    expect(media!.packetsReceived).toBeGreaterThan(5);
    // 1 where a slow machine lets half a second go to pieces.
    expect(media!.mos).toBeGreaterThanOrEqual(1);
    const { callee: left, platform: right } = readRecording(join(center.recordings, finished.recording!.path));
    expect(amplitudeAt(HZ.callee, left.slice(-2400))).toBeGreaterThan(1500);
    expect(amplitudeAt(HZ.target, right.slice(-2400))).toBeGreaterThan(1500);
  });

  it('passes on what is typed and the keys that are pressed, each once', async () => {
    const answered = targetCalls();
    const { call, control, done } = await talk();
    control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
    const other = await answered.next();
    await expect.poll(() => control.view.transfer?.state).toBe('connected');
    call.say('我的账号');
    other.say('请稍等');
    await expect.poll(() => other.text).toContain('我的账号');
    await expect.poll(() => call.text).toContain('请稍等');
    call.leg.sendDtmf('42#');
    await expect.poll(() => other.digits.join(''), { timeout: 3000 }).toBe('42#');
    other.leg.sendDtmf('7');
    await expect.poll(() => call.digits.join(''), { timeout: 3000 }).toBe('7');
    call.incoming.hangup();
    const finished = await done;
    // Keys for somebody else may be a secret.
    expect(finished.timeline.filter(({ type }) => type === 'dtmf')).toEqual([]);
  });

  it('leaves the script to say what follows when the target is busy, and when it has hung up', async () => {
    target.onCall = ({ incoming }) => incoming.reject(486);
    const { call, observer, done } = await talk(handingOver());
    call.say('好的');
    await observer.until(() => observer.said.some(({ text }) => text.includes('忙线')));
    const answered = targetCalls();
    call.say('好的');
    const other = await answered.next();
    await expect.poll(() => other.received.length).toBeGreaterThan(1600);
    other.incoming.hangup();
    await observer.until(() => observer.said.some(({ text }) => text.includes('感谢')));
    const finished = await done;
    expect(transfers(finished.timeline)).toEqual(['started', 'failed', 'started', 'answered', 'ended']);
    expect(finished.timeline).toContainEqual(expect.objectContaining({ type: 'transfer', reason: 'busy' }));
    expect(finished).toMatchObject({ dialog: { endReason: 'end:bye' }, transfer: { result: 'connected' } });
  });

  it('calls nobody any more when the callee hangs up during the consultation', async () => {
    const ringing = targetCalls(false);
    const { call, control, done } = await talk();
    control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
    const consulted = await ringing.next();
    consulted.incoming.progress(180);
    call.incoming.hangup();
    expect(await consulted.ended).toMatchObject({ cause: 'cancelled' });
    expect(await done).toMatchObject({ hangupBy: 'callee', transfer: { result: 'cancelled', talkMs: 0 } });
  });

  it('gives a callee back to the script whom nobody answers, and takes one back on demand', async () => {
    const ringing = targetCalls(false);
    const { call, control, observer, done } = await talk();
    control.transfer({ kind: 'attended', target: uri('8001'), ringTimeoutMs: 300 }, 'test');
    (await ringing.next()).incoming.progress(180);
    await observer.until(() => observer.said.some(({ text }) => text.includes('没有接通')));
    expect(() => control.endTransfer()).toThrow('not being transferred');
    control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
    expect(() => control.transfer({ kind: 'attended', target: uri('8001') }, 'test')).toThrow('already');
    const second = await ringing.next();
    control.endTransfer();
    expect(await second.ended).toMatchObject({ cause: 'cancelled' });
    call.say('方便的，没问题');
    const finished = await done;
    expect(finished).toMatchObject({ dialog: { endReason: 'end:yes' }, transfer: { result: 'cancelled' } });
    expect(finished.timeline).toContainEqual(expect.objectContaining({ action: 'failed', reason: 'no-answer' }));
  });

  it('lets both ends talk without us where asked, by REFER with Replaces', async () => {
    const answered = targetCalls();
    const { call, control, done } = await talk();
    const asked = Promise.withResolvers<string | undefined>();
    call.incoming.onTransferRequested = (request) => {
      asked.resolve(request.replaces);
      request.accept()(200);
    };
    control.transfer({ kind: 'attended', target: uri('8001'), release: true }, 'test');
    const other = await answered.next();
    expect(await asked.promise).toContain(other.incoming.callId);
    expect(await done).toMatchObject({ hangupBy: 'platform', transfer: { result: 'connected' } });
    await other.ended;
  });
});

describe('a blind transfer', () => {
  it('ends our part once the callee’s line reports that the target answered', async () => {
    const { call, control, done } = await talk();
    call.incoming.onTransferRequested = (request) => {
      expect(request.to).toContain('13900000002');
      request.accept()(200);
    };
    control.transfer({ kind: 'blind', target: '+8613900000002' }, 'test');
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      transfer: { kind: 'blind', target: '+86139****0002', result: 'connected', talkMs: 0 },
      dialog: { endReason: 'transferred' },
    });
  });

  it('is handed over, its end unknown, where the line agrees and hangs up before it reports', async () => {
    const { call, control, done } = await talk();
    call.incoming.onTransferRequested = (request) => {
      request.accept();
      call.incoming.hangup();
    };
    control.transfer({ kind: 'blind', target: '8001' }, 'test');
    const finished = await done;
    expect(transfers(finished.timeline)).toEqual(['started', 'handed-over']);
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'callee',
      transfer: { kind: 'blind', target: '8001', result: 'handed-over', talkMs: 0 },
      dialog: { endReason: 'transferred' },
    });
  });

  it('goes on with the script where the line does not let itself be transferred, or the target is busy', async () => {
    const { call, control, observer, done } = await talk();
    control.transfer({ kind: 'blind', target: '8001' }, 'test');
    await observer.until(() => observer.said.some(({ text }) => text.includes('没有接通')));
    call.incoming.onTransferRequested = (request) => request.accept()(486);
    control.transfer({ kind: 'blind', target: '8001' }, 'test');
    await observer.until(() => observer.said.filter(({ text }) => text.includes('没有接通')).length === 2);
    call.say('方便的，没问题');
    const finished = await done;
    expect(finished.timeline.flatMap((event) => (event.type === 'transfer' ? [event.reason] : []))).toEqual([
      undefined,
      'refused',
      undefined,
      'busy',
    ]);
    expect(finished).toMatchObject({ dialog: { endReason: 'end:yes' } });
  });
});

describe('whoever listens in', () => {
  it('hears and is heard as their role says, and changes it while listening', async () => {
    const answered = targetCalls();
    const { call, control, done } = await talk();
    sing(call, HZ.callee, 'PCMA');
    control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
    const agent = await answered.next();
    await expect.poll(() => control.view.transfer?.state).toBe('connected');
    sing(agent, HZ.target, 'PCMU');
    const id = control.listen({ target: uri('8002'), role: 'monitor' }, 'user:1');
    const listener = await answered.next();
    sing(listener, HZ.monitor, 'PCMU');
    await hearsOnly(listener, 'PCMU', ['callee', 'target']);
    await hearsOnly(call, 'PCMA', ['target']);
    await hearsOnly(agent, 'PCMU', ['callee']);
    control.setRole(id, 'whisper');
    await hearsOnly(agent, 'PCMU', ['callee', 'monitor']);
    await hearsOnly(call, 'PCMA', ['target']);
    control.setRole(id, 'barge');
    await hearsOnly(call, 'PCMA', ['target', 'monitor']);
    await hearsOnly(agent, 'PCMU', ['callee', 'monitor']);
    control.endListener(id);
    expect(await listener.ended).toMatchObject({ cause: 'bye' });
    await hearsOnly(call, 'PCMA', ['target']);
    expect(() => control.setRole(id, 'monitor')).toThrow('Nobody');
    // A listener's death leaves the others alone, and so does the target's.
    call.incoming.hangup();
    const finished = await done;
    await agent.ended;
    expect(
      finished.timeline.flatMap((event) => (event.type === 'listen' ? [`${event.action} ${event.role}`] : [])),
    ).toEqual(['started monitor', 'joined monitor', 'role whisper', 'role barge', 'ended barge']);
  });

  it('hears callee and script, and barges into their talk', async () => {
    const answered = targetCalls();
    const { call, control, done } = await talk();
    const id = control.listen({ target: uri('8002'), role: 'barge' satisfies ListenerRole }, 'user:1');
    const listener = await answered.next();
    await expect.poll(() => control.view.listeners).toMatchObject([{ id, state: 'listening', role: 'barge' }]);
    sing(listener, HZ.barge, 'PCMU');
    await hearsOnly(call, 'PCMA', ['barge']);
    sing(call, HZ.callee, 'PCMA');
    await hearsOnly(listener, 'PCMU', ['callee']);
    listener.incoming.hangup();
    await expect.poll(() => control.view.listeners).toEqual([]);
    await hearsOnly(call, 'PCMA', []);
    // The script goes on: it heard a voice and asks.
    call.say('好的');
    expect(await done).toMatchObject({ dialog: { endReason: 'end:yes' } });
  });

  it('who does not answer is told apart in the timeline and leaves the call alone', async () => {
    target.onCall = ({ incoming }) => incoming.reject(603);
    const { call, control, done } = await talk();
    const id = control.listen({ target: uri('8002'), role: 'monitor' }, 'user:1');
    await expect.poll(() => control.view.listeners).toEqual([]);
    expect(control.view.failedListener).toMatchObject({ id, reason: 'rejected' });
    expect(() => control.listen({ target: 'nobody', role: 'monitor' }, 'user:1')).toThrow('cannot be called');
    call.say('好的');
    const finished = await done;
    expect(finished.timeline).toContainEqual(
      expect.objectContaining({ type: 'listen', action: 'failed', reason: 'rejected', by: 'user:1' }),
    );
    expect(finished).toMatchObject({ dialog: { endReason: 'end:yes' } });
  });
});

it('leaves no call and no port behind', async () => {
  await expect.poll(() => [center.sip.load.calls, center.center.liveCalls]).toEqual([0, 0]);
  const answered = targetCalls();
  const { call, control, done } = await talk();
  for (const role of ['monitor', 'whisper', 'barge'] as const) control.listen({ target: uri('8002'), role }, 'test');
  const listeners = [await answered.next(), await answered.next(), await answered.next()];
  call.incoming.hangup();
  await done;
  await Promise.all(listeners.map(({ ended }) => ended));
  await expect.poll(() => center.sip.load.calls).toBe(0);
});

it('hangs everybody up when the call centre closes in the middle', async () => {
  const answered = targetCalls();
  const { control, done } = await talk();
  control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
  const agent = await answered.next();
  control.listen({ target: uri('8002'), role: 'monitor' }, 'test');
  const listener = await answered.next();
  await center.center.close('test');
  await Promise.all([agent.ended, listener.ended]);
  expect(await done).toMatchObject({ hangupBy: 'platform', transfer: { result: 'connected' } });
  // Our BYE is acknowledged a moment after they have it.
  await expect.poll(() => center.sip.load.calls).toBe(0);
});

/** 20 ms of tone a character, so that nobody waits for words. */
async function phrase(request: PhraseRequest): Promise<Uint8Array> {
  return (await tonePhrase(request)).subarray(0, request.text.length * 160);
}

/** A script that hands over after a yes, asks again when the target is busy, and says goodbye after the talk. */
function handingOver(): Script {
  const script = waiting();
  const node = { stage: 'main', branches: [], maxVisits: 3, scoreDelta: 0 } as const;
  return {
    ...script,
    id: 'handing-over',
    nodes: [
      {
        ...node,
        id: 'ask',
        type: 'start',
        speech: [{ text: '要人工吗？' }],
        branches: [{ meaning: 'positive', next: 'hand-over' }],
      },
      {
        ...node,
        id: 'hand-over',
        type: 'transfer',
        speech: [{ text: '为您转接。' }],
        transfer: { target: uri('8001'), kind: 'attended', onFailure: { busy: 'busy' }, after: 'bye' },
        next: 'nobody',
      },
      {
        ...node,
        id: 'busy',
        type: 'say',
        speech: [{ text: '忙线，再试一次吗？' }],
        branches: [{ meaning: 'positive', next: 'hand-over' }],
      },
      { ...node, id: 'nobody', type: 'end', speech: [{ text: '无人接听。' }] },
      { ...node, id: 'bye', type: 'end', speech: [{ text: '感谢。' }] },
    ],
  };
}
