import { describe, expect, it } from 'vitest';
import { calleeNotices, requestOf } from './call-acts.ts';
import type { CallAct } from './call-acts.ts';

const TARGET = '+8613900000002';
const ACTS: readonly (readonly [CallAct, string, boolean])[] = [
  [{ act: 'transfer', body: { kind: 'blind', target: TARGET } }, 'POST /api/calls/c%2F1/transfer', true],
  [{ act: 'end-transfer' }, 'DELETE /api/calls/c%2F1/transfer', true],
  [{ act: 'listen', body: { role: 'monitor', target: TARGET } }, 'POST /api/calls/c%2F1/monitor', false],
  [{ act: 'listen', body: { role: 'whisper', target: TARGET } }, 'POST /api/calls/c%2F1/monitor', false],
  [{ act: 'listen', body: { role: 'barge', target: TARGET } }, 'POST /api/calls/c%2F1/monitor', true],
  [{ act: 'role', listener: 'l1', role: 'barge' }, 'PATCH /api/calls/c%2F1/monitor/l1', true],
  [{ act: 'role', listener: 'l1', role: 'monitor' }, 'PATCH /api/calls/c%2F1/monitor/l1', false],
  [{ act: 'end-listener', listener: 'l1' }, 'DELETE /api/calls/c%2F1/monitor/l1', false],
  [{ act: 'hang-up' }, 'POST /api/calls/c%2F1/hang-up', true],
];

describe('what a supervisor does to a call', () => {
  it.each(ACTS)('%o is %s, and asked about first where the callee hears it: %s', (act, line, notices) => {
    const { method, path } = requestOf('c/1', act);
    expect(`${method} ${path}`).toBe(line);
    expect(calleeNotices(act)).toBe(notices);
  });

  it('never puts a number into an address', () => {
    for (const [act] of ACTS) expect(requestOf('c1', act).path).not.toContain(TARGET.slice(1));
  });
});
