import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Script } from '#domain/script.ts';
import { afterOutcome } from '#campaigns/redial.ts';
import { openCallCenter } from '#calls/call-center.ts';
import type { CallCenter } from '#calls/call-center.ts';
import { openBus } from '#platform/bus.ts';
import type { Bus } from '#platform/bus.ts';
import type { Admission } from '#platform/admission.ts';
import { systemClock } from '#platform/clock.ts';
import { completeTrunk, loadConfig } from '#platform/config/config.ts';
import type { Config, TrunkConfig } from '#platform/config/config.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import { silentLog } from '#platform/log.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { followCalls } from '#bin/runtime/connect-calls.ts';
import { openInboundSide } from '#bin/runtime/inbound-side.ts';
import type { InboundSide } from '#bin/runtime/inbound-side.ts';
import { Trunk } from '#calls/trunk.ts';
import { routeOf } from '#bin/runtime/trunk-routes.ts';
import { loud } from './callee.ts';

/** The platform's half of calls that come in, with a database, real SIP and RTP, and speech that is a tone. */
export interface TestInbound {
  readonly port: number;
  readonly sip: SipUserAgent;
  readonly center: CallCenter;
  readonly side: InboundSide;
  readonly bus: Bus;
  readonly recordings: string;
  /** Changed by tests: what admission says. */
  admission: Admission;
  close(): Promise<void>;
}

/** The number that callers call back. */
export const OWN_NUMBER = '+862155550000';

/** Opens one behind a trunk whose peer is 127.0.0.1. */
export async function openTestInbound(o: {
  readonly db: Db;
  readonly rtp: { readonly first: number; readonly last: number };
  readonly inbound?: Partial<Config['inbound']>;
  readonly trunk?: Partial<TrunkConfig>;
  readonly log?: Log;
}): Promise<TestInbound> {
  const { db, log = silentLog } = o;
  const clock = systemClock;
  const config = loadConfig({ env: {}, flags: {} });
  const trunk = completeTrunk({
    name: 'carrier',
    host: '127.0.0.1',
    channels: 3,
    callerNumbers: [OWN_NUMBER],
    ...o.trunk,
  });
  const route = routeOf(trunk);
  const line = new Trunk(route, { clock: systemClock });
  const recordings = mkdtempSync(join(tmpdir(), 'waihu-inbound-'));
  const sip = await SipUserAgent.open({ clock, log, bind: { address: '127.0.0.1', port: 0 }, product: 'waihu-test' });
  const center = await openCallCenter({
    clock,
    log,
    sip,
    trunk: (name) => (name === route.name ? line : undefined),
    workers: 1,
    rtp: { address: '127.0.0.1', ...o.rtp },
    recordingsDirectory: recordings,
    fingerprints: new FingerprintLibrary().toJson(),
    logLevel: 'silent',
    // Long sentences need not be: nobody listens.
    phrase: ({ text }) => Promise.resolve(loud(Math.min(1000, text.length * 100))),
  });
  const bus = openBus(log);
  const test: { admission: Admission } = { admission: { accepts: true } };
  const side = await openInboundSide({
    sip,
    calls: center,
    db,
    bus,
    clock,
    log,
    nodeId: newId<'node'>(),
    trunks: [trunk],
    route: (name) => (name === route.name ? route : undefined),
    settings: { ...config.inbound, ...o.inbound },
    overload: config.overload,
    language: 'zh',
    voice: 'cmn',
    admission: () => test.admission,
    follow: followCalls({ db, bus, clock, log }),
    afterOutcome,
  });
  return Object.assign(test, {
    port: sip.address.port,
    sip,
    center,
    side,
    bus,
    recordings,
    async close() {
      await side.close();
      await center.close('test is over');
      await sip.close('test is over');
      rmSync(recordings, { recursive: true, force: true });
    },
  });
}

/** Publishes a script as it is, without the lint. */
export async function putScript(db: Db, script: Script): Promise<string> {
  const id = newId<'script'>();
  const document = JSON.stringify(script);
  await sql`INSERT INTO scripts (id, key, name, language, draft, published_version)
    VALUES (${id}::uuid, ${script.id}, ${script.name}, ${script.language}, ${document}::jsonb, 1)`.execute(db);
  await sql`INSERT INTO script_versions (script_id, version, document)
    VALUES (${id}::uuid, 1, ${document}::jsonb)`.execute(db);
  return id;
}
