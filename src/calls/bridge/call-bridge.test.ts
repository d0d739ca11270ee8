import { beforeEach, describe, expect, test } from 'vitest';
import type { Attempt, MediaStats } from '#domain/call.ts';
import { silentLog } from '#platform/log.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type {
  CallEnd,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  TransferResult,
} from '#telephony/sip/user-agent.ts';
import { CountingClock } from '../../../test/support/sip-network.ts';
import type { TimelineEntry } from '../transcript.ts';
import { plainRoute } from '../trunk-route.ts';
import { Trunk } from '../trunk.ts';
import type { BridgeCommand } from './bridge-protocol.ts';
import { CallBridge } from './call-bridge.ts';
import { transferFailureOf } from './outside-leg.ts';
import { outsideTarget } from './outside-target.ts';
import type { OutsideCaller, SecondTrunk, TakeLine } from './outside-target.ts';

const ROUTE = plainRoute(
  't',
  { host: '192.0.2.1', port: 5060 },
  {
    codecs: ['PCMA'],
    account: { username: 'u', credentials: { username: 'u', password: 'p' } },
  },
);
const END = { by: 'callee', status: undefined, reasonPhrase: '', reason: undefined, detail: '' } as const;

let clock: CountingClock;
let posted: BridgeCommand[];
let noted: TimelineEntry[];
let hangUps: string[];
/** Second calls, oldest first. */
let seconds: {
  readonly target: string;
  readonly handlers: OutgoingCallHandlers;
  readonly sdp: string;
  readonly request: OutgoingCallRequest;
  hungUp: number;
}[];
let refer: PromiseWithResolvers<TransferResult>;
/** The line agrees to a REFER. */
let agreed: (() => void) | undefined;
let bridge: CallBridge;
let takeLine: TakeLine | undefined;
/** Keys by INFO, by whose they are, and whether they are taken. */
let infos: string[];
let takesInfo: boolean;

beforeEach(() => {
  clock = new CountingClock();
  [posted, noted, hangUps, seconds] = [[], [], [], []];
  refer = Promise.withResolvers();
  [infos, takesInfo] = [[], true];
  takeLine = undefined;
  bridge = new CallBridge({
    clock,
    log: silentLog,
    rtpAddress: '127.0.0.1',
    post: (command) => posted.push(command),
    callee: {
      transfer: (_, options) => ((agreed = options?.onAccepted), refer.promise),
      sendDigit: (digit) => infoTo('callee', digit),
    },
    target: (target) => outsideTarget(caller(), target),
    note: (entry) => noted.push(entry),
    hangUp: (reason) => hangUps.push(reason),
  });
});

function infoTo(who: string, digit: string): ReturnType<OutgoingCall['sendDigit']> {
  infos.push(`${who} ${digit}`);
  return Promise.resolve({ ok: takesInfo, status: takesInfo ? 200 : 415, detail: '' });
}

/** The way over the call's own trunk. */
function over(free: () => void): SecondTrunk {
  return { trunk: new Trunk(ROUTE, { clock }), callerNumber: '+862100000000', free };
}

/** A user agent that does what the test says, and the call that second calls stand beside. */
function caller(): OutsideCaller {
  return {
    clock,
    takeLine,
    trunk: new Trunk(ROUTE, { clock }),
    attempt: { id: 'a', callerNumber: '+862100000000' } as unknown as Attempt,
    sip: {
      address: { address: '127.0.0.1', port: 5060 },
      placeCall: (request, handlers) => {
        const second = { target: request.target, sdp: request.sdp, handlers, request, hungUp: 0 };
        seconds.push(second);
        const call = { callId: 'c', hangup: () => second.hungUp++, sendDigit: (one: string) => infoTo('target', one) };
        return call as unknown as OutgoingCall;
      },
    },
  };
}

