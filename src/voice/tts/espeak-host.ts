/**
 * Entry point of the process that runs espeak-ng (GPL-3.0), apart from the platform. It speaks only the messages of
 * `espeak-protocol.ts` over its IPC channel and ends when that channel does, however its parent ended.
 */
import loadEspeak from '@echogarden/espeak-ng-emscripten';
import { LINE_RATE_HZ } from '../g711.ts';
import { resample } from '../resample.ts';
import type { EspeakReply, EspeakRequest } from './espeak-protocol.ts';
import { levelSpeech } from './loudness.ts';

process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C and a service manager's stop reach every process at once: the parent decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
if (process.send === undefined) process.exit(1);

const engine = await loadEspeak();
const worker = new engine.eSpeakNGWorker();
const engineRateHz = worker.get_samplerate();

function speak({ text, voice }: EspeakRequest): Int16Array {
  if (worker.set_voice(voice.identifier) !== 0) throw new Error('espeak-ng does not know this voice');
  worker.set_rate(voice.rate);
  worker.set_pitch(voice.pitch);
  worker.set_range(voice.range);
  const chunks: Int16Array[] = [];
  worker.synthesize(text, (audio) => {
    if (audio !== null) chunks.push(audio);
    return false;
  });
  const samples = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let position = 0;
  for (const chunk of chunks) {
    samples.set(chunk, position);
    position += chunk.length;
  }
  return levelSpeech(resample(samples, engineRateHz, LINE_RATE_HZ));
}

function reply(message: EspeakReply): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (request: EspeakRequest) => {
  try {
    reply({ type: 'speech', id: request.id, pcm: speak(request) });
  } catch (cause) {
    reply({ type: 'failed', id: request.id, detail: cause instanceof Error ? cause.message : 'failed' });
  }
});
reply({ type: 'ready' });
