import type { DialogResult, HangupSide } from '#domain/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import { dialogResult, next, startDialog } from '#dialog/interpreter.ts';
import type { DialogEffect, DialogEvent, DialogState } from '#dialog/interpreter.ts';
import type { OutsideTarget } from '#dialog/state.ts';
import type { TransferFailure } from '#domain/transfer.ts';
import { Speaker } from './speaker.ts';
import type { Answered, SpeakerOptions, UtteranceEnd } from './speaker.ts';

/** The far end's jitter buffer still holds the end of the goodbye when we have sent it. */
const GOODBYE_LINGER_MS = 200;

/** Beeps of a row come faster than this. */
const AFTER_BEEP_MS = 500;
/** Nobody presses more on one call; a far end that floods us with INFO fills neither memory nor records. */
const MAX_KEYS = 1000;

export interface ConversationOptions extends Pick<
  SpeakerOptions,
  'clock' | 'script' | 'codec' | 'phrases' | 'transcript' | 'mouth'
> {
  readonly variables: Readonly<Record<string, string>>;
  readonly timeZone: string;
  /** Whether the callee holds the floor now. */
  readonly calleeSpeaking: () => boolean;
  readonly events: {
    /** What is about to be said, for real-time text. */
    onSay(text: string): void;
    onSaid(speaker: 'callee' | 'platform', text: string): void;
    onOptOut(): void;
    /** Once. */
    onHangUp(reason: string): void;
    /** The callee is to be put through; everything that is said before has been said. */
    onTransfer(outside: OutsideTarget): void;
    /** The script could not decide; `onHangUp` follows. */
    onFault(error: unknown): void;
  };
}

/** A turn of the callee as the voice reports it. */
export interface CalleeTurn {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly endOfTurnMs: number;
}

/** Feeds what happens on a call to the script and does what the script decides. Owned and ended by its call session. */
export class Conversation {
  readonly #o: ConversationOptions;
  readonly #clock: Clock;
  readonly #script: CompiledScript;
  readonly #speaker: Speaker;
  #state: DialogState;
  #hangUpReason: string | undefined;
  /** Wanted, as soon as what is being said has been said. */
  #transfer: OutsideTarget | undefined;
  /** The callee waits for somebody or talks with them: the script neither speaks nor listens. */
  #held = false;
  #noReplyMs: number | undefined;
  #noReply: Timer | undefined;
  #timeLimit: Timer | undefined;
  #goodbye: Timer | undefined;
  #beep: Timer | undefined;
  #noBeep: Timer | undefined;
  #keys = 0;
  /** Our side has asked for the end. */
  #asked = false;
  #ended = false;

