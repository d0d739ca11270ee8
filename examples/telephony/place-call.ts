// Calls a SIP address, plays a tone and tells what comes back.
// 呼叫一个 SIP 地址，播放一段单音，并说明听到了什么。
//
//   node examples/telephony/place-call.ts sip:echo@127.0.0.1:5070 [--host 127.0.0.1] [--seconds 5] [--hz 440]
//                                         [--username NAME --password SECRET]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { encodeG711 } from '#telephony/codec/g711.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { frameCodecOf } from '#telephony/sdp/media.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { acceptAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { CallEnd } from '#telephony/sip/user-agent.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    seconds: { type: 'string', default: '5' },
    hz: { type: 'string', default: '440' },
    username: { type: 'string' },
    password: { type: 'string', default: '' },
  },
});
const [target] = positionals;
if (target === undefined) {
  say('缺少被叫地址，例如：sip:echo@127.0.0.1:5070', 'No address to call, for example sip:echo@127.0.0.1:5070');
  process.exit(2);
}

const common = { clock: systemClock, log: createLog({ level: 'warn' }) };
const media = await MediaEngine.open({ ...common, address: values.host, ports: { first: 30_200, last: 30_299 } });
const bind = { address: values.host, port: 0 };
const agent = await SipUserAgent.open({ ...common, bind, product: 'waihu-example' });
try {
  process.exitCode = (await call(target)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  say(error.text.zh, error.text.en);
  process.exitCode = 1;
} finally {
  await agent.close('done');
  await media.close();
}

/** Places the call; true where it was answered. */
async function call(uri: string): Promise<boolean> {
  const hz = Number(values.hz);
  let codec: G711Codec = 'PCMA';
  let [playedSamples, heardFrames, toneFrames] = [0, 0, 0];
  const leg = await media.openLeg({
    onFrame: (rx, tx) => {
      const tone = Int16Array.from(tx, (_, i) => 8_000 * Math.sin((2 * Math.PI * hz * (playedSamples + i)) / 8_000));
      playedSamples += tx.length;
      encodeG711(codec, tone, tx);
      if (rx.kind !== 'audio') return;
      heardFrames++;
      if (share(rx.pcm, hz) > 0.8) toneFrames++;
    },
    onText: (text) => say(`文字：${text}`, `Text: ${text}`),
    onDtmf: ({ digit }) => say(`按键：${digit}`, `Digit ${digit}`),
  });
  const offer = createOffer({
    address: values.host,
    audioPort: leg.audioPort,
    textPort: leg.textPort,
    codecs: ['PCMA', 'PCMU'],
    dtmf: true,
    direction: 'sendrecv',
  });
  const ended = Promise.withResolvers<CallEnd>();
  let answered = false;
  const placed = agent.placeCall(
    {
      callId: randomUUID(),
      target: uri,
      from: `sip:waihu@${values.host}`,
      sdp: writeSdp(offer),
      ringTimeoutMs: 30_000,
      ...(values.username === undefined
        ? {}
        : { credentials: { username: values.username, password: values.password } }),
    },
    {
      onProgress: ({ status, reasonPhrase }) =>
        say(`进展：${status} ${reasonPhrase}`, `Progress: ${status} ${reasonPhrase}`),
      onAnswered: ({ sdp }) => {
        const agreed = acceptAnswer(offer, parseSdp(sdp));
        if (!agreed.ok) {
          say(`媒体协商失败：${agreed.reason}`, `No media agreed: ${agreed.reason}`);
          return placed.hangup();
        }
        answered = true;
        codec = frameCodecOf(agreed.media.audio.codec);
        say(`已接通，编码 ${agreed.media.audio.codec}`, `Answered, codec ${agreed.media.audio.codec}`);
        leg.start(agreed.media);
        leg.sendText('你好 hello');
        systemClock.setTimer(Number(values.seconds) * 1_000, () => placed.hangup());
      },
      onMediaChanged: (changed) => leg.start(changed),
      onEnded: ended.resolve,
    },
  );
  process.once('SIGINT', () => placed.hangup());
  const end = await ended.promise;
  const status = end.status === undefined ? '' : ` ${end.status} ${end.reasonPhrase}`;
  say(`结束：${end.cause}${status}（${end.detail}）`, `Ended: ${end.cause}${status} (${end.detail})`);
  if (answered) {
    const { packetsLost, mos } = leg.stats();
    say(
      `听到 ${heardFrames} 帧，其中 ${toneFrames} 帧是我们的单音；丢失 ${packetsLost} 包，MOS ${mos?.toFixed(1) ?? '—'}`,
      `Heard ${heardFrames} frames, ${toneFrames} of them our own tone; ${packetsLost} packets lost, MOS ${mos?.toFixed(1) ?? '—'}`,
    );
  }
  leg.close();
  return answered;
}

/** Share of the power at one frequency. */
function share(pcm: Int16Array, hz: number): number {
  let [real, imaginary, power] = [0, 0, 1];
  for (const [i, sample] of pcm.entries()) {
    real += sample * Math.cos((2 * Math.PI * hz * i) / 8_000);
    imaginary += sample * Math.sin((2 * Math.PI * hz * i) / 8_000);
    power += sample * sample;
  }
  return (2 * (real * real + imaginary * imaginary)) / (pcm.length * power);
}

function say(zh: string, en: string): void {
  process.stdout.write(`${zh}\n${en}\n`);
}
