import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DtmfReceiver, DtmfSender, type DtmfEvent } from './dtmf.ts';

interface EventPacket {
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly marker: boolean;
}

/** All packets for some digits, one frame after another. */
function send(digits: string): EventPacket[] {
  const sender = new DtmfSender();
  sender.enqueue(digits);
  const packets: EventPacket[] = [];
  for (let frame = 0; frame < digits.length * 8 + 1; frame++) {
    const payload = new Uint8Array(4);
    const { copies, timestamp, marker } = sender.next(frame * 160, payload);
    for (let copy = 0; copy < copies; copy++) packets.push({ timestamp, payload, marker });
  }
  return packets;
}

function receive(packets: readonly EventPacket[]): DtmfEvent[] {
  const events: DtmfEvent[] = [];
  const receiver = new DtmfReceiver((event) => events.push(event));
  for (const [i, { timestamp, payload }] of packets.entries()) receiver.push(timestamp, payload, i * 20);
  receiver.poll(packets.length * 20 + 500);
  return events;
}

test('an event keeps its timestamp, marks its first packet, grows, and ends three times', () => {
  const packets = send('5');
  expect(packets).toHaveLength(7);
  expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
  expect(packets.map(({ marker }) => marker)).toEqual([true, false, false, false, false, false, false]);
  expect(packets.map(({ payload }) => (payload[2]! << 8) | payload[3]!)).toEqual([160, 320, 480, 640, 800, 800, 800]);
  expect(packets.map(({ payload }) => payload[1]! >> 7)).toEqual([0, 0, 0, 0, 1, 1, 1]);
  expect(packets.every(({ payload }) => payload[0] === 5)).toBe(true);
});

test('every key is received once, with its length', () => {
  const events = receive(send('0123456789*#ABCD'));
  expect(events.map(({ digit }) => digit).join('')).toBe('0123456789*#ABCD');
  expect(new Set(events.map(({ durationMs }) => durationMs))).toEqual(new Set([100]));
});

test('the same key twice is two presses', () => {
  expect(receive(send('77'))).toHaveLength(2);
});

test('any loss that leaves one packet of each press, duplicates and all, gives each press once', () => {
  const packets = send('1234');
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: packets.length, maxLength: packets.length }), (kept) => {
      const arriving = packets.flatMap((packet, i) => (kept[i] === true ? [packet, packet] : []));
      const expected = [...new Set(arriving.map(({ payload }) => payload[0]))].join('');
      expect(
        receive(arriving)
          .map(({ digit }) => digit)
          .join(''),
      ).toBe(expected);
    }),
  );
});

test('short payloads and events that are no keys are ignored', () => {
  const events: DtmfEvent[] = [];
  const receiver = new DtmfReceiver((event) => events.push(event));
  receiver.push(0, Uint8Array.of(1, 0x80, 3), 0);
  receiver.push(0, Uint8Array.of(16, 0x80, 3, 32), 0);
  receiver.poll(1000);
  expect(events).toEqual([]);
});
