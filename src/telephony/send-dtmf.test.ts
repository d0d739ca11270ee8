import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork } from '../../test/support/sip-network.ts';
import type { MediaLeg } from './rtp/media-leg.ts';
import type { AudioMedia } from './sdp/media.ts';
import { sendDtmf } from './send-dtmf.ts';
import type { IncomingCall } from './sip/user-agent.ts';

const MEDIA: AudioMedia = {
  codec: 'PCMA',
  payloadType: 8,
  dtmfPayloadType: undefined,
  ptimeMs: 20,
  remoteAddress: '10.0.0.1',
  remotePort: 9,
  remoteRtcpPort: 10,
  direction: 'sendrecv',
};

/** Two agents of ours in an answered call; what passes between them can be rewritten. */
async function talking(rewrite: (text: string) => string = (text) => text) {
  const network = new SipNetwork();
  network.rewrite = rewrite;
  const caller = network.agent(5060);
  const callee = network.agent(5070);
  const digits: string[] = [];
  let incoming: IncomingCall | undefined;
  callee.onIncomingCall = (call) => {
    incoming = call;
    call.onDtmf = (digit) => digits.push(digit);
    accept(call);
  };
  const watched = placeWatched(caller, 5070);
  network.clock.advance(100);
  const queued: string[] = [];
  const leg = { sendDtmf: (text: string) => queued.push(text) } as unknown as MediaLeg;
  /** Lets time pass until the digits are sent. */
  const settle = async <T>(sending: Promise<T>): Promise<T> => {
    for (let i = 0; i < 50; i++) {
      network.clock.advance(20);
      await setImmediate();
    }
    return sending;
  };
  return { network, watched, incoming: incoming!, digits, queued, leg, settle };
}

it('digits go as telephone-events where those were agreed', async () => {
  const { watched, leg, queued, settle, network } = await talking();
  const call = { control: watched.call, leg, media: { ...MEDIA, dtmfPayloadType: 101 } };
  expect(await settle(sendDtmf(call, '12#'))).toBe('events');
  expect(queued).toEqual(['12#']);
  expect(network.labels.join()).not.toContain('INFO');
});

it('digits go by INFO, each after the response to the one before, where events were not agreed', async () => {
  const { watched, incoming, digits, leg, queued, settle } = await talking();
  expect(await settle(sendDtmf({ control: watched.call, leg, media: MEDIA }, '1*A'))).toBe('info');
  expect(digits).toEqual(['1', '*', 'A']);
  expect(await settle(sendDtmf({ control: incoming, leg, media: MEDIA }, '7#'))).toBe('info');
  expect(watched.digits).toEqual(['7', '#']);
  expect(queued).toEqual([]);
});

it('a peer that knows application/dtmf alone gets the bare digit', async () => {
  let refused = 0;
  const { watched, digits, leg, settle } = await talking((text) => {
    if (!text.includes('dtmf-relay') || !text.startsWith('INFO')) return text;
    refused++;
    return text.replace('application/dtmf-relay', 'application/x-other');
  });
  expect(await settle(sendDtmf({ control: watched.call, leg, media: MEDIA }, '5'))).toBe('info');
  expect(digits).toEqual(['5']);
  expect(refused).toBe(1);
});

it('digits go as tones where the peer does not take INFO, and what INFO loses too', async () => {
  const without = await talking((text) => text.replaceAll(/, INFO\b|\bINFO, /g, ''));
  expect(await without.settle(sendDtmf({ control: without.watched.call, leg: without.leg, media: MEDIA }, '12'))).toBe(
    'tones',
  );
  expect(without.queued).toEqual(['12']);
  const breaking = await talking();
  let first = true;
  breaking.network.rewrite = (text) => {
    if (!text.startsWith('INFO') || text.includes('Signal=1')) return text;
    first = false;
    return text.replace('application/dtmf', 'application/none');
  };
  const { watched, leg } = breaking;
  expect(await breaking.settle(sendDtmf({ control: watched.call, leg, media: MEDIA }, '123'))).toBe('tones');
  expect(first).toBe(false);
  expect(breaking.digits).toEqual(['1']);
  expect(breaking.queued).toEqual(['23']);
});

it('digits go as tones after two seconds in which nobody answers INFO', async () => {
  const { network, watched, leg, queued } = await talking();
  network.lose = ({ label }) => label.startsWith('INFO');
  const sending = sendDtmf({ control: watched.call, leg, media: MEDIA }, '12');
  network.clock.advance(1_999);
  await setImmediate();
  expect(queued).toEqual([]);
  network.clock.advance(1);
  expect(await sending).toBe('tones');
  expect(queued).toEqual(['12']);
});

it('a call that is over sends nothing', async () => {
  const { watched, network, settle } = await talking();
  watched.call.hangup();
  network.clock.advance(100);
  expect(await settle(watched.call.sendDigit('1'))).toMatchObject({ ok: false });
});
