import { newId } from '#platform/id.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { Callee } from './callee.ts';
import type { CallBackLine } from './call-record.ts';
import type { CarrierLine } from './carrier-call.ts';
import { dialledUser, type Persona } from './persona.ts';

/** Longest wait for somebody to pick up. */
const RING_MS = 30_000;

/** Who calls back, whom, and through which door. */
export interface CallBack {
  readonly persona: Persona;
  /** As the persona was dialled; becomes the number that is shown. */
  readonly phone: string;
  /** The address that the missed call showed, which is now called. */
  readonly shown: string;
  /** Where the missed call came from. */
  readonly to: { readonly host: string; readonly port: number };
  /** What the person says, line by line; nothing: listens until the other side hangs up. */
  readonly lines: readonly string[];
}

/**
 * A person who missed a call dials the number that it showed (RFC 3325: the carrier asserts who calls), listens and
 * answers. Resolves with what came of it; never rejects.
 */
export async function callBack(
  agent: SipUserAgent,
  line: CarrierLine,
  { persona, phone, shown, to, lines }: CallBack,
): Promise<CallBackLine> {
  const { clock, engine, sounds, mediaAddress, codecs } = line;
  const callId = newId<'call-back'>(clock.now());
  const ended = Promise.withResolvers<number | undefined>();
  let party: Callee | undefined;
  const leg = await engine.openLeg({
    onFrame: (rx, tx) => party?.onFrame(rx, tx),
    onText: (text) => party?.onText(text),
    onDtmf: () => undefined,
    onTimeout: () => sip.hangup(),
  });
  const offer = createOffer({
    address: mediaAddress,
    audioPort: leg.audioPort,
    textPort: leg.textPort,
    codecs,
    dtmf: true,
    direction: 'sendrecv',
  });
  const host = to.host.includes(':') ? `[${to.host}]` : to.host;
  const sip = agent.placeCall(
    {
      callId,
      target: `sip:${dialledUser(shown)}@${host}:${to.port}`,
      from: `sip:${phone}@${mediaAddress}`,
      headers: [['P-Asserted-Identity', `<sip:${phone}@${mediaAddress}>`]],
      sdp: writeSdp(offer),
      ringTimeoutMs: RING_MS,
    },
    {
      onProgress: () => undefined,
      onAnswered: ({ sdp }) => {
        const answer = acceptAnswer(offer, parseSdp(sdp));
        if (!answer.ok) return sip.hangup();
        party = new Callee({
          lines,
          traits: persona.human,
          sounds,
          codec: frameCodecOf(answer.media.audio.codec),
          sendText: (text) => leg.sendText(text),
          onHangUp: () => sip.hangup(),
        });
        leg.start(answer.media);
        party.answered(clock.monotonicMs());
      },
      onMediaChanged: (media) => leg.start(media),
      onEnded: (end) => ended.resolve(end.status),
    },
  );
  const status = await ended.promise;
  leg.close();
  return {
    type: 'call-back',
    at: clock.now().toISOString(),
    callId,
    phone,
    number: persona.number,
    answered: party !== undefined,
    ...(status === undefined ? {} : { status }),
    said: party?.said ?? [],
    heard: party?.heard ?? [],
  };
}
