import { describe, expect, it } from 'vitest';
import type { Attempt, FinishedCall } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type {
  CallEnd,
  HangupReason,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
} from '#telephony/sip/user-agent.ts';
import { PlacedCall } from './placed-call.ts';
import { Trunk } from './trunk.ts';
import { plainRoute } from './trunk-route.ts';
import type { WorkerCallEvents } from './worker-pool.ts';
import type { FromWorker, ToWorker, WorkerResult } from './worker-protocol.ts';

const ID = 'attempt-1' as AttemptId;
const RESULT: WorkerResult = {
  dialog: undefined,
  timeline: [],
  turns: [],
  recording: undefined,
  media: undefined,
  legs: [],
  detections: [],
  callClass: 'unknown',
  callClassEvidence: '',
};
const BYE: CallEnd = {
  by: 'callee',
  cause: 'bye',
  status: undefined,
  reasonPhrase: '',
  reason: undefined,
  detail: 'BYE',
};

/** A call whose SIP agent and worker do what the test says. */
function place(options: { knows?: boolean; sipThrows?: boolean; observerThrows?: boolean } = {}) {
  const clock = new ManualClock();
  const posted: ToWorker[] = [];
  const hangups: unknown[] = [];
  const told: string[] = [];
  let left = 0;
  let worker!: WorkerCallEvents;
  let request: OutgoingCallRequest | undefined;
  let sip!: OutgoingCallHandlers;
  const tell = (text: string): void => {
    told.push(text);
    if (options.observerThrows === true) throw new Error('observer');
  };
  const call = new PlacedCall({
    clock,
    log: silentLog,
    rtp: { address: '127.0.0.1' },
    trunk: new Trunk(plainRoute('t', { host: '127.0.0.1', port: 5070 }, { codecs: ['PCMA'] }), { clock }),
    sip: {
      address: { address: '127.0.0.1', port: 5060 },
      placeCall(asked, handlers) {
        if (options.sipThrows === true) throw new Error('closed');
        request = asked;
        sip = handlers;
        return {
          callId: asked.callId,
          hangup: (reason?: HangupReason) => hangups.push(reason?.cause),
        } as unknown as OutgoingCall;
      },
    },
    pool: {
      seat: (_, events) => {
        worker = events;
        return { post: (message) => posted.push(message), knows: () => options.knows === true, leave: () => left++ };
      },
    },
    attempt: {
      id: ID,
      phone: '+8613800000000',
      callerNumber: '+862100000000',
      ringTimeoutMs: 1000,
      script: { id: 's', version: 3 },
      variables: {},
    } as unknown as Attempt,
    observer: {
      onState: (state) => tell(state),
      onSaid: (speaker, text) => tell(`${speaker}: ${text}`),
      onOptOut: () => tell('opt-out'),
    },
  });
  const settled: (FinishedCall | Error)[] = [];
  call.done.then(
    (finished) => settled.push(finished),
    (error: Error) => settled.push(error),
  );
  const from = (message: FromWorker): void => worker.onMessage(message as never);
  return {
    call,
    clock,
    posted,
    hangups,
    told,
    settled,
    from,
    get left() {
      return left;
    },
    get request() {
      return request;
    },
    get sip() {
      return sip;
    },
    lose: () => worker.onLost(),
    opened: () => from({ type: 'opened', call: ID, audioPort: 4000, textPort: 4004 }),
    answer(codecs: readonly ('PCMA' | 'PCMU')[] = ['PCMA']): void {
      const local = { address: '127.0.0.1', audioPort: 5000, textPort: 5004, codecs, dtmf: true } as const;
      const offer = parseSdp(
        request!.sdp
          .replaceAll('PCMA', codecs[0]!)
          .replace(/ 8 /, codecs[0] === 'PCMU' ? ' 0 ' : ' 8 ')
          .replace('rtpmap:8', codecs[0] === 'PCMU' ? 'rtpmap:0' : 'rtpmap:8'),
      );
      const result = createAnswer(offer, { ...local, direction: 'sendrecv' });
      if (!result.ok) throw new Error(result.reason);
      sip.onAnswered({ sdp: writeSdp(result.answer), headers: undefined as never });
    },
    finished: (result: Partial<WorkerResult> = {}) =>
      from({ type: 'finished', call: ID, result: { ...RESULT, ...result } }),
    types: () => posted.map(({ type }) => type),
    ticks: () => new Promise(setImmediate),
  };
}

