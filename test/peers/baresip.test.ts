import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { baresipInstalled, startBaresip } from '../support/baresip.ts';
import { placeWatched, testMedia } from '../support/sip-network.ts';

describe.skipIf(!baresipInstalled)('baresip as peer', () => {
  let peer: Awaited<ReturnType<typeof startBaresip>>;
  let agent: SipUserAgent;
  beforeEach(async () => {
    peer = await startBaresip();
    agent = await SipUserAgent.open({
      clock: systemClock,
      log: silentLog,
      bind: { address: '127.0.0.1', port: 0 },
      product: 'waihu-test',
    });
  });
  afterEach(async () => {
    await agent.close('test is over');
    await peer.stop();
  });

  it('agrees that the call was established with PCMA and that we ended it', async () => {
    const offer = createOffer({ ...testMedia, address: '127.0.0.1' });
    const watched = placeWatched(agent, peer.port, { target: `sip:peer@127.0.0.1:${peer.port}`, sdp: writeSdp(offer) });
    await new Promise<void>((resolve) => (watched.onAnswered = resolve));
    expect(acceptAnswer(offer, parseSdp(watched.answers[0] ?? ''))).toMatchObject({
      ok: true,
      media: { audio: { codec: 'PCMA' } },
    });
    await peer.says('Call established');
    watched.call.hangup();
    await peer.says('session closed');
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'bye' }]);
  });

  it('hangs up and is heard', async () => {
    const watched = placeWatched(agent, peer.port, { target: `sip:peer@127.0.0.1:${peer.port}` });
    await new Promise<void>((resolve) => (watched.onAnswered = resolve));
    await peer.says('Call established');
    const ended = new Promise<void>((resolve) => (watched.onEnded = resolve));
    peer.command('hangup');
    await ended;
    expect(watched.ends).toMatchObject([{ by: 'callee', cause: 'bye' }]);
  });
});