const dos = () => posted.map((command) => command.do);
const actions = () => noted.map((entry) => ('action' in entry ? entry.action : entry.type));
const legOf = (index: number): string => {
  const opens = posted.filter((command) => command.do === 'open');
  return opens[index]!.leg;
};
function opened(index = 0): void {
  bridge.onWorker({ is: 'opened', leg: legOf(index), audioPort: 4000, textPort: 4002 });
}
function answered(index = 0): void {
  const second = seconds[index]!;
  const media = {
    address: '127.0.0.1',
    audioPort: 5000,
    textPort: 5002,
    codecs: ['PCMA'],
    dtmf: true,
    direction: 'sendrecv',
  } as const;
  const result = createAnswer(parseSdp(second.sdp), media);
  if (!result.ok) throw new Error(result.reason);
  second.handlers.onAnswered({ sdp: writeSdp(result.answer), headers: undefined as never });
}
function ended(end: Partial<CallEnd> & Pick<CallEnd, 'cause'>, index = 0): void {
  seconds[index]!.handlers.onEnded({ ...END, ...end });
}
const start = () => bridge.transfer({ kind: 'attended', target: '+8613900000002' }, 'user:1');

describe('wherever a hang-up finds an attended transfer, no leg and no timer is left', () => {
  test.each([
    ['before the ports are there', () => undefined],
    ['while it rings', () => opened()],
    ['after the answer', () => (opened(), answered())],
  ])('%s', (_, phase) => {
    for (const end of ['callee', 'operator', 'target'] as const) {
      posted.length = 0;
      noted.length = 0;
      seconds.length = 0;
      start();
      phase();
      if (end === 'callee') {
        const other = bridge;
        other.close();
        other.close();
      } else if (end === 'operator') bridge.endTransfer();
      else if (seconds.length > 0) ended({ cause: 'bye' });
      else bridge.onWorker({ is: 'failed', leg: legOf(0), message: 'no ports' });
      expect(dos().filter((what) => what === 'open')).toHaveLength(1);
      expect(dos().filter((what) => what === 'leave')).toHaveLength(1);
      expect(clock.running).toBe(0);
      expect(bridge.view).toMatchObject({ transfer: undefined, listeners: [] });
      if (end === 'callee') break;
      expect(dos().at(-1)).toBe('resume');
    }
    expect(seconds.every(({ hungUp }) => hungUp <= 1)).toBe(true);
  });
});

test.each([
  ['whose target hangs up is over for the script', () => ended({ cause: 'bye' }), undefined],
  ['that an operator takes back goes on with the script', () => bridge.endTransfer(), 'cancelled'],
] as const)('a talk %s', (_, end, failure) => {
  start();
  opened();
  answered();
  end();
  expect(posted.at(-1)).toEqual({ do: 'resume', failure });
  expect(bridge.record).toMatchObject({ result: 'connected' });
});

test('an attended transfer is held, called through the trunk, joined and written down', () => {
  start();
  expect(dos()).toEqual(['hold', 'open']);
  opened();
  expect(seconds[0]?.target).toBe('sip:8613900000002@192.0.2.1:5060');
  answered();
  expect(posted.at(-1)).toMatchObject({ do: 'join', role: 'agent', media: { audio: { codec: 'PCMA' } } });
  clock.advance(42_000);
  ended({ cause: 'bye' });
  expect(posted.at(-1)).toEqual({ do: 'resume', failure: undefined });
  expect(actions()).toEqual(['started', 'answered', 'ended']);
  expect(noted[0]).toMatchObject({ target: '+86139****0002', by: 'user:1' });
  const record = { kind: 'attended', target: '+86139****0002', result: 'connected', talkMs: 42_000 };
  expect(bridge.record).toEqual(record);
  expect(bridge.view.lastTransfer).toEqual(record);
});

