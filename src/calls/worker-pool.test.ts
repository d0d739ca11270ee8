import { afterEach, describe, expect, it } from 'vitest';
import type { AttemptId } from '#domain/ids.ts';
import { silentLog } from '#platform/log.ts';
import { WorkerPool, type CallMessage } from './worker-pool.ts';
import type { PhraseRequest, ToWorker } from './worker-protocol.ts';

/**
 * A worker that says who it is and what it was told: `dtmf` X kills the thread, P asks for a phrase, everything else is
 * repeated.
 */
const PROGRAM = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads';
    const said = (call, text) => parentPort.postMessage({ type: 'said', call, speaker: 'platform', text });
    parentPort.on('message', (message) => {
      if (message.type === 'close') parentPort.close();
      else if (message.type === 'phrase') said('1', 'phrase ' + message.request + ' ' + (message.audio?.length ?? 'none'));
      else if (message.digit === 'X') process.exit(1);
      else if (message.digit === 'P') parentPort.postMessage({ type: 'phrase', request: 7, phrase: { text: message.digit } });
      else said(message.call ?? '1', workerData.index + ' ' + workerData.ports.first + '-' + workerData.ports.last + ' ' + message.type + (message.key ?? ''));
    });
    parentPort.postMessage({ type: 'ready' });
  `)}`,
);

const pools: WorkerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function open(
  workers: number,
  phrase: (request: PhraseRequest) => Promise<Uint8Array | undefined> = () => Promise.resolve(undefined),
  program = PROGRAM,
): Promise<WorkerPool> {
  const pool = new WorkerPool({
    log: silentLog,
    workers,
    ports: { first: 30_000, last: 30_099 },
    settings: {
      address: '127.0.0.1',
      recordingsDirectory: '/nowhere',
      fingerprints: [],
      earlyMedia: undefined,
      holdMusicFile: undefined,
      logLevel: 'silent',
    },
    phrase,
    program,
  });
  pools.push(pool);
  await pool.ready();
  return pool;
}

/** A call's seat and everything it heard. */
function sit(pool: WorkerPool, id: string) {
  const heard: string[] = [];
  let wake = (): void => undefined;
  const tell = (text: string): void => {
    heard.push(text);
    wake();
  };
  const call = id as AttemptId;
  const seat = pool.seat(call, {
    onMessage: (message: CallMessage) => tell(message.type === 'said' ? message.text : message.type),
    onLost: () => tell('lost'),
  });
  return {
    heard,
    seat,
    press: (digit: string) => seat.post({ type: 'dtmf', call, digit } satisfies ToWorker),
    async until(count: number): Promise<void> {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe('WorkerPool', () => {
  it('gives each worker its own ports and each call the worker with the fewest', async () => {
    const pool = await open(2);
    const calls = ['1', '2', '3'].map((id) => sit(pool, id));
    for (const call of calls) call.press('1');
    await Promise.all(calls.map((call) => call.until(1)));
    expect(calls.map(({ heard }) => heard[0])).toEqual([
      '0 30000-30047 dtmf',
      '1 30048-30095 dtmf',
      '0 30000-30047 dtmf',
    ]);
    calls[0]!.seat.leave();
    calls[2]!.seat.leave();
    const next = sit(pool, '4');
    next.press('1');
    await next.until(1);
    expect(next.heard[0]).toMatch(/^0 /);
    expect(pool.calls).toBe(2);
  });

  it('tells the calls of a dead worker, leaves the others alone and replaces it', async () => {
    const pool = await open(2);
    const [lost, kept] = [sit(pool, '1'), sit(pool, '2')];
    lost.press('X');
    await lost.until(1);
    expect(lost.heard).toEqual(['lost']);
    kept.press('1');
    // While one is dead all new calls go to the living.
    const during = sit(pool, '3');
    during.press('1');
    await Promise.all([kept.until(1), during.until(1)]);
    expect([kept.heard[0], during.heard[0]]).toEqual(['1 30048-30095 dtmf', '1 30048-30095 dtmf']);
    await expect
      .poll(
        () => {
          const probe = sit(pool, 'probe');
          probe.press('1');
          return probe.until(1).then(() => {
            probe.seat.leave();
            return probe.heard[0];
          });
        },
        { timeout: 15_000 },
      )
      .toBe('0 30000-30047 dtmf');
  });

  it('refuses calls while no worker runs', async () => {
    const pool = await open(1);
    const lost = sit(pool, '1');
    lost.press('X');
    await lost.until(1);
    expect(() => sit(pool, '2')).toThrow(expect.objectContaining({ code: 'unavailable', retryable: true }));
  });

  it('closes while a worker is dead, and then for good', async () => {
    const pool = await open(1);
    const lost = sit(pool, '1');
    lost.press('X');
    await lost.until(1);
    await pool.close();
    expect(() => sit(pool, '2')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  it('loses the calls that are still there when it closes', async () => {
    const pool = await open(1);
    const call = sit(pool, '1');
    await pool.close();
    expect(call.heard).toEqual(['lost']);
  });

  it('rejects when a worker cannot start', async () => {
    await expect(open(1, undefined, new URL('data:text/javascript,process.exit(1)'))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('answers a phrase, and a phrase that fails', async () => {
    const pool = await open(1, () => Promise.resolve(new Uint8Array(3)));
    const call = sit(pool, '1');
    call.press('P');
    await call.until(1);
    const failing = await open(1, () => Promise.reject(new Error('no voice')));
    const other = sit(failing, '1');
    other.press('P');
    await other.until(1);
    expect([call.heard, other.heard]).toEqual([['phrase 7 3'], ['phrase 7 none']]);
  });

  it('sends a script once a worker, and lets the oldest of a hundred go', async () => {
    const pool = await open(1);
    const call = sit(pool, '1');
    const script = {} as never;
    for (let index = 0; index <= 100; index++) {
      expect(call.seat.knows(`s${index}`)).toBe(false);
      call.seat.post({ type: 'script', key: `s${index}`, script, codec: 'PCMA' });
    }
    await call.until(102);
    expect(call.heard.at(-2)).toBe('0 30000-30099 forget-scripts0');
    expect([call.seat.knows('s0'), call.seat.knows('s1'), call.seat.knows('s100')]).toEqual([false, true, true]);
  });
});
