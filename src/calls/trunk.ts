import type { Clock } from '#platform/clock.ts';
import type { TrunkPeer, TrunkRoute } from './trunk-route.ts';

/** How one server of a trunk fares. */
export interface PeerState {
  readonly key: string;
  /** By OPTIONS and by calls; `unknown` where neither has been answered or has failed often enough. */
  readonly reachable: 'unknown' | 'up' | 'down';
  readonly callsInFlight: number;
  /** The latest failure, in the words of the transport or the server. */
  readonly lastError: string | undefined;
  readonly lastErrorAt: Date | undefined;
}

/** Where the registration of a trunk's account stands; `off` where there is none. */
export type TrunkRegistration =
  | { readonly name: 'off' | 'trying' | 'registered' }
  | { readonly name: 'failed'; readonly status: number | undefined; readonly detail: string };

/** Why a trunk takes no new calls. */
export type TrunkHold = 'unreachable' | 'not-registered';

/** How a trunk fares. */
export interface TrunkState {
  readonly registration: TrunkRegistration;
  readonly hold: TrunkHold | undefined;
  readonly peers: readonly PeerState[];
}

/** How long a server that failed a call comes last, twice as long each time; probing notices sooner that it is back. */
const REST_MS = 30_000;
const MAX_REST_MS = 300_000;
/** Calls in a row without any response after which a server is taken for dead while it rests. */
const UNHEARD_CALLS = 3;

interface Known {
  readonly peer: TrunkPeer;
  /** By OPTIONS alone. */
  probed: PeerState['reachable'];
  /** Whether a call ever had a response, whatever it said. */
  heard: boolean;
  /** Calls in a row that had none. */
  unheard: number;
  /** How often in a row it has been sent to rest. */
  rests: number;
  inFlight: number;
  /** The next call may leave then. */
  nextMs: number;
  restUntilMs: number;
  lastError: string | undefined;
  lastErrorAt: Date | undefined;
}

/** A trunk with what is known of its servers: which come next, which are full, resting or dead. */
export class Trunk {
  readonly route: TrunkRoute;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onChange: () => void;
  readonly #onHeard: (peer: TrunkPeer) => void;
  readonly #known: readonly Known[];
  #registration: TrunkRegistration;
  #shortAnswers = false;
  /** What `onChange` was last told. */
  #told: TrunkHold | undefined;

