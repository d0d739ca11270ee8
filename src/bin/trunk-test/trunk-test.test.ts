import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PhoneNumber } from '#domain/phone.ts';
import { systemClock } from '#platform/clock.ts';
import { completeTrunk, loadConfig } from '#platform/config/config.ts';
import type { TrunkConfig } from '#platform/config/config.ts';
import { silentLog } from '#platform/log.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { IncomingCall } from '#telephony/sip/user-agent.ts';
import { openCallee, loud } from '../../../test/support/callee.ts';
import { hasOpenssl, makeCertificate } from '../../../test/support/certificates.ts';
import { tlsFinding } from './network-words.ts';
import { isPrivate, mediaFindings } from './media-words.ts';
import { testTrunk } from './run.ts';
import { registrationFinding } from './sip-steps.ts';
import type { Finding } from './finding.ts';

const HOST = '127.0.0.1';
const PHONE = '+8613800000000' as PhoneNumber;
const folder = mkdtempSync(join(tmpdir(), 'waihu-trunk-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Tests a trunk to a port of this machine; the findings by their codes, each complete in both languages. */
async function test(trunk: Partial<TrunkConfig>, call?: { readonly listenMs: number }): Promise<readonly Finding[]> {
  const config = loadConfig({
    env: {},
    flags: { 'sip.port': 0, 'rtp.firstPort': 24_600, 'rtp.lastPort': 24_699 },
  });
  const told: Finding[] = [];
  const findings = await testTrunk({
    config: { ...config, sip: { ...config.sip, transports: ['udp', 'tcp', 'tls'] } },
    trunk: completeTrunk({ name: 't', callerNumbers: ['+861012345678'], host: HOST, ...trunk }),
    clock: systemClock,
    log: silentLog,
    version: '0',
    resolver: { srv: () => Promise.reject(new Error('none')), addresses: () => Promise.reject(new Error('none')) },
    onFinding: (finding) => told.push(finding),
    ...(call === undefined ? {} : { phone: PHONE, ...call }),
  });
  expect(told).toEqual(findings);
  for (const { seen } of findings) {
    expect(seen.zh).not.toBe('');
    expect(seen.en).not.toMatch(/[一-鿿]/);
  }
  for (const { means, todo } of findings.filter(({ state }) => state === 'failed')) {
    expect(means?.zh).toMatch(/[一-鿿]/);
    expect(todo?.zh).toMatch(/[一-鿿]/);
    expect(todo?.en).toMatch(/^[A-Z]/);
  }
  return findings;
}

const faults = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ state }) => state === 'failed').map(({ code }) => code);

/** A far end that answers calls as `take` says. */
async function farEnd(take: (call: IncomingCall) => void): Promise<number> {
  const bind = { address: HOST, port: 0 };
  const agent = await SipUserAgent.open({ clock: systemClock, log: silentLog, product: 'far end', bind });
  agent.onIncomingCall = take;
  closing.push(() => agent.close('test is over'));
  return agent.address.port;
}

/** A server on UDP that answers OPTIONS with 200 and REGISTER with `status` and a challenge. */
async function registrar(status: string, challenge = '', options = true): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const text = bytes.toString();
    const kept = text.split('\r\n').filter((line) => /^(?:via|from|to|call-id|cseq):/i.test(line));
    const registers = text.startsWith('REGISTER');
    if (!registers && !options) return;
    const lines = [
      `SIP/2.0 ${registers ? status : '200 OK'}`,
      ...kept,
      ...(registers && challenge !== '' ? [challenge] : []),
    ];
    socket.send(
      `${lines.join('\r\n')};tag=x\r\nContent-Length: 0\r\n\r\n`
        .replace(/(To:[^\r]*)/i, '$1;tag=y')
        .replace(';tag=x\r\nC', '\r\nC'),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  closing.push(() => socket.close());
  return socket.address().port;
}

