/** How a key came: as telephone-event (RFC 4733), by INFO, or as a tone in the audio. */
export type KeyWay = 'event' | 'info' | 'tone';

/** One press arrives by all its ways within this time: a tone is known when it ends, INFO takes the way of signalling. */
const SAME_PRESS_MS = 1000;

/**
 * Phones may tell one press in two ways at once, for example as event and by INFO. Each press counts once, however often
 * the same key is pressed: a way that was heard for a press already tells of the next one.
 */
export class KeyPresses {
  #recent: { readonly digit: string; readonly atMs: number; readonly ways: Set<KeyWay> }[] = [];

  /** Whether this is a press of which nothing was heard yet. */
  isNew(digit: string, way: KeyWay, nowMs: number): boolean {
    this.#recent = this.#recent.filter(({ atMs }) => nowMs - atMs < SAME_PRESS_MS);
    const known = this.#recent.find((press) => press.digit === digit && !press.ways.has(way));
    known?.ways.add(way);
    if (known === undefined) this.#recent.push({ digit, atMs: nowMs, ways: new Set([way]) });
    return known === undefined;
  }
}
