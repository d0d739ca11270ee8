import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { encodeG711 } from '#telephony/codec/g711.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import type { MediaLeg } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { G711Codec, LocalMedia, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer, createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type {
  CallEnd,
  IncomingCall,
  OutgoingCall,
  OutgoingCallRequest,
  UserAgentOptions,
} from '#telephony/sip/user-agent.ts';

/** A call of a party: it sends the party's tone and listens. */
export interface Talk {
  readonly call: OutgoingCall | IncomingCall;
  readonly leg: MediaLeg;
  readonly digits: string[];
  readonly text: () => string;
  /** What it has heard so far, 8 kHz, where the party records. */
  recorded(): Int16Array;
  /** Every change that the other side made. */
  readonly changes: NegotiatedMedia[];
  readonly ended: Promise<CallEnd>;
  /** Resolves after 400 ms of this tone, counted from the call of it. */
  hears(hz: number): Promise<void>;
  /** Resolves when so much text has come. */
  reads(characters: number): Promise<string>;
  /** Resolves when the digits have come. */
  pressed(digits: string): Promise<void>;
}

/** A telephone with a real user agent and real media, whose every call sends one tone. */
export interface Party {
  readonly agent: SipUserAgent;
  /** Answered calls that came in. */
  nextTalk(): Promise<Talk>;
  call(target: string, request?: Partial<OutgoingCallRequest>): Promise<Talk>;
  close(): Promise<void>;
}

/** Share of the power of the samples (8 kHz) at one frequency: 1 for a pure tone. */
export function toneShare(pcm: Int16Array, hz: number): number {
  let [real, imaginary, power] = [0, 0, 1];
  for (const [i, sample] of pcm.entries()) {
    real += sample * Math.cos((2 * Math.PI * hz * i) / 8000);
    imaginary += sample * Math.sin((2 * Math.PI * hz * i) / 8000);
    power += sample * sample;
  }
  return (2 * (real * real + imaginary * imaginary)) / (pcm.length * power);
}

/** Opens a party that answers what comes in at once; its tone should be a multiple of 50 Hz, which fills whole frames. */
export async function openParty(options: {
  readonly hz: number;
  readonly rtp: { readonly first: number; readonly last: number };
  readonly address?: string;
  readonly bind?: UserAgentOptions['bind'];
  /** Said once in place of the tone, and what is heard is kept. */
  readonly speech?: Int16Array;
  /** What its calls offer and accept in place of G.711 in the clear. */
  readonly media?: Partial<Pick<LocalMedia, 'codecs' | 'srtp'>>;
}): Promise<Party> {
  const { hz, rtp, address = '127.0.0.1', bind = { address, port: 0 }, speech } = options;
  const common = { clock: systemClock, log: silentLog };
  const engine = await MediaEngine.open({ ...common, address, ports: rtp });
  const agent = await SipUserAgent.open({ ...common, bind, product: `party-${hz}` });
  const wave = Int16Array.from({ length: 160 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * hz * i) / 8000));
  const talks: Talk[] = [];
  const waiting: ((talk: Talk) => void)[] = [];

  async function openTalk() {
    const ended = Promise.withResolvers<CallEnd>();
    const waits = new Set<{ readonly over: (pcm: Int16Array | undefined) => boolean; readonly done: () => void }>();
    const check = (pcm?: Int16Array): void => {
      for (const wait of waits)
        if (wait.over(pcm)) {
          waits.delete(wait);
          wait.done();
        }
    };
    const until = (over: (pcm: Int16Array | undefined) => boolean): Promise<void> =>
      new Promise((done) => {
        waits.add({ over, done });
        check();
      });
    let text = '';
    let codec: G711Codec = 'PCMA';
    const digits: string[] = [];
    const frames: Int16Array[] = [];
    let saidSamples = 0;
    const leg = await engine.openLeg({
      onFrame: (rx, tx) => {
        if (speech === undefined) encodeG711(codec, wave, tx);
        else {
          const frame = speech.subarray(saidSamples, saidSamples + 160);
          saidSamples += 160;
          if (frame.length === 160) encodeG711(codec, frame, tx);
          frames.push(rx.pcm.slice());
        }
        if (rx.kind === 'audio') check(rx.pcm);
      },
      onText: (more) => {
        text += more;
        check();
      },
      onDtmf: ({ digit }) => {
        digits.push(digit);
        check();
      },
    });
    void ended.promise.then(() => leg.close());
    const local: LocalMedia = {
      address,
      audioPort: leg.audioPort,
      textPort: leg.textPort,
      codecs: ['PCMA', 'PCMU'],
      dtmf: true,
      direction: 'sendrecv',
      ...options.media,
    };
    const heard = {
      leg,
      start(media: NegotiatedMedia) {
        codec = frameCodecOf(media.audio.codec);
        leg.start(media);
      },
      digits,
      text: () => text,
      recorded: () => Int16Array.from(frames.flatMap((frame) => [...frame])),
      changes: [] as NegotiatedMedia[],
      ended: ended.promise,
      hears(wanted: number) {
        let frames = 0;
        return until((pcm) => pcm !== undefined && toneShare(pcm, wanted) > 0.9 && ++frames === 20);
      },
      reads: (characters: number) => until(() => text.length >= characters).then(() => text),
      pressed: (wanted: string) => until(() => digits.join('').includes(wanted)),
    };
    return { local, heard, end: ended.resolve };
  }

  function changed(
    talk: { readonly leg: MediaLeg; readonly changes: NegotiatedMedia[] },
    media: NegotiatedMedia,
  ): void {
    talk.changes.push(media);
    talk.leg.start(media);
  }

  async function take(incoming: IncomingCall): Promise<void> {
    const { local, heard, end } = await openTalk();
    incoming.onEnded = end;
    incoming.onDtmf = (digit) => heard.digits.push(digit);
    incoming.onMediaChanged = (media) => changed(heard, media);
    const result = createAnswer(parseSdp(incoming.sdp), local);
    if (!result.ok) return incoming.reject(488);
    incoming.answer(writeSdp(result.answer), local);
    heard.start(result.media);
    const talk = { ...heard, call: incoming };
    const next = waiting.shift();
    if (next === undefined) talks.push(talk);
    else next(talk);
  }
  agent.onIncomingCall = (incoming) => void take(incoming);

  return {
    agent,
    nextTalk: async () => talks.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    async call(target, request = {}) {
      const { local, heard, end } = await openTalk();
      const offer = createOffer(local);
      const answered = Promise.withResolvers<void>();
      const call = agent.placeCall(
        {
          callId: newId<'call'>(),
          target,
          from: `sip:party-${hz}@127.0.0.1`,
          sdp: writeSdp(offer),
          ringTimeoutMs: 20_000,
          ...request,
        },
        {
          onProgress: () => undefined,
          onAnswered: ({ sdp }) => {
            const result = acceptAnswer(offer, parseSdp(sdp));
            if (!result.ok) return answered.reject(new Error(result.reason));
            heard.start(result.media);
            answered.resolve();
          },
          onDtmf: (digit) => heard.digits.push(digit),
          onMediaChanged: (media) => changed(heard, media),
          onEnded: (ending) => {
            end(ending);
            answered.reject(new Error(`call ended: ${JSON.stringify(ending)}`));
          },
        },
      );
      await answered.promise;
      return { ...heard, call };
    },
    async close() {
      await agent.close('test is over');
      await engine.close();
    },
  };
}
