import { describe, expect, it } from 'vitest';
import { SipNetwork } from '../../../../test/support/sip-network.ts';
import { ManualClock } from '#platform/clock.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { parseMessage } from '../messages/parse.ts';
import { buildResponse, writeMessage } from '../messages/write.ts';
import { nextHealth, NO_RESPONSE, TrunkWatch, UNKNOWN_HEALTH } from './probe.ts';
import type { ProbeResult } from './probe.ts';
import type { RegistrationState } from './registration.ts';

type Answer = (
  request: SipRequest,
) => { readonly status: number; readonly headers?: readonly HeaderField[] } | undefined;

/** A server on 5070 that answers as `answer` says, and what it was asked. */
function server(answer: Answer) {
  const network = new SipNetwork();
  const agent = network.agent(5060, { random: () => 0 });
  const asked: SipRequest[] = [];
  const transport = network.transport(5070);
  transport.onDatagram = (bytes, from) => {
    const parsed = parseMessage(bytes);
    if (!parsed.ok || parsed.message.kind !== 'request') return;
    asked.push(parsed.message);
    const given = answer(parsed.message);
    if (given === undefined) return;
    const { status, headers = [] } = given;
    transport.send(writeMessage(buildResponse(parsed.message, status, { toTag: 'r', headers })), from);
  };
  return { network, agent, asked };
}

const REQUEST = { registrar: 'sip:10.0.0.1:5070', address: 'sip:4000@carrier.example' };

describe('a registration', () => {
  function registered(answer: Answer, credentials?: { username: string; password: string }) {
    const made = server(answer);
    const states: RegistrationState[] = [];
    const registration = made.agent.register({
      ...REQUEST,
      ...(credentials === undefined ? {} : { credentials }),
      onChange: (state) => states.push(state),
    });
    made.network.clock.advance(100);
    return { ...made, states, registration };
  }

  it('answers the challenge, is refreshed half a minute early and removed at the end', async () => {
    const { asked, states, network, registration } = registered(
      (request) => {
        if (request.headers.get('Authorization') === undefined)
          return { status: 401, headers: [['WWW-Authenticate', 'Digest realm="r", nonce="n", qop="auth"']] };
        return {
          status: 200,
          headers: [['Contact', `${request.headers.get('Contact')?.split(';expires')[0]};expires=600`]],
        };
      },
      { username: 'u', password: 'p' },
    );
    expect(states).toEqual([{ name: 'registered', expiresSeconds: 600 }]);
    network.clock.advance(569_000);
    expect(asked).toHaveLength(2);
    network.clock.advance(2_000);
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ callId }) => callId)).size).toBe(1);
    expect(asked.map(({ cseq }) => cseq.sequence)).toEqual([1, 2, 3]);
    // The refresh is signed at once, with the next use of the nonce.
    expect(asked[2]?.headers.get('Authorization')).toContain('nc=00000002');
    const closed = registration.close();
    network.clock.advance(100);
    await closed;
    expect([asked[3]?.headers.get('Expires'), asked[3]?.headers.get('Contact')]).toEqual([
      '0',
      expect.stringContaining(';expires=0'),
    ]);
    expect(states.at(-1)).toEqual({ name: 'closed' });
    network.clock.advance(64_000);
    expect(network.clock.running).toBe(0);
  });

  it('asks for longer after 423', () => {
    const { asked, states } = registered((request) =>
      Number(request.headers.get('Expires')) < 7_200
        ? { status: 423, headers: [['Min-Expires', '7200']] }
        : { status: 200 },
    );
    expect(asked.map(({ headers }) => headers.get('Expires'))).toEqual(['3600', '7200']);
    expect(states).toEqual([{ name: 'registered', expiresSeconds: 7_200 }]);
  });

  it('asks for longer once, then waits, where a registrar raises its least each time', () => {
    const { asked, states, network } = registered((request) => ({
      status: 423,
      headers: [['Min-Expires', String(Number(request.headers.get('Expires')) + 1)]],
    }));
    expect(asked.map(({ headers }) => headers.get('Expires'))).toEqual(['3600', '3601']);
    expect(states).toEqual([{ name: 'failed', status: 423, detail: 'asked for 3601 s, wants 3602 s', final: false }]);
    network.clock.advance(15_000);
    expect(asked.map(({ headers }) => headers.get('Expires'))).toEqual(['3600', '3601', '3602', '3603']);
    // An hour of growing waits: two requests each.
    network.clock.advance(3_600_000);
    expect(asked.length).toBeLessThanOrEqual(20);
  });

  it.each([
    ['none', [], 'asked for 3600 s, wants more'],
    ['what was asked for', [['Min-Expires', '3600']], 'asked for 3600 s, wants 3600 s'],
    ['no number', [['Min-Expires', 'soon']], 'asked for 3600 s, wants more'],
  ] as const)('does not ask again at once where the least of a 423 is %s', (_, headers, detail) => {
    const { asked, states } = registered(() => ({ status: 423, headers }));
    expect(asked).toHaveLength(1);
    expect(states).toMatchObject([{ name: 'failed', status: 423, detail }]);
  });

  it('refreshes within a day what is granted for years, instead of at once', () => {
    const { asked, network } = registered((request) => ({
      status: Number(request.headers.get('Expires')) > 3_600 ? 200 : 423,
      headers: [['Min-Expires', '999999999']],
    }));
    network.clock.advance(86_000_000);
    expect(asked).toHaveLength(2);
    network.clock.advance(1_000_000);
    expect(asked).toHaveLength(3);
  });

  it('stops for good when the password is wrong', () => {
    const { asked, states, network } = registered(
      () => ({ status: 401, headers: [['WWW-Authenticate', 'Digest realm="r", nonce="n"']] }),
      { username: 'u', password: 'wrong' },
    );
    expect(states).toMatchObject([{ name: 'failed', status: 401, final: true }]);
    network.clock.advance(3_600_000);
    expect(asked).toHaveLength(2);
  });

  it('waits longer after each failure, and as long as Retry-After says', () => {
    let status = 500;
    const times: number[] = [];
    const made = server(() => {
      times.push(made.network.clock.monotonicMs());
      return { status, headers: status === 503 ? [['Retry-After', '7']] : [] };
    });
    made.agent.register(REQUEST);
    made.network.clock.advance(200_000);
    const waits = times.slice(1).map((atMs, index) => Math.round((atMs - times[index]!) / 1_000));
    expect(waits).toEqual([15, 30, 60]);
    status = 503;
    made.network.clock.advance(120_000);
    expect(Math.round((times.at(-1)! - times.at(-2)!) / 1_000)).toBe(7);
  });

  it('asks again where a registrar that had taken us refuses, as one does that has lost its accounts', () => {
    let status = 200;
    const { asked, states, network } = registered(() => ({ status }));
    status = 403;
    network.clock.advance(3_600_000);
    expect(states.at(-1)).toMatchObject({ name: 'failed', status: 403, final: false });
    const before = asked.length;
    status = 200;
    network.clock.advance(1_800_000);
    expect(asked.length).toBe(before + 1);
    expect(states.at(-1)).toMatchObject({ name: 'registered' });
  });

  it('survives a silent registrar', () => {
    const { states, network } = registered(() => undefined);
    network.clock.advance(32_000);
    expect(states).toMatchObject([{ name: 'failed', status: undefined, detail: 'no response', final: false }]);
  });
});

