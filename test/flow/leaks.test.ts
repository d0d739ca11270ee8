import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openSoakCallees } from '../../bench/soak-callees.ts';
import { SoakLoad } from '../../bench/soak-load.ts';
import { soakScript } from '../../bench/soak-script.ts';
import { countRecordings, takeStock } from '../../bench/soak-watch.ts';
import { silentLog } from '#platform/log.ts';
import { openTestCenter } from '../support/call-center.ts';

const CALLS = 30;
const LONGEST_TALK_MS = 3_000;
/** Long enough that most of the first calls have ended in their own ways and others have taken their places. */
const RUN_MS = 5_000;

/** The short version of `npm run bench soak`. */
describe('calls that end in every way', () => {
  it('leave no socket, port, file, timer, dialog or recording behind', async () => {
    const base = takeStock();
    const callees = await openSoakCallees({
      seed: 7,
      log: silentLog,
      firstPort: 27_000,
      longestMs: LONGEST_TALK_MS,
    });
    const center = await openTestCenter({ trunkPort: callees.port, workers: 2, rtp: { first: 27_100, last: 27_899 } });
    const idle = takeStock();
    const load = new SoakLoad({
      center: center.center,
      script: soakScript(30),
      recordings: center.recordings,
      trunk: 'test',
      calls: CALLS,
      seed: 7,
    });
    await sleep(RUN_MS);
    await load.stop();

    const { tally } = load;
    expect(tally).toMatchObject({ failed: 0, finished: tally.placed });
    expect(tally.recorded).toBe(tally.answered);
    expect(tally.answered).toBeGreaterThan(CALLS / 2);
    expect(Object.keys(tally.ends).length).toBeGreaterThan(3);
    expect(tally.packetsReceived).toBeGreaterThan(1_000);
    expect(center.center.liveCalls).toBe(0);
    expect(countRecordings(center.recordings)).toEqual({ files: 0, parts: 0 });
    // A BYE to a callee that vanished goes on; workers close their ports behind the end that they report.
    await expect.poll(() => takeStock().sockets, { timeout: 2_000 }).toBe(idle.sockets);

    await center.close();
    await callees.close();
    const { otherResources: _, ...held } = base;
    await expect.poll(takeStock, { timeout: 2_000 }).toMatchObject(held);
    expect(center.sip.load).toEqual({ calls: 0, transactions: 0 });
  }, 30_000);
});
