// The platform's side of `bench soak`, in a process of its own: what it holds is what is measured.
import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { openCallCenter } from '#calls/call-center.ts';
import { plainRoute } from '#calls/trunk-route.ts';
import { Trunk } from '#calls/trunk.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { VANISHED_MS } from './soak-fates.ts';
import { SoakLoad } from './soak-load.ts';
import { tonePhrase } from './soak-phrase.ts';
import type { SoakEnd, SoakSample, SoakSettings } from './soak-protocol.ts';
import { soakScript } from './soak-script.ts';
import { countRecordings, takeStock } from './soak-watch.ts';

const HOST = '127.0.0.1';
/** The last BYE is that of a callee who vanished as the calls ended; its transaction lingers 64·T1 = 32 s. */
const LINGER_MS = VANISHED_MS + 35_000;

const settings = JSON.parse(process.argv[2] ?? '') as SoakSettings;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const workers: Worker[] = [];
const exits: number[] = [];
subscribe('worker_threads', (message) => {
  const { worker } = message as { readonly worker: Worker };
  workers.push(worker);
  worker.once('exit', (code) => exits.push(code));
});
const log = createLog({ level: 'error' });
const recordings = mkdtempSync(join(tmpdir(), 'waihu-soak-'));
let phrases = 0;

const sip = await SipUserAgent.open({ clock: systemClock, log, bind: { address: HOST, port: 0 }, product: 'waihu' });
const route = plainRoute('soak', { host: HOST, port: settings.port }, { codecs: ['PCMA', 'PCMU'] });
const trunk = new Trunk(route, { clock: systemClock });
const center = await openCallCenter({
  clock: systemClock,
  log,
  sip,
  trunk: () => trunk,
  workers: settings.workers,
  rtp: { address: HOST, ...settings.rtp },
  recordingsDirectory: recordings,
  fingerprints: new FingerprintLibrary().toJson(),
  logLevel: 'error',
  phrase: async (request) => {
    phrases++;
    try {
      return await tonePhrase(request);
    } finally {
      phrases--;
    }
  },
});
const startMs = performance.now();
const base = await sample();
const load = new SoakLoad({
  center,
  script: soakScript(Math.ceil(settings.longestMs / 1000) + 30),
  recordings,
  trunk: 'soak',
  calls: settings.calls,
  seed: settings.seed,
});

/** What this process holds now, garbage collected on this thread. */
async function sample(): Promise<SoakSample> {
  collectGarbage();
  const heaps = await Promise.all(workers.map((worker) => worker.getHeapStatistics()));
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    atMs: performance.now() - startMs,
    ...takeStock(),
    ...sip.load,
    liveCalls: center.liveCalls,
    phrases,
    ...countRecordings(recordings),
    residentBytes: rss,
    mainBytes: heapUsed + arrayBuffers,
    workerBytes: heaps.map((heap) => heap.used_heap_size + heap.external_memory),
  };
}

async function tell(): Promise<SoakSample> {
  const taken = await sample();
  process.send!({ type: 'sample', sample: taken, tally: load.tally });
  return taken;
}

const endMs = startMs + settings.seconds * 1000;
while (performance.now() < endMs) {
  await sleep(Math.min(settings.sampleMs, Math.max(1, endMs - performance.now())));
  await tell();
}
await load.stop();
await sleep(LINGER_MS);
const after = await tell();
const cpu = process.cpuUsage();
await center.close('soak is over');
await sip.close('soak is over');
const parts = countRecordings(recordings);
rmSync(recordings, { recursive: true, force: true });
process.send!({
  type: 'end',
  base,
  after,
  tally: load.tally,
  workerExits: exits,
  filesLeft: parts.files,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
} satisfies { readonly type: 'end' } & SoakEnd);
process.disconnect();