test('everybody who took part is known afterwards, with when and how they were heard', () => {
  const media = { codec: 'PCMA', packetsLost: 3, mos: 4.1 } as unknown as MediaStats;
  const since = clock.monotonicMs();
  clock.advance(1000);
  start();
  opened();
  answered();
  bridge.listen({ target: 'sip:8000@192.0.2.9', role: 'monitor' }, 'user:1');
  bridge.listen({ target: 'sip:8001@192.0.2.9', role: 'monitor' }, 'user:1');
  opened(1);
  clock.advance(500);
  answered(1);
  bridge.setRole(legOf(1), 'barge');
  clock.advance(2000);
  ended({ cause: 'bye' });
  clock.advance(700);
  bridge.close();
  // The third one never answered; of the second the worker said nothing.
  expect(bridge.legs([{ leg: legOf(0), media }], since)).toEqual([
    { role: 'agent', target: '+86139****0002', joinedMs: 1000, leftMs: 3500, media },
    { role: 'barge', target: 'sip:8000@192.0.2.9', joinedMs: 1500, leftMs: 4200, media: undefined },
  ]);
});

test('ports that never come and a conversation that never ends are bounded', () => {
  start();
  clock.advance(5000);
  expect(posted.at(-1)).toEqual({ do: 'resume', failure: 'unreachable' });
  start();
  opened(1);
  answered();
  clock.advance(4 * 3_600_000);
  expect(seconds[0]?.hungUp).toBe(1);
  expect(posted.at(-1)).toEqual({ do: 'resume', failure: undefined });
});

test('a target that sends nothing any more is hung up, and an answer without a codec is none', () => {
  start();
  opened();
  answered();
  bridge.onWorker({ is: 'silent', leg: legOf(0) });
  expect(seconds[0]?.hungUp).toBe(1);
  start();
  opened(1);
  seconds[1]!.handlers.onAnswered({ sdp: 'v=0', headers: undefined as never });
  expect(posted.at(-1)).toEqual({ do: 'resume', failure: 'unreachable' });
  expect(seconds[1]?.hungUp).toBe(1);
});

test('a blind transfer ends the call when the target answered, and goes on when not', async () => {
  bridge.transfer({ kind: 'blind', target: '8001' }, 'script');
  expect(() => bridge.endTransfer()).toThrow('cannot be taken back');
  refer.resolve({ ok: false, status: 405, detail: 'Method Not Allowed' });
  await refer.promise;
  expect(posted.at(-1)).toEqual({ do: 'resume', failure: 'refused' });
  expect(noted.at(-1)).toMatchObject({ action: 'failed', reason: 'refused', detail: '405 Method Not Allowed' });
  refer = Promise.withResolvers();
  bridge.transfer({ kind: 'blind', target: '8001' }, 'script');
  refer.resolve({ ok: true, status: 200, detail: 'OK' });
  await refer.promise;
  expect(hangUps).toEqual(['transferred']);
  expect(dos().at(-1)).toBe('connected');
  expect(clock.running).toBe(0);
});

describe('a blind transfer that the line agreed to', () => {
  const blind = { kind: 'blind', target: '8001' } as const;
  beforeEach(() => {
    bridge.transfer(blind, 'script');
    agreed!();
  });

  test('is handed over where the call ends without a report, whoever ended it', () => {
    bridge.close();
    expect(bridge.record).toEqual({ ...blind, result: 'handed-over', talkMs: 0 });
    expect(noted.at(-1)).toEqual({ type: 'transfer', action: 'handed-over', ...blind });
    expect(dos()).toEqual(['hold', 'handed-over']);
    expect(hangUps).toEqual([]);
  });

  test('is handed over where the line says at once that it will report nothing', async () => {
    refer.resolve({ ok: true, status: undefined, detail: 'accepted' });
    await refer.promise;
    expect(bridge.record).toMatchObject({ result: 'handed-over' });
    expect(hangUps).toEqual(['transferred']);
  });

  test('has failed where the line reports so before it hangs up', async () => {
    refer.resolve({ ok: false, status: 486, detail: 'Busy Here' });
    await refer.promise;
    bridge.close();
    expect(bridge.record).toMatchObject({ result: 'busy' });
  });

  test.each([
    [4_900, 'handed-over', ['hold', 'handed-over']],
    [5_100, 'refused', ['hold', 'resume']],
  ])('whose reports end without an outcome, and whose call ends %d ms later, is %s', async (ms, result, posts) => {
    refer.resolve({ ok: false, status: undefined, detail: 'report ended without an outcome' });
    await refer.promise;
    clock.advance(ms);
    bridge.close();
    expect(bridge.record).toMatchObject({ result });
    expect(dos()).toEqual(posts);
    expect(clock.running).toBe(0);
  });
});

