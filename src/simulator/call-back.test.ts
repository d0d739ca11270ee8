import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCallee, type TestCallee } from '../../test/support/callee.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { MediaEngine } from '#telephony/rtp/engine.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { callBack } from './call-back.ts';
import { personaOf } from './persona.ts';
import { SoundBank } from './sound-bank.ts';

let platform: TestCallee;
beforeAll(async () => {
  platform = await openCallee({ rtp: { first: 28_200, last: 28_299 } });
});
afterAll(() => platform.close());

it('dials the number that called, asserts its own, listens, and tells what came of it', async () => {
  const address = '127.0.0.1';
  const shared = { clock: systemClock, log: silentLog };
  const engine = await MediaEngine.open({ ...shared, address, ports: { first: 28_300, last: 28_399 } });
  const agent = await SipUserAgent.open({ ...shared, bind: { address, port: 0 }, product: 'carrier' });
  const sounds = new SoundBank({ synthesize: undefined, log: silentLog });
  platform.onCall = (call, answer) => {
    expect(call.incoming.requestUri).toContain('862155550000@127.0.0.1');
    expect(call.incoming.headers.get('P-Asserted-Identity')).toContain('8613800000001');
    answer();
    call.say('您好，谢谢回电。');
    setTimeout(() => call.incoming.hangup(), 1500);
  };
  const line = await callBack(
    agent,
    { ...shared, engine, sounds, mediaAddress: address, codecs: ['PCMA'], seed: 1, pace: 1 },
    {
      persona: personaOf('13800000001', 1),
      phone: '8613800000001',
      shown: 'sip:862155550000@waihu.example',
      to: { host: address, port: platform.port },
      lines: [],
    },
  );
  expect(line).toMatchObject({ type: 'call-back', number: '13800000001', answered: true });
  expect(line.heard.join('')).toContain('谢谢回电');
  platform.onCall = (call) => call.incoming.reject(404);
  await agent.close('test is over');
  await engine.close();
});
