import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TestContext } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import type { Clock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type {
  IncomingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  UserAgentOptions,
} from '#telephony/sip/user-agent.ts';
import { accept, placeWatched, testMedia } from './sip-network.ts';
import type { WatchedCall } from './sip-network.ts';
import { answer, ask, ok, peerSdp, recv, response, sippXml } from './sipp-script.ts';
import type { Check, Step } from './sipp-script.ts';
import { startSipp } from './sipp.ts';
import type { SippRun } from './sipp.ts';

/** A header, or the whole message for an empty name, must match. */
export const has = (header: string, regexp: string): Check => ({ header, regexp });
export const SDP = { sdp: peerSdp() };
/** An offer of ours that the peer's SDP answers in full: without text. */
export const AUDIO_ONLY = writeSdp(createOffer({ ...testMedia, address: '127.0.0.1', textPort: undefined }));
/** The answer to an INVITE, until its ACK. */
export const OK = answer(200, 'OK', { ...SDP, repeat: true });
export const WE_HANG_UP: readonly Step[] = [recv('ACK'), recv('BYE'), ok()];
export const peerHangsUp = (sequence: number): Step[] => [ask('BYE', sequence), response(200)];
export const reliable = (rseq: number): readonly string[] => ['Require: 100rel', `RSeq: ${rseq}`];

/** What the peer does when it is called; we hang up once answered unless `stay` or `act` says otherwise. */
export interface Called {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly request?: Partial<OutgoingCallRequest>;
  readonly handlers?: Partial<OutgoingCallHandlers>;
  readonly agent?: Partial<UserAgentOptions>;
  /** Further ones for sipp. */
  readonly args?: readonly string[];
  readonly stay?: boolean;
  readonly hangUpAfterMs?: number;
  /** What we do once answered, in place of hanging up; awaited before the checks. */
  readonly act?: (watched: WatchedCall) => Promise<void>;
  readonly check?: (watched: WatchedCall) => void;
}

/** What the peer does when it calls; our side accepts at once unless `take` says otherwise. */
export interface Caller {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly agent?: Partial<UserAgentOptions>;
  /** Further ones for sipp. */
  readonly args?: readonly string[];
  readonly take?: (incoming: IncomingCall) => void;
}

/** Answered once, ended once. */
export const answered = (watched: WatchedCall): void => {
  expect([watched.answers.length, watched.ends.length]).toEqual([1, 1]);
};
export const ended =
  (expected: object) =>
  (watched: WatchedCall): void =>
    expect(watched.ends).toMatchObject([expected]);

/** Waits of more than ten seconds pass sixty times as fast: session timers, not retransmissions. */
export const hastyClock: Clock = {
  ...systemClock,
  setTimer: (delayMs, fire, options) => systemClock.setTimer(delayMs > 10_000 ? delayMs / 60 : delayMs, fire, options),
};

/** How a test of several at once says what is to be closed behind it. */
export type Finished = Pick<TestContext, 'onTestFinished'>;

/** A user agent that is closed when the test is over. */
export async function testAgent(
  { onTestFinished }: Finished,
  options: Partial<UserAgentOptions> = {},
): Promise<SipUserAgent> {
  const bind = { address: '127.0.0.1', port: 0 };
  const common = { clock: systemClock, log: silentLog, bind, product: 'waihu-test' };
  const agent = await SipUserAgent.open({ ...common, ...options });
  onTestFinished(() => agent.close('test is over'));
  return agent;
}

/** Starts sipp with the steps; it is stopped when the test is over. */
export async function startSteps(
  { onTestFinished }: Finished,
  name: string,
  steps: readonly Step[],
  args: readonly string[] = [],
  calls = 1,
  /** Undefined: one that is free. */
  port?: number,
): Promise<SippRun> {
  const folder = mkdtempSync(join(tmpdir(), 'sipp-script-'));
  const file = join(folder, 'scenario.xml');
  writeFileSync(file, sippXml(name, steps));
  const run = await startSipp(['-sf', file, '-recv_timeout', '6000', ...args], calls, port);
  onTestFinished(() => {
    run.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return run;
}

/** The verdict on a sipp that could do all its steps. */
export const AS_WRITTEN = 'as written';

/** Waits for sipp to end; what went wrong in its own words, or `AS_WRITTEN`. */
export async function verdictOf(run: SippRun): Promise<string> {
  const { status, output } = await run.done;
  return status === 0 ? AS_WRITTEN : `exit status ${status}: ${output}`;
}

/** Calls a sipp that does the steps, and gives its verdict. */
export async function runCalled(one: Called, test: Finished): Promise<string> {
  const peer = await startSteps(test, one.name, one.steps, one.args);
  const request = { ringTimeoutMs: 10_000, ...one.request };
  const watched = placeWatched(await testAgent(test, one.agent), peer.port, request, one.handlers);
  let acted: Promise<void> | undefined;
  watched.onAnswered = () => {
    if (one.act !== undefined) {
      acted = one.act(watched);
      // Heard below; sipp may well notice first.
      acted.catch(() => undefined);
    } else if (one.stay !== true) systemClock.setTimer(one.hangUpAfterMs ?? 0, () => watched.call.hangup());
  };
  const verdict = await verdictOf(peer);
  if (verdict !== AS_WRITTEN) return verdict;
  await acted;
  (one.check ?? answered)(watched);
  return verdict;
}

/** Has a sipp that does the steps call us, and gives its verdict. */
export async function runCalling(one: Caller, test: Finished): Promise<string> {
  const callee = await testAgent(test, one.agent);
  callee.onIncomingCall = one.take ?? accept;
  const peer = await startSteps(test, one.name, one.steps, [`127.0.0.1:${callee.address.port}`, ...(one.args ?? [])]);
  const verdict = await verdictOf(peer);
  if (verdict === AS_WRITTEN) expect(callee.load.calls).toBe(0);
  return verdict;
}
