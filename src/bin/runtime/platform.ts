import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import type { Config, TrunkConfig } from '#platform/config/config.ts';
import { openBus } from '#platform/bus.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import { openDatabase } from '#platform/db/database.ts';
import type { OpenDatabase } from '#platform/db/database.ts';
import { startEmbeddedPostgres } from '#platform/db/embedded.ts';
import { ensurePartitions, migrate } from '#platform/db/migrate.ts';
import { LoadMeter } from '#platform/load-meter.ts';
import { openJobs } from '#platform/jobs.ts';
import type { Log } from '#platform/log.ts';
import { openApi } from '#api/server.ts';
import { openCallCenter } from '#calls/call-center.ts';
import type { CallCenter } from '#calls/call-center.ts';
import { deleteUnfinishedRecordings } from '#calls/recording.ts';
import { afterOutcome } from '#campaigns/redial.ts';
import { load } from '#dialog/store.ts';
import { openAttemptStore } from '#dialer/attempt-store.ts';
import { Dialer } from '#dialer/dialer.ts';
import { findNetworkEnds } from '#outcomes/calls.ts';
import { findOutcomes } from '#outcomes/store.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { openAnnouncementDesk } from './announcement-desk.ts';
import { allowDial } from './allow-dial.ts';
import { makeDirectories } from './directories.ts';
import type { Directories } from './directories.ts';
import { connectCalls, followCalls } from './connect-calls.ts';
import { waitForCalls } from './drain.ts';
import type { DrainOptions } from './drain.ts';
import { openInboundSide } from './inbound-side.ts';
import type { InboundSide } from './inbound-side.ts';
import { scheduleHousekeeping } from './housekeeping.ts';
import { openSpeech } from './speech.ts';
import type { Speech } from './speech.ts';
import { openSingleCalls } from './single-call.ts';
import { sipBinds } from './sip-binds.ts';
import { secondCalls } from './second-calls.ts';
import { dialTrunks, linesFor, trunkSummaries } from './trunk-lines.ts';
import { openTrunks } from './trunks.ts';

export interface PlatformOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Configured trunks and those that only this run has, such as the simulator's; a function where they are made meanwhile:
   * it is called once the database is there.
   */
  readonly trunks: readonly TrunkConfig[] | (() => Promise<readonly TrunkConfig[]>);
  readonly consoleDirectory: string | undefined;
  readonly version: string;
  /** The data directory is thrown away afterwards, so the cluster goes too, wherever it lies. */
  readonly throwAway?: boolean;
  /** Running campaigns are dialled, which a command that only asks or writes must not do. */
  readonly dials?: boolean;
  /** Gives the start up: it throws `aborted` as soon as the step under way is done. */
  readonly signal?: AbortSignal;
}

/** Everything of one process, running. */
export interface Platform {
  readonly url: string;
  readonly operatorToken: string;
  readonly directories: Directories;
  readonly database: OpenDatabase;
  readonly bus: Bus;
  readonly speech: Speech;
  readonly calls: CallCenter;
  readonly dialer: Dialer;
  /** Attempts of an earlier process that were settled at the start. */
  readonly recovered: number;
  /** Takes no new calls either way and waits for those that go on; `close` comes after it. */
  drain(options: DrainOptions): Promise<void>;
  /** Ends calls politely, then everything else in the order of dependence. Idempotent. */
  close(reason: string): Promise<void>;
}

/** Carriers play the same few announcements all day. */
const EARLY_MEDIA_PER_DAY = 300;