test('a blind transfer that the line never agreed to is cancelled when the call ends', () => {
  bridge.transfer({ kind: 'blind', target: '8001' }, 'script');
  bridge.close();
  expect(bridge.record).toMatchObject({ result: 'cancelled' });
});

test('what a script wants and cannot have comes back as a failure', () => {
  const wish = { kind: 'attended', target: '人工', ringTimeoutMs: 1000, release: false } as const;
  bridge.onWorker({ is: 'wanted', wish });
  expect(posted).toEqual([{ do: 'resume', failure: 'invalid-number' }]);
  expect(bridge.record).toMatchObject({ result: 'invalid-number' });
});

test.each(['callee', 'target'])('keys for a %s without telephone-events go by INFO, else as tones', async (who) => {
  start();
  opened();
  answered();
  const leg = who === 'callee' ? 'callee' : legOf(0);
  bridge.onWorker({ is: 'key', leg, digit: '4' });
  await expect.poll(() => infos).toEqual([`${who} 4`]);
  expect(dos()).not.toContain('tones');
  takesInfo = false;
  for (const digit of '2#') bridge.onWorker({ is: 'key', leg, digit });
  const tones = () => posted.filter((command) => command.do === 'tones');
  await expect.poll(tones).toEqual([
    { do: 'tones', leg, digits: '2' },
    { do: 'tones', leg, digits: '#' },
  ]);
  expect(infos).toEqual([`${who} 4`, `${who} 2`]);
});

describe('a second call to a number takes a channel of the trunk', () => {
  test('and is not placed where none is free', async () => {
    takeLine = () => Promise.resolve('no-channel');
    start();
    opened();
    await expect.poll(() => dos().at(-1)).toBe('resume');
    expect(posted.at(-1)).toEqual({ do: 'resume', failure: 'no-channel' });
    expect(seconds).toEqual([]);
    expect(clock.running).toBe(0);
  });

  test('and fails by name where no trunk takes the number', async () => {
    takeLine = () => Promise.resolve('no-trunk');
    start();
    opened();
    await expect.poll(() => posted.at(-1)).toEqual({ do: 'resume', failure: 'no-trunk' });
    expect(seconds).toEqual([]);
  });

  test('and goes out as the trunk that was found wants it: server, number, caller number, codecs, account', async () => {
    const other = plainRoute(
      'other',
      { host: '192.0.2.7', port: 5070 },
      { codecs: ['PCMU'], numbers: { format: 'national', stripPrefix: undefined, addPrefix: '9' } },
    );
    let asked = '';
    takeLine = (_, called) => {
      asked = called;
      const trunk = new Trunk(other, { clock });
      return Promise.resolve({ trunk, callerNumber: '+862199999999', free: () => undefined });
    };
    start();
    opened();
    await expect.poll(() => seconds.length).toBe(1);
    expect(asked).toBe('+8613900000002');
    const { request, sdp } = seconds[0]!;
    expect([request.target, request.from]).toEqual(['sip:913900000002@192.0.2.7:5070', 'sip:02199999999@127.0.0.1']);
    expect(request.credentials).toBeUndefined();
    expect(sdp).toContain('PCMU');
    expect(sdp).not.toContain('PCMA');
  });

  test.each([
    ['the target hangs up', () => (answered(), ended({ cause: 'bye' }))],
    ['the target is busy', () => ended({ cause: 'rejected', status: 486 })],
    ['the operator gives up', () => bridge.endTransfer()],
    ['the call ends', () => (answered(), bridge.close())],
  ])('and gives it back once when %s', async (_, end) => {
    let free = 0;
    takeLine = ({ id }) => Promise.resolve(id === 'a' ? over(() => void free++) : 'no-channel');
    start();
    opened();
    await expect.poll(() => seconds.length).toBe(1);
    expect(free).toBe(0);
    end();
    bridge.close();
    expect(free).toBe(1);
  });

  test('and gives it back where nobody wants it any more when its turn comes', async () => {
    const turn = Promise.withResolvers<SecondTrunk>();
    let free = 0;
    takeLine = () => turn.promise;
    start();
    opened();
    bridge.endTransfer();
    turn.resolve(over(() => void free++));
    await expect.poll(() => free).toBe(1);
    expect(seconds).toEqual([]);
    bridge.listen({ target: 'sip:8000@192.0.2.9', role: 'monitor' }, 'user:1');
    opened(1);
    // A SIP URI is called without the trunk.
    expect(seconds).toHaveLength(1);
  });
});

