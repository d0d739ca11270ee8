import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FailOver } from '#calls/fail-over.ts';
import { plainRoute } from '#calls/trunk-route.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import type { FinishedCall } from '#domain/call.ts';
import { openTestCenter, shortScript, tonePhrase } from '../support/call-center.ts';
import type { TestCenter } from '../support/call-center.ts';
import { AS_WRITTEN, SDP, WE_HANG_UP, has, startSteps, verdictOf } from '../support/sipp-cases.ts';
import type { Finished } from '../support/sipp-cases.ts';
import { answer, invited, recv } from '../support/sipp-script.ts';
import type { Step } from '../support/sipp-script.ts';
import { freePort } from '../support/free-port.ts';
import { hasSipp } from '../support/sipp.ts';

const CHALLENGE = 'Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';
const refuse = (status: number, headers: readonly string[] = []): Step[] => [
  answer(status, 'Refused', { headers, repeat: true }),
  recv('ACK'),
];

/** Two trunks of one group, each a SIPp that counts what it was asked for. Without SIPp these are skipped. */
describe.skipIf(!hasSipp)('a dial whose trunk does not take it', () => {
  const ports = { first: 0, second: 0 };
  const silent = createSocket('udp4');
  let center: TestCenter;

  /** The second trunk takes what the first one did not; it wants numbers and callers in its own way. */
  const failOver: FailOver = (attempt, tried) =>
    Promise.resolve(
      tried.length > 1
        ? undefined
        : { ...attempt, trunk: 'second', callerNumber: '+862188888888', standIns: undefined },
    );

  beforeAll(async () => {
    ports.first = await freePort();
    ports.second = await freePort();
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const route = (name: string, port: number, rest: Partial<TrunkRoute> = {}): TrunkRoute =>
      plainRoute(name, { host: '127.0.0.1', port }, rest);
    const account = { username: 'waihu', credentials: { username: 'waihu', password: 'wrong' } };
    center = await openTestCenter({
      trunkPort: ports.first,
      routes: [
        route('account', ports.first, { account }),
        route('silent', silent.address().port),
        route('second', ports.second, {
          codecs: ['PCMU'],
          numbers: { format: 'national', stripPrefix: undefined, addPrefix: '9' },
        }),
      ],
      failOver,
      // 20 ms a character.
      phrase: async (request) => (await tonePhrase(request)).subarray(0, request.text.length * 160),
      rtp: { first: 27_760, last: 27_791 },
    });
  });
  afterAll(async () => {
    await center.close();
    silent.close();
  });

  const dial = (trunk: string): Promise<FinishedCall> =>
    center.call('+8613800000000', {
      trunk,
      standIns: { group: 'g', callerNumber: '+862100000000' },
      script: shortScript({ maxSeconds: 1, noReply: { waitMs: 200, reprompts: 0, hangupMs: 200 } }),
    }).done;

  /** The callee at the second trunk, who sees number, caller and codec as that trunk wants them. */
  const takes = (test: Finished, name: string) => {
    const mine = [has('To', 'sip:913800000000@'), has('From', 'sip:02188888888@'), has('', 'm=audio [0-9]* RTP/AVP 0')];
    const sdp = SDP.sdp.replace('RTP/AVP 8', 'RTP/AVP 0');
    return startSteps(
      test,
      name,
      [invited(mine), answer(200, 'OK', { sdp, repeat: true }), ...WE_HANG_UP],
      [],
      1,
      ports.second,
    );
  };

  it.for([
    ['503', 'test', refuse(503), { status: 503, outcome: 'congestion' }],
    [
      '500 after 100',
      'test',
      [answer(100, 'Trying', { tag: '' }), ...refuse(500)],
      { status: 500, outcome: 'congestion' },
    ],
    [
      'a refused password',
      'account',
      [
        ...refuse(401, [`WWW-Authenticate: ${CHALLENGE}`]),
        invited([has('Authorization', 'username="waihu"')]),
        ...refuse(401, [`WWW-Authenticate: ${CHALLENGE}`]),
      ],
      { status: 401, outcome: 'trunk-auth-failed' },
    ],
  ] as const)(
    'goes on within the attempt after %s, as the next trunk wants it',
    async ([name, trunk, steps, event], test) => {
      const first = await startSteps(test, `first-${trunk}`, [invited(), ...steps], [], 1, ports.first);
      const second = await takes(test, `second-${trunk}`);
      const finished = await dial(trunk);
      expect([name, await verdictOf(first), await verdictOf(second)]).toEqual([name, AS_WRITTEN, AS_WRITTEN]);
      expect(finished).toMatchObject({ outcome: 'answered', media: { codec: 'PCMU' } });
      const tried = finished.timeline.filter(({ type }) => type === 'trunk');
      expect(tried).toMatchObject([{ trunk, server: `udp:127.0.0.1:${ports.first}`, next: 'second', ...event }]);
      // All times count from the first INVITE.
      expect(finished.answeredMs).toBeGreaterThanOrEqual(tried[0]!.atMs);
    },
  );

  it('goes on after a server that says nothing, within seconds', async (test) => {
    const second = await takes(test, 'second-silent');
    const finished = await dial('silent');
    expect(await verdictOf(second)).toBe(AS_WRITTEN);
    expect(finished).toMatchObject({ outcome: 'answered' });
    const event = { trunk: 'silent', outcome: 'trunk-unreachable', next: 'second' };
    expect(finished.timeline).toContainEqual(expect.objectContaining(event));
    expect(finished.answeredMs).toBeLessThan(6000);
  });

  it.for([
    ['busy', 'busy', refuse(486)],
    ['declined', 'rejected', refuse(603)],
    ['an empty number', 'invalid-number', refuse(404)],
    ['503 of a busy callee', 'congestion', refuse(503, ['Reason: Q.850;cause=17;text="User busy"'])],
    ['503 after ringing', 'congestion', [answer(180, 'Ringing'), ...refuse(503)]],
    ['503 after early media', 'congestion', [answer(183, 'Session Progress', SDP), ...refuse(503)]],
    ['unacceptable media', 'media-refused', refuse(488)],
  ] as const)('stays where it is after %s: nobody is rung twice', async ([name, outcome, steps], test) => {
    let strays = 0;
    const second = createSocket('udp4').on('message', () => strays++);
    await new Promise<void>((resolve) => second.bind(ports.second, '127.0.0.1', resolve));
    const first = await startSteps(test, 'stays', [invited(), ...steps], [], 1, ports.first);
    const finished = await dial('test');
    expect([name, await verdictOf(first)]).toEqual([name, AS_WRITTEN]);
    expect(finished.outcome).toBe(outcome);
    expect(finished.timeline.filter(({ type }) => type === 'trunk')).toEqual([]);
    expect(strays).toBe(0);
    second.close();
  });
});
