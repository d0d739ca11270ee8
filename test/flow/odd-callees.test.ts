import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { openCallee, loud, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, readRecording, shortScript, type TestCenter } from '../support/call-center.ts';

const PHONE = '+8613800000000';

/** Callees that do what real ones do at times: every call ends in a named outcome. */
describe('odd callees', () => {
  let callee: TestCallee;
  let mute: TestCallee;
  let center: TestCenter;
  let muteCenter: TestCenter;
  beforeAll(async () => {
    callee = await openCallee({ rtp: { first: 23_000, last: 23_199 } });
    mute = await openCallee({ rtp: { first: 23_200, last: 23_299 }, mute: true });
    center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 23_300, last: 23_499 } });
    muteCenter = await openTestCenter({ trunkPort: mute.port, rtp: { first: 23_500, last: 23_599 } });
  });
  afterAll(async () => {
    await Promise.all([center.close(), muteCenter.close()]);
    await Promise.all([callee.close(), mute.close()]);
  });
  afterEach(() => {
    callee.onCall = (_, answer) => answer();
  });

  /** Calls, answers, and hands over both ends once the platform speaks. */
  async function talk(options: Parameters<TestCenter['call']>[1] = {}) {
    const taken = Promise.withResolvers<CalleeCall>();
    callee.onCall = (call, answer) => {
      taken.resolve(call);
      answer();
    };
    const placed = center.call(PHONE, options);
    const call = await taken.promise;
    await placed.observer.until(() => placed.observer.said.length > 0);
    return { call, ...placed };
  }

  it('records the very octets of the wire, both ways', async () => {
    const { call, done } = await talk();
    // Every octet value but the loudest, so that a conversion on the way would show.
    const speech = Uint8Array.from({ length: 4800 }, (_, index) => (index * 37 + (index >> 5)) % 256);
    call.say('好的', speech);
    const finished = await done;
    const { callee: left, platform } = readRecording(join(center.recordings, finished.recording!.path));
    expect(Buffer.from(left).includes(Buffer.from(speech))).toBe(true);
    // What the callee received, from the greeting on; the jitter buffer shifts it by whole frames.
    const received = Buffer.from(call.received);
    const spoken = platform.subarray(platform.findIndex((octet) => octet !== 0xd5));
    expect(received.includes(Buffer.from(spoken.subarray(0, 5600)))).toBe(true);
    expect(finished).toMatchObject({ outcome: 'answered', media: { codec: 'PCMA', packetsLost: 0 } });
    // Said while the greeting played and answered after it: nobody waited, so there is no reply latency.
    expect(finished.turns.at(-1)).toMatchObject({ speaker: 'platform', latency: undefined });
  });

  it('ends the silence of a callee whose media never arrive', async () => {
    const { done } = muteCenter.call(PHONE);
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      dialog: { endReason: 'silence' },
      media: { packetsReceived: 0 },
    });
    expect(finished.media!.packetsSent).toBeGreaterThan(100);
  });

  it('reprompts a voice of which nothing is understood', async () => {
    const { call, done } = await talk();
    call.speech = loud(2000);
    const finished = await done;
    expect(finished).toMatchObject({ outcome: 'answered', dialog: { endReason: 'silence' } });
    expect(finished.turns.filter(({ speaker }) => speaker === 'callee')).toEqual([]);
  });

  it('writes down the end of a greeting that the callee cut off by hanging up', async () => {
    const { call, done } = await talk();
    await new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (call.received.filter((octet) => octet !== 0xd5).length < 3200) return;
        clearInterval(poll);
        resolve();
      }, 10);
    });
    call.incoming.hangup();
    const finished = await done;
    expect(finished).toMatchObject({
      outcome: 'answered',
      hangupBy: 'callee',
      dialog: { endReason: 'hung-up-by-callee' },
    });
    expect(finished.turns).toMatchObject([{ speaker: 'platform', interrupted: true }]);
    expect('智能语音。方便吗？'.startsWith(finished.turns[0]!.text)).toBe(true);
    expect(finished.turns[0]!.text.length).toBeLessThan(9);
  });

  it('takes no answer without SDP for a conversation', async () => {
    callee.onCall = (call) => call.incoming.answer('');
    const finished = await center.call(PHONE).done;
    expect(finished).toMatchObject({ outcome: 'media-refused', hangupBy: 'platform', recording: undefined });
    expect(finished.evidence).not.toEqual([]);
  });

  it('ignores the RTP of a stranger', async () => {
    const { call, done } = await talk();
    const stranger = createSocket('udp4');
    const packet = Buffer.alloc(172, 0x2a);
    packet[0] = 0x80;
    packet[1] = 8;
    const port = Number(/m=audio (\d+)/.exec(call.incoming.sdp)?.[1]);
    for (let sequence = 0; sequence < 50; sequence++) {
      packet.writeUInt16BE(sequence, 2);
      packet.writeUInt32BE(sequence * 160, 4);
      stranger.send(packet, port, '127.0.0.1');
    }
    call.say('好的');
    const finished = await done;
    stranger.close();
    expect(finished).toMatchObject({ outcome: 'answered', dialog: { endReason: 'end:yes' } });
    const { callee: left } = readRecording(join(center.recordings, finished.recording!.path));
    expect(Buffer.from(left).includes(Buffer.alloc(160, 0x2a))).toBe(false);
  });

  it('goes on talking with a callee who held the line for a moment', async () => {
    const { call, done } = await talk();
    expect(await call.incoming.hold()).toMatchObject({ ok: true });
    expect(await call.incoming.resume()).toMatchObject({ ok: true });
    call.say('好的');
    const finished = await done;
    expect(finished).toMatchObject({ outcome: 'answered', hangupBy: 'platform', dialog: { endReason: 'end:yes' } });
  });

  it('hears digits by RFC 4733', async () => {
    const { call, done } = await talk();
    call.leg.sendDtmf('5');
    const finished = await done;
    expect(finished.timeline.filter(({ type }) => type === 'dtmf')).toMatchObject([{ digit: '5' }]);
  });

  it('says the same words in the other codec', async () => {
    const pcmu = await openCallee({ rtp: { first: 23_600, last: 23_699 }, codecs: ['PCMU'] });
    const other = await openTestCenter({ trunkPort: pcmu.port, rtp: { first: 23_700, last: 23_799 } });
    try {
      const finished = await other.call(PHONE, {
        script: shortScript({ noReply: { waitMs: 300, reprompts: 0, hangupMs: 300 } }),
      }).done;
      expect(finished.media).toMatchObject({ codec: 'PCMU' });
      const { codec, platform } = readRecording(join(other.recordings, finished.recording!.path));
      expect(codec).toBe('PCMU');
      expect(platform.filter((octet) => octet === 0x9f).length).toBeGreaterThan(3000);
    } finally {
      await other.close();
      await pcmu.close();
    }
  });

  it('hangs up on a callee that has none of the codecs', async () => {
    const only = await openTestCenter({
      trunkPort: callee.port,
      rtp: { first: 23_800, last: 23_899 },
      codecs: ['PCMA'],
    });
    try {
      callee.onCall = (call) => {
        // An answer that names a codec nobody offered.
        const offer = createOffer({
          address: '127.0.0.1',
          audioPort: 40_000,
          textPort: 40_002,
          codecs: ['PCMU'],
          dtmf: false,
          direction: 'sendrecv',
        });
        call.incoming.answer(writeSdp(offer));
      };
      expect(await only.call(PHONE).done).toMatchObject({ outcome: 'media-refused', hangupBy: 'platform', talkMs: 0 });
    } finally {
      await only.close();
    }
  });

  it('cancels while it rings when it is aborted, and says so', async () => {
    const ringing = Promise.withResolvers<CalleeCall>();
    callee.onCall = (call) => {
      call.incoming.progress(180);
      ringing.resolve(call);
    };
    const abort = new AbortController();
    const { observer, done } = center.call(PHONE, { signal: abort.signal });
    const call = await ringing.promise;
    await observer.until(() => observer.states.includes('ringing'));
    abort.abort();
    expect(await done).toMatchObject({ outcome: 'cancelled', hangupBy: 'platform', answeredMs: undefined });
    expect(await call.ended).toMatchObject({ cause: 'cancelled' });
  });

  it('never dials a call that is aborted at once', async () => {
    let calls = 0;
    callee.onCall = () => calls++;
    const finished = await center.call(PHONE, { signal: AbortSignal.abort() }).done;
    expect(finished).toMatchObject({ outcome: 'cancelled' });
    expect(calls).toBe(0);
  });

  it('has what it says first at hand when the callee answers', async () => {
    const { call, observer, done } = await talk();
    expect(observer.states).toContain('talking');
    expect(center.phrases.some(({ text }) => text === '方便吗？')).toBe(true);
    call.incoming.hangup();
    await done;
    const asked = center.phrases.length;
    const again = await talk();
    again.call.incoming.hangup();
    await again.done;
    expect(center.phrases.length).toBe(asked);
  });
});

