import { expect, test } from 'vitest';
import { decodeG711, encodeG711 } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { Bridge } from './bridge.ts';
import { hears } from './roles.ts';
import type { PartyRole } from './roles.ts';

const ROLES = ['callee', 'agent', 'monitor', 'whisper', 'barge'] as const satisfies readonly PartyRole[];
/** Each speaks at a level of its own, powers of two, so that a sum tells who is in it. */
const LEVELS = { callee: 512, agent: 1024, monitor: 2048, whisper: 4096, barge: 8192 };

function constant(level: number, codec: G711Codec): Uint8Array {
  const octets = new Uint8Array(160);
  encodeG711(codec, new Int16Array(160).fill(level), octets);
  return octets;
}

/** One tick of everybody in the order given; who heard what level. */
function round(bridge: Bridge, codecs: Partial<Record<PartyRole, G711Codec>> = {}): Record<string, number> {
  for (const role of ROLES) bridge.speak(role, codecs[role] ?? 'PCMA', constant(LEVELS[role], codecs[role] ?? 'PCMA'));
  return Object.fromEntries(
    ROLES.map((role) => {
      const codec = codecs[role] ?? 'PCMA';
      const tx = new Uint8Array(160);
      if (!bridge.listen(role, codec, tx)) return [role, 0];
      const pcm = new Int16Array(160);
      decodeG711(codec, tx, pcm);
      return [role, pcm[80]!];
    }),
  );
}

function within(level: number | undefined, wanted: number): void {
  expect(level).toBeGreaterThan(wanted * 0.96);
  expect(level).toBeLessThan(wanted * 1.04);
}

test('a monitor hears all and is heard by none, a whisper reaches the agent alone, who barges in is heard by all', () => {
  const bridge = new Bridge();
  for (const role of ROLES) bridge.set(role, role);
  const heard = round(bridge);
  within(heard['callee'], LEVELS.agent + LEVELS.barge);
  within(heard['agent'], LEVELS.callee + LEVELS.whisper + LEVELS.barge);
  within(heard['monitor'], LEVELS.callee + LEVELS.agent + LEVELS.barge);
  within(heard['whisper'], LEVELS.callee + LEVELS.agent + LEVELS.barge);
  within(heard['barge'], LEVELS.callee + LEVELS.agent);
  expect(bridge.counts).toEqual({ relayed: 0, transcoded: 0, mixed: 5 });
});

test('the listening matrix is the one that is documented', () => {
  const matrix = ROLES.map((listener) => ROLES.filter((speaker) => hears(listener, speaker)));
  expect(matrix).toEqual([
    ['callee', 'agent', 'barge'],
    ['callee', 'agent', 'whisper', 'barge'],
    ['callee', 'agent', 'barge'],
    ['callee', 'agent', 'barge'],
    ['callee', 'agent', 'barge'],
  ]);
});

test('a role that changes while listening counts from the next frame on', () => {
  const bridge = new Bridge();
  bridge.set('callee', 'callee');
  bridge.set('agent', 'agent');
  bridge.set('whisper', 'monitor');
  const before = round(bridge);
  within(before['agent'], LEVELS.callee);
  expect(before['whisper']).toBeGreaterThan(0);
  bridge.set('whisper', 'whisper');
  within(round(bridge)['agent'], LEVELS.callee + LEVELS.whisper);
  within(round(bridge)['callee'], LEVELS.agent);
  bridge.set('whisper', 'barge');
  within(round(bridge)['callee'], LEVELS.agent + LEVELS.whisper);
});

test('two parties of one law pass their octets on untouched, of two laws through the table', () => {
  const bridge = new Bridge();
  bridge.set('callee', 'callee');
  bridge.set('agent', 'agent');
  const speech = Uint8Array.from({ length: 160 }, (_, i) => i);
  const tx = new Uint8Array(160);
  bridge.speak('callee', 'PCMA', speech);
  expect(bridge.listen('agent', 'PCMA', tx)).toBe(true);
  expect(tx).toEqual(speech);
  expect(bridge.counts).toEqual({ relayed: 1, transcoded: 0, mixed: 0 });
  within(round(bridge, { callee: 'PCMU' })['agent'], LEVELS.callee);
  expect(bridge.counts).toMatchObject({ mixed: 0, transcoded: 2 });
});

test('a wideband voice reaches a listener with the same codec as it came, and others in theirs', () => {
  const bridge = new Bridge();
  for (const role of ['callee', 'agent', 'monitor'] as const) bridge.set(role, role);
  const wire = Uint8Array.from({ length: 60 }, (_, i) => i);
  const sent: Uint8Array[] = [];
  const relay = { codec: 'opus', send: (bytes: Uint8Array) => void sent.push(bytes.slice()) } as const;
  const tx = new Uint8Array(160);
  bridge.speak('callee', 'PCMA', constant(512, 'PCMA'), true, { codec: 'opus', bytes: wire });
  expect(bridge.listen('agent', 'PCMA', tx, relay)).toBe(true);
  expect(sent).toEqual([wire]);
  expect(tx).toEqual(constant(512, 'PCMA'));
  bridge.listen('monitor', 'PCMA', tx, { ...relay, codec: 'G722' });
  expect(sent).toHaveLength(1);
  // Two voices are mixed: nobody's packet will do.
  bridge.set('barge', 'barge');
  bridge.speak('callee', 'PCMA', constant(512, 'PCMA'), true, { codec: 'opus', bytes: wire });
  bridge.speak('barge', 'PCMA', constant(512, 'PCMA'));
  bridge.listen('agent', 'PCMA', tx, relay);
  expect(sent).toHaveLength(1);
  expect(bridge.counts).toEqual({ relayed: 1, transcoded: 1, mixed: 1 });
});

test('a third voice that sends nothing costs no mix', () => {
  const bridge = new Bridge();
  for (const role of ['callee', 'agent', 'barge'] as const) bridge.set(role, role);
  const tx = new Uint8Array(160);
  bridge.speak('callee', 'PCMA', constant(500, 'PCMA'));
  bridge.speak('barge', 'PCMA', constant(0, 'PCMA'), false);
  expect(bridge.listen('agent', 'PCMA', tx)).toBe(true);
  expect(bridge.counts).toEqual({ relayed: 1, transcoded: 0, mixed: 0 });
  bridge.speak('callee', 'PCMA', constant(0, 'PCMA'), false);
  expect(bridge.listen('agent', 'PCMA', tx)).toBe(false);
});

test('who leaves is not heard any more and the others go on', () => {
  const bridge = new Bridge();
  for (const role of ROLES) bridge.set(role, role);
  round(bridge);
  bridge.remove('barge');
  bridge.remove('agent');
  const heard = round(bridge);
  expect(heard).toMatchObject({ callee: 0, barge: 0, agent: 0 });
  within(heard['monitor'], LEVELS.callee);
  expect(bridge.size).toBe(3);
});

test('a mix neither wraps around nor leaves full scale', () => {
  const bridge = new Bridge();
  for (const id of ['callee', 'agent', 'b1', 'b2', 'b3'])
    bridge.set(id, id === 'callee' || id === 'agent' ? id : 'barge');
  for (const id of ['callee', 'b1', 'b2', 'b3']) bridge.speak(id, 'PCMU', constant(30_000, 'PCMU'));
  const tx = new Uint8Array(160);
  bridge.listen('agent', 'PCMU', tx);
  const pcm = new Int16Array(160);
  decodeG711('PCMU', tx, pcm);
  expect(pcm[0]).toBeGreaterThan(30_000);
});
