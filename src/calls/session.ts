import { HUNG_UP_BY_OPERATOR } from '#domain/call.ts';
import type { HangupSide } from '#domain/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import type { MediaEngine, MediaLeg, ReceivedFrame } from '#telephony/rtp/engine.ts';
import { FRAME_SAMPLES, transcode } from '#telephony/codec/g711.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { G711Codec, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { AnsweringMachineDetector } from '#telephony/progress/answering-machine.ts';
import { ProgressDetector } from '#telephony/progress/detector.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import type { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { DEFAULT_VOICE_SETTINGS, VoiceSession } from '#voice/session.ts';
import type { VoiceActivity } from '#voice/vad/activity.ts';
import type { BridgeCommand } from './bridge/bridge-protocol.ts';
import type { HoldMusic } from './bridge/hold-music.ts';
import { SessionBridge } from './bridge/session-bridge.ts';
import { Conversation } from './conversation.ts';
import { EarlyMedia } from './early-media.ts';
import type { EarlyMediaShelf } from './early-media.ts';
import type { KeyWay } from './key-presses.ts';
import type { PhraseSource } from './phrase-source.ts';
import { openRecorder } from './recording.ts';
import type { Recorder } from './recording.ts';
import { Transcript } from './transcript.ts';
import { requestsOfContact } from './warming.ts';
import type { FromWorker, ToWorker, WorkerResult } from './worker-protocol.ts';

/** What every call of a worker shares. */
export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: MediaEngine;
  readonly phrases: PhraseSource;
  readonly fingerprints: FingerprintLibrary;
  readonly voiceActivity: () => VoiceActivity;
  readonly holdMusic: HoldMusic;
  readonly recordingsDirectory: string;
  /** Undefined where unrecognised early media is not kept. */
  readonly earlyMedia: EarlyMediaShelf | undefined;
  /** `processMs() - clock.monotonicMs()` of this thread. */
  readonly threadOffsetMs: number;
  readonly post: (message: FromWorker) => void;
}

/** While a second party has the floor, what was playing fades out unheard; of the callee only what is typed is read. */
const UNHEARD = new Uint8Array(FRAME_SAMPLES);
const SILENCE = new Int16Array(FRAME_SAMPLES);
/** An outside target rings this long unless the script says otherwise. */
const TRANSFER_RING_S = 30;

type Open = Extract<ToWorker, { type: 'open' }>;

/** The parts that exist only after the answer. */
interface Talking {
  readonly voice: VoiceSession;
  readonly conversation: Conversation;
  readonly bridge: SessionBridge;
  readonly recorder: Recorder;
  readonly machine: AnsweringMachineDetector;
  readonly activity: VoiceActivity;
  readonly greeting: Timer;
  readonly answeredMs: number;
}

/** One call on its worker: RTP in and out, progress detection until the answer, conversation and recording after it. */
export class CallSession {
  readonly #deps: SessionDeps;
  readonly #open: Open;
  readonly #script: CompiledScript;
  readonly #transcript: Transcript;
  readonly #detections: Detection[] = [];
  readonly #progress: ProgressDetector;
  readonly #early: EarlyMedia | undefined;
  #leg: MediaLeg | undefined;
  #talking: Talking | undefined;
  #codec: G711Codec;
  #wireCodec: G711Codec;
  #voiced = false;
  #earlyBegun = false;
  #closed = false;

  constructor(deps: SessionDeps, open: Open, script: CompiledScript) {
    this.#deps = deps;
    this.#open = open;
    this.#script = script;
    this.#codec = open.codec;
    this.#wireCodec = open.codec;
    this.#transcript = new Transcript(open.dialedMs - deps.threadOffsetMs);
    this.#progress = new ProgressDetector({ fingerprints: deps.fingerprints, plan: open.tonePlan });
    this.#early = deps.earlyMedia === undefined ? undefined : new EarlyMedia();
  }

