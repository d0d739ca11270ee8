import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PhraseRequest } from '#calls/worker-protocol.ts';
import { openTestCenter, readRecording, shortScript, tonePhrase } from '../support/call-center.ts';
import { freePort } from '../support/free-port.ts';
import { hasSipp, scenario, startSipp } from '../support/sipp.ts';

/** 20 ms a character: the peer repeats all that is said. */
const shortPhrase = async (request: PhraseRequest): Promise<Uint8Array> =>
  (await tonePhrase(request)).subarray(0, request.text.length * 160);

/** A whole call of the call centre, with its media, to SIPp; without sipp (Debian: sip-tester) it is skipped. */
it.skipIf(!hasSipp)('hears its own voice from a SIPp that sends it back', async () => {
  const mediaPort = await freePort();
  const peer = await startSipp(['-sf', scenario('callee-echo'), '-rtp_echo', '-mp', String(mediaPort)], 1);
  const center = await openTestCenter({
    trunkPort: peer.port,
    rtp: { first: 26_000, last: 26_099 },
    phrase: shortPhrase,
  });
  try {
    const { done, observer } = center.call('+8613800000000', { script: shortScript({ maxSeconds: 3 }) });
    const finished = await done;
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(observer.states).toEqual(['dialing', 'ringing', 'talking']);
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      dialog: { endReason: 'time-limit' },
      media: { codec: 'PCMA', packetsLost: 0 },
    });
    // Sent and come back, but for what was on its way at the end.
    const { packetsSent, packetsReceived } = finished.media!;
    expect(packetsSent - packetsReceived).toBeLessThanOrEqual(3);
    expect(packetsSent * 20).toBeGreaterThan(finished.talkMs - 200);
    const { callee, platform } = readRecording(join(center.recordings, finished.recording!.path));
    const words = Buffer.from(platform.subarray(platform.findIndex((octet) => octet !== 0xd5))).subarray(0, 800);
    expect(Buffer.from(callee).includes(words)).toBe(true);
  } finally {
    peer.stop();
    await center.close();
  }
});