it('hangs up every call politely and records it when the call centre closes', async () => {
  const callee = await openCallee({ rtp: { first: 24_000, last: 24_099 } });
  const center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 24_100, last: 24_199 } });
  const { observer, done } = center.call(PHONE);
  await observer.until(() => observer.said.length > 0);
  await center.center.close('test');
  expect(await done).toMatchObject({
    outcome: 'answered',
    hangupBy: 'platform',
    recording: { path: expect.any(String) },
  });
  await expect(center.call(PHONE).done).rejects.toMatchObject({ code: 'unavailable' });
  await center.close();
  await callee.close();
});

it('leaves nothing behind after 200 calls', async () => {
  const callee = await openCallee({ rtp: { first: 24_200, last: 24_399 } });
  const center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 24_400, last: 24_599 } });
  callee.onCall = (call, answer) => {
    answer();
    call.incoming.onAcknowledged = () => call.incoming.hangup();
  };
  const handles = (): string[] =>
    process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap' || name === 'Worker');
  const batch = async (): Promise<void> => {
    const ends = await Promise.all(Array.from({ length: 10 }, () => center.call(PHONE).done));
    expect(ends.map(({ outcome }) => outcome)).toEqual(Array(10).fill('answered'));
  };
  await batch();
  const before = handles().toSorted();
  for (let round = 1; round < 20; round++) await batch();
  await expect.poll(() => handles().toSorted()).toEqual(before);
  expect(center.center.liveCalls).toBe(0);
  expect(center.sip.load.calls).toBe(0);
  // The ports of the worker are free again: half of them are needed at once.
  const all = await Promise.all(Array.from({ length: 25 }, () => center.call(PHONE).done));
  expect(all.map(({ outcome }) => outcome)).toEqual(Array(25).fill('answered'));
  await center.close();
  await callee.close();
}, 60_000);
