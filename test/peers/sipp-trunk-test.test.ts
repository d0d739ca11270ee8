import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { testTrunk } from '../../src/bin/trunk-test/run.ts';
import type { Finding } from '../../src/bin/trunk-test/finding.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { systemClock } from '#platform/clock.ts';
import { completeTrunk, loadConfig } from '#platform/config/config.ts';
import type { TrunkConfig } from '#platform/config/config.ts';
import { silentLog } from '#platform/log.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { AS_WRITTEN, has, peerHangsUp, startSteps, verdictOf, WE_HANG_UP } from '../support/sipp-cases.ts';
import type { Finished } from '../support/sipp-cases.ts';
import { answer, invited, ok, peerSdp, recv } from '../support/sipp-script.ts';
import type { Step } from '../support/sipp-script.ts';
import { freePort } from '../support/free-port.ts';
import { hasSipp } from '../support/sipp.ts';

const HOST = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'waihu-sipp-trunk-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first port of a range that has room for one call alone: where it wants its audio. */
let firstPort = 28_400;

/** Tests a trunk, with a call of a second where `calls`; every finding is whole in both languages. */
async function run(trunk: Partial<TrunkConfig>, calls = false, listenMs = 1000): Promise<readonly Finding[]> {
  firstPort += 4;
  const config = loadConfig({ env: {}, flags: { 'sip.port': 0 } });
  const findings = await testTrunk({
    config: {
      ...config,
      rtp: { ...config.rtp, firstPort, lastPort: firstPort + 3 },
      sip: { ...config.sip, transports: ['udp', 'tls'] },
    },
    trunk: completeTrunk({ name: 't', callerNumbers: ['+861012345678'], host: HOST, ...trunk }),
    clock: systemClock,
    log: silentLog,
    version: '0',
    onFinding: () => undefined,
    listenMs,
    ...(calls ? { phone: '+8613800000000' as PhoneNumber } : {}),
  });
  for (const { seen, means, todo } of findings) {
    for (const text of [seen, means, todo]) expect(text?.en ?? '').not.toMatch(/[一-鿿]/);
  }
  const broken = findings.filter(({ state }) => state === 'failed');
  expect(broken.filter(({ means, todo }) => means === undefined || todo === undefined)).toEqual([]);
  return findings;
}

/** What is wrong: the code, and the words of both languages in one line each. */
function wrong(findings: readonly Finding[]): { readonly code: string; readonly zh: string; readonly en: string }[] {
  return findings
    .filter(({ state }) => state === 'failed')
    .map(({ code, seen, means, todo }) => ({
      code,
      zh: [seen, means, todo].map((text) => text?.zh).join(' '),
      en: [seen, means, todo].map((text) => text?.en).join(' '),
    }));
}

/** A SIPp that answers OPTIONS, then does the steps; both are calls to it. */
function peer(test: Finished, name: string, steps: readonly Step[], args: readonly string[] = []) {
  const all: Step[] = [
    { xml: '<recv request="OPTIONS" optional="true" next="1"></recv>' },
    ...steps,
    { xml: '<nop next="2"></nop>' },
    { xml: '<label id="1"/>' },
    ok(),
    { xml: '<label id="2"/>' },
  ];
  return startSteps(test, name, all, args, 2);
}

const challenge = (more = ''): string => `Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"${more}`;
const account = { username: 'waihu', password: 'hunter2' };
/** SIPp wants at least one check in a scenario. */
const REGISTERED = recv('REGISTER', [has('CSeq', 'REGISTER')]);
/** What is sent in all for challenges that never end. */
const ASKED = 5;
const repeated = (times: number, steps: readonly Step[]): Step[] => Array.from({ length: times }, () => steps).flat();
const refused = (status: number, headers: readonly string[] = []): Step[] => [
  invited(),
  answer(status, 'Refused', { headers, repeat: true }),
  recv('ACK'),
];
const answered = (sdp: string): Step[] => [invited(), answer(200, 'OK', { sdp, repeat: true }), ...WE_HANG_UP];

