/** Which of a trunk's numbers a callee sees. */
export interface CallerRules {
  readonly rule: 'campaign' | 'rotate' | 'callee' | 'area';
  /** At least one. */
  readonly numbers: readonly string[];
  /** For `area`: numbers by the beginning of the callee number. */
  readonly areas: Readonly<Record<string, readonly string[]>>;
}

/** Chooses caller numbers of one trunk; remembers when each was used last. */
export class CallerNumbers {
  readonly #rules: CallerRules;
  /** By number, when it was used last, counted in uses. */
  readonly #used = new Map<string, number>();
  #uses = 0;

  constructor(rules: CallerRules) {
    this.#rules = rules;
  }

  /** The number for a call to `phone`; `wanted` is the campaign's, which counts where the trunk owns it. */
  choose(phone: string, wanted: string): string {
    const { rule, numbers } = this.#rules;
    const number =
      rule === 'campaign' && numbers.includes(wanted)
        ? wanted
        : rule === 'callee'
          ? numbers[hash(phone) % numbers.length]
          : this.#leastUsed(rule === 'area' ? this.#ofArea(phone) : numbers);
    if (number === undefined) return wanted;
    this.#used.set(number, ++this.#uses);
    return number;
  }

  #ofArea(phone: string): readonly string[] {
    const { areas, numbers } = this.#rules;
    const [longest] = Object.keys(areas)
      .filter((area) => phone.startsWith(area))
      .toSorted((a, b) => b.length - a.length);
    return longest === undefined ? numbers : (areas[longest] ?? numbers);
  }

  #leastUsed(numbers: readonly string[]): string | undefined {
    return numbers.toSorted((a, b) => (this.#used.get(a) ?? 0) - (this.#used.get(b) ?? 0))[0];
  }
}

/** FNV-1a, so that a callee sees the same number on every node and after every start. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
