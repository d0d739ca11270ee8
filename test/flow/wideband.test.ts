import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AudioCodec } from '#telephony/sdp/media.ts';
import { openCallee } from '../support/callee.ts';
import { openTestCenter, readRecording, rms, shortScript } from '../support/call-center.ts';
import { expectScored } from '../support/scored.ts';

/** Whole calls over a trunk that prefers a wideband codec, to a callee with several. */
it.each<readonly [AudioCodec, readonly AudioCodec[], readonly AudioCodec[], number]>([
  ['G722', ['G722', 'PCMA'], ['PCMU', 'G722'], 24_600],
  ['opus', ['opus', 'G722', 'PCMA'], ['PCMA', 'G722', 'opus'], 24_800],
])('a call in %s is heard, recorded in A-law and scored', async (codec, offered, known, first) => {
  const callee = await openCallee({ rtp: { first, last: first + 99 }, codecs: known });
  const center = await openTestCenter({
    trunkPort: callee.port,
    rtp: { first: first + 100, last: first + 199 },
    codecs: offered,
  });
  try {
    const finished = await center.call('+8613800000000', {
      script: shortScript({ noReply: { waitMs: 300, reprompts: 0, hangupMs: 300 } }),
    }).done;
    expect(finished).toMatchObject({ outcome: 'answered', media: { codec, packetsLost: 0 } });
    expectScored(finished.media!);
    expect(center.phrases.every((phrase) => phrase.codec === 'PCMA')).toBe(true);
    const recording = readRecording(join(center.recordings, finished.recording!.path));
    expect(recording.codec).toBe('PCMA');
    // What we said is recorded as it was said, and left as such.
    expect(rms(recording.platform, 'PCMA', 0, finished.talkMs)).toBeGreaterThan(1000);
  } finally {
    await center.close();
    await callee.close();
  }
});
