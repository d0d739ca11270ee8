import type { Config } from '#platform/config/config.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { newId } from '#platform/id.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { TrunkCall } from '#calls/trunk-call.ts';
import { inviteOf } from '#calls/trunk-invite.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import { Trunk } from '#calls/trunk.ts';
import { encodeG711, FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { CallEnd, SipUserAgent } from '#telephony/sip/user-agent.ts';
import { answerFinding, endFinding } from './call-words.ts';
import { mediaFindings } from './media-words.ts';
import type { Finding } from './finding.ts';

/** Longer than the first RTCP reports of both sides (RFC 3550 §6.2: 5 s on average, half of that at first). */
const LISTEN_MS = 8_000;
const RING_MS = 45_000;
const TONE_HZ = 1004;
const TONE_LEVEL = 6000;

/** Places a real call, plays a tone, listens, hangs up, and says what came of it. `server` is where SIP goes. */
export async function tryCall(o: {
  readonly sip: SipUserAgent;
  readonly clock: Clock;
  readonly log: Log;
  readonly rtp: Config['rtp'];
  readonly route: TrunkRoute;
  readonly phone: PhoneNumber;
  readonly callerNumber: string;
  readonly server: string | undefined;
  readonly listenMs?: number;
}): Promise<readonly Finding[]> {
  const { clock, log, route, rtp, sip } = o;
  const ports = { first: rtp.firstPort, last: rtp.lastPort };
  const engine = await MediaEngine.open({ clock, log, address: rtp.host, ports });
  let media: NegotiatedMedia | undefined;
  let echoFrames = 0;
  let frame = 0;
  const leg = await engine.openLeg({
    onFrame: (rx, tx) => {
      if (media === undefined) return;
      if (rx.kind === 'audio' && toneRatio(rx.pcm) > 0.5) echoFrames++;
      encodeG711(frameCodecOf(media.audio.codec), tone(frame++), tx);
    },
    onText: () => undefined,
    onDtmf: () => undefined,
  });
  let stop: Timer | undefined;
  try {
    const { codecs, srtp } = route;
    const { audioPort, textPort } = leg;
    const offer = createOffer({
      address: rtp.host,
      audioPort,
      textPort,
      codecs,
      dtmf: true,
      direction: 'sendrecv',
      srtp,
    });
    const sdp = writeSdp(offer);
    const ended = Promise.withResolvers<CallEnd>();
    const refused: Finding[] = [];
    const dialled = {
      id: newId<'attempt'>(clock.now()),
      phone: o.phone,
      callerNumber: o.callerNumber,
      campaignId: undefined,
      leadId: undefined,
    };
    const call: TrunkCall = new TrunkCall({
      clock,
      sip,
      trunk: new Trunk(route, { clock }),
      ringTimeoutMs: RING_MS,
      request: (peer, ringTimeoutMs) =>
        inviteOf(route, peer, dialled, { host: sip.address.address, sdp, ringTimeoutMs }),
      handlers: {
        onProgress: () => undefined,
        onAnswered: (answer) => {
          const result = agree(() => acceptAnswer(offer, parseSdp(answer.sdp)));
          if (!result.ok) {
            refused.push(answerFinding(result.reason));
            return call.hangup({ protocol: 'Q.850', cause: 65, text: 'Bearer capability not implemented' });
          }
          media = result.media;
          leg.start(result.media);
          stop = clock.setTimer(o.listenMs ?? LISTEN_MS, () =>
            call.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' }),
          );
        },
        onEnded: ended.resolve,
      },
    });
    const end = await ended.promise;
    if (media === undefined) return refused.length > 0 ? refused : [endFinding(end, route)];
    const answered: Finding = {
      step: 'call',
      state: 'ok',
      code: 'call-answered',
      seen: {
        zh: `已接听，编码 ${media.audio.codec}${media.audio.srtp === undefined ? '' : '，加密'}。`,
        en: `Answered with ${media.audio.codec}${media.audio.srtp === undefined ? '' : ', encrypted'}.`,
      },
    };
    const { remoteAddress: address, remotePort: port } = media.audio;
    return [
      answered,
      ...mediaFindings({
        stats: leg.stats(),
        announced: { address, port },
        source: leg.source,
        echoed: echoFrames > 10,
        server: o.server,
        ourAddress: rtp.host,
        ourPort: audioPort,
      }),
    ];
  } finally {
    stop?.cancel();
    leg.close();
    await engine.close();
  }
}

function agree(run: () => ReturnType<typeof acceptAnswer>): ReturnType<typeof acceptAnswer> {
  try {
    return run();
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'SDP cannot be read' };
  }
}

/** Frame `index` of the test tone. */
function tone(index: number): Int16Array {
  const from = index * FRAME_SAMPLES;
  return Int16Array.from({ length: FRAME_SAMPLES }, (_, at) =>
    Math.round(TONE_LEVEL * Math.sin((2 * Math.PI * TONE_HZ * (from + at)) / 8000)),
  );
}

/** The tone's share of the energy of a frame, 0–1 (Goertzel). */
function toneRatio(pcm: Int16Array): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * TONE_HZ) / 8000);
  let [before, last, energy] = [0, 0, 0];
  for (const sample of pcm) {
    [before, last] = [last, sample + coefficient * last - before];
    energy += sample * sample;
  }
  if (energy < pcm.length * 10_000) return 0;
  const power = before * before + last * last - coefficient * before * last;
  return Math.min(1, (2 * power) / (pcm.length * energy));
}