  /** Takes ports for the call; its first sentences are fetched while it rings. */
  async open(): Promise<{ readonly audioPort: number; readonly textPort: number }> {
    const { call } = this.#open;
    const leg = await this.#deps.engine.openLeg(
      {
        onFrame: (rx, tx, sent) => this.#onFrame(rx, tx, sent),
        onSend: (tx, atMs) => this.#onSend(tx, atMs),
        onText: (text) => this.#onText(text),
        onDtmf: ({ digit, asTone }) => this.#onDigit(digit, asTone === true ? 'tone' : 'event'),
        onTimeout: () => this.#deps.post({ type: 'hang-up', call, reason: 'media-timeout' }),
      },
      { call },
    );
    this.#leg = leg;
    if (this.#closed) leg.close();
    else this.#warm();
    return { audioPort: leg.audioPort, textPort: leg.textPort };
  }

  /** Early media: listened to, answered with silence. */
  early(media: NegotiatedMedia): void {
    if (this.#closed || this.#talking !== undefined) return;
    this.#codec = frameCodecOf(media.audio.codec);
    this.#leg?.start(media);
  }

  answered(media: NegotiatedMedia): void {
    const leg = this.#leg;
    if (this.#closed || leg === undefined || this.#talking !== undefined) return;
    this.#codec = frameCodecOf(media.audio.codec);
    this.#wireCodec = this.#codec;
    // Where the callee chose another codec than expected, fetching starts again with the pause before the greeting.
    if (this.#codec !== this.#open.codec) this.#warm();
    this.#talking = this.#startTalking(leg);
    this.#talking.bridge.calleeMedia(media);
    leg.start(media);
  }

  /** After the answer: what is said stays in the first codec and is turned into the one that the leg takes. */
  renegotiated(media: NegotiatedMedia): void {
    if (this.#closed || this.#talking === undefined) return;
    this.#wireCodec = frameCodecOf(media.audio.codec);
    this.#talking.recorder.renegotiated(this.#wireCodec);
    this.#talking.bridge.calleeMedia(media);
    this.#leg?.start(media);
  }

  /** A key that came by INFO. */
  dtmf(digit: string): void {
    this.#onDigit(digit, 'info');
  }

  /** Second legs, hold and transfer; only while the callee talks. */
  bridge(command: BridgeCommand): void {
    const talking = this.#talking;
    if (!this.#closed && talking !== undefined) talking.bridge.command(command);
    else if (command.do === 'open') {
      const event = { is: 'failed', leg: command.leg, message: 'the call is not answered' } as const;
      this.#deps.post({ type: 'bridge', call: this.#open.call, event });
    }
  }

  /** Ends everything of this call and reports it. The first caller's word counts. */
  async finish(by: HangupSide, detail: string, endedMs: number): Promise<WorkerResult> {
    const endedAtMs = endedMs - this.#deps.threadOffsetMs;
    this.#closed = true;
    const talking = this.#talking;
    const talkMs = talking === undefined ? 0 : Math.max(0, endedAtMs - talking.answeredMs);
    talking?.greeting.cancel();
    talking?.bridge.close();
    talking?.conversation.hungUp(detail === HUNG_UP_BY_OPERATOR ? 'operator' : by);
    // Reports what was being played, for the transcript.
    talking?.voice.close();
    const dialog = talking?.conversation.result(by, talkMs);
    talking?.activity.close();
    const media = talking === undefined ? undefined : this.#leg?.stats();
    this.#leg?.close();
    const announced = talking === undefined ? this.#progress.finish(endedAtMs) : undefined;
    if (announced !== undefined) this.#detected(announced);
    this.#transcript.add(endedAtMs, { type: 'ended', by, detail });
    const recording = await talking?.recorder.close().catch((error: unknown) => {
      this.#deps.log.error({ call: this.#open.call, err: error }, 'recording could not be finished');
      return undefined;
    });
    await this.#keepEarlyMedia();
    return {
      dialog,
      timeline: this.#transcript.timeline,
      turns: this.#transcript.turns,
      recording,
      media,
      legs: talking?.bridge.figures ?? [],
      detections: this.#detections,
      callClass: this.#open.inbound === true ? 'unknown' : (talking?.machine.verdict ?? 'unknown'),
      callClassEvidence: talking?.machine.evidence ?? '',
    };
  }

  #warm(): void {
    const { variables, timeZone, dialedAt } = this.#open;
    for (const phrase of requestsOfContact(this.#script, { variables, timeZone, now: dialedAt }, this.#codec))
      void this.#deps.phrases.get(phrase);
  }

  #startTalking(leg: MediaLeg): Talking {
    const { clock, log, phrases, post } = this.#deps;
    const { settings } = this.#script.source;
    const call = this.#open.call;
    const activity = this.#deps.voiceActivity();
    const tapped: VoiceActivity = {
      push: (pcm) => (this.#voiced = pcm !== SILENCE && activity.push(pcm)),
      close: () => undefined,
    };
    const machine = new AnsweringMachineDetector();
    const voice: VoiceSession = new VoiceSession({
      clock,
      codec: this.#codec,
      settings: { ...DEFAULT_VOICE_SETTINGS, endOfTurnMs: settings.endOfTurnMs, bargeInMs: settings.bargeInMs },
      activity: tapped,
      handlers: {
        onTurn: (turn) => {
          if (bridge.scripted) machine.hear(turn.text, turn.endMs);
          conversation.heard(turn);
          if (bridge.scripted) this.#classify();
        },
        onSpeechStart: () => conversation.noticed(),
        onPartial: () => {
          machine.expectWords();
          conversation.noticed();
        },
        onBargeIn: (action, atMs) => {
          this.#transcript.add(atMs, { type: 'barge-in', action });
          if (action === 'interrupt') conversation.interrupted();
        },
        onUtteranceStart: (u) => conversation.utteranceStarted(u.id, u.atMs),
        onUtteranceEnd: (u) => conversation.utteranceEnded(u),
      },
    });
    const conversation = new Conversation({
      clock,
      script: this.#script,
      variables: this.#open.variables,
      timeZone: this.#open.timeZone,
      codec: this.#codec,
      phrases,
      transcript: this.#transcript,
      mouth: voice,
      calleeSpeaking: () => voice.phase === 'user-speaking' || voice.phase === 'end-pending',
      events: {
        onSay: (text) => {
          leg.sendText(`${text}\u2028`);
          bridge.text('agent', `${text}\u2028`);
        },
        onSaid: (speaker, text) => post({ type: 'said', call, speaker, text }),
        onOptOut: () => post({ type: 'opted-out', call }),
        onHangUp: (reason) => post({ type: 'hang-up', call, reason }),
        onTransfer: ({ target, kind, ringSeconds }) => {
          const ringTimeoutMs = (ringSeconds ?? TRANSFER_RING_S) * 1000;
          const wish = { kind, target, ringTimeoutMs, release: false };
          post({ type: 'bridge', call, event: { is: 'wanted', wish } });
        },
        onFault: (error) => log.error({ call, err: error }, 'script could not decide'),
      },
    });
    const bridge = new SessionBridge({
      clock,
      engine: { openLeg: (handlers) => this.#deps.engine.openLeg(handlers, { call }) },
      log,
      music: this.#deps.holdMusic,
      callee: leg,
      post: (event) => post({ type: 'bridge', call, event }),
      script: {
        hold: () => {
          conversation.hold();
          voice.stop();
        },
        connected: () => conversation.transferAnswered(),
        handedOver: () => conversation.handedOver(),
        resume: (failure) => conversation.resume(failure),
      },
    });
    const recorder = openRecorder({
      directory: this.#deps.recordingsDirectory,
      path: recordingPath(this.#open),
      codec: this.#codec,
      log,
    });
    const answeredMs = clock.monotonicMs();
    const greeting = clock.setTimer(settings.greetDelayMs, () => conversation.answered());
    return { voice, conversation, bridge, recorder, machine, activity, greeting, answeredMs };
  }

  /** The script's own voice does not depend on what came in the same tick; what others say to the callee does. */
  #onSend(tx: Uint8Array, atMs: number): boolean {
    const talking = this.#talking;
    if (talking === undefined) return true;
    if (!talking.bridge.unused) return false;
    this.#say(talking, tx, atMs);
    return true;
  }

  #say({ voice }: Talking, tx: Uint8Array, atMs: number): void {
    voice.say(tx, atMs);
    if (this.#wireCodec !== this.#codec) transcode(this.#codec, this.#wireCodec, tx);
  }

  #onFrame(rx: ReceivedFrame, tx: Uint8Array, sent: boolean): void {
    const talking = this.#talking;
    if (talking === undefined) {
      // Once it has begun, what does not come is silence: pauses of a cadence may be sent as nothing at all.
      this.#earlyBegun ||= rx.kind !== 'none';
      if (!this.#earlyBegun) return;
      this.#early?.push(rx.payload);
      for (const detection of this.#progress.push(rx.pcm, rx.atMs, rx.kind !== 'audio')) this.#detected(detection);
      return;
    }
    if (talking.bridge.scripted) {
      talking.voice.hear(rx.pcm, rx.atMs);
      if (!sent) this.#say(talking, tx, rx.atMs);
      const beep = talking.machine.push(rx.pcm, this.#voiced, rx.atMs);
      this.#classify();
      if (beep !== undefined) talking.conversation.beeped();
    } else talking.voice.onFrame(SILENCE, UNHEARD, rx.atMs);
    talking.bridge.frame(rx, this.#wireCodec, tx);
    talking.recorder.push(rx.payload, tx, rx.atMs);
  }

  #onText(text: string): void {
    const talking = this.#talking;
    if (talking === undefined) return;
    talking.machine.expectWords();
    talking.bridge.text('callee', text);
    talking.voice.onText(text);
  }

  /** Keys for whom the callee was put through to are none of the script's business: they may be a secret. */
  #onDigit(digit: string, way: KeyWay): void {
    const talking = this.#talking;
    if (talking === undefined) return;
    const isNew = talking.bridge.digit(digit, way);
    if (isNew && !talking.bridge.joined) talking.conversation.dtmf(digit);
  }

  #detected(detection: Detection): void {
    this.#detections.push(detection);
    const { kind, label, confidence, atMs } = detection;
    // Ringback is told as a tone already, and silence is no event.
    if (kind !== 'sound' || label === 'music' || label === 'speech')
      this.#transcript.add(atMs, { type: kind === 'announcement' ? kind : 'tone', label, confidence });
    this.#deps.post({ type: 'detected', call: this.#open.call, detection });
  }

  /** What nobody taught yet may be taught from this call. */
  async #keepEarlyMedia(): Promise<void> {
    const { earlyMedia } = this.#deps;
    if (this.#talking !== undefined || this.#early === undefined || !this.#progress.hasUnknownSpeech) return;
    await earlyMedia?.keep(this.#open.call, this.#open.dialedAt, this.#early, this.#codec);
  }

  #told = false;
  #classify(): void {
    const talking = this.#talking;
    if (talking === undefined || this.#told || this.#open.inbound === true) return;
    const { verdict } = talking.machine;
    // A menu is answered like a person; nothing is said that it would not ask for.
    if (verdict === 'unknown' || verdict === 'human' || verdict === 'ivr') return;
    this.#told = true;
    talking.conversation.detected(verdict);
  }
}

function recordingPath(open: Open): string {
  const day = open.dialedAt.toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/${open.call}.wav`;
}