/** Starts every role in this process; on a fault what was already open is closed again. */
export async function openPlatform(o: PlatformOptions): Promise<Platform> {
  const { config, clock, log } = o;
  await using stack = new AsyncDisposableStack();
  const goOn = (): void => {
    if (o.signal?.aborted === true)
      throw new AppError('aborted', { zh: '启动被中断。', en: 'The start was interrupted.' });
  };
  goOn();
  const embedded = config.databaseUrl === undefined;
  const postgres = embedded ? await startEmbeddedPostgres({ dataDirectory: config.dataDirectory, log }) : undefined;
  if (postgres !== undefined) stack.defer(() => (o.throwAway === true ? postgres.discard() : postgres.close()));
  goOn();
  const url = config.databaseUrl ?? postgres!.url;
  const directories = makeDirectories(config);
  const database = stack.adopt(await openDatabase(url), (open) => open.close());
  await migrate(database.pool, log);
  await ensurePartitions(database.pool, clock.now());
  const bus = openBus(log);
  if (embedded) await deleteUnfinishedRecordings(directories.recordings);

  goOn();
  const trunkConfigs = typeof o.trunks === 'function' ? await o.trunks() : o.trunks;
  goOn();
  const speech = openSpeech({ log, cacheDirectory: directories.voice, promptsDirectory: directories.prompts });
  stack.defer(() => speech.close());
  const announcements = await openAnnouncementDesk({
    directory: directories.announcements,
    earlyMediaDirectory: directories.earlyMedia,
    clock,
    log,
    teach: (fingerprints) => calls.teach(fingerprints),
    findCalls: (ids) => findNetworkEnds(database.db, ids),
  });
  stack.defer(() => announcements.close());
  const sip = await SipUserAgent.open({
    clock,
    log,
    bind: sipBinds(config.sip, trunkConfigs),
    product: `Waihu/${o.version}`,
    // docs/decisions/0010
    replaces: false,
  });
  stack.defer(() => sip.close('shutdown'));
  const trunks = openTrunks({ trunks: trunkConfigs, sip, clock, log });
  stack.defer(() => trunks.close());
  const lines = dialTrunks(trunkConfigs, trunks);
  const calls = await openCallCenter({
    clock,
    log,
    sip,
    trunk: (name) => trunks.find(name),
    takeLine: secondCalls({
      db: database.db,
      clock,
      log,
      random: Math.random,
      lines: () => dialer.lines,
      trunks,
    }),
    failOver: (attempt, tried) => dialer.failOver(attempt, tried),
    transferTargets: config.transfer.targets,
    workers: config.rtp.workers === 0 ? Math.max(1, availableParallelism() - 1) : config.rtp.workers,
    rtp: { address: config.rtp.host, first: config.rtp.firstPort, last: config.rtp.lastPort },
    recordingsDirectory: directories.recordings,
    holdMusicFile: join(directories.data, 'hold-music.wav'),
    fingerprints: announcements.fingerprints,
    earlyMedia:
      config.retention.earlyMediaDays === 0
        ? undefined
        : { directory: directories.earlyMedia, perDay: EARLY_MEDIA_PER_DAY },
    logLevel: config.log.level,
    phrase: (request) => speech.phrase(request),
  });
  stack.defer(() => calls.close('shutdown'));

  goOn();
  const nodeId = newId<'node'>(clock.now());
  const follow = followCalls({ db: database.db, bus, clock, log });
  const placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome> = connectCalls(follow, calls);
  const meter = new LoadMeter({
    clock,
    log,
    settings: config.overload,
    calls: () => ({ calls: sip.load.calls, capacity: calls.capacity }),
    workers: () => calls.workerLoads,
  });
  stack.defer(() => meter.close());
  const admits = () => meter.admission.accepts;
  const single = openSingleCalls({
    db: database.db,
    clock,
    log,
    nodeId,
    placeCall,
    admits,
    linesFor: (named, phone) => linesFor(lines, named, phone),
    takeSlot: (trunk, withinMs) => dialer.takeSlot(trunk, withinMs),
  });
  stack.defer(() => single.close());
  const dialer = new Dialer({
    store: openAttemptStore({
      db: database.db,
      log,
      nodeId,
      allow: allowDial,
      afterOutcome,
      loadScript: (id, version) => load(database.db, id, version),
    }),
    clock,
    log,
    bus,
    trunks: lines,
    room: () => meter.room,
    placeCall,
    findOutcomes: (ids) => findOutcomes(database.db, ids),
  });
  stack.defer(() => dialer.close());
  const jobs = stack.adopt(await openJobs(url, log), (open) => open.close());
  await scheduleHousekeeping({ jobs, pool: database.pool, clock, log, retention: config.retention, directories });

  let inbound: InboundSide | undefined;
  const operatorToken = randomBytes(32).toString('base64url');
  const api = await openApi(
    {
      db: database.db,
      pool: database.pool,
      bus,
      clock,
      log,
      language: config.language,
      get trunks() {
        return trunkSummaries(trunkConfigs, trunks);
      },
      recordingsDirectory: directories.recordings,
      importsDirectory: directories.imports,
      consoleDirectory: o.consoleDirectory,
      operatorToken,
      node: () => ({
        admission: meter.admission,
        load: meter.load,
        ...(inbound?.counts ?? { refused: {}, strangers: 0, notOurs: 0 }),
      }),
      announcements,
      placeSingleCall: (call) => single.place(call),
      callControl: (id) => calls.control(id as AttemptId),
      operatorHangUp: (id) => calls.operatorHangUp(id as AttemptId),
    },
    config.http,
  );
  stack.defer(() => api.close());
  goOn();
  const { recovered } = o.dials === false ? { recovered: 0 } : await dialer.start({ exclusive: embedded });

  // After the first beat of this node: until then other nodes would take its open attempts for orphans.
  if (o.dials !== false) {
    const side = await openInboundSide({
      sip,
      calls,
      db: database.db,
      bus,
      clock,
      log,
      nodeId,
      trunks: trunkConfigs,
      route: (name) => trunks.find(name)?.route,
      settings: config.inbound,
      overload: config.overload,
      language: config.language,
      voice: config.voice.name,
      admission: () => meter.admission,
      follow,
      afterOutcome,
    });
    stack.defer(() => side.close());
    inbound = side;
  }

  const owned = stack.move();
  let closing: Promise<void> | undefined;
  return {
    url: api.url,
    operatorToken,
    directories,
    database,
    bus,
    speech,
    calls,
    dialer,
    recovered,
    async drain(options) {
      log.info({ limitMs: options.limitMs }, 'draining');
      meter.drain();
      single.drain();
      // What it waits for is counted below, and its calls end with it.
      void dialer.drain().catch((error: unknown) => log.error({ err: error }, 'the dialer could not drain'));
      const left = () => dialer.liveCalls + single.live + (inbound?.live ?? 0);
      const end = await waitForCalls(clock, left, options);
      log.info({ end, calls: left() }, 'drained');
    },
    close(reason) {
      log.info({ reason }, 'closing');
      return (closing ??= owned.disposeAsync());
    },
  };
}
