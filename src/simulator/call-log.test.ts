import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CallLog, readCallLog } from './call-log.ts';
import type { InviteLine } from './call-record.ts';

const directory = mkdtempSync(join(tmpdir(), 'waihu-call-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

const invite = (number: string, attempt: number): InviteLine => ({
  type: 'invite',
  at: '2026-01-05T02:00:00.000Z',
  callId: `${number}-${attempt}`,
  phone: number,
  number,
  seed: 1,
  attempt,
  linePlan: 'busy',
  behaviour: 'busy',
});

describe('the call log', () => {
  it('goes on counting attempts after a crash in the middle of a line', () => {
    const file = join(directory, 'calls.jsonl');
    const before = new CallLog(file);
    before.append(invite('13800000001', before.nextAttempt('13800000001')));
    before.append(invite('13800000001', before.nextAttempt('13800000001')));
    appendFileSync(file, '{"type":"invite","number":"1380000');
    const after = new CallLog(file);
    expect(after.nextAttempt('13800000001')).toBe(3);
    expect(after.nextAttempt('13800000002')).toBe(1);
    after.append(invite('13800000001', 3));
    after.close();
    before.close();
    expect(readCallLog(file).map((line) => line.callId)).toEqual(['13800000001-1', '13800000001-2', '13800000001-3']);
  });

  it('says which file cannot be written', () => {
    expect(() => new CallLog(join(directory, 'missing', 'calls.jsonl'))).toThrow(/missing.*calls\.jsonl/);
  });
});