test('listeners are bounded, and go when the call goes', () => {
  for (let i = 0; i < 4; i++) bridge.listen({ target: `sip:800${i}@192.0.2.9`, role: 'monitor' }, 'user:1');
  expect(() => bridge.listen({ target: '8005', role: 'barge' }, 'user:1')).toThrow('4 people listen in');
  opened(0);
  expect(seconds[0]?.target).toBe('sip:8000@192.0.2.9');
  answered();
  bridge.close();
  expect(dos().filter((what) => what === 'leave')).toHaveLength(4);
  expect(seconds[0]?.hungUp).toBe(1);
  expect(clock.running).toBe(0);
  expect(actions().filter((action) => action === 'failed')).toHaveLength(3);
  expect(() => start()).toThrow('over');
  expect(() => bridge.listen({ target: '8005', role: 'barge' }, 'user:1')).toThrow('over');
});

test('the account of the trunk never goes to an address that somebody typed in', () => {
  const place = (target: string): OutgoingCallRequest => {
    const { line } = outsideTarget(caller(), target);
    if (typeof line === 'function') throw new Error('nothing is counted here');
    line.place({ callId: 'c', sdp: 'v=0', ringTimeoutMs: 1000 }, {} as OutgoingCallHandlers);
    return seconds.at(-1)!.request;
  };
  const direct = place('sip:8001@203.0.113.5');
  expect(direct).toMatchObject({ target: 'sip:8001@203.0.113.5', from: 'sip:862100000000@127.0.0.1' });
  expect(direct.credentials).toBeUndefined();
  const number = place('+86 139-0000-0002');
  expect(number).toMatchObject({ target: 'sip:8613900000002@192.0.2.1:5060', credentials: { username: 'u' } });
  expect(place('8001#').target).toBe('sip:8001%23@192.0.2.1:5060');
  expect(() => outsideTarget(caller(), '人工')).toThrow('cannot be called');
  const bounded = { ...caller(), transferTargets: ['@pbx.example'] };
  expect(outsideTarget(bounded, 'sip:8001@pbx.example').uri).toBe('sip:8001@pbx.example');
  expect(() => outsideTarget(bounded, '+19005551234')).toThrow('transfer.targets');
});

test.each([
  [{ cause: 'rejected', status: 486 }, 'busy'],
  [{ cause: 'rejected', status: 480 }, 'no-answer'],
  [{ cause: 'ring-timeout', status: 487 }, 'no-answer'],
  [{ cause: 'rejected', status: 603 }, 'rejected'],
  [{ cause: 'rejected', status: 404 }, 'invalid-number'],
  [{ cause: 'rejected', status: 503 }, 'unreachable'],
  [{ cause: 'rejected', status: 480, reason: 'Q.850;cause=17;text="busy"' }, 'busy'],
  [{ cause: 'no-response' }, 'unreachable'],
] as const)('%o means %s', (end, failure) => {
  expect(transferFailureOf({ status: undefined, reason: undefined, ...end })).toBe(failure);
});