async function listener(greeting: string | undefined): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (greeting !== undefined) socket.on('data', () => socket.end(greeting));
  }).listen(0, HOST);
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('a test of a trunk', () => {
  it('says that a name is unknown, and goes on', async () => {
    expect(faults(await test({ host: 'sip.carrier.example' }))).toEqual(['dns-unknown']);
  });

  it('says that a port refuses', async () => {
    const port = await listener(undefined);
    await closing.pop()!();
    expect(faults(await test({ port, transport: 'tcp' }))).toEqual(['connection-refused', 'options-transport']);
  });

  it.runIf(hasOpenssl)('names what is wrong with a certificate', async () => {
    const secure = async (name: string, names: string, expired = false): Promise<{ port: number; pem: string }> => {
      const made = makeCertificate(folder, name, names, expired);
      const agent = await SipUserAgent.open({
        clock: systemClock,
        log: silentLog,
        product: 'far end',
        bind: [{ protocol: 'TLS', address: HOST, port: 0, tls: made }],
      });
      closing.push(() => agent.close('test is over'));
      return { port: agent.address.port, pem: made.files.certificate };
    };
    const good = await secure('good', `IP:${HOST}`);
    const expired = await secure('expired', `IP:${HOST}`, true);
    const other = await secure('other', 'DNS:other.example');
    const tls = (authorities: string) => ({ authorities, verify: true });
    const at = (port: number, more: Partial<TrunkConfig> = {}) => test({ port, transport: 'tls', ...more });
    expect(faults(await at(good.port, { tls: tls(good.pem) }))).toEqual([]);
    expect(faults(await at(good.port))).toEqual(['tls-unknown-authority', 'options-transport']);
    expect(faults(await at(expired.port, { tls: tls(expired.pem) }))).toEqual(['tls-expired', 'options-transport']);
    expect(faults(await at(other.port, { tls: tls(other.pem) }))).toEqual(['tls-wrong-name', 'options-transport']);
    const named = { ...tls(other.pem), serverName: 'other.example' };
    expect(faults(await at(other.port, { tls: named }))).toEqual([]);
    const unchecked = await at(expired.port, { tls: { verify: false } });
    expect(unchecked.map(({ code }) => code)).toContain('tls-expired');
    expect(faults(unchecked)).toEqual([]);
  });

  it('says that a port does not speak TLS', async () => {
    const port = await listener('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(faults(await test({ port, transport: 'tls' }))).toEqual(['tls-not-spoken', 'options-transport']);
  });

  it('says that nobody answers OPTIONS', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    closing.push(() => socket.close());
    expect(faults(await test({ port: socket.address().port }))).toEqual(['options-silent']);
  });

  it('finds nothing wrong with a carrier that ignores OPTIONS but takes registrations', async () => {
    const port = await registrar('200 OK', undefined, false);
    const account = { username: 'waihu', password: 'hunter2', registration: { expiresSeconds: 600 } };
    const findings = await test({ port, account });
    expect(faults(findings)).toEqual([]);
    expect(findings.find(({ step }) => step === 'options')).toMatchObject({ state: 'warning', code: 'options-silent' });
    expect(findings.at(-1)?.code).toBe('registered');
  });

  it('tells a wrong password from a wrong realm and a wrong user', async () => {
    const account = { username: 'waihu', password: 'hunter2', registration: { expiresSeconds: 600 } };
    const challenge = 'WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';
    const wrong = await test({ port: await registrar('401 Unauthorized', challenge), account });
    expect(faults(wrong)).toEqual(['auth-password']);
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
    const realm = { ...account, realm: 'elsewhere' };
    expect(faults(await test({ port: await registrar('401 Unauthorized', challenge), account: realm }))).toEqual([
      'auth-realm',
    ]);
    expect(faults(await test({ port: await registrar('404 Not Found'), account }))).toEqual(['auth-user']);
    expect(faults(await test({ port: await registrar('403 Forbidden'), account }))).toEqual(['auth-forbidden']);
  });

  it.each([
    [488, 'call-codec-refused', {}],
    [488, 'call-srtp-mismatch', { srtp: 'required' }],
    [404, 'call-number-format', {}],
    [484, 'call-number-format', {}],
    [403, 'call-caller-refused', {}],
    [407, 'call-auth-failed', {}],
    [503, 'call-trunk-unavailable', {}],
  ] as const)('explains a call refused with %i: %s', async (status, code, more) => {
    const port = await farEnd((call) => call.reject(status));
    expect(faults(await test({ port, ...more }, { listenMs: 100 }))).toEqual([code]);
  });

  it('explains an answer without media, and a callee who does not answer', async () => {
    expect(faults(await test({ port: await farEnd((call) => call.answer('')) }, { listenMs: 100 }))).toEqual([
      'call-no-sdp',
    ]);
    const busy = await test({ port: await farEnd((call) => call.reject(486)) }, { listenMs: 100 });
    expect(faults(busy)).toEqual([]);
    expect(busy.at(-1)).toMatchObject({ state: 'warning', code: 'call-not-answered' });
  });

  it('hears both sides of a good call, and says when it hears nothing', async () => {
    const callee = await openCallee({ rtp: { first: 24_700, last: 24_749 } });
    closing.push(() => callee.close());
    callee.onCall = (call, answer) => {
      call.speech = loud(8000);
      answer();
    };
    const good = await test({ port: callee.port }, { listenMs: 6500 });
    expect(faults(good)).toEqual([]);
    expect(good.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['call-answered', 'media-heard', 'media-they-hear', 'media-quality']),
    );
    expect(good.at(-1)?.figures?.['mos']).toBeGreaterThan(4);
    const mute = await openCallee({ rtp: { first: 24_750, last: 24_799 }, mute: true });
    closing.push(() => mute.close());
    expect(faults(await test({ port: mute.port }, { listenMs: 300 }))).toEqual(['media-we-hear-nothing']);
  });
});