describe('PlacedCall', () => {
  it('opens media, invites, talks, and resolves once with both halves', async () => {
    const one = place();
    expect(one.types()).toEqual(['script', 'open']);
    one.opened();
    expect(one.request).toMatchObject({
      callId: ID,
      target: 'sip:8613800000000@127.0.0.1:5070',
      from: 'sip:862100000000@127.0.0.1',
    });
    one.clock.advance(300);
    one.sip.onProgress({ status: 180, sdp: undefined } as never);
    one.clock.advance(700);
    one.answer();
    one.clock.advance(5000);
    one.sip.onEnded(BYE);
    expect(one.posted.at(-1)).toMatchObject({ type: 'finish', by: 'callee', detail: 'BYE' });
    one.clock.advance(50);
    one.finished({ timeline: [{ type: 'tag', atMs: 500.4, tag: 'x' }] });
    one.finished();
    one.lose();
    await one.ticks();
    expect(one.settled).toMatchObject([
      {
        attemptId: ID,
        outcome: 'answered',
        ringMs: 300,
        answeredMs: 1000,
        talkMs: 5000,
        hangupBy: 'callee',
        dialedAt: new Date('2026-01-05T02:00:00Z'),
        endedAt: new Date('2026-01-05T02:00:06Z'),
        timeline: [
          { type: 'progress', atMs: 300 },
          { type: 'tag', atMs: 500 },
          { type: 'answered', atMs: 1000 },
        ],
      },
    ]);
    expect(one.told).toEqual(['dialing', 'ringing', 'talking']);
    expect(one.left).toBe(1);
  });

  it('sends no INVITE for a call that is cancelled before its media are open', async () => {
    const one = place({ knows: true });
    one.call.hangUp('cancelled');
    one.opened();
    expect(one.request).toBeUndefined();
    expect(one.types()).toEqual(['open', 'finish']);
    one.finished();
    await one.ticks();
    expect(one.settled).toMatchObject([{ outcome: 'cancelled', answeredMs: undefined, talkMs: 0 }]);
  });

  it('rejects when no ports are free', async () => {
    const one = place();
    one.from({ type: 'failed', call: ID, message: 'no ports' });
    await one.ticks();
    expect(one.settled).toMatchObject([{ code: 'resource-exhausted', retryable: true }]);
    expect(one.left).toBe(1);
  });

  it('rejects and frees the media when the INVITE cannot leave', async () => {
    const one = place({ sipThrows: true });
    one.opened();
    await one.ticks();
    expect(one.settled).toMatchObject([new Error('closed')]);
    expect(one.types()).toEqual(['script', 'open', 'finish']);
    expect(one.told).toEqual([]);
  });

  it('hangs up on the announcement of a dead number and on nothing less', async () => {
    const one = place();
    one.opened();
    const detect = (label: string, confidence: number): void =>
      one.from({ type: 'detected', call: ID, detection: { kind: 'announcement', label, confidence, atMs: 0 } });
    detect('powered-off', 0.99);
    detect('invalid-number', 0.5);
    expect(one.hangups).toEqual([]);
    one.clock.advance(10_000);
    expect(one.hangups).toEqual([]);
    detect('invalid-number', 0.9);
    one.clock.advance(1499);
    expect(one.hangups).toEqual([]);
    one.clock.advance(1);
    expect(one.hangups).toEqual([16]);
    one.sip.onEnded({ ...BYE, by: 'platform', cause: 'cancelled', status: 487, detail: 'cancelled' });
    expect(one.posted.at(-1)).toMatchObject({ type: 'finish', detail: 'dead-number' });
    one.finished({ detections: [{ kind: 'announcement', label: 'invalid-number', confidence: 0.9, atMs: 0 }] });
    await one.ticks();
    expect(one.settled).toMatchObject([{ outcome: 'invalid-number' }]);
  });

  it('takes back what it took for the announcement of a dead number when it turns out to be another', () => {
    const one = place();
    one.opened();
    for (const label of ['arrears', 'out-of-coverage'])
      one.from({ type: 'detected', call: ID, detection: { kind: 'announcement', label, confidence: 0.9, atMs: 0 } });
    one.clock.advance(10_000);
    expect(one.hangups).toEqual([]);
  });

  it('refuses an answer without a codec of ours, and does not count it as answered', async () => {
    const one = place();
    one.opened();
    one.answer(['PCMU']);
    expect(one.hangups).toEqual([65]);
    one.sip.onEnded({ ...BYE, by: 'platform' });
    one.finished();
    await one.ticks();
    expect(one.types()).not.toContain('answered');
    expect(one.settled).toMatchObject([
      {
        answeredMs: undefined,
        outcome: 'media-refused',
        evidence: [{ kind: 'platform', detail: 'no media agreed' }],
      },
    ]);
  });

  it('refuses an answer that cannot be read', async () => {
    const one = place();
    one.opened();
    one.sip.onAnswered({ sdp: 'nonsense', headers: undefined as never });
    expect(one.hangups).toEqual([65]);
  });

  it.each([false, true])('ends and is lost when its worker dies, answered: %s', async (answered) => {
    const one = place();
    one.opened();
    if (answered) one.answer();
    one.clock.advance(2000);
    one.lose();
    expect(one.hangups).toEqual([41]);
    one.sip.onEnded({ ...BYE, by: 'platform' });
    await one.ticks();
    expect(one.settled).toMatchObject([{ outcome: 'lost', talkMs: answered ? 2000 : 0, hangupBy: 'platform' }]);
    expect(one.types()).not.toContain('finish');
  });

  it('keeps what the network said when the worker dies after the end', async () => {
    const one = place();
    one.opened();
    one.sip.onEnded({ ...BYE, cause: 'rejected', status: 486, detail: 'refused' });
    one.lose();
    await one.ticks();
    expect(one.settled).toMatchObject([{ outcome: 'busy', sipStatus: 486, hangupBy: 'callee' }]);
    expect(one.hangups).toEqual([]);
  });

  it.each([
    ['rings', false, 'cancelled'],
    ['talks', true, 'answered'],
  ] as const)('hangs up when aborted while it %s', async (_, answered, outcome) => {
    const one = place();
    one.opened();
    if (answered) one.answer();
    one.call.hangUp('cancelled');
    expect(one.hangups).toEqual([16]);
    one.sip.onEnded({ ...BYE, by: 'platform', cause: answered ? 'bye' : 'cancelled' });
    one.finished();
    await one.ticks();
    expect(one.settled).toMatchObject([{ outcome, hangupBy: 'platform' }]);
  });

  it('sends no INVITE where an operator was faster, says who in the timeline, and takes one word for two', async () => {
    const one = place();
    one.call.operatorHangUp!('user:1');
    one.call.operatorHangUp!('user:2');
    one.opened();
    expect(one.request).toBeUndefined();
    // It is over, but by them.
    one.call.operatorHangUp!('user:1');
    one.finished();
    await one.ticks();
    expect(one.settled).toMatchObject([
      { outcome: 'cancelled', timeline: [{ type: 'hang-up', atMs: 0, by: 'user:1' }] },
    ]);
  });

  it('lets nobody hang up what is over, and leaves alone what ends by itself', () => {
    const one = place();
    one.opened();
    const { operatorHangUp } = one.call;
    one.call.hangUp('dead-number');
    operatorHangUp!('user:1');
    expect(one.hangups).toEqual([16]);
    one.sip.onEnded({ ...BYE, by: 'platform', cause: 'cancelled' });
    expect(one.posted.at(-1)).toMatchObject({ type: 'finish', detail: 'dead-number' });
    expect(one.call.operatorHangUp).toBeUndefined();
    expect(() => operatorHangUp!('user:1')).toThrow('over');
  });

  it('passes early media, digits and changes of the session on to the worker', () => {
    const one = place();
    one.opened();
    one.answer();
    const { media } = one.posted.findLast((message) => message.type === 'answered')!;
    one.sip.onDtmf?.('5');
    one.sip.onMediaChanged?.(media);
    expect(one.posted.slice(-2)).toMatchObject([
      { type: 'dtmf', digit: '5' },
      { type: 'renegotiated', media },
    ]);
  });

  it('survives an observer that throws', async () => {
    const one = place({ observerThrows: true });
    one.opened();
    one.sip.onProgress({ status: 180, sdp: undefined } as never);
    one.answer();
    one.from({ type: 'said', call: ID, speaker: 'callee', text: '喂' });
    one.from({ type: 'opted-out', call: ID });
    one.sip.onEnded(BYE);
    one.finished();
    await one.ticks();
    expect(one.told).toEqual(['dialing', 'ringing', 'talking', 'callee: 喂', 'opt-out']);
    expect(one.settled).toMatchObject([{ outcome: 'answered' }]);
  });
});
