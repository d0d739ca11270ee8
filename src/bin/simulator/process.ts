import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExampleConversation } from '#domain/script.ts';
import { systemClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { storageFault } from '#platform/db/data-directory.ts';
import { createLog } from '#platform/log.ts';
import { raiseThreadPriority } from '#platform/priority.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { ANNOUNCEMENTS } from '#simulator/announcements.ts';
import { openCarrier } from '#simulator/carrier.ts';
import { NETWORK_VOICE } from '#simulator/sound-bank.ts';
import { wavOf } from '#voice/wav-file.ts';
import { openSpeech } from '../runtime/speech.ts';
import type { FromSimulator, SimulatorSettings } from './protocol.ts';

/**
 * The simulated carrier as a process of its own, as a real one would be: it shares nothing with the platform but SIP
 * and RTP. Started by `startSimulator`; ends with the channel to its parent, so also when that is killed.
 */
const settings = JSON.parse(process.argv[2] ?? '{}') as SimulatorSettings;
const log = createLog({ level: settings.logLevel });
const tell = (message: FromSimulator): void => {
  if (process.connected) process.send?.(message);
};

/** Ends what is open; more is put before it as it opens. */
let close = async (): Promise<void> => undefined;
let stopping: Promise<void> | undefined;
const stop = (): Promise<void> => (stopping ??= close().finally(() => process.exit(0)));
process.once('disconnect', () => void stop());
process.on('message', (message) => {
  if (message === 'stop') void stop();
});
// The parent decides when to end; a terminal's Ctrl-C and a service manager's stop reach every process at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

try {
  await run();
} catch (error) {
  if (stopping === undefined) {
    const fault = error instanceof AppError ? error : storageFault(error, dirname(settings.logFile ?? '.'));
    if (fault === undefined) log.error({ err: error }, 'simulator could not start');
    tell({
      type: 'failed',
      text: fault?.text ?? {
        zh: '模拟运营商启动失败，原因见上面的日志。',
        en: 'The simulated carrier did not start; the log above says why.',
      },
    });
  }
  await stop();
}

async function run(): Promise<void> {
  const speech = openSpeech({
    log,
    cacheDirectory: settings.voiceDirectory,
    promptsDirectory: settings.voiceDirectory,
  });
  close = () => speech.close();
  const examples = examplesOf(settings.scriptKey);
  if (settings.logFile !== undefined) await mkdir(dirname(settings.logFile), { recursive: true });
  const carrier = await openCarrier({
    clock: systemClock,
    log,
    bind: settings.bind,
    rtp: settings.rtp,
    seed: settings.seed,
    pace: settings.pace,
    ...(settings.callBackMs === undefined ? {} : { callBackMs: settings.callBackMs }),
    ...(settings.logFile === undefined ? {} : { logFile: settings.logFile }),
    synthesize: (text, options) => speech.synthesize(text, options),
    conversationsFor: () => examples,
  });
  close = async () => {
    await carrier.close();
    await speech.close();
  };
  if (settings.announcementsDirectory !== undefined) {
    await mkdir(settings.announcementsDirectory, { recursive: true });
    for (const [outcome, text] of Object.entries(ANNOUNCEMENTS)) {
      for (const language of ['zh', 'en'] as const) {
        const pcm = await speech.synthesize(text[language], { voice: NETWORK_VOICE, language });
        await writeFile(join(settings.announcementsDirectory, `${outcome}.simulator-${language}.wav`), wavOf(pcm));
      }
    }
  }
  const lines = [...new Set(examples.flatMap((example) => example.turns.map((turn) => turn.callee)))].filter(
    (line) => line !== '',
  );
  await carrier.warm({ lines, onProgress: (done, total) => tell({ type: 'warming', done, total }) });
  // After the speech engine has been started, which need not be before others.
  raiseThreadPriority(log);
  tell({ type: 'ready', address: carrier.address });
}

function examplesOf(key: string): readonly ExampleConversation[] {
  return sampleScripts().find((script) => script.id === key)?.examples ?? [];
}
