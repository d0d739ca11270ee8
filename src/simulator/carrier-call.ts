import type { ExampleConversation } from '#domain/script.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { MediaEngine, MediaLeg } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { AudioCodec, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { createAnswer, type AnswerResult } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { CallEnd, IncomingCall } from '#telephony/sip/user-agent.ts';
import { Callee, type AnsweringParty } from './callee.ts';
import type { CallEnding, CallFacts, EndedLine } from './call-record.ts';
import { ANNOUNCEMENTS } from './announcements.ts';
import { conversationOf, type Conversation } from './conversation.ts';
import { expectationOf } from './expectation.ts';
import { MachineAnswerer } from './machine-answerer.ts';
import { dialledUser, type LineBehaviour, type Persona } from './persona.ts';
import { clipMs, Playout, type Clip } from './playout.ts';
import { randomFor, type Random } from './random.ts';
import { releaseOf, type ReleaseSound, type UnansweredBehaviour } from './release.ts';
import { NETWORK_VOICE, type SoundBank } from './sound-bank.ts';

/** What all calls of a carrier share. */
export interface CarrierLine {
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: MediaEngine;
  readonly sounds: SoundBank;
  readonly mediaAddress: string;
  readonly codecs: readonly AudioCodec[];
  readonly seed: number;
  /** Factor on everything that is not speech: ringing, waiting, recording. */
  readonly pace: number;
}

/** Who is called, and how often before. */
export interface CalledNumber {
  readonly persona: Persona;
  readonly behaviour: LineBehaviour;
  readonly attempt: number;
  readonly examples: readonly ExampleConversation[];
  /** False: the carrier has no line left and refuses at once. */
  readonly channelFree: boolean;
}

/** Below this pace announcements are played in Chinese only, from 1 twice. */
const BILINGUAL_FROM_PACE = 0.2;
/** Share of an announcement after which a listener knows what it says. */
const TOLD_RATIO = 0.4;
/** Sounds whose frames do not leave, as of a leg on hold, end after that much more of their length. */
const PLAYED_AT_LATEST_RATIO = 2;
const TONE_PLAY_MS = 4_500;
/** An answered caller whose audio stops for this many frames (5 s) has vanished; platforms send silence all the time. */
const VANISHED_FRAMES = 250;

/** One call through the simulated network, from INVITE to its end. */
export class CarrierCall {
  readonly #call: IncomingCall;
  readonly #line: CarrierLine;
  readonly #number: CalledNumber;
  readonly #random: Random;
  readonly #conversation: Conversation | undefined;
  readonly #onEnded: (line: EndedLine) => void;
  readonly #early = new Playout();
  readonly #stop = new AbortController();
  #leg: MediaLeg | undefined;
  #media: NegotiatedMedia | undefined;
  #answerSdp = '';
  #mediaStarted = false;
  #party: AnsweringParty | undefined;
  #answered = false;
  #causeTold = false;
  #hasHeard = false;
  #framesWithoutAudio = 0;
  #ended = false;

  constructor(call: IncomingCall, line: CarrierLine, number: CalledNumber, onEnded: (line: EndedLine) => void) {
    this.#call = call;
    this.#line = line;
    this.#number = number;
    this.#random = randomFor('call', line.seed, number.persona.number, number.attempt);
    this.#conversation =
      number.behaviour === 'human' ? conversationOf(number.examples, number.persona.human) : undefined;
    this.#onEnded = onEnded;
    call.onEnded = (end) => this.#finish(endingOf(end, this.#answered));
    call.onMediaChanged = (media) => this.#leg?.start(media);
  }

  get conversation(): Conversation | undefined {
    return this.#conversation;
  }

  /** Carries the call; settles when the line has done its part. Faults end the call and are logged. */
  async run(): Promise<void> {
    try {
      const { behaviour, channelFree } = this.#number;
      if (!channelFree) return this.#refuseOverloaded();
      switch (behaviour) {
        case 'human':
        case 'voicemail':
        case 'call-assistant':
        case 'fax':
          return await this.#answer(behaviour);
        default:
          return await this.#release(behaviour);
      }
    } catch (cause) {
      this.#line.log.error({ err: cause, callId: this.#call.callId }, 'simulated call failed');
      this.#refuseOverloaded();
    }
  }

  /** Ends the call at once, because the carrier goes away. */
  close(): void {
    this.#reject(503, 'Service Unavailable', undefined, { by: 'failure', reason: 'carrier-closed' });
  }

