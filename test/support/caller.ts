import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import type { AudioCodec, NegotiatedMedia, SrtpPolicy } from '#telephony/sdp/media.ts';
import { acceptAnswer, createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { HeaderField } from '#telephony/sip/messages/headers.ts';
import { SipUserAgent, type CallEnd, type OutgoingCall } from '#telephony/sip/user-agent.ts';
import { loud } from './callee.ts';

/** A call at the caller's end, with what it hears and a hand on what it sends. */
export interface CallerCall {
  readonly sip: OutgoingCall;
  readonly leg: MediaLeg;
  readonly progress: readonly number[];
  /** Octets received since the answer. */
  readonly received: number[];
  readonly media: () => NegotiatedMedia | undefined;
  text: () => string;
  /** Says something in sound and in real-time text. */
  say(text: string): void;
  /** Resolves when the text received so far makes `holds` true. */
  hears(part: string): Promise<void>;
  readonly answered: Promise<void>;
  readonly ended: Promise<CallEnd>;
}

export interface CallOptions {
  /** The user part of From; the whole URI where it has a scheme. */
  readonly from: string;
  readonly to: string;
  readonly headers?: readonly HeaderField[];
  readonly codecs?: readonly AudioCodec[];
  readonly srtp?: SrtpPolicy;
  /** The INVITE has no offer; ours is the answer in the ACK. */
  readonly lateOffer?: boolean;
}

/** Somebody with a telephone, on an address of their own. */
export interface TestCaller {
  readonly port: number;
  call(target: { readonly port: number }, options: CallOptions): Promise<CallerCall>;
  close(): Promise<void>;
}

/** Opens one with real SIP and RTP, driven by the test. */
export async function openCaller(options: {
  readonly address?: string;
  readonly rtp: { readonly first: number; readonly last: number };
}): Promise<TestCaller> {
  const clock = systemClock;
  const address = options.address ?? '127.0.0.1';
  const engine = await MediaEngine.open({ clock, log: silentLog, address, ports: options.rtp });
  const agent = await SipUserAgent.open({ clock, log: silentLog, bind: { address, port: 0 }, product: 'caller' });
  let next = 1;
  return {
    port: agent.address.port,
    async call(target, { from, to, headers = [], codecs = ['PCMA', 'PCMU'], srtp, lateOffer }) {
      let text = '';
      const waiting: { readonly part: string; readonly resolve: () => void }[] = [];
      let speech: Uint8Array = new Uint8Array();
      const received: number[] = [];
      const progress: number[] = [];
      let media: NegotiatedMedia | undefined;
      const leg = await engine.openLeg({
        onFrame: (rx, tx) => {
          tx.set(speech.subarray(0, tx.length));
          speech = speech.subarray(tx.length);
          received.push(...rx.payload);
        },
        onText: (more) => {
          text += more;
          for (const { part, resolve } of waiting) if (text.includes(part)) resolve();
        },
        onDtmf: () => undefined,
      });
      const local = {
        address,
        audioPort: leg.audioPort,
        textPort: leg.textPort,
        codecs,
        dtmf: true,
        direction: 'sendrecv',
        srtp,
      } as const;
      const offer = createOffer(local);
      const answered = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<CallEnd>();
      const start = (negotiated: NegotiatedMedia): void => {
        media = negotiated;
        leg.start(negotiated);
      };
      const sip = agent.placeCall(
        {
          callId: `call-back-${next++}-${agent.address.port}`,
          target: `sip:${to}@127.0.0.1:${target.port}`,
          from: from.includes(':') ? from : `sip:${from}@carrier.example`,
          sdp: lateOffer === true ? '' : writeSdp(offer),
          headers,
          ringTimeoutMs: 20_000,
        },
        {
          onProgress: ({ status }) => progress.push(status),
          onOffer: (sdp) => {
            const result = createAnswer(parseSdp(sdp), local);
            if (!result.ok) return undefined;
            start(result.media);
            return writeSdp(result.answer);
          },
          onAnswered: ({ sdp }) => {
            if (lateOffer !== true) {
              const result = acceptAnswer(offer, parseSdp(sdp));
              if (result.ok) start(result.media);
            }
            answered.resolve();
          },
          onMediaChanged: (changed) => leg.start(changed),
          onEnded: (end) => {
            leg.close();
            ended.resolve(end);
          },
        },
      );
      return {
        sip,
        leg,
        progress,
        received,
        media: () => media,
        text: () => text,
        say(words) {
          speech = loud(words.length * 100);
          leg.sendText(`${words}\u2028`);
        },
        hears: (part) =>
          text.includes(part) ? Promise.resolve() : new Promise((resolve) => waiting.push({ part, resolve })),
        answered: answered.promise,
        ended: ended.promise,
      };
    },
    async close() {
      await agent.close('test is over');
      await engine.close();
    },
  };
}
