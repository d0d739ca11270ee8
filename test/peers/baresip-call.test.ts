import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baresipInstalled, startBaresip } from '../support/baresip.ts';
import { openTestCenter, readRecording, rms, shortScript, type TestCenter } from '../support/call-center.ts';

/** Whole calls of the call centre, with their media, to baresip; without it they are skipped. */
describe.skipIf(!baresipInstalled)('a call to baresip', () => {
  let peer: Awaited<ReturnType<typeof startBaresip>>;
  let center: TestCenter;
  beforeEach(async () => {
    peer = await startBaresip({ user: '8613800000000' });
    center = await openTestCenter({ trunkPort: peer.port, rtp: { first: 26_100, last: 26_199 } });
  });
  afterEach(async () => {
    await center.close();
    await peer.stop();
  });

  it('has media both ways and ends by us, and baresip agrees', async () => {
    const { done } = center.call('+8613800000000', { script: shortScript({ maxSeconds: 3 }) });
    await peer.says('Call established');
    const finished = await done;
    await peer.says('session closed');
    expect(finished).toMatchObject({ outcome: 'answered', hangupBy: 'platform', dialog: { endReason: 'time-limit' } });
    const { packetsSent, packetsReceived, packetsLost } = finished.media!;
    expect(packetsLost).toBe(0);
    expect(Math.abs(packetsSent * 20 - finished.talkMs)).toBeLessThan(300);
    expect(Math.abs(packetsReceived * 20 - finished.talkMs)).toBeLessThan(1000);
    // Its tone is in our recording.
    const { callee, codec } = readRecording(join(center.recordings, finished.recording!.path));
    expect(rms(callee, codec, 1000, 2000)).toBeGreaterThan(400);
    await peer.says('terminated (duration:');
    const durationS = Number(/terminated \(duration: (\d+) sec/.exec(peer.printed())?.[1]);
    expect(Math.abs(durationS * 1000 - finished.talkMs)).toBeLessThanOrEqual(1000);
  });

  it('hears the keys pressed there and that baresip hangs up', async () => {
    const short = shortScript();
    const ask = { ...short.nodes[0]!, branches: [{ meaning: 'negative', match: { exact: ['5'] }, next: 'no' }] };
    const script = { ...short, id: 'keys', nodes: [ask, ...short.nodes.slice(1)] };
    const { observer, done } = center.call('+8613800000000', { script });
    await observer.until(() => observer.said.length > 0);
    peer.command('sndcode', '5');
    await observer.until(() => observer.said.some(({ text }) => text === '抱歉。'));
    peer.command('hangup');
    const finished = await done;
    expect(finished).toMatchObject({ outcome: 'answered', hangupBy: 'callee' });
    expect(finished.timeline.filter(({ type }) => type === 'dtmf')).toMatchObject([{ digit: '5' }]);
  });
});