describe('a probe', () => {
  it.each([
    [200, true],
    [404, true],
    [405, true],
    [408, false],
    [503, false],
  ])('takes %i for alive: %s', async (status, alive) => {
    const { agent, network, asked } = server(() => ({ status }));
    const result = agent.probe({ target: 'sip:10.0.0.1:5070' });
    network.clock.advance(20);
    expect(await result).toMatchObject({ alive, status, roundTripMs: 10 });
    expect(asked[0]?.method).toBe('OPTIONS');
  });

  it('gives up after four seconds, and tells what stood in its way', async () => {
    const { agent, network } = server(() => undefined);
    const silent = agent.probe({ target: 'sip:10.0.0.1:5070' });
    network.clock.advance(4_000);
    expect(await silent).toMatchObject({ alive: false, status: undefined, detail: 'no response' });
    expect(await agent.probe({ target: 'sip:nowhere.example' })).toMatchObject({
      alive: false,
      detail: 'name not found',
    });
    expect(await agent.probe({ target: 'tel:1' })).toMatchObject({ alive: false });
  });
});

const ANSWER = { alive: true, status: 200, detail: 'OK' };
const BUSY = { alive: false, status: 503, detail: 'Service Unavailable' };
const SILENCE = { alive: false, status: undefined, detail: NO_RESPONSE };
const REFUSED = { alive: false, status: undefined, detail: 'connect ECONNREFUSED' };

describe('a watched trunk', () => {
  it('changes its mind only after several probes agree', () => {
    const states: string[] = [];
    let health = UNKNOWN_HEALTH;
    for (const alive of [true, false, true, true, false, false, true, false, false, false, true, true]) {
      health = nextHealth(health, alive ? ANSWER : SILENCE, { up: 2, down: 3 });
      states.push(health.state);
    }
    expect(states.join(' ')).toBe('unknown unknown unknown up up up up up up down down up');
  });

  it.each([
    ['silence of one that never answered says nothing', [SILENCE, SILENCE, SILENCE, SILENCE], 'unknown'],
    ['503 is an answer, and says no', [BUSY, BUSY, BUSY], 'down'],
    ['silence after an answer speaks against it', [ANSWER, SILENCE, SILENCE, SILENCE], 'down'],
    ['a refused connection would refuse calls', [REFUSED, REFUSED, REFUSED], 'down'],
    ['a connection that stands again leaves the rest to calls', [REFUSED, REFUSED, REFUSED, SILENCE], 'unknown'],
  ])('knows what probes prove: %s', (_, probes, state) => {
    const health = probes.reduce((before, probe) => nextHealth(before, probe, { up: 2, down: 3 }), UNKNOWN_HEALTH);
    expect(health.state).toBe(state);
  });

  it('is probed often while something is wrong and seldom while all is well', async () => {
    const clock = new ManualClock();
    const changes: string[] = [];
    const times: number[] = [];
    let alive = true;
    const probe = (): Promise<ProbeResult> => {
      times.push(clock.monotonicMs() / 1_000);
      return Promise.resolve({ ...(alive ? ANSWER : SILENCE), roundTripMs: 1 });
    };
    const watch = new TrunkWatch({ clock, probe, onChange: (state) => changes.push(`${state} ${times.length}`) });
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await new Promise((resolve) => setImmediate(resolve));
    await pass(40);
    expect(times).toEqual([0, 5, 35]);
    alive = false;
    await pass(40);
    expect(times).toEqual([0, 5, 35, 65, 70, 75, 80]);
    alive = true;
    await pass(10);
    expect(changes).toEqual(['up 2', 'down 6', 'up 9']);
    alive = false;
    await pass(35);
    expect(times).toHaveLength(11);
    // A call that is answered meanwhile is a sign of life: it takes three more.
    watch.heard();
    await pass(10);
    expect(changes).toHaveLength(3);
    await pass(5);
    expect(changes.at(-1)).toBe('down 14');
    watch.close();
    await pass(60);
    expect(times).toHaveLength(14);
  });
});
