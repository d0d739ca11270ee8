import { afterEach, describe, expect, it } from 'vitest';
import { linphoneInstalled, startLinphone } from '../support/linphone.ts';
import type { Linphone } from '../support/linphone.ts';
import { openParty, toneShare } from '../support/party.ts';
import type { Party } from '../support/party.ts';

const HOST = '127.0.0.1';
const [OURS, THEIRS] = [400, 700];

/** linphone, a second stack that knows nothing of ours; without it these are skipped. */
describe.skipIf(!linphoneInstalled)('linphone', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const one of cleanUp.splice(0).toReversed()) await one();
  });

  async function both(first: number): Promise<{ peer: Linphone; party: Party; heard: () => Promise<Int16Array> }> {
    const peer = await startLinphone(THEIRS);
    let stopped: Promise<Int16Array> | undefined;
    const heard = () => (stopped ??= peer.stop());
    cleanUp.push(heard);
    const party = await openParty({ hz: OURS, rtp: { first, last: first + 19 } });
    cleanUp.push(() => party.close());
    return { peer, party, heard };
  }

  /** 20 ms pieces of a recording that are nearly nothing but the tone. */
  const pieces = (pcm: Int16Array, hz: number): number =>
    Array.from({ length: Math.floor(pcm.length / 160) }, (_, i) => pcm.subarray(i * 160, i * 160 + 160)).filter(
      (piece) => toneShare(piece, hz) > 0.9,
    ).length;

  it('answers: each hears the other’s tone, digits pass both ways, hold and resume, we hang up', async () => {
    const { peer, party, heard } = await both(44_400);
    const established = peer.says('Media streams established');
    const talk = await party.call(`sip:linphone@${HOST}:${peer.port}`);
    await established;
    await talk.hears(THEIRS);
    peer.command('5');
    await talk.pressed('5');
    const receives = peer.says('Receiving tone');
    talk.leg.sendDtmf('9');
    await receives;
    expect(await talk.call.hold()).toMatchObject({ ok: true, media: { audio: { direction: 'sendonly' } } });
    expect(await talk.call.resume()).toMatchObject({ ok: true, media: { audio: { direction: 'sendrecv' } } });
    await talk.hears(THEIRS);
    const over = peer.says('ended');
    talk.call.hangup();
    await over;
    expect(await talk.ended).toMatchObject({ by: 'platform', cause: 'bye' });
    expect(pieces(await heard(), OURS)).toBeGreaterThan(20);
  });

  it('calls: each hears the other’s tone, it holds and resumes, it hangs up', async () => {
    const { peer, party, heard } = await both(44_420);
    peer.command(`call sip:1@${HOST}:${party.agent.address.port}`);
    const talk = await party.nextTalk();
    await talk.hears(THEIRS);
    const held = peer.says('is now paused');
    peer.command('pause');
    await held;
    const resumed = peer.says('Media streams established');
    peer.command('resume');
    await resumed;
    await talk.hears(THEIRS);
    expect(talk.changes.map(({ audio }) => audio.direction)).toEqual(['recvonly', 'sendrecv']);
    peer.command('terminate');
    expect(await talk.ended).toMatchObject({ by: 'callee', cause: 'bye' });
    expect(pieces(await heard(), OURS)).toBeGreaterThan(20);
  });
});