describe.skipIf(!hasSipp)('waihu trunk test against SIPp', () => {
  it('says that nonces stay stale, of a registration and of a call', async (test) => {
    const stale = challenge(', stale=true');
    const registrar = await peer(
      test,
      'stale-registration',
      repeated(ASKED, [REGISTERED, ok(401, 'Unauthorized', [`WWW-Authenticate: ${stale}`])]),
    );
    const registering = { ...account, registration: { expiresSeconds: 600 } };
    const registered = wrong(await run({ port: registrar.port, account: registering }));
    expect(await verdictOf(registrar)).toBe(AS_WRITTEN);
    const proxy = await peer(test, 'stale-call', repeated(ASKED, refused(407, [`Proxy-Authenticate: ${stale}`])));
    const called = wrong(await run({ port: proxy.port, account }, true));
    expect(await verdictOf(proxy)).toBe(AS_WRITTEN);
    for (const found of [registered, called]) {
      expect(found).toMatchObject([{ code: 'auth-stale', zh: expect.stringMatching(/nonce 已过期/) }]);
      expect(found[0]?.en).toMatch(/nonce is stale.*tell the carrier/);
    }
    expect(JSON.stringify([registered, called])).not.toContain('hunter2');
  });

  it('tells a call’s wrong password from a missing account', async (test) => {
    const headers = [`WWW-Authenticate: ${challenge()}`];
    const strict = await peer(test, 'wrong-password', repeated(2, refused(401, headers)));
    const [password] = wrong(await run({ port: strict.port, account }, true));
    expect(await verdictOf(strict)).toBe(AS_WRITTEN);
    expect(password).toMatchObject({ code: 'auth-password', zh: expect.stringMatching(/密码不对/) });
    const asks = await peer(test, 'no-account', refused(401, headers));
    const [missing] = wrong(await run({ port: asks.port }, true));
    expect(await verdictOf(asks)).toBe(AS_WRITTEN);
    expect(missing).toMatchObject({ code: 'call-auth-failed', zh: expect.stringMatching(/没有配置账号/) });
    expect(missing?.en).toMatch(/no account is configured/);
  });

  it('says that registrations are too short for a registrar that wants longer ones each time', async (test) => {
    const brief = (least: number): Step[] => [REGISTERED, ok(423, 'Interval Too Brief', [`Min-Expires: ${least}`])];
    const registrar = await peer(test, 'too-brief', [...brief(1200), ...brief(2400)]);
    const registering = { ...account, registration: { expiresSeconds: 600 } };
    const [found] = wrong(await run({ port: registrar.port, account: registering }));
    expect(await verdictOf(registrar)).toBe(AS_WRITTEN);
    expect(found?.code).toBe('registration-interval');
    expect(found?.zh).toMatch(/423 asked for 1200 s, wants 2400 s.*expiresSeconds/);
    expect(found?.en).toMatch(/423 asked for 1200 s, wants 2400 s.*expiresSeconds/);
  });

  it.for([
    ['488', 'call-codec-refused', refused(488)],
    ['606', 'call-codec-refused', refused(606)],
    [
      'an answer with a codec that was not offered',
      'call-answer-unusable',
      [
        invited([has('', 'm=audio [0-9]* RTP/AVP 8')]),
        answer(200, 'OK', { sdp: peerSdp('3'), repeat: true }),
        ...WE_HANG_UP,
      ],
    ],
  ] as const)('says that no codec is taken: %s', async ([name, code, steps], test) => {
    const strict = await peer(test, 'codec', steps);
    const [found] = wrong(await run({ port: strict.port, codecs: ['PCMA'] }, true));
    expect([name, await verdictOf(strict)]).toEqual([name, AS_WRITTEN]);
    expect(found).toMatchObject({
      code,
      zh: expect.stringMatching(/编码.*codecs/),
      en: expect.stringMatching(/codecs/),
    });
  });

  it('hears both ways where the callee sends back what it hears', async (test) => {
    const mediaPort = await freePort();
    const echo = await peer(test, 'echo', answered(peerSdp().replace('6000', '[media_port]')), [
      '-rtp_echo',
      '-mp',
      String(mediaPort),
    ]);
    const findings = await run({ port: echo.port }, true, 1500);
    expect(await verdictOf(echo)).toBe(AS_WRITTEN);
    expect(wrong(findings)).toEqual([]);
    expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['media-heard', 'media-they-hear']));
  });

  it('says that audio is one-way where the callee sends none, or names a port where nobody listens', async (test) => {
    const mute = await peer(test, 'mute', answered(peerSdp()));
    const silent = await run({ port: mute.port }, true);
    expect(await verdictOf(mute)).toBe(AS_WRITTEN);
    const mediaPort = await freePort();
    const elsewhere = await peer(test, 'elsewhere', answered(peerSdp().replace('6000', String(await freePort()))), [
      '-rtp_echo',
      '-mp',
      String(mediaPort),
    ]);
    const misnamed = await run({ port: elsewhere.port }, true);
    expect(await verdictOf(elsewhere)).toBe(AS_WRITTEN);
    for (const findings of [silent, misnamed]) {
      const [found] = wrong(findings);
      expect(found).toMatchObject({ code: 'media-we-hear-nothing', zh: expect.stringMatching(/单通：我方听不到对方/) });
      expect(found?.en).toMatch(/One-way audio: we do not hear them.*rtp\.host/);
      expect(findings.map(({ code }) => code)).toContain('media-not-reported');
    }
  });

  it('says where audio should have come that goes to another port of ours', async (test) => {
    const callee = await peer(test, 'wrong-port', answered(peerSdp()));
    const socket = createSocket('udp4');
    const packet = Buffer.alloc(172, 0xd5);
    packet.writeUInt16BE(0x80_08);
    // Of the four ports that the call takes, none for audio is odd.
    const first = firstPort + 4;
    let sequence = 0;
    const stream = setInterval(() => {
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE(sequence++ * 160, 4);
      socket.send(packet, first + 1, HOST);
    }, 20);
    test.onTestFinished(() => {
      clearInterval(stream);
      socket.close();
    });
    const [found] = wrong(await run({ port: callee.port }, true));
    expect(await verdictOf(callee)).toBe(AS_WRITTEN);
    expect(found?.code).toBe('media-we-hear-nothing');
    expect(found?.zh).toMatch(new RegExp(`${HOST}:(?:${first}|${first + 2}) 没有收到.*发到了别的地址或端口`));
    expect(found?.en).toMatch(
      new RegExp(`arrived at ${HOST}:(?:${first}|${first + 2});.*send it to another address or port`),
    );
  });

  it('says that a call was over before its media could be judged', async (test) => {
    const brief = await peer(test, 'hangs-up', [
      invited(),
      answer(200, 'OK', { sdp: peerSdp(), repeat: true }),
      recv('ACK'),
      ...peerHangsUp(1),
    ]);
    const findings = await run({ port: brief.port }, true);
    expect(await verdictOf(brief)).toBe(AS_WRITTEN);
    expect(wrong(findings).map(({ code }) => code)).toEqual(['media-we-hear-nothing']);
  });
});

