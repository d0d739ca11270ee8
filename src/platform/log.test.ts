import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLog, type Log } from './log.ts';

async function logged(write: (log: Log) => void, level: 'debug' | 'info' | 'silent' = 'info'): Promise<string> {
  const destination = new PassThrough();
  const log = createLog({ level, destination });
  write(log);
  destination.end();
  return text(destination);
}

const SECRETS = ['+8613812345678', '张三', '我要办理', 'hunter2', '7391'];

test('personal data and secrets are masked wherever their fields lie', async () => {
  const person = {
    phone: SECRETS[0],
    name: SECRETS[1],
    transcript: SECRETS[2],
    password: SECRETS[3],
    digits: SECRETS[4],
  };
  const line = await logged((log) => {
    log.info(person, 'flat');
    log.info({ lead: person }, 'nested');
    log.info({ call: { lead: { contact: { deeper: person } } } }, 'deep');
    log.info({ leads: [person, { turns: [{ text: SECRETS[2] }] }] }, 'in lists');
    log
      .child(person)
      .child({ campaign: { lead: person } })
      .info({ ok: true }, 'bound');
  });
  for (const secret of SECRETS) expect(line).not.toContain(secret);
  expect(line).toContain('[masked]');
  expect(line).toContain('"ok":true');
  expect(line.trim().split('\n')).toHaveLength(5);
});

test('an error keeps its stack, and the fields it carries are masked', async () => {
  const cause = Object.assign(new Error('inner'), { phone: SECRETS[0] });
  const error = Object.assign(new Error('outer', { cause }), {
    code: 'E_X',
    detail: `Key (phone)=(${SECRETS[0]})`,
    lead: { name: SECRETS[1] },
  });
  const line = await logged((log) => log.error({ err: error }, 'failed'));
  expect(line).toContain('log.test.ts');
  expect(line).toContain('E_X');
  expect(line).toContain('inner');
  for (const secret of SECRETS) expect(line).not.toContain(secret);
});

test('the logged object itself is not changed, and cycles are survived', async () => {
  const lead: Record<string, unknown> = { name: SECRETS[1] };
  lead['self'] = lead;
  await logged((log) => log.info({ lead }, 'x'));
  expect(lead['name']).toBe(SECRETS[1]);
});

test('lines below the level are not written', async () => {
  expect(await logged((log) => log.debug({}, 'quiet'))).toBe('');
  expect(await logged((log) => log.debug({}, 'loud'), 'debug')).toContain('loud');
  expect(await logged((log) => log.error({}, 'off'), 'silent')).toBe('');
});
