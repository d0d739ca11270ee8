// One call worker of `bench media`: an engine with its legs, each recorded and, if asked for, with voice activity.
import { parentPort, workerData } from 'node:worker_threads';
import { openRecorder, type Recorder } from '#calls/recording.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import { raiseThreadPriority } from '#platform/priority.ts';
import { MediaEngine, type MediaLeg } from '#telephony/rtp/engine.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { loadWebRtcVad } from '#voice/vad/webrtc.ts';
import { srtpKey, type FromMediaWorker, type MediaWorkerData, type ToMediaWorker } from './media-protocol.ts';

const HOST = '127.0.0.1';
const BEGIN_EVERY_MS = 10;

const data = workerData as MediaWorkerData;
const log = createLog({ level: 'warn' });
// As the call workers do.
raiseThreadPriority(log);
const engine = await MediaEngine.open({
  clock: systemClock,
  log,
  address: HOST,
  ports: { first: data.firstPort, last: data.lastPort },
  sockets: data.sockets,
});
const openActivity = data.vad ? await loadWebRtcVad() : undefined;
let voicedFrames = 0;
let keys = 0;
const legs: { readonly leg: MediaLeg; readonly recorder: Recorder; readonly begin: () => void }[] = [];

for (const [index, remotePort] of data.remotePorts.entries()) {
  const recorder = openRecorder({
    directory: data.directory,
    path: `${data.firstPort}-${index}.wav`,
    codec: 'PCMA',
    log,
  });
  const activity = openActivity?.();
  // What is sent is what came last, so both directions carry voice.
  const heard = new Uint8Array(FRAME_SAMPLES);
  const leg = await engine.openLeg({
    onFrame(rx, tx, sent) {
      if (activity?.push(rx.pcm) === true) voicedFrames++;
      if (!sent) tx.set(heard);
      heard.set(rx.payload);
      recorder.push(rx.payload, tx, rx.atMs);
    },
    onSend(tx) {
      tx.set(heard);
      return true;
    },
    onText: () => undefined,
    onDtmf: () => keys++,
  });
  const media: NegotiatedMedia = {
    audio: {
      codec: 'PCMA',
      payloadType: 8,
      // No telephone-event, so that keys are listened for in the audio: the dearer case.
      dtmfPayloadType: undefined,
      ptimeMs: 20,
      remoteAddress: HOST,
      remotePort,
      remoteRtcpPort: remotePort + 1,
      direction: 'sendrecv',
      ...(data.srtp
        ? {
            srtp: {
              send: srtpKey(data.firstCall + index, 'engine'),
              receive: srtpKey(data.firstCall + index, 'generator'),
            },
          }
        : {}),
    },
    text: undefined,
  };
  legs.push({ leg, recorder, begin: () => leg.start(media) });
}

let begun = 0;
function begin(sinceMs: number): void {
  const nowMs = systemClock.monotonicMs() - sinceMs;
  while (begun < legs.length && data.beginsMs[begun]! <= nowMs) legs[begun++]!.begin();
  if (begun < legs.length) setTimeout(begin, BEGIN_EVERY_MS, sinceMs);
}

let droppedBefore = 0;

reply({ type: 'started', ports: legs.map(({ leg }) => leg.audioPort) });
parentPort!.on('message', (message: ToMediaWorker) => {
  if (message.type === 'begin') {
    begin(systemClock.monotonicMs());
  } else if (message.type === 'warm') {
    engine.sendIntervals.clear();
    voicedFrames = keys = 0;
    droppedBefore = engine.load().framesDropped;
  } else {
    void stop();
  }
});

async function stop(): Promise<void> {
  const { framesDropped, tickLatenessP99Ms } = engine.load();
  const stats = legs.map(({ leg }) => leg.stats());
  const intervalCounts = engine.sendIntervals.counts;
  await engine.close();
  let recordedMs = 0;
  for (const { durationMs } of await Promise.all(legs.map(({ recorder }) => recorder.close())))
    recordedMs += durationMs;
  reply({
    type: 'stopped',
    received: sum(stats.map((leg) => leg.packetsReceived)),
    sent: sum(stats.map((leg) => leg.packetsSent)),
    lost: sum(stats.map((leg) => leg.packetsLost)),
    late: sum(stats.map((leg) => leg.packetsLate)),
    jitterMs: sum(stats.map((leg) => leg.jitterMs)) / stats.length,
    voicedFrames,
    keys,
    framesDropped: framesDropped - droppedBefore,
    framesDroppedBefore: droppedBefore,
    tickLatenessP99Ms,
    intervalCounts,
    recordedMs,
  });
  parentPort!.close();
}

function reply(message: FromMediaWorker): void {
  parentPort!.postMessage(message);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