describe('waihu trunk test', () => {
  it('says that a name does not resolve', async () => {
    // RFC 6761 §6.4: no name below `invalid` ever exists.
    const [found] = wrong(await run({ host: 'sip.carrier.invalid' }));
    expect(found).toMatchObject({ code: 'dns-unknown' });
    expect(found?.zh).toMatch(/域名 sip\.carrier\.invalid 查不到地址.*检查 host 的拼写/);
    expect(found?.en).toMatch(/name sip\.carrier\.invalid has no address.*spelling of host/);
  });

  it.runIf(hasOpenssl)('says that a certificate is of another name', async (test) => {
    const made = makeCertificate(folder, 'other', 'DNS:sip.other.example');
    const agent = await SipUserAgent.open({
      clock: systemClock,
      log: silentLog,
      product: 'far end',
      bind: [{ protocol: 'TLS', address: HOST, port: 0, tls: made }],
    });
    test.onTestFinished(() => agent.close('test is over'));
    const tls = { authorities: made.files.certificate, verify: true };
    const [found] = wrong(await run({ port: agent.address.port, transport: 'tls', tls }));
    expect(found).toMatchObject({ code: 'tls-wrong-name' });
    expect(found?.zh).toMatch(/证书不属于 127\.0\.0\.1，它写的是 DNS:sip\.other\.example.*tls\.serverName/);
    expect(found?.en).toMatch(/not for 127\.0\.0\.1 but for DNS:sip\.other\.example.*tls\.serverName/);
  });
});
