import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { SipBind } from '#telephony/sip/transport/open.ts';
import type { IncomingCall } from '#telephony/sip/user-agent.ts';
import { openParty } from '../support/party.ts';
import type { Party, Talk } from '../support/party.ts';

const hasIpv6 = Object.values(networkInterfaces()).some(
  (all) => all?.some(({ address }) => address === '::1') === true,
);
const SIX = '::1';
const FOUR = '127.0.0.1';

describe.skipIf(!hasIpv6)('calls over IPv6', () => {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const one of cleanUp.splice(0).toReversed()) await one();
  });

  async function party(hz: number, first: number, bind: SipBind | readonly SipBind[], address = SIX): Promise<Party> {
    const opened = await openParty({ hz, address, rtp: { first, last: first + 19 }, bind: [bind].flat() });
    cleanUp.push(() => opened.close());
    return opened;
  }

  async function talks(
    near: Party,
    target: string,
    far: Party,
  ): Promise<readonly [Talk, Talk & { call: IncomingCall }]> {
    const ours = await near.call(target);
    const theirs = (await far.nextTalk()) as Talk & { call: IncomingCall };
    await Promise.all([ours.hears(700), theirs.hears(400)]);
    return [ours, theirs];
  }

  it.each(['UDP', 'TCP'] as const)(
    'over %s: brackets in Via and Contact, IP6 in SDP, hold, each side hangs up once',
    async (protocol) => {
      const [near, far] = await Promise.all([
        party(400, 44_500, { protocol, address: SIX, port: 0 }),
        party(700, 44_520, { protocol, address: SIX, port: 0 }),
      ]);
      const at = (who: Party): string =>
        `[${SIX}]:${who.agent.address.port}${protocol === 'TCP' ? ';transport=tcp' : ''}`;
      const [ours, theirs] = await talks(near, `sip:1@${at(far)}`, far);
      const { headers, sdp } = theirs.call;
      expect(headers.get('Via')).toContain(`SIP/2.0/${protocol} [::1]:${near.agent.address.port};`);
      expect(headers.get('Contact')).toBe(`<sip:${at(near)}>`);
      expect(sdp).toContain('c=IN IP6 ::1');
      expect(ours.leg.stats().packetsReceived).toBeGreaterThan(10);
      expect(await theirs.call.hold()).toMatchObject({ ok: true, media: { audio: { remoteAddress: SIX } } });
      theirs.call.hangup();
      expect(await ours.ended).toMatchObject({ by: 'callee', cause: 'bye' });

      const back = await far.call(`sip:2@${at(near)}`);
      const taken = await near.nextTalk();
      await Promise.all([back.hears(400), taken.hears(700)]);
      back.call.hangup();
      expect(await taken.ended).toMatchObject({ by: 'callee', cause: 'bye' });
    },
  );

  it('a user agent of both families answers each in its own', async () => {
    const both = await party(700, 44_540, [
      { protocol: 'UDP', address: FOUR, port: 0 },
      { protocol: 'UDP', address: SIX, port: 0 },
    ]);
    const six = await party(400, 44_560, { protocol: 'UDP', address: SIX, port: 0 });
    const port = both.agent.addresses.find(({ address }) => address === SIX)!.port;
    const [ours, theirs] = await talks(six, `sip:1@[${SIX}]:${port}`, both);
    // In the dialog too: its Contact is that of the family.
    expect(await ours.call.hold()).toMatchObject({ ok: true });
    expect(await theirs.call.change({ direction: 'recvonly' })).toMatchObject({ ok: true });
    ours.call.hangup();
    await theirs.ended;

    const out = await both.call(`sip:2@[${SIX}]:${six.agent.address.port}`);
    const taken = (await six.nextTalk()) as Talk & { call: IncomingCall };
    await Promise.all([out.hears(400), taken.hears(700)]);
    expect(taken.call.headers.get('Contact')).toBe(`<sip:[${SIX}]:${port}>`);
    taken.call.hangup();
    expect(await out.ended).toMatchObject({ by: 'callee', cause: 'bye' });
  });

  it('signalling over IPv4 and media over IPv6', async () => {
    const far = await party(700, 44_580, { protocol: 'UDP', address: FOUR, port: 0 });
    const near = await party(400, 44_600, { protocol: 'UDP', address: FOUR, port: 0 });
    const [ours, theirs] = await talks(near, `sip:1@${FOUR}:${far.agent.address.port}`, far);
    expect(theirs.call.sdp).toContain('c=IN IP6 ::1');
    ours.call.hangup();
    await theirs.ended;
  });
});