describe('the words of a test', () => {
  it('know stale nonces, foreign schemes and silence', () => {
    const challenge = { realm: 'r', stale: true } as never;
    const failed = { name: 'failed', status: 401, detail: 'Unauthorized', final: true } as const;
    expect(registrationFinding({ ...failed, challenge }, undefined).code).toBe('auth-stale');
    expect(registrationFinding(failed, undefined).code).toBe('auth-unsupported');
    expect(registrationFinding(undefined, undefined).code).toBe('registration-silent');
  });

  it('know TLS versions and client certificates', () => {
    const facts = { server: 's', where: 'w', name: 'n', chainFault: undefined, nameFault: undefined } as const;
    const more = { validTo: undefined, names: undefined, protocol: undefined, verify: true } as const;
    const code = (fault: string) => tlsFinding({ ...facts, ...more, fault }).code;
    expect(code('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')).toBe('tls-protocol');
    expect(code('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')).toBe('tls-client-certificate');
    expect(code('ETIMEDOUT')).toBe('connection-timeout');
  });

  it('know private addresses, other sources and far ends that hear nothing', () => {
    expect(['10.1.2.3', '172.31.0.1', '100.64.0.1', 'fd00::1', '192.168.1.1'].every(isPrivate)).toBe(true);
    expect(['203.0.113.1', '172.32.0.1', '100.128.0.1', '2001:db8::1'].some(isPrivate)).toBe(false);
    const found = mediaFindings({
      stats: {
        codec: 'PCMA',
        packetsReceived: 10,
        packetsLost: 0,
        packetsSent: 10,
        remoteLossRatio: 1,
        mos: 2,
      } as never,
      announced: { address: '10.0.0.1', port: 4000 },
      source: { address: '203.0.113.2', port: 4000 },
      echoed: false,
      server: '203.0.113.1',
      ourAddress: '192.168.1.2',
      ourPort: 30_000,
    });
    expect(found.map(({ code }) => code)).toEqual([
      'media-heard',
      'media-they-hear-nothing',
      'media-nat-theirs',
      'media-nat-ours',
      'media-other-source',
      'media-poor',
    ]);
  });
});
