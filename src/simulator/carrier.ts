import type { ExampleConversation } from '#domain/script.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { AudioCodec } from '#telephony/sdp/media.ts';
import { SipUserAgent, type IncomingCall } from '#telephony/sip/user-agent.ts';
import { callBack } from './call-back.ts';
import { CallLog } from './call-log.ts';
import type { EndedLine } from './call-record.ts';
import { CarrierCall, type CarrierLine } from './carrier-call.ts';
import { afterCall, type LeadExpectation } from './expectation.ts';
import { conversationOf } from './conversation.ts';
import { behaviourOf, dialledUser, nationalNumber, personaOf, type Persona } from './persona.ts';
import { SoundBank, type Synthesize } from './sound-bank.ts';

const PRODUCT = 'Waihu-Simulator';
/** Calls at once before the carrier is congested. */
const DEFAULT_CHANNELS = 500;

export interface CarrierOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Where SIP listens over UDP; port 0 takes a free one. */
  readonly bind: { readonly address: string; readonly port: number };
  /** Ports of RTP and real-time text, on the same address. */
  readonly rtp: { readonly first: number; readonly last: number };
  readonly seed: number;
  /** Factor on ringing and waiting; 1 is a real network, 0.3 suits a demonstration. */
  readonly pace?: number;
  /** JSON lines of every call; also restores the attempt ordinals. */
  readonly logFile?: string;
  /** Without it everybody murmurs. */
  readonly synthesize?: Synthesize;
  /** The examples of the script that a number is called for, by national number: what people on the line say. */
  readonly conversationsFor?: (number: string) => readonly ExampleConversation[];
  readonly channels?: number;
  /** Whoever did not pick up calls back so long after; without it nobody does. */
  readonly callBackMs?: number;
  readonly codecs?: readonly AudioCodec[];
  /** Makes people pick up as the hour has it; without it answers do not depend on the time. */
  readonly hour?: () => number;
}

/** A simulated trunk and everybody behind it. */
export interface Carrier {
  readonly address: { readonly address: string; readonly port: number };
  /** Calls going on. */
  readonly activeCalls: number;
  /** What a platform should have made of every number called since the start, by national number. */
  expectations(): ReadonlyMap<string, LeadExpectation>;
  /** Makes announcements and conversations ready before the first call. */
  warm(options: {
    readonly lines: readonly string[];
    readonly onProgress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<void>;
  /** Ends all calls and frees the ports; idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a carrier on UDP. Each call's `invite` line is written before it is answered in any way.
 * @throws AppError `port-in-use`, `data-directory-unusable`
 */
export async function openCarrier(options: CarrierOptions): Promise<Carrier> {
  const { clock, log, seed, bind } = options;
  const callLog = new CallLog(options.logFile);
  const engine = await MediaEngine.open({ clock, log, address: bind.address, ports: options.rtp });
  let agent: SipUserAgent;
  try {
    agent = await SipUserAgent.open({ clock, log, bind, product: PRODUCT });
  } catch (cause) {
    await engine.close();
    callLog.close();
    throw cause;
  }
  const sounds = new SoundBank({ synthesize: options.synthesize, log });
  const codecs = options.codecs ?? ['PCMA', 'PCMU'];
  const pace = options.pace ?? 1;
  const line: CarrierLine = { clock, log, engine, sounds, mediaAddress: bind.address, codecs, seed, pace };
  const calls = new Set<CarrierCall>();
  const leads = new Map<string, LeadExpectation>();
  let closing: Promise<void> | undefined;

  const waiting = new Set<Timer>();
  /** Somebody finds a missed call and calls back. */
  const later = (
    afterMs: number,
    persona: Persona,
    missed: IncomingCall,
    examples: readonly ExampleConversation[],
  ): void => {
    const timer = clock.setTimer(afterMs, () => {
      waiting.delete(timer);
      const { host, port } = missed.source;
      const lines = conversationOf(examples, persona.human)?.lines ?? [];
      const call = {
        persona,
        phone: dialledUser(missed.requestUri),
        shown: missed.from,
        to: { host, port },
        lines,
      };
      callBack(agent, line, call).then(
        (record) => callLog.append(record),
        (error: unknown) => log.error({ err: error }, 'simulated call-back failed'),
      );
    });
    waiting.add(timer);
  };
  agent.onIncomingCall = (incoming: IncomingCall) => {
    const number = nationalNumber(incoming.requestUri);
    const persona = personaOf(number, seed);
    const attempt = callLog.nextAttempt(number);
    const behaviour = behaviourOf(persona, attempt, seed, options.hour?.());
    const channelFree = calls.size < (options.channels ?? DEFAULT_CHANNELS);
    const examples = options.conversationsFor?.(number) ?? [];
    const call = new CarrierCall(
      incoming,
      line,
      { persona, behaviour, attempt, examples, channelFree },
      (end: EndedLine) => {
        calls.delete(call);
        callLog.append(end);
        leads.set(number, afterCall(leads.get(number), end));
        if (options.callBackMs !== undefined && behaviour === 'no-answer')
          later(options.callBackMs, persona, incoming, examples);
      },
    );
    callLog.append({
      type: 'invite',
      at: clock.now().toISOString(),
      callId: incoming.callId,
      phone: dialledUser(incoming.requestUri),
      number,
      seed,
      attempt,
      linePlan: persona.linePlan,
      behaviour,
      ...(call.conversation === undefined
        ? {}
        : { intention: persona.human.intention, conversation: call.conversation.name }),
    });
    calls.add(call);
    void call.run();
  };

  return {
    address: agent.address,
    get activeCalls() {
      return calls.size;
    },
    expectations: () => leads,
    warm: (warming) => sounds.warm({ ...warming, codecs: codecs.slice(0, 1).map(frameCodecOf) }),
    close() {
      closing ??= (async () => {
        agent.onIncomingCall = undefined;
        for (const timer of waiting) timer.cancel();
        for (const call of calls) call.close();
        await agent.close('carrier closes');
        await engine.close();
        callLog.close();
      })();
      return closing;
    },
  };
}
