import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TlsIdentity } from '#telephony/sip/transport/tls-identity.ts';
import type { RegistrationState } from '#telephony/sip/user-agent/registration.ts';
import { kamailioInstalled, PASSWORD, startEdge } from '../support/kamailio.ts';
import type { Edge } from '../support/kamailio.ts';
import { openParty } from '../support/party.ts';
import type { Party } from '../support/party.ts';
import { freePort } from '../support/free-port.ts';

const HOST = '127.0.0.1';
const CREDENTIALS = { username: 'waihu', password: PASSWORD };
const [OURS, THEIRS] = [400, 700];

/** Kamailio as the edge that carriers and companies put in front of us; without it these are skipped. */
describe.skipIf(!kamailioInstalled)('Kamailio as edge', () => {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const one of cleanUp.splice(0).toReversed()) await one();
  });

  const folder = mkdtempSync(join(tmpdir(), 'kamailio-tls-'));
  const path = (name: string): string => join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  /** An authority of our own, and a certificate of it for the edge and one for us. */
  beforeAll(() => {
    const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore', cwd: folder });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority');
    for (const name of ['edge', 'party']) {
      const names = `subjectAltName=IP:${HOST}`;
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, '-addext', names);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy'];
      openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed);
    }
  });
  const identity = (): TlsIdentity => ({
    certificate: readFileSync(path('party.pem'), 'utf8'),
    key: readFileSync(path('party.key'), 'utf8'),
    authorities: [readFileSync(path('ca.pem'), 'utf8')],
  });
  const edgeTls = () => ({ key: path('edge.key'), certificate: path('edge.pem'), authority: path('ca.pem') });

  async function party(hz: number, first: number, bind?: Parameters<typeof openParty>[0]['bind']): Promise<Party> {
    const opened = await openParty({ hz, rtp: { first, last: first + 39 }, ...(bind === undefined ? {} : { bind }) });
    cleanUp.push(() => opened.close());
    return opened;
  }

  async function edge(options: Parameters<typeof startEdge>[0]): Promise<Edge> {
    const started = await startEdge(options);
    cleanUp.push(() => started.stop());
    return started;
  }

  /** Registers and waits until the edge agrees. */
  async function register(who: Party, registrar: string): Promise<void> {
    const states: RegistrationState[] = [];
    const registered = Promise.withResolvers<void>();
    who.agent.register({
      registrar,
      address: `sip:waihu@${HOST}`,
      credentials: CREDENTIALS,
      onChange: (state) => {
        states.push(state);
        if (state.name === 'registered') registered.resolve();
        else if (state.name === 'failed') registered.reject(new Error(state.detail));
      },
    });
    await registered.promise;
    expect(states.at(-1)).toMatchObject({ name: 'registered' });
  }

  it.each(['MD5', 'SHA-256'] as const)('signs with %s, follows its route, past a dead gateway', async (algorithm) => {
    const far = await party(THEIRS, 44_000);
    const dead = await freePort();
    const gateways = [`sip:${HOST}:${dead}`, `sip:${HOST}:${far.agent.address.port}`];
    const started = await edge({ gateways, algorithm });
    const { port, said } = started;
    const near = await party(OURS, 44_040);
    const ours = await near.call(`sip:+8613800000000@${HOST}:${port}`, { credentials: CREDENTIALS });
    const theirs = await far.nextTalk();
    await Promise.all([ours.hears(THEIRS), theirs.hears(OURS)]);
    expect(said()).toContain(`gateway sip:${HOST}:${dead} is dead`);
    // Media goes past the edge: each hears the other's own port.
    expect(await ours.call.hold()).toMatchObject({ ok: true, media: { audio: { direction: 'sendonly' } } });
    expect(await theirs.call.change({ direction: 'recvonly' })).toMatchObject({ ok: true });
    expect(await ours.call.resume()).toMatchObject({ ok: true });
    expect(await theirs.call.resume()).toMatchObject({ ok: true, media: { audio: { direction: 'sendrecv' } } });
    await Promise.all([ours.hears(THEIRS), theirs.hears(OURS)]);
    if (algorithm === 'MD5') ours.call.hangup();
    else theirs.call.hangup();
    await Promise.all([ours.ended, theirs.ended]);
    await started.says('loose BYE');
    const loose = said().filter((line) => line.startsWith('loose '));
    // ACK of the answer, four changes with their ACKs, BYE: all by the recorded route.
    expect(loose.map((line) => line.split(' ')[1])).toEqual([
      'ACK',
      ...Array.from({ length: 4 }, () => ['INVITE', 'ACK']).flat(),
      'BYE',
    ]);
    expect(said().filter((line) => line.startsWith('stray'))).toEqual([]);
  });

  it('refuses a wrong password, and the call ends with its status', async () => {
    const { port } = await edge({ gateways: [`sip:${HOST}:9`], algorithm: 'SHA-256' });
    const near = await party(OURS, 44_080);
    const credentials = { username: 'waihu', password: 'wrong' };
    await expect(near.call(`sip:1@${HOST}:${port}`, { credentials })).rejects.toThrow('"status":407');
  });

  it('takes our registration and brings calls to it', async () => {
    const far = await party(THEIRS, 44_120);
    const started = await edge({ gateways: [`sip:${HOST}:${far.agent.address.port}`], algorithm: 'SHA-256' });
    const near = await party(OURS, 44_160);
    await register(near, `sip:${HOST}:${started.port}`);
    const theirs = await far.call(`sip:waihu@${HOST}:${started.port}`);
    const ours = await near.nextTalk();
    await Promise.all([ours.hears(THEIRS), theirs.hears(OURS)]);
    ours.call.hangup();
    expect(await theirs.ended).toMatchObject({ by: 'callee', cause: 'bye' });
    await started.says('loose BYE');
  });

  it('speaks TLS to us and UDP to the gateway, both ways', async () => {
    const far = await party(THEIRS, 44_200);
    const gateways = [`sip:${HOST}:${far.agent.address.port}`];
    const started = await edge({ gateways, algorithm: 'SHA-256', tls: edgeTls() });
    const near = await party(OURS, 44_240, [{ protocol: 'TLS', address: HOST, port: 0, tls: identity() }]);
    const target = `${HOST}:${started.tlsPort};transport=tls`;
    await register(near, `sip:${target}`);
    const out = await near.call(`sip:+8613800000000@${target}`, { credentials: CREDENTIALS });
    const taken = await far.nextTalk();
    await Promise.all([out.hears(THEIRS), taken.hears(OURS)]);
    expect(await taken.call.hold()).toMatchObject({ ok: true });
    taken.call.hangup();
    expect(await out.ended).toMatchObject({ by: 'callee', cause: 'bye' });

    const back = await far.call(`sip:waihu@${HOST}:${started.port}`);
    const answered = await near.nextTalk();
    await Promise.all([answered.hears(THEIRS), back.hears(OURS)]);
    expect(await back.call.hold()).toMatchObject({ ok: true });
    answered.call.hangup();
    expect(await back.ended).toMatchObject({ by: 'callee', cause: 'bye' });
    expect(started.said().filter((line) => line.startsWith('stray'))).toEqual([]);
  });

  it('is not trusted over TLS where its authority is not ours', async () => {
    const { tlsPort } = await edge({ gateways: [`sip:${HOST}:9`], algorithm: 'MD5', tls: edgeTls() });
    const near = await party(OURS, 44_280, [{ protocol: 'TLS', address: HOST, port: 0 }]);
    const call = near.call(`sip:1@${HOST}:${tlsPort};transport=tls`, { credentials: CREDENTIALS });
    await expect(call).rejects.toThrow('"cause":"transport"');
  });
});
