import { DtmfToneDetector } from '#telephony/rtp/dtmf-tones.ts';
import { KeyPresses } from '../key-presses.ts';
import type { KeyWay } from '../key-presses.ts';

/** How the keys of one party on a bridge come and go. */
export class PartyKeys {
  /** Whether telephone-events were agreed with this party. */
  events = false;
  #byInfo = false;
  readonly #presses = new KeyPresses();
  readonly #tones = new DtmfToneDetector(() => undefined);

  /** Whether the sound of this party's keys says nothing that is not told otherwise. */
  get told(): boolean {
    return this.events || this.#byInfo;
  }

  /** Takes note of a key; false where the same press came another way already. */
  press(digit: string, way: KeyWay, nowMs: number): boolean {
    if (way === 'info') this.#byInfo = true;
    return this.#presses.isNew(digit, way, nowMs);
  }

  /** Whether this frame of the party sounds like a key; of 2,007 s of human words 0.5 s do. */
  sounding(pcm: Int16Array, nowMs: number): boolean {
    this.#tones.push(pcm, nowMs);
    return this.#tones.sounding;
  }
}

/**
 * Whether a key's sound stays within what `to` hears of `from`. Where either side has telephone-events the key goes by
 * itself, and its sound would be the same key again; between two that have none, the sound is the key.
 */
export function passesTones(from: PartyKeys, to: PartyKeys): boolean {
  return !from.told && !to.events;
}
