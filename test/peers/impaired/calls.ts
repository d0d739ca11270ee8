// Several calls at once between two parties of ours, in whatever network this process is in; prints what became of them.
import { readFileSync } from 'node:fs';
import { openParty } from '../../support/party.ts';
import { scoreSpeech } from '../../support/speech-score.ts';

/** What the process is told as its one argument, in JSON. */
export interface ImpairedTask {
  /** Int16 at 8 kHz in a file. */
  readonly speech: string;
  readonly calls: number;
  /** Of the two parties; what goes between them takes the bad way. */
  readonly addresses: readonly [string, string];
}

/** What it prints of each call: both ends, and what the caller heard and read. */
export interface ImpairedCall {
  readonly ends: readonly string[];
  readonly held: boolean;
  readonly texts: readonly string[];
  readonly intactRatio: number;
  readonly distanceDb: number;
  readonly lossRatio: number;
}

/** What each end types: a line every 400 ms, so that each is a packet of its own. */
export const LINES = ['您好，', '我想问', '今天的', '天气。', 'Hello, ', 'how are ', 'you?'] as const;

if (import.meta.main) {
  const { speech: file, calls, addresses } = JSON.parse(process.argv[2] ?? '{}') as ImpairedTask;
  const bytes = readFileSync(file);
  const speech = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const [near, far] = await Promise.all([
    openParty({ hz: 400, rtp: { first: 45_000, last: 45_099 }, speech, address: addresses[0] }),
    openParty({ hz: 700, rtp: { first: 45_100, last: 45_199 }, speech, address: addresses[1] }),
  ]);
  const one = async (): Promise<ImpairedCall> => {
    const callId = `impaired-${Math.random()}`;
    const ours = await near.call(`sip:1@${addresses[1]}:${far.agent.address.port}`, { callId });
    const theirs = await far.nextTalk();
    for (const line of LINES) {
      ours.leg.sendText(line);
      theirs.leg.sendText(line);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    await new Promise((resolve) => setTimeout(resolve, speech.length / 8 - LINES.length * 400 + 1_000));
    const score = scoreSpeech(speech, ours.recorded());
    const { packetsLost, packetsReceived, packetsLate } = ours.leg.stats();
    const held = await ours.call.hold();
    ours.call.hangup();
    const ends = await Promise.all([ours.ended, theirs.ended]);
    return {
      ends: ends.map(({ cause }) => cause),
      held: held.ok,
      texts: [ours.text(), theirs.text()],
      intactRatio: score.intactRatio,
      distanceDb: score.distanceDb,
      lossRatio: (packetsLost + packetsLate) / (packetsLost + packetsReceived),
    };
  };
  const results = await Promise.all(Array.from({ length: calls }, one));
  await Promise.all([near.close(), far.close()]);
  process.stdout.write(`${JSON.stringify(results)}\n`);
}
