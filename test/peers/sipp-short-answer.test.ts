import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PhraseRequest } from '#calls/worker-protocol.ts';
import { openTestCenter, shortScript, tonePhrase, type TestCenter } from '../support/call-center.ts';
import { openLogLines, type LogLine } from '../support/log-lines.ts';
import { AS_WRITTEN, SDP, startSteps, verdictOf, WE_HANG_UP, type Finished } from '../support/sipp-cases.ts';
import { answer, invited, peerSdp, type Step } from '../support/sipp-script.ts';
import { freePort } from '../support/free-port.ts';
import { hasSipp } from '../support/sipp.ts';

/** A PBX that knows audio alone: its answer has one m-line where our offer has two. Without SIPp these are skipped. */
describe.skipIf(!hasSipp)('SIPp that answers with fewer m-lines than we offer', () => {
  let port: number;
  let lines: LogLine[];
  let center: TestCenter;

  beforeAll(async () => {
    port = await freePort();
    const opened = openLogLines('info');
    lines = opened.lines;
    // 20 ms a character.
    const phrase = async (request: PhraseRequest) => (await tonePhrase(request)).subarray(0, request.text.length * 160);
    center = await openTestCenter({ trunkPort: port, log: opened.log, rtp: { first: 27_740, last: 27_755 }, phrase });
  });
  afterAll(() => center.close());

  /** One call to a SIPp that answers so; it hangs nobody up. */
  async function call(test: Finished, name: string, sdp: string) {
    const steps: readonly Step[] = [invited(), answer(200, 'OK', { sdp, repeat: true }), ...WE_HANG_UP];
    const peer = await startSteps(test, name, steps, [], 1, port);
    const script = shortScript({ maxSeconds: 1, noReply: { waitMs: 200, reprompts: 0, hangupMs: 200 } });
    const finished = await center.call('+8613800000000', { script }).done;
    expect(await verdictOf(peer)).toBe(AS_WRITTEN);
    return finished;
  }

  it('is talked with, and the log says once why nothing can be typed there', async (test) => {
    for (const name of ['audio-alone', 'audio-alone-again'])
      expect(await call(test, name, SDP.sdp)).toMatchObject({ outcome: 'answered', media: { codec: 'PCMA' } });
    expect(lines.filter(({ msg }) => msg.includes('leaves out media'))).toMatchObject([{ level: 30, trunk: 'test' }]);
  });

  it('is refused where its lines stand in another order', async (test) => {
    const sdp = peerSdp().replace('m=audio', 'm=text 0 RTP/AVP 98\nm=audio');
    expect(await call(test, 'other-order', sdp)).toMatchObject({ outcome: 'media-refused', hangupBy: 'platform' });
    const alone = peerSdp().replace(/m=audio.*/, 'm=text 6000 RTP/AVP 98');
    expect(await call(test, 'text-alone', alone)).toMatchObject({ outcome: 'media-refused', hangupBy: 'platform' });
  });
});
