import type { MediaStats } from '#domain/call.ts';
import type { TransferFailure } from '#domain/transfer.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { MediaEngine, MediaLeg, ReceivedFrame } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { AudioCodec, G711Codec, NegotiatedMedia } from '#telephony/sdp/media.ts';
import { Bridge } from './bridge.ts';
import type { WireRelay } from './bridge.ts';
import type { WireFrame } from './frame-line.ts';
import type { KeyWay } from '../key-presses.ts';
import { CALLEE_LEG } from './bridge-protocol.ts';
import type { BridgeCommand, BridgeEvent, LegRole } from './bridge-protocol.ts';
import { PartyKeys, passesTones } from './party-keys.ts';
import { comfort } from './comfort.ts';
import { HoldPlayer } from './hold-music.ts';
import type { HoldMusic } from './hold-music.ts';
import { hears } from './roles.ts';

/** One second leg on this worker. */
interface SecondLeg {
  readonly id: string;
  readonly leg: MediaLeg;
  readonly keys: PartyKeys;
  /** Undefined until it was answered. */
  role: LegRole | undefined;
  media: NegotiatedMedia | undefined;
  /** Undefined where the wire carries G.711. */
  wire: WireRelay | undefined;
}

export interface SessionBridgeOptions {
  readonly clock: Clock;
  readonly engine: Pick<MediaEngine, 'openLeg'>;
  readonly log: Log;
  readonly music: HoldMusic;
  readonly callee: Pick<MediaLeg, 'sendText' | 'sendDtmf' | 'relay'>;
  readonly post: (event: BridgeEvent) => void;
  /** The script's side of a transfer. */
  readonly script: {
    hold(): void;
    connected(): void;
    handedOver(): void;
    resume(failure: TransferFailure | undefined): void;
  };
}

const CALLEE = CALLEE_LEG;
const PLATFORM = 'platform';

/**
 * The worker's half of what happens beside the script on one call: second legs, who hears whom, hold music.
 *
 *   [script] -- hold --> [hold: music] -- an agent's leg joins --> [joined]
 *       ^                     |                                       | its leg leaves: [hold]
 *       '------ resume -------+---------------------------------------'
 *
 * Listeners may come and go in every state. Owned by the call's session, which closes it.
 */
export class SessionBridge {
  readonly #o: SessionBridgeOptions;
  readonly #bridge = new Bridge();
  readonly #legs = new Map<string, SecondLeg>();
  readonly #opening = new Set<string>();
  readonly #figures: { readonly leg: string; readonly media: MediaStats }[] = [];
  readonly #music: HoldPlayer;
  /** How the callee hears a wideband voice as it is; undefined where their wire carries G.711. */
  #calleeWire: WireRelay | undefined;
  readonly #calleeKeys = new PartyKeys();
  #held = false;
  #agents = 0;
  #frames = 0;
  #closed = false;

  constructor(options: SessionBridgeOptions) {
    this.#o = options;
    this.#music = new HoldPlayer(options.music);
  }

  /** Whether the script has the floor; else its voice is not to be heard. */
  get scripted(): boolean {
    return !this.#held;
  }

  /** Whether nobody but the callee and the script is there, so that `frame` leaves everything as it is. */
  get unused(): boolean {
    return !this.#held && this.#bridge.size === 0;
  }

  /** Whether the callee talks with somebody they were put through to. */
  get joined(): boolean {
    return this.#held && this.#agents > 0;
  }

  /** How many frames took which way. */
  get counts(): Bridge['counts'] {
    return this.#bridge.counts;
  }

  /** How those second legs fared that took part and are over. */
  get figures(): readonly { readonly leg: string; readonly media: MediaStats }[] {
    return this.#figures;
  }

  /** What was agreed with the callee. */
  calleeMedia(media: NegotiatedMedia): void {
    this.#calleeWire = wireRelay(media.audio.codec, this.#o.callee);
    this.#calleeKeys.events = hasEvents(media);
  }

