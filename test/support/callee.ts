import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import type { AudioCodec } from '#telephony/sdp/media.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent, type CallEnd, type IncomingCall } from '#telephony/sip/user-agent.ts';

/** A call at the callee's end, with what it hears and a hand on what it sends. */
export interface CalleeCall {
  readonly incoming: IncomingCall;
  readonly leg: MediaLeg;
  /** Octets received and sent, frame by frame, since the answer. */
  readonly received: number[];
  readonly sent: number[];
  /** Keys that came as telephone-events, or as tones where those were not agreed. */
  readonly digits: string[];
  /** Keys that came by INFO. */
  readonly infos: string[];
  text: string;
  /** Octets still to be sent; silence after them. */
  speech: Uint8Array;
  /** Says something in sound and in real-time text. */
  say(text: string, audio?: Uint8Array): void;
  /** Answers, where the test did not let it be answered at once. */
  answer(): void;
  readonly ended: Promise<CallEnd>;
}

/** A callee with real SIP and RTP, driven by the test. */
export interface TestCallee {
  readonly port: number;
  readonly engine: MediaEngine;
  /** Called for every call; nothing has been answered yet. */
  onCall: (call: CalleeCall, answer: () => void) => void;
  close(): Promise<void>;
}

/** Opens a callee; by default it answers at once. `mute` sends no RTP at all. */
export async function openCallee(options: {
  readonly rtp: { readonly first: number; readonly last: number };
  readonly codecs?: readonly AudioCodec[];
  readonly mute?: boolean;
  /** Keys as telephone-events; true unless said. */
  readonly events?: boolean;
}): Promise<TestCallee> {
  const clock = systemClock;
  const engine = await MediaEngine.open({ clock, log: silentLog, address: '127.0.0.1', ports: options.rtp });
  const agent = await SipUserAgent.open({
    clock,
    log: silentLog,
    bind: { address: '127.0.0.1', port: 0 },
    product: 'callee',
  });
  const callee: TestCallee = {
    port: agent.address.port,
    engine,
    onCall: (_, answer) => answer(),
    async close() {
      await agent.close('test is over');
      await engine.close();
    },
  };
  agent.onIncomingCall = (incoming) => void take(incoming);

  async function take(incoming: IncomingCall): Promise<void> {
    const ended = Promise.withResolvers<CallEnd>();
    incoming.onEnded = (end) => {
      call.leg.close();
      ended.resolve(end);
    };
    const leg = await engine.openLeg({
      onFrame: (rx, tx) => {
        tx.set(call.speech.subarray(0, tx.length));
        call.speech = call.speech.subarray(tx.length);
        call.received.push(...rx.payload);
        call.sent.push(...tx);
      },
      onText: (text) => (call.text += text),
      onDtmf: ({ digit }) => call.digits.push(digit),
    });
    const call: CalleeCall = {
      incoming,
      leg,
      received: [],
      sent: [],
      digits: [],
      infos: [],
      text: '',
      speech: new Uint8Array(),
      say(text, audio = loud(text.length * 100)) {
        call.speech = audio;
        leg.sendText(`${text}\u2028`);
      },
      answer: () => answer(),
      ended: ended.promise,
    };
    incoming.onDtmf = (digit) => call.infos.push(digit);
    const answer = (): void => {
      const result = createAnswer(parseSdp(incoming.sdp), {
        address: '127.0.0.1',
        audioPort: leg.audioPort,
        textPort: leg.textPort,
        codecs: options.codecs ?? ['PCMA', 'PCMU'],
        dtmf: options.events ?? true,
        direction: 'sendrecv',
      });
      if (!result.ok) return incoming.reject(488);
      incoming.answer(writeSdp(result.answer));
      if (options.mute !== true) leg.start(result.media);
    };
    callee.onCall(call, answer);
  }

  return callee;
}

/** A-law of a 400 Hz tone that comes and goes like syllables, so that it passes for a voice where level decides. */
export function loud(ms: number): Uint8Array {
  return Uint8Array.from({ length: ms * 8 }, (_, i) => (i % 20 < 10 ? 0xb5 : 0x35));
}