  constructor(options: ConversationOptions) {
    this.#o = options;
    this.#clock = options.clock;
    this.#script = options.script;
    this.#state = startDialog(options.script, {
      variables: options.variables,
      now: options.clock.now(),
      timeZone: options.timeZone,
    });
    this.#speaker = new Speaker({
      ...options,
      onSay: (text) => {
        options.events.onSay(text);
        options.events.onSaid('platform', text);
      },
      onSpoken: (end) => this.#feed({ type: 'spoken', ...end, atMs: this.#now() }),
    });
  }

  answered(): void {
    if (this.#ended) return;
    this.#armTimeLimit();
    this.#feed({ type: 'answered', atMs: this.#now() });
  }

  /** A callee turn that is complete; empty text means that a voice was heard and nothing understood. */
  heard(turn: CalleeTurn): void {
    if (this.#ended) return;
    if (this.#held) {
      if (this.#overheard(turn.text, false)) this.#write(turn, 'opt-out');
      return;
    }
    this.#cancelNoReply();
    if (turn.text !== '') this.#write(turn, undefined);
    this.#feed({ type: 'heard', text: turn.text, atMs: this.#now() }, turn);
  }

  /** The callee began to speak or type: silence starts again afterwards. */
  noticed(): void {
    if (this.#noReply !== undefined) this.#armNoReply();
  }

  dtmf(digit: string): void {
    if (this.#ended || ++this.#keys > MAX_KEYS) return;
    if (this.#held) {
      if (this.#overheard(digit, true)) this.#o.transcript.add(this.#now(), { type: 'dtmf', digit });
      return;
    }
    this.noticed();
    this.#o.transcript.add(this.#now(), { type: 'dtmf', digit });
    this.#feed({ type: 'dtmf', digit, atMs: this.#now() });
  }

  detected(kind: 'voicemail' | 'call-assistant' | 'fax'): void {
    if (this.#held) return;
    this.#feed({ type: 'detected', kind, atMs: this.#now() });
  }

  /** A mailbox asks for the message; some beep several times, and the last one counts. */
  beeped(): void {
    if (this.#ended) return;
    this.#beep?.cancel();
    this.#beep = this.#clock.setTimer(AFTER_BEEP_MS, () => this.#feed({ type: 'beep', atMs: this.#now() }));
  }

  /** The callee took the floor while we spoke. */
  interrupted(): void {
    this.#speaker.interrupted();
  }

  utteranceStarted(id: number, atMs: number): void {
    this.#speaker.started(id, atMs);
  }

  utteranceEnded(end: UtteranceEnd): void {
    this.#speaker.ended(end);
  }

  /** Waits while the callee is put through, whoever asked for that. What is being said is cut short by the owner. */
  hold(): void {
    if (this.#ended || this.#asked) return;
    this.#held = true;
    this.#transfer = undefined;
    this.#hangUpReason = undefined;
    this.#cancelTimers();
    this.#speaker.interrupted();
    this.#feed({ type: 'transfer-started', atMs: this.#now() });
  }

  /** The callee talks with whom they were put through to. */
  transferAnswered(): void {
    this.#feed({ type: 'transfer-answered', atMs: this.#now() });
  }

  /** The callee's line takes them elsewhere; whether anybody answers there is not known. */
  handedOver(): void {
    this.#feed({ type: 'handed-over', atMs: this.#now() });
  }

  /** Goes on with the callee: after a failure, or where there is none after their talk with the target. */
  resume(failure: TransferFailure | undefined): void {
    if (this.#ended || !this.#held) return;
    this.#held = false;
    this.#armTimeLimit();
    const atMs = this.#now();
    this.#feed(
      failure === undefined ? { type: 'transfer-ended', atMs } : { type: 'transfer-failed', reason: failure, atMs },
    );
  }

  /** The call is over. Only `utteranceEnded` counts after this: it writes down what was played until now. */
  hungUp(by: HangupSide | 'operator'): void {
    if (this.#ended) return;
    this.#feed({ type: 'hung-up', by, atMs: this.#now() });
    this.#ended = true;
    this.#cancelTimers();
    this.#speaker.close();
  }

  /** What the script knows, after `hungUp`. */
  result(by: HangupSide, talkMs: number): DialogResult {
    return dialogResult(this.#state, { talkMs, hangupBy: by });
  }

  #write({ text, startMs, endMs }: CalleeTurn, intent: string | undefined): void {
    const turn = { text, startMs, endMs, interrupted: false, node: undefined, intent, latency: undefined };
    this.#o.transcript.turn('callee', turn);
    this.#o.events.onSaid('callee', text);
  }

  /**
   * What the callee says while somebody else has the floor is between them and is not written down; true for the one
   * thing that concerns us, that they do not want to be called again.
   */
  #overheard(text: string, isKey: boolean): boolean {
    const before = this.#state.data.optedOut;
    this.#feed({ type: 'overheard', text, isKey, atMs: this.#now() });
    return !before && this.#state.data.optedOut;
  }

  #feed(event: DialogEvent, turn?: CalleeTurn): void {
    if (this.#ended) return;
    try {
      const decidedMs = this.#now();
      const step = next(this.#state, event);
      this.#state = step.state;
      for (const effect of step.effects) this.#perform(effect, turn === undefined ? undefined : { ...turn, decidedMs });
    } catch (error) {
      this.#o.events.onFault(error);
      this.#hangUpReason ??= 'dialog-fault';
    }
    if (event.type !== 'hung-up') this.#settle();
  }

  #perform(effect: DialogEffect, answering: Answered | undefined): void {
    const atMs = this.#now();
    const { transcript, events } = this.#o;
    switch (effect.type) {
      case 'say':
        if (this.#asked) return;
        this.#cancelNoReply();
        this.#noReplyMs = undefined;
        if (effect.intent !== undefined && answering !== undefined) transcript.understood(effect.intent);
        this.#speaker.say(effect, answering);
        return;
      case 'listen':
        this.#noReplyMs = effect.noReplyMs;
        return;
      case 'hang-up':
        this.#hangUpReason = effect.reason;
        this.#transfer = undefined;
        return;
      case 'await-beep':
        this.#cancelNoReply();
        this.#noReplyMs = undefined;
        queueMicrotask(() => this.#speaker.hush());
        this.#noBeep = this.#clock.setTimer(effect.maxMs, () => this.#feed({ type: 'no-beep', atMs: this.#now() }));
        return;
      case 'transfer':
        this.#transfer = effect.outside;
        if (effect.outside !== undefined) return;
        // The dialog was started without agents and asks for none; should it, it hears at once that nobody is there.
        queueMicrotask(() => this.#feed({ type: 'transfer-failed', atMs: this.#now() }));
        return;
      case 'suppress':
        events.onOptOut();
        return;
      case 'tag':
        transcript.add(atMs, { type: 'tag', tag: effect.tag });
        return;
      case 'slot':
        transcript.add(atMs, { type: 'slot', name: effect.name, value: effect.value });
        return;
      case 'call-back':
        transcript.add(atMs, { type: 'slot', name: 'call-back', value: effect.at.toISOString() });
        return;
      case 'decision':
        transcript.add(atMs, { type: 'decision', node: effect.node, reason: effect.reason });
    }
  }

  /** While nothing is being said: end the call if that was decided, else wait for the callee. */
  #settle(): void {
    if (this.#asked || this.#held || this.#speaker.busy) return;
    if (this.#transfer !== undefined) {
      const outside = this.#transfer;
      this.#held = true;
      this.#transfer = undefined;
      this.#cancelTimers();
      this.#o.events.onTransfer(outside);
      return;
    }
    if (this.#hangUpReason === undefined) {
      if (this.#noReply === undefined) this.#armNoReply();
      return;
    }
    this.#cancelNoReply();
    this.#goodbye ??= this.#clock.setTimer(GOODBYE_LINGER_MS, () => {
      this.#goodbye = undefined;
      // Something more was said meanwhile: its end comes here again.
      if (this.#speaker.busy || this.#hangUpReason === undefined) return;
      this.#asked = true;
      this.#cancelTimers();
      this.#o.events.onHangUp(this.#hangUpReason);
    });
  }

  #armTimeLimit(): void {
    this.#timeLimit?.cancel();
    const maxMs = this.#script.source.settings.maxSeconds * 1000;
    this.#timeLimit = this.#clock.setTimer(maxMs, () => this.#feed({ type: 'time-limit', atMs: this.#now() }));
  }

  #armNoReply(): void {
    this.#cancelNoReply();
    if (this.#noReplyMs === undefined || this.#hangUpReason !== undefined) return;
    this.#noReply = this.#clock.setTimer(this.#noReplyMs, () => {
      this.#noReply = undefined;
      if (this.#o.calleeSpeaking()) this.#armNoReply();
      else this.#feed({ type: 'no-reply', atMs: this.#now() });
    });
  }

  #cancelNoReply(): void {
    this.#noReply?.cancel();
    this.#noReply = undefined;
  }

  #cancelTimers(): void {
    this.#cancelNoReply();
    this.#timeLimit?.cancel();
    this.#beep?.cancel();
    this.#noBeep?.cancel();
    this.#goodbye?.cancel();
    this.#goodbye = undefined;
  }

  #now(): number {
    return this.#clock.monotonicMs();
  }
}
