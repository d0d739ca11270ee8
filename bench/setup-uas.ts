// The called side of `bench setup` where sipp is not installed: rings, answers at once, and answers the BYE.
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { localMedia } from './setup-media.ts';

const agent = await SipUserAgent.open({
  clock: systemClock,
  log: createLog({ level: 'warn' }),
  bind: { address: '127.0.0.1', port: 0 },
  product: 'waihu-bench',
});
agent.onIncomingCall = (call) => {
  const result = createAnswer(parseSdp(call.sdp), localMedia(30_000));
  if (!result.ok) return call.reject(488);
  call.progress(180);
  call.answer(writeSdp(result.answer));
};
process.once('disconnect', () => void agent.close('bench over'));
process.send!({ port: agent.address.port });
