import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '#platform/clock.ts';
import type { Clock } from '#platform/clock.ts';
import { completeTrunk } from '#platform/config/config.ts';
import type { TrunkConfig } from '#platform/config/config.ts';
import { silentLog } from '#platform/log.ts';
import { TrunkCall } from '#calls/trunk-call.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { CallEnd } from '#telephony/sip/user-agent.ts';
import { openLogLines } from '../../../test/support/log-lines.ts';
import { dialTrunks, linesFor, trunkSummaries } from './trunk-lines.ts';
import { openTrunks } from './trunks.ts';
import type { Trunks } from './trunks.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A carrier that answers every request with what `answer` says, or not at all, and counts them by method. */
async function carrier(answer: (method: string) => string | undefined) {
  const socket = createSocket('udp4');
  const seen: string[] = [];
  socket.on('message', (bytes, from) => {
    const text = bytes.toString();
    const method = text.slice(0, text.indexOf(' '));
    seen.push(/^Expires: 0\r$/m.test(text) ? `un${method}` : method);
    const status = answer(method);
    if (status === undefined) return;
    const kept = text.split('\r\n').filter((line) => /^(?:via|from|to|call-id|cseq|contact|expires):/i.test(line));
    const lines = kept.map((line) => (/^to:/i.test(line) && !line.includes('tag=') ? `${line};tag=y` : line));
    socket.send([`SIP/2.0 ${status}`, ...lines, 'Content-Length: 0', '', ''].join('\r\n'), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closing.push(() => socket.close());
  return { port: socket.address().port, seen };
}

function trunk(port: number, more: Partial<TrunkConfig> = {}): TrunkConfig {
  const plain = { name: 't', callerNumbers: ['100'], host: '127.0.0.1', port, transport: 'udp' } as const;
  return completeTrunk({ ...plain, callerNumbers: [...plain.callerNumbers], ...more });
}

async function open(trunks: readonly TrunkConfig[], clock: Clock = systemClock) {
  const { log, lines } = openLogLines();
  const sip = await SipUserAgent.open({
    clock,
    log: silentLog,
    bind: { address: '127.0.0.1', port: 0 },
    product: 'test',
  });
  closing.push(() => sip.close('test is over'));
  const opened: Trunks = openTrunks({ trunks, sip, clock, log });
  closing.push(() => opened.close());
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  return { opened, lines, sip, until };
}

const ACCOUNT = { username: 'waihu', password: 'hunter2', registration: { expiresSeconds: 600 } };

describe('the trunks of a node', () => {
  it('registers, takes calls from then on, and takes the registration back at the end', async () => {
    const { port, seen } = await carrier(() => '200 OK');
    const config = trunk(port, { account: ACCOUNT });
    const { opened, until } = await open([config]);
    const [line] = dialTrunks([config], opened);
    expect(line!.hold()?.en).toMatch(/not registered/);
    expect(trunkSummaries([config], opened)[0]).toMatchObject({
      hold: { reason: 'not-registered' },
      state: { registration: 'trying' },
    });
    await until(() => line!.hold() === undefined);
    expect(trunkSummaries([config], opened)[0]).toMatchObject({ state: { registration: 'registered' } });
    expect(trunkSummaries([config], opened)[0]).not.toHaveProperty('hold');
    await opened.close();
    expect(seen).toContain('unREGISTER');
  });

  it('says once why it is not registered, without the password', async () => {
    const { port } = await carrier((method) => (method === 'REGISTER' ? '403 Forbidden' : '200 OK'));
    const config = trunk(port, { account: ACCOUNT });
    const { opened, lines, until } = await open([config]);
    await until(() => lines.length > 0);
    expect(lines).toMatchObject([{ msg: 'trunk could not be registered', trunk: 't', status: 403, final: true }]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(trunkSummaries([config], opened)[0]?.state).toMatchObject({
      registration: 'failed',
      registrationError: 'SIP 403',
    });
  });

  it('holds a trunk whose servers all answer 503, and goes on with its group', async () => {
    const dead = await carrier(() => '503 Service Unavailable');
    const alive = await carrier(() => '200 OK');
    const probe = { enabled: true, intervalSeconds: 1, downAfter: 1, upAfter: 1 };
    const configs = [
      trunk(dead.port, { name: 'a', group: 'east', probe }),
      trunk(alive.port, { name: 'b', group: 'east', probe, priority: 1, callerNumbers: ['200'] }),
    ];
    const { opened, lines, until } = await open(configs);
    await until(() => opened.find('a')?.hold === 'unreachable' && opened.find('b')?.state.peers[0]?.reachable === 'up');
    const dials = dialTrunks(configs, opened);
    expect(dials.map((one) => one.hold() === undefined)).toEqual([false, true]);
    expect(dials[0]!.freeChannels()).toBe(0);
    const singles = (named: string) => {
      const { trunks: found, group } = linesFor(dials, named, '+8613800000000');
      return [found.map(({ name, channels }) => `${name} ${channels}`), group];
    };
    expect(singles('east')).toEqual([['b 30', 'a 30'], 'east']);
    expect(singles('a')).toEqual([['a 30'], undefined]);
    expect(singles('nowhere')).toEqual([[], undefined]);
    const [a, b, east] = trunkSummaries(configs, opened);
    expect(a).toMatchObject({ hold: { reason: 'unreachable' }, state: { servers: [{ lastError: 'SIP 503' }] } });
    expect(b).not.toHaveProperty('hold');
    expect(east).toMatchObject({ name: 'east', members: ['a', 'b'], callerNumbers: ['100', '200'], channels: 60 });
    expect(east).not.toHaveProperty('hold');
    expect(lines.map(({ msg, trunk: name }) => `${String(name)}: ${msg}`)).toEqual([
      'a: trunk takes no new calls',
      'a: trunk server does not answer',
    ]);
  });

  it('goes on calling over a trunk that ignores OPTIONS', async () => {
    const silent = await carrier((method) => (method === 'OPTIONS' ? undefined : '404 Not Found'));
    const probe = { enabled: true, intervalSeconds: 1, downAfter: 1, upAfter: 1 };
    const clock = new ManualClock();
    const { opened, lines, sip, until } = await open([trunk(silent.port, { probe })], clock);
    for (let probes = 1; probes < 4; probes++) {
      await until(() => silent.seen.length >= probes);
      // Past the four seconds of a probe and its pause.
      clock.advance(5_000);
    }
    const one = opened.find('t')!;
    expect(one.state).toMatchObject({ hold: undefined, peers: [{ reachable: 'unknown', lastError: undefined }] });
    const ended = Promise.withResolvers<CallEnd>();
    const call = new TrunkCall({
      clock,
      sip,
      trunk: one,
      ringTimeoutMs: 30_000,
      request: (peer, ringTimeoutMs) => ({
        target: `sip:1@${peer.host}:${peer.port}`,
        from: 'sip:100@127.0.0.1',
        callId: 'c',
        sdp: '',
        ringTimeoutMs,
      }),
      handlers: { onProgress: () => undefined, onAnswered: () => undefined, onEnded: ended.resolve },
    });
    expect(call.peer.host).toBe('127.0.0.1');
    expect(await ended.promise).toMatchObject({ cause: 'rejected', status: 404 });
    expect(one.state.peers[0]).toMatchObject({ reachable: 'up' });
    expect(lines).toEqual([]);
  });
});
