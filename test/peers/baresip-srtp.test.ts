import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { baresipInstalled, startBaresip } from '../support/baresip.ts';
import { placeWatched, testMedia } from '../support/sip-network.ts';
import { expectScored } from '../support/scored.ts';

const HOST = '127.0.0.1';
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).toReversed()) await one();
});

/** Share of a frame's power at 440 Hz. */
function toneShare(pcm: Int16Array): number {
  let [real, imaginary, power] = [0, 0, 1];
  for (const [i, sample] of pcm.entries()) {
    real += sample * Math.cos((2 * Math.PI * 440 * i) / 8000);
    imaginary += sample * Math.sin((2 * Math.PI * 440 * i) / 8000);
    power += sample * sample;
  }
  return (2 * (real * real + imaginary * imaginary)) / (pcm.length * power);
}

describe.skipIf(!baresipInstalled)('baresip with SRTP', () => {
  it.each([
    ['required', 'srtp-mand'],
    ['optional', 'srtp'],
  ] as const)('%s here, %s there: its tone is heard and it takes our packets', async (srtp, mediaenc) => {
    const peer = await startBaresip({ modules: ['srtp'], account: `;mediaenc=${mediaenc}` });
    cleanUp.push(() => peer.stop());
    const bind = { address: HOST, port: 0 };
    const agent = await SipUserAgent.open({ clock: systemClock, log: silentLog, bind, product: 'waihu-test' });
    cleanUp.push(() => agent.close('test is over'));
    const ports = { first: 43_400, last: 43_440 };
    const engine = await MediaEngine.open({ clock: systemClock, log: silentLog, address: HOST, ports });
    cleanUp.push(() => engine.close());
    const heard = Promise.withResolvers<void>();
    const reported = Promise.withResolvers<void>();
    let frames = 0;
    const leg = await engine.openLeg({
      onFrame: (rx) => {
        if (rx.kind === 'audio' && toneShare(rx.pcm) > 0.9 && ++frames === 20) heard.resolve();
        if (leg.stats().remoteLossRatio !== undefined) reported.resolve();
      },
      onText: () => undefined,
      onDtmf: () => undefined,
    });
    const offer = createOffer({ ...testMedia, address: HOST, audioPort: leg.audioPort, textPort: undefined, srtp });
    const call = placeWatched(agent, peer.port, { target: `sip:peer@${HOST}:${peer.port}`, sdp: writeSdp(offer) });
    await new Promise<void>((resolve) => (call.onAnswered = resolve));
    const accepted = acceptAnswer(offer, parseSdp(call.answers[0] ?? ''));
    if (!accepted.ok) throw new Error(accepted.reason);
    expect(accepted.media.audio.srtp).toBeDefined();
    leg.start(accepted.media);
    await heard.promise;
    // Its report counts only packets that were authentic to it.
    await reported.promise;
    const stats = leg.stats();
    expect(stats.remoteLossRatio).toBeLessThan(0.05);
    expectScored(stats);
    call.call.hangup();
    await peer.says('session closed');
  });
});
