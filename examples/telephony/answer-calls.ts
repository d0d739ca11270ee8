// Answers every call and sends back what it hears and reads: an echo service in one file.
// 接听每一个来电，并把听到的声音和文字原样送回：一个文件的回声服务。
//
//   node examples/telephony/answer-calls.ts [--host 127.0.0.1] [--port 5070] [--once]
import { parseArgs } from 'node:util';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import type { LocalMedia } from '#telephony/sdp/media.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { IncomingCall } from '#telephony/sip/user-agent.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '5070' },
    once: { type: 'boolean', default: false },
  },
});
const common = { clock: systemClock, log: createLog({ level: 'warn' }) };
const ports = { first: 30_000, last: 30_199 };
const media = await MediaEngine.open({ ...common, address: values.host, ports });
const bind = { address: values.host, port: Number(values.port) };
const agent = await SipUserAgent.open({ ...common, bind, product: 'waihu-echo' });

agent.onIncomingCall = (call) => void answer(call);
process.once('SIGINT', () => void close('interrupted'));
say(
  `正在等待来电：sip:echo@${values.host}:${agent.address.port}（Ctrl+C 结束）`,
  `Waiting for calls: sip:echo@${values.host}:${agent.address.port} (Ctrl+C ends)`,
);

async function answer(call: IncomingCall): Promise<void> {
  say(`来电：${call.from}`, `Call from ${call.from}`);
  // A leg is one party's media on ports of its own; it sends and receives once it knows what was agreed.
  const leg = await media.openLeg({
    onFrame: (rx, tx) => tx.set(rx.payload),
    onText: (text) => leg.sendText(text),
    onDtmf: ({ digit }) => say(`按键：${digit}`, `Digit ${digit}`),
  });
  call.onEnded = (end) => {
    const { packetsReceived, packetsLost, mos } = leg.stats();
    leg.close();
    say(
      `通话结束（${end.detail}）：收到 ${packetsReceived} 包，丢失 ${packetsLost}，MOS ${mos?.toFixed(1) ?? '—'}`,
      `Call over (${end.detail}): ${packetsReceived} packets in, ${packetsLost} lost, MOS ${mos?.toFixed(1) ?? '—'}`,
    );
    if (values.once) void close('one call was asked for');
  };
  const local: LocalMedia = {
    address: values.host,
    audioPort: leg.audioPort,
    textPort: leg.textPort,
    codecs: ['PCMA', 'PCMU'],
    dtmf: true,
    direction: 'sendrecv',
  };
  const result = createAnswer(parseSdp(call.sdp), local);
  if (!result.ok) return call.reject(488, result.reason);
  // What the peer may ask for later in the call is what `local` holds, not only what was agreed now.
  call.answer(writeSdp(result.answer), local);
  call.onMediaChanged = (changed) => leg.start(changed);
  leg.start(result.media);
}

async function close(reason: string): Promise<void> {
  await agent.close(reason);
  await media.close();
}

function say(zh: string, en: string): void {
  process.stdout.write(`${zh}\n${en}\n`);
}