  command(command: BridgeCommand): void {
    if (this.#closed) return;
    switch (command.do) {
      case 'open':
        void this.#open(command.leg);
        return;
      case 'join':
        this.#join(command.leg, command.role, command.media);
        return;
      case 'media': {
        const second = this.#legs.get(command.leg);
        if (second?.role === undefined) return;
        second.media = command.media;
        second.wire = wireRelay(command.media.audio.codec, second.leg);
        second.keys.events = hasEvents(command.media);
        second.leg.start(command.media);
        return;
      }
      case 'role': {
        const second = this.#legs.get(command.leg);
        if (second?.role === undefined) return;
        second.role = command.role;
        this.#seat();
        return;
      }
      case 'digit':
        this.#digitFrom(command.leg, command.digit, 'info');
        return;
      case 'tones':
        if (command.leg === CALLEE) this.#o.callee.sendDtmf(command.digits);
        else this.#legs.get(command.leg)?.leg.sendDtmf(command.digits);
        return;
      case 'leave':
        this.#leave(command.leg);
        return;
      case 'hold':
        this.#held = true;
        this.#seat();
        this.#o.script.hold();
        return;
      case 'connected':
        this.#o.script.connected();
        return;
      case 'handed-over':
        this.#o.script.handedOver();
        return;
      case 'resume':
        this.#held = false;
        this.#seat();
        this.#o.script.resume(command.failure);
    }
  }

  /** The callee's tick: `tx` holds the script's voice where that has the floor, else silence; it leaves as they hear it. */
  frame(rx: ReceivedFrame, codec: G711Codec, tx: Uint8Array): void {
    const talks = this.#bridge.size > 0;
    if (talks) {
      if (this.joined && this.#calleeKeys.sounding(rx.pcm, rx.atMs) && !this.#calleeTonesPass())
        this.#bridge.speak(CALLEE, codec, rx.payload, false);
      else this.#bridge.speak(CALLEE, codec, rx.payload, rx.kind !== 'none', wireFrame(this.#calleeWire?.codec, rx));
      if (!this.#held) this.#bridge.speak(PLATFORM, codec, tx);
    }
    if (this.#held && this.#agents === 0) this.#music.play(codec, tx);
    else if (talks && !this.#bridge.listen(CALLEE, codec, tx, this.#held ? this.#calleeWire : undefined))
      comfort(codec, this.#frames++, tx);
  }

  /** Characters that the callee typed, or the script says, go to everybody who would hear them. */
  text(from: 'callee' | 'agent', text: string): void {
    for (const { role, leg } of this.#legs.values()) if (role !== undefined && hears(role, from)) leg.sendText(text);
  }

  /** A key of the callee, which goes to whom they were put through to; false where that press came another way already. */
  digit(digit: string, way: KeyWay): boolean {
    const isNew = this.#calleeKeys.press(digit, way, this.#o.clock.monotonicMs());
    if (!this.joined || !isNew) return isNew;
    for (const second of this.#legs.values())
      if (second.role === 'agent') this.#pass(this.#calleeKeys, second, digit, way);
    return true;
  }

  /** Frees every port; the call is over. */
  close(): void {
    this.#closed = true;
    for (const id of this.#legs.keys()) this.#leave(id);
  }

  async #open(id: string): Promise<void> {
    this.#opening.add(id);
    try {
      const leg = await this.#o.engine.openLeg({
        onFrame: (rx, tx) => this.#onFrame(id, rx, tx),
        onText: (text) => this.#onText(id, text),
        onDtmf: ({ digit, asTone }) => this.#digitFrom(id, digit, asTone === true ? 'tone' : 'event'),
        onTimeout: () => this.#o.post({ is: 'silent', leg: id }),
      });
      if (this.#closed || !this.#opening.delete(id)) {
        leg.close();
        return;
      }
      this.#legs.set(id, { id, leg, keys: new PartyKeys(), role: undefined, media: undefined, wire: undefined });
      this.#o.post({ is: 'opened', leg: id, audioPort: leg.audioPort, textPort: leg.textPort });
    } catch (error) {
      this.#opening.delete(id);
      this.#o.log.warn({ err: error }, 'a second leg could not be opened');
      if (!this.#closed)
        this.#o.post({ is: 'failed', leg: id, message: error instanceof Error ? error.message : String(error) });
    }
  }

  #join(id: string, role: LegRole, media: NegotiatedMedia): void {
    const second = this.#legs.get(id);
    if (second === undefined) return;
    second.role = role;
    second.media = media;
    second.wire = wireRelay(media.audio.codec, second.leg);
    second.keys.events = hasEvents(media);
    this.#seat();
    second.leg.start(media);
    if (role === 'agent') this.#o.script.connected();
  }

  #leave(id: string): void {
    this.#opening.delete(id);
    const second = this.#legs.get(id);
    if (second === undefined) return;
    this.#legs.delete(id);
    this.#bridge.remove(id);
    if (second.role !== undefined) this.#figures.push({ leg: id, media: second.leg.stats() });
    second.leg.close();
    this.#seat();
  }

  /** Gives everybody the place that the state asks for. Alone with the script, the callee needs no bridge at all. */
  #seat(): void {
    const bridge = this.#bridge;
    const present = [...this.#legs.values()].filter(({ role }) => role !== undefined);
    this.#agents = present.filter(({ role }) => role === 'agent').length;
    for (const { id, role } of present) bridge.set(id, role!);
    if (present.length > 0) bridge.set(CALLEE, 'callee');
    else bridge.remove(CALLEE);
    if (present.length > 0 && !this.#held) bridge.set(PLATFORM, 'agent');
    else bridge.remove(PLATFORM);
  }

  #onFrame(id: string, rx: ReceivedFrame, tx: Uint8Array): void {
    const second = this.#legs.get(id);
    if (second?.role === undefined || second.media === undefined) return;
    const codec = frameCodecOf(second.media.audio.codec);
    const keyed = second.role === 'agent' && this.joined && second.keys.sounding(rx.pcm, rx.atMs);
    if (keyed && !passesTones(second.keys, this.#calleeKeys)) this.#bridge.speak(id, codec, rx.payload, false);
    else this.#bridge.speak(id, codec, rx.payload, rx.kind !== 'none', wireFrame(second.wire?.codec, rx));
    if (!this.#bridge.listen(id, codec, tx, second.wire)) comfort(codec, this.#frames++, tx);
  }

  #onText(id: string, text: string): void {
    const from = this.#legs.get(id)?.role;
    if (from === undefined) return;
    if (hears('callee', from)) this.#o.callee.sendText(text);
    for (const other of this.#legs.values())
      if (other.id !== id && other.role !== undefined && hears(other.role, from)) other.leg.sendText(text);
  }

  #digitFrom(id: string, digit: string, way: KeyWay): void {
    const second = this.#legs.get(id);
    if (second === undefined) return;
    const isNew = second.keys.press(digit, way, this.#o.clock.monotonicMs());
    if (!isNew || !this.joined || second.role !== 'agent') return;
    this.#pass(second.keys, { id: CALLEE, keys: this.#calleeKeys, leg: this.#o.callee }, digit, way);
  }

  /** Sends a key on, once: where its tone is in the voice that passes, that is all. */
  #pass(
    from: PartyKeys,
    to: Pick<SecondLeg, 'id' | 'keys'> & { readonly leg: Pick<MediaLeg, 'sendDtmf'> },
    digit: string,
    way: KeyWay,
  ): void {
    if (way === 'tone' && passesTones(from, to.keys)) return;
    if (to.keys.events) to.leg.sendDtmf(digit);
    // Whether INFO takes it there, signalling knows.
    else this.#o.post({ is: 'key', leg: to.id, digit });
  }

  #calleeTonesPass(): boolean {
    for (const { role, keys } of this.#legs.values())
      if (role === 'agent' && !passesTones(this.#calleeKeys, keys)) return false;
    return true;
  }
}

function hasEvents({ audio }: NegotiatedMedia): boolean {
  return audio.dtmfPayloadType !== undefined;
}

function wireRelay(codec: AudioCodec, leg: Pick<MediaLeg, 'relay'>): WireRelay | undefined {
  return codec === frameCodecOf(codec) ? undefined : { codec, send: (wire) => leg.relay(wire) };
}

function wireFrame(codec: AudioCodec | undefined, { wire }: ReceivedFrame): WireFrame | undefined {
  return codec === undefined || wire === undefined ? undefined : { codec, bytes: wire };
}