  constructor(
    route: TrunkRoute,
    options: {
      readonly clock: Clock;
      readonly random?: () => number;
      /** The account is registered, so that calls wait until it is. */
      readonly registers?: boolean;
      /** It began or ceased to take calls. */
      readonly onChange?: () => void;
      /** A server responded to a call. */
      readonly onHeard?: (peer: TrunkPeer) => void;
    },
  ) {
    this.route = route;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#onHeard = options.onHeard ?? (() => undefined);
    this.#registration = { name: options.registers === true ? 'trying' : 'off' };
    this.#known = route.peers.map((peer) => ({
      peer,
      probed: 'unknown',
      heard: false,
      unheard: 0,
      rests: 0,
      inFlight: 0,
      nextMs: 0,
      restUntilMs: 0,
      lastError: undefined,
      lastErrorAt: undefined,
    }));
    this.#told = this.hold;
  }

  /**
   * The servers to try, one after the other: by priority, within one drawn by weight; those that rest come later, dead
   * ones last, full ones not at all.
   */
  order(): readonly TrunkPeer[] {
    const nowMs = this.#clock.monotonicMs();
    const free = this.#known.filter(
      ({ peer, inFlight, nextMs }) => (peer.channels === undefined || inFlight < peer.channels) && nextMs <= nowMs,
    );
    const rank = (known: Known): number => (this.#reachable(known) === 'down' ? 2 : known.restUntilMs > nowMs ? 1 : 0);
    const drawn = free.map((known) => ({
      known,
      rank: rank(known),
      // An exponential draw: the chance to come first is the share of the weight.
      draw: -Math.log(1 - this.#random()) / known.peer.weight,
    }));
    return drawn
      .toSorted((a, b) => a.rank - b.rank || a.known.peer.priority - b.known.peer.priority || a.draw - b.draw)
      .map(({ known }) => known.peer);
  }

  /** A call goes to the server; what comes back says that it is over there. */
  take(peer: TrunkPeer): () => void {
    const known = this.#of(peer.key);
    if (known === undefined) return () => undefined;
    known.inFlight++;
    if (peer.callsPerSecond !== undefined)
      known.nextMs = Math.max(known.nextMs, this.#clock.monotonicMs()) + 1000 / peer.callsPerSecond;
    let over = false;
    return () => {
      if (!over) known.inFlight--;
      over = true;
    };
  }

  /**
   * The server did not take a call: others come first for a while. One that never said a word to several calls in a row is
   * taken for dead until then. `heard`: it has responded to this call, be it with 100.
   */
  failed(peer: TrunkPeer, why: string, heard: boolean): void {
    const known = this.#of(peer.key);
    if (known === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    if (!heard) known.unheard++;
    // Calls that fail together are one failure.
    if (known.restUntilMs <= nowMs) {
      const restMs = Math.min(REST_MS * 2 ** known.rests, MAX_REST_MS);
      known.rests++;
      known.restUntilMs = nowMs + restMs;
      const { restUntilMs } = known;
      const rested = (): void => {
        if (known.restUntilMs === restUntilMs) known.restUntilMs = 0;
        this.#tell();
      };
      this.#clock.setTimer(restMs, rested, { unref: true });
    }
    this.#note(known, why);
    this.#tell();
  }

  /** The server responded to a call, be it with 100: it lives. */
  heard(peer: TrunkPeer): void {
    const known = this.#of(peer.key);
    if (known === undefined) return;
    known.heard = true;
    known.unheard = 0;
    if (known.probed === 'down') known.probed = 'up';
    this.#onHeard(peer);
    this.#tell();
  }

  /** The server dealt with a call, whatever it said at the end. */
  answered(peer: TrunkPeer): void {
    const known = this.#of(peer.key);
    if (known === undefined) return;
    known.restUntilMs = 0;
    known.rests = 0;
  }

  /** What probing found; `unknown` where it ceased to speak against the server. */
  probed(key: string, reachable: PeerState['reachable'], why: string): void {
    const known = this.#of(key);
    if (known === undefined) return;
    known.probed = reachable;
    if (reachable === 'down') this.#note(known, why);
    else if (reachable === 'up') {
      known.restUntilMs = 0;
      known.rests = 0;
      known.unheard = 0;
    }
    this.#tell();
  }

  /** Where the registration stands now. */
  registered(registration: TrunkRegistration): void {
    this.#registration = registration;
    this.#tell();
  }

  /** An answer left out sections of our offer; true for the first one. */
  firstShortAnswer(): boolean {
    const first = !this.#shortAnswers;
    this.#shortAnswers = true;
    return first;
  }

  /** What keeps it from taking new calls; undefined while it takes them. */
  get hold(): TrunkHold | undefined {
    if (this.#known.every((known) => this.#reachable(known) === 'down')) return 'unreachable';
    const { name } = this.#registration;
    return name === 'off' || name === 'registered' ? undefined : 'not-registered';
  }

  /** Most calls at once that its live servers take; Infinity where one of them has no bound of its own. */
  get channels(): number {
    return this.#known
      .filter((known) => this.#reachable(known) !== 'down')
      .reduce((sum, { peer }) => sum + (peer.channels ?? Infinity), 0);
  }

  get state(): TrunkState {
    return {
      registration: this.#registration,
      hold: this.hold,
      peers: this.#known.map((known) => ({
        key: known.peer.key,
        reachable: this.#reachable(known),
        callsInFlight: known.inFlight,
        lastError: known.lastError,
        lastErrorAt: known.lastErrorAt,
      })),
    };
  }

  /** A peer that nobody probes, or that ignores probes, is known by its calls alone. */
  #reachable({ heard, probed, restUntilMs, unheard }: Known): PeerState['reachable'] {
    if (probed === 'down' || (unheard >= UNHEARD_CALLS && restUntilMs > this.#clock.monotonicMs())) return 'down';
    return probed === 'unknown' && heard && unheard === 0 ? 'up' : probed;
  }

  #tell(): void {
    const { hold } = this;
    if (hold === this.#told) return;
    this.#told = hold;
    this.#onChange();
  }

  #of(key: string): Known | undefined {
    return this.#known.find(({ peer }) => peer.key === key);
  }

  #note(known: Known, why: string): void {
    known.lastError = why;
    known.lastErrorAt = this.#clock.now();
  }
}
