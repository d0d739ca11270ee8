import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedCall } from '#domain/call.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, type TestCenter } from '../support/call-center.ts';
import { noCapture, startCapture, type Packet } from '../support/tshark.ts';

const FIELDS = [
  'frame.protocols',
  'udp.srcport',
  '_ws.malformed',
  '_ws.expert.severity',
  '_ws.expert.message',
  'sip.Method',
  'sip.Status-Code',
  'sdp.media',
  'rtp.p_type',
  'rtpevent.event_id',
  'rtcp.pt',
  'rtp.payload',
] as const;
/** Wireshark's PI_WARN; errors are above. */
const WARNING = 0x600000;

/** One whole call as Wireshark sees it; without tshark or the right to capture it is skipped. */
describe.skipIf(noCapture !== undefined)(
  `Wireshark as witness${noCapture === undefined ? '' : `: ${noCapture}`}`,
  () => {
    let callee: TestCallee;
    let center: TestCenter;
    let packets: readonly Packet[];
    let finished: FinishedCall;
    let heard: CalleeCall;

    beforeAll(async () => {
      callee = await openCallee({ rtp: { first: 25_000, last: 25_099 } });
      center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 25_100, last: 25_199 } });
      const sipPorts = [callee.port, center.sip.address.port];
      const capture = await startCapture(
        `portrange 25000-25199 or ${sipPorts.map((port) => `port ${port}`).join(' or ')}`,
        25_999,
      );
      const taken = Promise.withResolvers<CalleeCall>();
      callee.onCall = (call, answer) => {
        call.incoming.progress(180);
        taken.resolve(call);
        answer();
      };
      const { observer, done } = center.call('+8613800000000');
      heard = await taken.promise;
      await observer.until(() => observer.said.length > 0);
      heard.leg.sendDtmf('7');
      // Past the first RTCP interval (RFC 3550 §6.2: half of 5 s at the start, at random 0.5–1.5 of it).
      await new Promise((resolve) => setTimeout(resolve, 4200));
      heard.say('好的');
      finished = await done;
      await heard.ended;
      packets = await capture.finish(sipPorts, FIELDS);
    }, 60_000);
    afterAll(async () => {
      await center.close();
      await callee.close();
    });

    const sides = (packet: Packet): 'callee' | 'platform' | 'sip' => {
      const port = Number(packet['udp.srcport']);
      if (port >= 25_000 && port < 25_100) return 'callee';
      return port >= 25_100 && port < 25_200 ? 'platform' : 'sip';
    };
    const having = (field: (typeof FIELDS)[number], side?: string): readonly Packet[] =>
      packets.filter((packet) => packet[field] !== '' && (side === undefined || sides(packet) === side));

    it('finds nothing malformed and nothing wrong', () => {
      expect(having('_ws.malformed')).toEqual([]);
      const complaints = packets.filter((packet) =>
        (packet['_ws.expert.severity'] ?? '').split(',').some((severity) => Number(severity) >= WARNING),
      );
      expect([...new Set(complaints.map((packet) => packet['_ws.expert.message']))]).toEqual([]);
    });

    it('knows every packet', () => {
      const protocols = new Set(packets.map((packet) => packet['frame.protocols']?.split(':').slice(3)[1]));
      expect(protocols).toEqual(new Set(['sip', 'rtp', 'rtcp']));
    });

    it('follows the signalling', () => {
      expect(having('sip.Method').map((packet) => packet['sip.Method'])).toEqual(['INVITE', 'ACK', 'BYE']);
      expect(having('sip.Status-Code').map((packet) => packet['sip.Status-Code'])).toEqual([
        '100',
        '180',
        '200',
        '200',
      ]);
      expect(having('sdp.media').map((packet) => packet['sdp.media'])).toEqual([
        expect.stringMatching(/^audio .*,text /),
        expect.stringMatching(/^audio .*,text /),
      ]);
    });

    const isMedia = (packet: Packet): boolean => packet['rtp.p_type'] === '8' || packet['rtpevent.event_id'] !== '';

    it('counts as many packets of PCMA and events of ours as we do', () => {
      const { packetsSent } = finished.media!;
      expect(packets.filter((packet) => isMedia(packet) && sides(packet) === 'platform')).toHaveLength(packetsSent);
      expect(packetsSent).toBeGreaterThan(200);
    });

    it('counts as many of the callee as we do while we listen', () => {
      const media = packets.filter(isMedia).map(sides);
      const callees = (of: readonly string[]): number => of.filter((side) => side === 'callee').length;
      // Who sends has begun to listen, and has read what came before its last packets but two: a tick sends two at most.
      const lasts = media.flatMap((side, index) => (side === 'platform' ? [index] : []));
      const { packetsReceived } = finished.media!;
      expect(packetsReceived).toBeGreaterThanOrEqual(callees(media.slice(lasts[0], lasts.at(-3))));
      expect(packetsReceived).toBeLessThanOrEqual(callees(media));
      expect(packetsReceived).toBeGreaterThan(200);
    });

    it.each(['platform', 'callee'])('reads the RTCP and the text of the %s', (side) => {
      expect(having('rtcp.pt', side).map((packet) => packet['rtcp.pt'])).toContainEqual(
        expect.stringMatching(/^20[01],.*202/),
      );
      // Once, and twice more as redundancy (RFC 4103 §4): each time readable in a packet of its own.
      const words = side === 'callee' ? '好的' : '智能语音。方便吗？';
      const sent = having('rtp.payload', side)
        .flatMap((packet) => (packet['rtp.payload'] ?? '').split(','))
        .map((payload) => Buffer.from(payload, 'hex').toString());
      expect(sent.filter((text) => text.includes(words)).length).toBeGreaterThanOrEqual(3);
    });

    it('sees the key that was pressed', () => {
      expect(new Set(having('rtpevent.event_id', 'callee').map((packet) => packet['rtpevent.event_id']))).toEqual(
        new Set(['7']),
      );
      expect(finished.timeline.filter(({ type }) => type === 'dtmf')).toMatchObject([{ digit: '7' }]);
      expect(heard.text.replaceAll(/[\ufeff\u2028]/g, '')).toContain('智能语音。方便吗？');
    });
  },
);
