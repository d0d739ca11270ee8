import { parentPort, workerData } from 'node:worker_threads';
import type { AttemptId } from '#domain/ids.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { compileScript } from '#dialog/compile.ts';
import type { CompiledScript } from '#dialog/compile.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { loadWebRtcVad } from '#voice/vad/webrtc.ts';
import { PhraseSource } from './phrase-source.ts';
import { CallSession } from './session.ts';
import type { SessionDeps } from './session.ts';
import { threadOffsetMs } from './thread-clock.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-protocol.ts';

/** The thread's own entry: many calls on one media engine. Started and closed by `WorkerPool`. */
const port = parentPort;
if (port === null) throw new Error('calls/worker.ts runs only as a worker thread');
const settings = workerData as WorkerSettings;
const log = createLog({ level: settings.logLevel }).child({ worker: settings.index });
const clock = systemClock;
const post = (message: FromWorker): void => port.postMessage(message);

const phrases = new PhraseSource((request, phrase) => post({ type: 'phrase', request, phrase }));
const engine = await MediaEngine.open({ clock, log, address: settings.address, ports: settings.ports });
const deps: SessionDeps = {
  clock,
  log,
  engine,
  phrases,
  fingerprints: FingerprintLibrary.fromJson(settings.fingerprints),
  voiceActivity: await loadWebRtcVad(),
  recordingsDirectory: settings.recordingsDirectory,
  threadOffsetMs: threadOffsetMs(clock),
  post,
};
const scripts = new Map<string, CompiledScript>();
const sessions = new Map<AttemptId, CallSession>();

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'script':
      scripts.set(message.key, compileScript(message.script));
      return;
    case 'open':
      void open(message);
      return;
    case 'early':
      sessions.get(message.call)?.early(message.media);
      return;
    case 'answered':
      sessions.get(message.call)?.answered(message.media);
      return;
    case 'dtmf':
      sessions.get(message.call)?.dtmf(message.digit);
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
});
post({ type: 'ready' });

async function open(message: Extract<ToWorker, { type: 'open' }>): Promise<void> {
  const { call } = message;
  try {
    const script = scripts.get(message.scriptKey);
    if (script === undefined) throw new Error('the script of the call was not sent');
    const session = new CallSession(deps, message, script);
    sessions.set(call, session);
    post({ type: 'opened', call, ...(await session.open()) });
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
  const now = deps.threadOffsetMs + clock.monotonicMs();
  await Promise.all([...sessions.values()].map((session) => session.finish('platform', 'shutdown', now)));
  phrases.close();
  await engine.close();
  post({ type: 'closed' });
  port?.close();
}
