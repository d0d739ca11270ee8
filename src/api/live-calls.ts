import type { LiveCall } from '#domain/api.ts';
import { maskPhone } from '#domain/phone.ts';
import type { Bus } from '#platform/bus.ts';
import type { CallStateEvent } from '#platform/bus-events.ts';

/** Longest excerpt of what was said last. */
const EXCERPT_CHARACTERS = 60;

/** The calls going on now, kept from the bus. Closed by the API server. */
export class LiveCalls {
  readonly #calls = new Map<string, LiveCall>();
  readonly #unsubscribe: () => void;

  constructor(bus: Bus) {
    this.#unsubscribe = bus.subscribe('call-state', (event) => this.#take(event));
  }

  /** Oldest first. */
  ofCampaign(campaignId: string): readonly LiveCall[] {
    return [...this.#calls.values()].filter((call) => call.campaignId === campaignId);
  }

  get(id: string): LiveCall | undefined {
    return this.#calls.get(id);
  }

  close(): void {
    this.#unsubscribe();
  }

  #take(event: CallStateEvent): void {
    if (event.state === 'ended') {
      this.#calls.delete(event.attemptId);
      return;
    }
    const before = this.#calls.get(event.attemptId);
    this.#calls.set(event.attemptId, {
      id: event.attemptId,
      direction: event.direction,
      campaignId: event.campaignId ?? null,
      name: event.name,
      phone: maskPhone(event.phone),
      state: event.state,
      sinceAt: before?.state === event.state ? before.sinceAt : event.at.toISOString(),
      lastText: (event.lastText === '' ? (before?.lastText ?? '') : event.lastText)
        .slice(0, EXCERPT_CHARACTERS)
        .toWellFormed(),
    });
  }
}
