import { parentPort, workerData } from 'node:worker_threads';
import type { AttemptId } from '#domain/ids.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { raiseThreadPriority } from '#platform/priority.ts';
import { compileScript } from '#dialog/compile.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import { next, startDialog } from '#dialog/interpreter.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { loadWebRtcVad } from '#voice/vad/webrtc.ts';
import { loadHoldMusic } from './bridge/hold-music.ts';
import { PhraseSource } from './phrase-source.ts';
import { EarlyMediaShelf } from './early-media.ts';
import { CallSession } from './session.ts';
import type { SessionDeps } from './session.ts';
import { threadOffsetMs } from './thread-clock.ts';
import { fixedRequests } from './warming.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-protocol.ts';

/** The thread's own entry: many calls on one media engine. Started and closed by `WorkerPool`. */
const port = parentPort;
if (port === null) throw new Error('calls/worker.ts runs only as a worker thread');
const settings = workerData as WorkerSettings;
const log = createLog({ level: settings.logLevel, fd: settings.logFd }).child({ worker: settings.index });
const clock = systemClock;
const post = (message: FromWorker): void => port.postMessage(message);

const phrases = new PhraseSource({ clock, ask: (request, phrase) => post({ type: 'phrase', request, phrase }) });
raiseThreadPriority(log);
const engine = await MediaEngine.open({ clock, log, address: settings.address, ports: settings.ports });
let fingerprints = FingerprintLibrary.fromJson(settings.fingerprints);
const deps: SessionDeps = {
  clock,
  log,
  engine,
  phrases,
  get fingerprints() {
    return fingerprints;
  },
  earlyMedia: settings.earlyMedia === undefined ? undefined : new EarlyMediaShelf({ ...settings.earlyMedia, log }),
  voiceActivity: await loadWebRtcVad(),
  holdMusic: await loadHoldMusic(settings.holdMusicFile, log),
  recordingsDirectory: settings.recordingsDirectory,
  threadOffsetMs: threadOffsetMs(clock),
  post,
};
/** Often enough for admission to act on the second that a worker falls behind. */
const LOAD_REPORT_MS = 1000;
const scripts = new Map<string, CompiledScript>();
const sessions = new Map<AttemptId, CallSession>();

port.on('message', (message: ToWorker) => {
  try {
    receive(message);
  } catch (error) {
    // One call's fault must not take the others of this thread with it.
    log.error({ type: message.type, err: error }, 'call worker could not act on a message');
  }
});
warmUp();
post({ type: 'ready' });
const reporting = setInterval(() => post({ type: 'load', load: engine.load() }), LOAD_REPORT_MS);

/** Builds what understanding builds at its first use, about 60 ms, which no call's audio should wait for. */
function warmUp(): void {
  const [script] = sampleScripts();
  if (script === undefined) return;
  const compiled = compileScript(script);
  const contact = { variables: {}, now: clock.now(), timeZone: 'Asia/Shanghai' };
  let { state } = next(startDialog(compiled, contact), { type: 'answered', atMs: 0 });
  for (const { callee } of script.examples.flatMap((example) => example.turns))
    ({ state } = next(state, { type: 'heard', text: callee, atMs: 0 }));
}

function receive(message: ToWorker): void {
  switch (message.type) {
    case 'script':
      takeScript(message);
      return;
    case 'forget-script':
      scripts.delete(message.key);
      return;
    case 'open':
      void open(message);
      return;
    case 'fingerprints':
      fingerprints = FingerprintLibrary.fromJson(message.fingerprints);
      return;
    case 'early':
      sessions.get(message.call)?.early(message.media);
      return;
    case 'answered':
      sessions.get(message.call)?.answered(message.media);
      return;
    case 'renegotiated':
      sessions.get(message.call)?.renegotiated(message.media);
      return;
    case 'dtmf':
      sessions.get(message.call)?.dtmf(message.digit);
      return;
    case 'bridge':
      sessions.get(message.call)?.bridge(message.command);
      return;
    case 'finish':
      void finish(message);
      return;
    case 'phrase':
      phrases.answer(message.request, message.audio);
      return;
    case 'close':
      void close();
  }
}

function takeScript({ key, script, codec }: Extract<ToWorker, { type: 'script' }>): void {
  const compiled = compileScript(script);
  scripts.set(key, compiled);
  phrases.warm(fixedRequests(compiled, codec));
}

async function open(message: Extract<ToWorker, { type: 'open' }>): Promise<void> {
  const { call } = message;
  try {
    const script = scripts.get(message.scriptKey);
    if (script === undefined) throw new Error('the script of the call is not here');
    const session = new CallSession(deps, message, script);
    sessions.set(call, session);
    const ports = await session.open();
    if (sessions.get(call) === session) post({ type: 'opened', call, ...ports });
  } catch (error) {
    sessions.delete(call);
    log.error({ call, err: error }, 'call could not be opened');
    post({ type: 'failed', call, message: error instanceof Error ? error.message : String(error) });
  }
}

async function finish(message: Extract<ToWorker, { type: 'finish' }>): Promise<void> {
  const { call } = message;
  const session = sessions.get(call);
  if (session === undefined) {
    post({ type: 'failed', call, message: 'no such call' });
    return;
  }
  sessions.delete(call);
  try {
    post({ type: 'finished', call, result: await session.finish(message.by, message.detail, message.endedMs) });
  } catch (error) {
    log.error({ call, err: error }, 'call could not be finished');
    post({ type: 'failed', call, message: error instanceof Error ? error.message : String(error) });
  }
}

async function close(): Promise<void> {
  clearInterval(reporting);
  const now = deps.threadOffsetMs + clock.monotonicMs();
  await Promise.allSettled([...sessions.values()].map((session) => session.finish('platform', 'shutdown', now)));
  sessions.clear();
  phrases.close();
  await engine.close();
  post({ type: 'closed' });
  port?.close();
}
