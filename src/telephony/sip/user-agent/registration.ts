import type { Timer } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { parseDecimal } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import { retryAfterSeconds } from '../messages/identity.ts';
import type { SipResponse } from '../messages/message.ts';
import { parseNameAddr } from '../messages/name-addr.ts';
import { newTag } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { DigestClient, readChallenges } from './digest.ts';
import type { Challenge, Credentials } from './digest.ts';
import { sendSingle } from './single-request.ts';
import type { SingleOutcome } from './single-request.ts';
import type { SipProtocol } from '../transport/transport.ts';

/** Whom to register where. */
export interface RegistrationRequest {
  /** For example `sip:carrier.example`; says where the REGISTER goes. */
  readonly registrar: string;
  /** The address of record, for example `sip:4000@carrier.example`. */
  readonly address: string;
  readonly credentials?: Credentials;
  readonly transport?: SipProtocol;
  /** A loose route that requests take first, for example `<sip:edge.example;lr>`. */
  readonly route?: string;
  /** What we ask for; the registrar decides. */
  readonly expiresSeconds?: number;
  onChange?(state: RegistrationState): void;
}

/** Where a registration stands. */
export type RegistrationState =
  | { readonly name: 'trying' }
  | { readonly name: 'registered'; readonly expiresSeconds: number }
  /** Tried again by itself, unless `final`: the registrar has never wanted us. */
  | {
      readonly name: 'failed';
      readonly status: number | undefined;
      readonly detail: string;
      readonly final: boolean;
      readonly challenge?: Challenge;
    }
  | { readonly name: 'closed' };

const EXPIRES_SECONDS = 3_600;
/** RFC 5626 §4.5: waits after failures grow from 30 s to 30 min and are drawn between half and all of that. */
const BASE_WAIT_SECONDS = 30;
const MAX_WAIT_SECONDS = 1_800;
/**
 * Refused for good where it has never been otherwise: asking again changes nothing and locks accounts. Who was registered
 * before is asked for again, as after any failure: registrars that restart, or lose their database, say the same.
 */
const FINAL: ReadonlySet<number> = new Set([401, 403, 404, 407]);
/** A longer grant is refreshed daily: timers of more than 24 days fire at once. */
const MAX_REFRESH_SECONDS = 86_400;
const CLOSE_WAIT_MS = 2_000;

/**
 * Keeps one address registered (RFC 3261 §10.2): one Call-ID, a rising CSeq, a refresh well before the expiry that the
 * registrar grants, once a longer one after 423 (§10.2.8), and growing waits after failures.
 */
export class Registration {
  readonly #context: AgentContext;
  readonly #request: RegistrationRequest;
  readonly #digest: DigestClient;
  readonly #callId = newId<'registration'>();
  readonly #localTag = newTag();
  /** Tells our binding among others (RFC 3261 §10.2.4 compares URIs). */
  readonly #user = newTag();
  #sequence = 0;
  #expiresSeconds: number;
  #failures = 0;
  #wasRegistered = false;
  #state: RegistrationState = { name: 'trying' };
  #timer: Timer | undefined;
  #closed: Promise<void> | undefined;

  constructor(context: AgentContext, request: RegistrationRequest) {
    this.#context = context;
    this.#request = request;
    this.#digest = new DigestClient(request.credentials);
    this.#expiresSeconds = request.expiresSeconds ?? EXPIRES_SECONDS;
    this.#register();
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Removes the binding where there is one; waits at most two seconds for the registrar. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const registered = this.#state.name === 'registered';
      this.#timer?.cancel();
      this.#set({ name: 'closed' });
      if (!registered) return resolve();
      const timer = this.#context.clock.setTimer(CLOSE_WAIT_MS, resolve);
      this.#send(0, () => {
        timer.cancel();
        resolve();
      });
    });
    return this.#closed;
  }

  /** `longer`: a 423 has had us ask for more already, so that a registrar that raises its least each time is no loop. */
  #register(longer = false): void {
    const asked = this.#expiresSeconds;
    this.#send(asked, (outcome) => {
      if (this.#closed !== undefined) return;
      if (!outcome.ok) return this.#failed(undefined, outcome.detail);
      const { response } = outcome;
      if (response.status < 300) return this.#registered(response);
      const least = parseDecimal(response.headers.get('Min-Expires')?.trim() ?? '', 9);
      const brief = response.status === 423;
      if (brief && least !== undefined && least > asked) {
        this.#expiresSeconds = least;
        if (!longer) return this.#register(true);
      }
      this.#failed(
        response.status,
        brief ? `asked for ${asked} s, wants ${least === undefined ? 'more' : `${least} s`}` : response.reasonPhrase,
        retryAfterSeconds(response.headers),
        readChallenges(response)[0],
      );
    });
  }

  #registered(response: SipResponse): void {
    this.#failures = 0;
    this.#wasRegistered = true;
    const contacts = response.headers.all('Contact').flatMap((value) => parseNameAddr(value) ?? []);
    const ours = contacts.find(({ uri }) => uri.includes(`:${this.#user}@`));
    const granted = ours?.params.get('expires') ?? response.headers.get('Expires')?.trim();
    const seconds = Math.max(parseDecimal(granted ?? '', 9) ?? this.#expiresSeconds, 1);
    // Half a minute early, but never in the first half: short grants keep a NAT open and are refreshed at half time.
    const refreshMs = Math.min(Math.max(seconds - 30, seconds / 2), MAX_REFRESH_SECONDS) * 1_000;
    this.#timer = this.#context.clock.setTimer(refreshMs, () => this.#register(), { unref: true });
    this.#set({ name: 'registered', expiresSeconds: seconds });
  }

  #failed(status: number | undefined, detail: string, retryAfter?: number, challenge?: Challenge): void {
    const final = status !== undefined && FINAL.has(status) && !this.#wasRegistered;
    if (!final) {
      const bound = Math.min(BASE_WAIT_SECONDS * 2 ** this.#failures++, MAX_WAIT_SECONDS);
      const seconds = retryAfter ?? bound * (0.5 + this.#context.random() / 2);
      this.#timer = this.#context.clock.setTimer(seconds * 1_000, () => this.#register(), { unref: true });
    }
    this.#set({ name: 'failed', status, detail, final, ...(challenge === undefined ? {} : { challenge }) });
  }

  #send(expiresSeconds: number, done: (outcome: SingleOutcome) => void): void {
    const { registrar, address, transport, route } = this.#request;
    const single = {
      method: 'REGISTER',
      uri: registrar,
      transport,
      route,
      from: address,
      to: address,
      callId: this.#callId,
      localTag: this.#localTag,
      sequence: () => ++this.#sequence,
      headers: ([name, contact]: HeaderField): readonly HeaderField[] => [
        [name, `${contact.replace('<sip:', `<sip:${this.#user}@`)};expires=${expiresSeconds}`],
        ['Expires', String(expiresSeconds)],
      ],
    };
    sendSingle(this.#context, single, this.#digest, done);
  }

  #set(state: RegistrationState): void {
    this.#state = state;
    this.#request.onChange?.(state);
  }
}
