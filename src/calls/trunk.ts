import type { Clock } from '#platform/clock.ts';
import type { TrunkPeer, TrunkRoute } from './trunk-route.ts';

/** How one server of a trunk fares. */
export interface PeerState {
  readonly key: string;
  /** By OPTIONS; `unknown` where nothing has answered or failed often enough, or nobody asks. */
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

/** How long a server that failed a call comes last; probing notices sooner that it is back. */
const REST_MS = 30_000;

interface Known {
  readonly peer: TrunkPeer;
  reachable: PeerState['reachable'];
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
  readonly #known: readonly Known[];
  #registration: TrunkRegistration;

  constructor(
    route: TrunkRoute,
    options: {
      readonly clock: Clock;
      readonly random?: () => number;
      /** The account is registered, so that calls wait until it is. */
      readonly registers?: boolean;
      /** It began or ceased to take calls. */
      readonly onChange?: () => void;
    },
  ) {
    this.route = route;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#registration = { name: options.registers === true ? 'trying' : 'off' };
    this.#known = route.peers.map((peer) => ({
      peer,
      reachable: 'unknown',
      inFlight: 0,
      nextMs: 0,
      restUntilMs: 0,
      lastError: undefined,
      lastErrorAt: undefined,
    }));
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
    const rank = (known: Known): number => (known.reachable === 'down' ? 2 : known.restUntilMs > nowMs ? 1 : 0);
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

  /** The server did not take a call: others come first for a while. */
  failed(peer: TrunkPeer, why: string): void {
    const known = this.#of(peer.key);
    if (known === undefined) return;
    known.restUntilMs = this.#clock.monotonicMs() + REST_MS;
    this.#note(known, why);
  }

  /** The server answered a call, whatever it said. */
  answered(peer: TrunkPeer): void {
    const known = this.#of(peer.key);
    if (known !== undefined) known.restUntilMs = 0;
  }

  /** What probing found. */
  probed(key: string, reachable: 'up' | 'down', why: string): void {
    const known = this.#of(key);
    if (known === undefined) return;
    const before = this.hold;
    known.reachable = reachable;
    if (reachable === 'up') known.restUntilMs = 0;
    else this.#note(known, why);
    if (this.hold !== before) this.#onChange();
  }

  /** Where the registration stands now. */
  registered(registration: TrunkRegistration): void {
    const before = this.hold;
    this.#registration = registration;
    if (this.hold !== before) this.#onChange();
  }

  /** What keeps it from taking new calls; undefined while it takes them. */
  get hold(): TrunkHold | undefined {
    if (this.#known.every(({ reachable }) => reachable === 'down')) return 'unreachable';
    const { name } = this.#registration;
    return name === 'off' || name === 'registered' ? undefined : 'not-registered';
  }

  /** Most calls at once that its live servers take; Infinity where one of them has no bound of its own. */
  get channels(): number {
    return this.#known
      .filter(({ reachable }) => reachable !== 'down')
      .reduce((sum, { peer }) => sum + (peer.channels ?? Infinity), 0);
  }

  get state(): TrunkState {
    return {
      registration: this.#registration,
      hold: this.hold,
      peers: this.#known.map(({ peer, reachable, inFlight, lastError, lastErrorAt }) => ({
        key: peer.key,
        reachable,
        callsInFlight: inFlight,
        lastError,
        lastErrorAt,
      })),
    };
  }

  #of(key: string): Known | undefined {
    return this.#known.find(({ peer }) => peer.key === key);
  }

  #note(known: Known, why: string): void {
    known.lastError = why;
    known.lastErrorAt = this.#clock.now();
  }
}