  async #release(behaviour: UnansweredBehaviour): Promise<void> {
    const release = releaseOf(behaviour, this.#number.persona.switchKind);
    if (!(await this.#pause(this.#random.integer(200, 1_200) * this.#line.pace))) return;
    if (release.ringsFirst) {
      if (!(await this.#ring())) return;
      const limitMs =
        behaviour === 'no-answer' ? this.#number.persona.networkRingLimitMs : this.#random.integer(4_000, 9_000);
      if (limitMs === undefined) return;
      if (!(await this.#pause(limitMs * this.#line.pace))) return;
    }
    if (release.sounds.length > 0) {
      if (!(await this.#openMedia())) return;
      this.#startEarlyMedia();
      for (const sound of release.sounds) if (!(await this.#playSound(sound))) return;
    }
    this.#causeTold = true;
    this.#reject(release.status, release.reasonPhrase, release.reason, {
      by: 'network',
      reason: 'released',
      status: release.status,
    });
  }

  async #answer(behaviour: 'human' | 'voicemail' | 'call-assistant' | 'fax'): Promise<void> {
    const { pace } = this.#line;
    if (!(await this.#pause(this.#random.integer(200, 1_200) * pace))) return;
    if (!(await this.#ring())) return;
    const ringMs =
      behaviour === 'human' ? this.#number.persona.human.answerDelayMs : this.#random.integer(3_000, 8_000);
    if (!(await this.#pause(ringMs * pace))) return;
    if (!(await this.#openMedia())) return;
    const leg = this.#leg!;
    const codec = frameCodecOf(this.#media!.audio.codec);
    const sendText = (text: string): void => leg.sendText(text);
    const party =
      behaviour === 'human'
        ? new Callee({
            lines: this.#conversation?.lines ?? [],
            traits: this.#number.persona.human,
            sounds: this.#line.sounds,
            codec,
            sendText,
            onHangUp: (reason) => this.#hangUp({ by: 'callee', reason }),
          })
        : new MachineAnswerer({
            machine: behaviour,
            variant: this.#random.integer(0, 1_000),
            sounds: this.#line.sounds,
            codec,
            pace,
            sendText,
            onHangUp: () => this.#hangUp({ by: 'callee', reason: 'machine-done' }),
          });
    this.#early.loop(undefined);
    this.#early.stop();
    this.#answered = true;
    this.#call.answer(this.#answerSdp);
    this.#startMedia();
    this.#party = party;
    party.answered(this.#line.clock.monotonicMs());
  }

  /** Lets the callee's line ring, with the ringback that this number has; false when the call is over. */
  async #ring(): Promise<boolean> {
    const { ringBack } = this.#number.persona;
    if (ringBack === 'local') {
      this.#call.progress(180);
      return true;
    }
    if (!(await this.#openMedia())) return false;
    const codec = frameCodecOf(this.#media!.audio.codec);
    const { sounds } = this.#line;
    this.#early.loop(
      ringBack === 'music' ? sounds.melody(this.#random.integer(0, 99), codec) : sounds.tone('ringback', codec),
    );
    this.#startEarlyMedia();
    return true;
  }

  async #playSound(sound: ReleaseSound): Promise<boolean> {
    const codec = frameCodecOf(this.#media!.audio.codec);
    const { sounds, pace } = this.#line;
    this.#early.loop(undefined);
    switch (sound.kind) {
      case 'announcement': {
        const text = ANNOUNCEMENTS[sound.of];
        const spoken = pace >= BILINGUAL_FROM_PACE ? [text.zh, text.en] : [text.zh];
        for (const sentence of pace >= 1 ? [...spoken, ...spoken] : spoken) {
          if (!(await this.#playToEnd(await sounds.phrase(sentence, NETWORK_VOICE, codec)))) return false;
          if (!(await this.#pause(300))) return false;
        }
        return true;
      }
      case 'special-information-tone':
        return await this.#playToEnd(sounds.tone('sit', codec), false);
      case 'busy-tone':
      case 'congestion-tone':
        this.#early.loop(sounds.tone(sound.kind === 'busy-tone' ? 'busy' : 'congestion', codec));
        if (!(await this.#pause(TONE_PLAY_MS * TOLD_RATIO))) return false;
        this.#causeTold = true;
        return await this.#pause(TONE_PLAY_MS * (1 - TOLD_RATIO));
    }
  }

  /** Until its last frame has left: a machine that gives frames up cuts no announcement short. False when the call is over. */
  async #playToEnd(clip: Clip, tells = true): Promise<boolean> {
    const lengthMs = clipMs(clip);
    let played: (() => void) | undefined;
    const lastFrame = new Promise<void>((resolve) => (played = resolve));
    this.#early.play(clip, played);
    if (!(await this.#pause(lengthMs * TOLD_RATIO))) return false;
    if (tells) this.#causeTold = true;
    await Promise.race([lastFrame, this.#pause(lengthMs * PLAYED_AT_LATEST_RATIO)]);
    return !this.#ended;
  }

  /** Opens the media leg once and negotiates; false when the call is over or its media are not supported. */
  async #openMedia(): Promise<boolean> {
    if (this.#leg !== undefined) return !this.#ended;
    const leg = await this.#line.engine.openLeg({
      onFrame: (rx, tx) => {
        this.#watchForCaller(rx.kind !== 'none');
        if (this.#party === undefined) this.#early.fill(tx);
        else this.#party.onFrame(rx, tx);
      },
      onText: (text) => this.#party?.onText(text),
      onDtmf: () => undefined,
      onTimeout: () => this.#hangUp({ by: 'failure', reason: 'caller-gone' }),
    });
    this.#leg = leg;
    if (this.#ended) {
      leg.close();
      return false;
    }
    const answer = this.#negotiate(leg);
    if (!answer.ok) {
      this.#reject(488, 'Not Acceptable Here', undefined, { by: 'failure', reason: 'unsupported-media' });
      return false;
    }
    this.#media = answer.media;
    this.#answerSdp = writeSdp(answer.answer);
    return true;
  }

  #watchForCaller(audio: boolean): void {
    this.#hasHeard ||= audio;
    this.#framesWithoutAudio = audio ? 0 : this.#framesWithoutAudio + 1;
    if (!this.#answered || !this.#hasHeard || this.#framesWithoutAudio < VANISHED_FRAMES) return;
    this.#hangUp({ by: 'failure', reason: 'caller-gone' });
  }

  #negotiate(leg: MediaLeg): AnswerResult {
    try {
      return createAnswer(parseSdp(this.#call.sdp), {
        address: this.#line.mediaAddress,
        audioPort: leg.audioPort,
        textPort: leg.textPort,
        codecs: this.#line.codecs,
        dtmf: true,
        direction: 'sendrecv',
      });
    } catch (cause) {
      return { ok: false, reason: cause instanceof Error ? cause.message : 'no offer' };
    }
  }

  #startEarlyMedia(): void {
    if (this.#mediaStarted) return;
    this.#call.progress(183, { sdp: this.#answerSdp });
    this.#startMedia();
  }

  #startMedia(): void {
    if (this.#mediaStarted || this.#media === undefined) return;
    this.#mediaStarted = true;
    this.#leg?.start(this.#media);
  }

  /** Waits; false when the call ended meanwhile. */
  #pause(delayMs: number): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      const stopped = (): void => {
        timer.cancel();
        resolve(false);
      };
      const timer = this.#line.clock.setTimer(delayMs, () => {
        this.#stop.signal.removeEventListener('abort', stopped);
        resolve(!this.#ended);
      });
      this.#stop.signal.addEventListener('abort', stopped, { once: true });
    });
  }

  #hangUp(ending: CallEnding): void {
    this.#reject(480, 'Temporarily Unavailable', undefined, ending);
  }

  #refuseOverloaded(): void {
    const reason = 'Q.850;cause=34;text="No circuit available"';
    this.#reject(503, 'Service Unavailable', reason, { by: 'failure', reason: 'overloaded' });
  }

  #reject(status: number, reasonPhrase: string, reason: string | undefined, ending: CallEnding): void {
    if (this.#ended) return;
    // Written down first, and so that the call's own end does not count as the caller's.
    this.#finish(ending);
    if (this.#answered) this.#call.hangup();
    else this.#call.reject(status, reasonPhrase, reason === undefined ? [] : [['Reason', reason]]);
  }

  #finish(ending: CallEnding): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop.abort();
    this.#leg?.close();
    const { persona, behaviour, attempt } = this.#number;
    const facts: CallFacts = {
      behaviour,
      answered: this.#answered,
      causeTold: this.#causeTold,
      ending,
      conversationGrade: this.#conversation?.grade,
      linesSaid: this.#party instanceof Callee ? this.#party.linesSaid : 0,
      linesMeant: this.#conversation?.lines.length ?? 0,
    };
    const { outcome, grade } = expectationOf(facts);
    this.#onEnded({
      type: 'ended',
      at: this.#line.clock.now().toISOString(),
      callId: this.#call.callId,
      phone: dialledUser(this.#call.requestUri),
      number: persona.number,
      attempt,
      ...facts,
      said: this.#party?.said ?? [],
      heard: this.#party?.heard ?? [],
      expectedOutcome: outcome,
      ...(grade === undefined ? {} : { expectedGrade: grade }),
    });
  }
}

function endingOf(end: CallEnd, answered: boolean): CallEnding {
  switch (end.cause) {
    case 'ack-timeout':
    case 'transport':
    case 'no-response':
    case 'protocol':
      return { by: 'failure', reason: 'caller-gone' };
    case 'rejected':
    case 'cancelled':
    case 'ring-timeout':
    case 'bye':
      return { by: 'caller', reason: answered ? 'hung-up' : 'cancelled' };
  }
}
