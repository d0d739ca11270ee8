import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accept, placeWatched } from '../../../../test/support/sip-network.ts';
import { hasOpenssl, makeCertificate } from '../../../../test/support/certificates.ts';
import type { TestCertificate } from '../../../../test/support/certificates.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { SipUserAgent } from '../user-agent.ts';
import type { CallEnd, IncomingCall } from '../user-agent.ts';
import type { TlsIdentity, TlsPeer } from './tls-identity.ts';

const HOST = '127.0.0.1';
const closing: SipUserAgent[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((agent) => agent.close('test is over')));
});

async function agent(tls: TlsIdentity): Promise<SipUserAgent> {
  const opened = await SipUserAgent.open({
    clock: systemClock,
    log: silentLog,
    bind: [{ protocol: 'TLS', address: HOST, port: 0, tls }],
    product: 'test',
    resolver: { srv: () => Promise.resolve([]), addresses: () => Promise.resolve([HOST]) },
  });
  closing.push(opened);
  return opened;
}

describe.skipIf(!hasOpenssl)('TLS settings of one peer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sip-tls-peers-'));
  let edge: TestCertificate;
  beforeAll(() => {
    edge = makeCertificate(folder, 'edge', 'DNS:edge.example');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Calls `host` and hangs up once it answers; how both sides saw the end. */
  async function call(host: string, peer: TlsPeer | undefined) {
    const far = await agent(edge);
    const ended = Promise.withResolvers<CallEnd>();
    far.onIncomingCall = (incoming: IncomingCall) => {
      incoming.onEnded = ended.resolve;
      accept(incoming);
    };
    const near = await agent({ peers: (name) => (name === host ? peer : undefined) });
    const end = Promise.withResolvers<CallEnd>();
    const target = `sip:1@${host}:${far.address.port};transport=tls`;
    const placed = placeWatched(near, far.address.port, { target });
    placed.onAnswered = () => placed.call.hangup();
    placed.onEnded = () => end.resolve(placed.ends[0]!);
    const ours = await end.promise;
    return { ours, theirs: ours.cause === 'bye' ? await ended.promise : undefined };
  }

  it('carry a call to its BYE, whose Contact names an address that the certificate does not', async () => {
    const { ours, theirs } = await call('edge.example', { authorities: [edge.certificate] });
    expect(ours.cause).toBe('bye');
    expect(theirs).toMatchObject({ by: 'callee', cause: 'bye' });
  });

  it('do not count for others', async () => {
    expect((await call('edge.example', undefined)).ours).toMatchObject({ cause: 'transport' });
  });

  it('name what the certificate has to prove, or take whoever answers', async () => {
    const authorities = [edge.certificate];
    expect((await call('sbc.example', { authorities })).ours).toMatchObject({ cause: 'transport' });
    expect((await call('sbc.example', { authorities, serverName: 'edge.example' })).ours.cause).toBe('bye');
    expect((await call('sbc.example', { verify: false })).ours.cause).toBe('bye');
  });
});
