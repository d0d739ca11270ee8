import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import type { CallView, CampaignView, ImportView } from '#domain/api.ts';
import { sampleSettings } from '#bin/sample/campaign.ts';
import { readCallLog } from '#simulator/call-log.ts';
import { behaviourOf, personaOf } from '#simulator/persona.ts';
import { contactsCsv, sampleContacts } from '#simulator/sample-data.ts';
import { jsonOf, serveIn, simulatedTrunk } from '../support/simulated-trunk.ts';
import { expectGone, openScratchDirectory, waihu, WaihuProcess } from '../support/waihu-process.ts';

// A conversation takes as long as people talk.
vi.setConfig({ testTimeout: 170_000 });

const SEED = 5;
const VARIABLES = ['姓名=王小明', '机构名称=云山银行', '卡号后四位=1234', '本期账单金额=100.00', '最低还款额=10.00'];

/** A number whose line does this at the first call. */
function numberThat(behaviour: string): string {
  for (let tail = 0; ; tail++) {
    const number = `164${String(tail).padStart(8, '0')}`;
    if (behaviourOf(personaOf(number, SEED), 1, SEED) === behaviour) return number;
  }
}

test.skipIf(process.platform !== 'linux')(
  'commands work with and without a running server and print nothing but JSON',
  async () => {
    const home = openScratchDirectory();
    const { simulator, log, data } = await simulatedTrunk(home, { seed: SEED, pace: 0.15 });
    const variables = [...VARIABLES, '最后还款日=本月20日'].flatMap((pair) => ['--var', pair]);
    const dial = (number: string, ...more: string[]) =>
      waihu(['call', number, '--script', 'credit-card-reminder', ...variables, '--json', ...more], { cwd: home });

    // Without a server: each command is its own, and leaves none behind.
    const sample = sampleContacts(30, SEED);
    writeFileSync(path.join(home, 'contacts.csv'), contactsCsv(sample));
    const imported = await jsonOf<ImportView>(home, ['import', 'contacts.csv', '--rejected', 'rejected.csv']);
    expect(imported).toMatchObject({
      rows: 30,
      imported: sample.importable,
      rejected: sample.invalid + sample.duplicates,
    });
    expect(readFileSync(path.join(home, 'rejected.csv'), 'utf8').trim().split('\n')).toHaveLength(
      1 + sample.invalid + sample.duplicates,
    );
    const busy = await dial(numberThat('busy'), '--trunk', 'carrier');
    expect(busy.code).toBe(3);
    expect((JSON.parse(busy.stdout) as CallView).outcome).toBe('busy');
    await expectGone([data, busy.mark]);
    expect(existsSync(path.join(data, 'server.json'))).toBe(false);

    const server = await serveIn(home);
    expect(await jsonOf(home, ['campaign', 'list'])).toEqual([]);
    const invalid = await dial(numberThat('invalid-number'));
    expect(invalid.code).toBe(3);
    expect((JSON.parse(invalid.stdout) as CallView).outcome).toBe('invalid-number');
    for (const [parameters, message] of [
      [['call', '12', '--script', 'credit-card-reminder'], /number/i],
      [['call', '16400000001', '--script', 'absent'], /no script absent; there are: .*credit-card-reminder/],
      [['call', '16400000001', '--script', 'credit-card-reminder'], /needs these variables/],
      [['call', '16400000001', '--script', 'credit-card-reminder', ...variables, '--trunk', 'absent'], /trunk/],
      [['import', 'absent.csv'], /no such file: absent\.csv/],
      [['campaign', 'create', 'x', '--script', 'absent', '--import', imported.id], /no script absent/],
      [
        ['campaign', 'create', 'x', '--script', 'trial-lesson', '--import', imported.id, '--trunk', 'absent'],
        /no trunk absent; there are: carrier/,
      ],
    ] as const) {
      const result = await waihu([...parameters, '--json'], { cwd: home });
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toMatch(message);
      expect(result.stderr).not.toMatch(/\n\s+at /);
    }
    expect((await waihu(['campaign', 'show', '01900000-0000-7000-8000-000000000000'], { cwd: home })).code).toBe(1);

    // A campaign in full swing, then a polite stop: whoever is in a call hears that it ends.
    const settings = { ...sampleSettings(30), trunk: 'carrier' };
    writeFileSync(path.join(home, 'settings.json'), JSON.stringify(settings));
    const create = `campaign create stopped --script credit-card-reminder --import ${imported.id} --trunk carrier`;
    const created = await jsonOf<CampaignView>(home, [...create.split(' '), '--settings', 'settings.json', '--start']);
    await expect
      .poll(() => readCallLog(log).filter(({ type }) => type === 'invite').length, { timeout: 60_000, interval: 20 })
      .toBeGreaterThanOrEqual(20);
    const paused = await jsonOf<CampaignView>(home, ['campaign', 'pause', created.id]);
    expect(paused.state).toBe('paused');
    expect((await jsonOf<CampaignView>(home, ['campaign', 'resume', created.id])).state).toBe('running');
    const before = new Set(endedIn(log).map(({ callId }) => callId));
    const live = new Set(
      readCallLog(log).flatMap(({ type, callId }) => (type === 'invite' && !before.has(callId) ? [callId] : [])),
    );
    expect(live.size).toBeGreaterThan(0);
    server.signal('SIGINT');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, server.mark]);
    await expect
      .poll(() => endedIn(log).length, { timeout: 10_000 })
      .toBe(readCallLog(log).filter(({ type }) => type === 'invite').length);
    const after = endedIn(log).filter(({ callId }) => live.has(callId));
    expect(after.filter(({ ending }) => ending.by === 'caller').length).toBeGreaterThan(0);
    expect(after.filter(({ ending }) => ending.by === 'failure')).toEqual([]);

    // Asking and importing must not dial, although the campaign runs on.
    const dialled = readCallLog(log).length;
    const shown = await jsonOf<CampaignView>(home, ['campaign', 'show', created.id]);
    expect(shown.state).toBe('running');
    expect(shown.counts.leads.dialing).toBe(0);
    expect(readCallLog(log)).toHaveLength(dialled);
    simulator.signal('SIGINT');
    expect(await simulator.exited).toEqual({ code: 0, signal: null });
    await expectGone([data, simulator.mark]);
  },
);

function endedIn(log: string) {
  return readCallLog(log).flatMap((line) => (line.type === 'ended' ? [line] : []));
}

test('doctor says what there is, makes nothing, and knows what would keep Waihu from running', async () => {
  const data = path.join(openScratchDirectory(), 'data');
  const result = await waihu(['doctor', '--json', '--data-directory', data, '--http-port', '0', '--sip-port', '0']);
  expect(result.code).toBe(0);
  const findings = JSON.parse(result.stdout) as { check: string; state: string; text: { zh: string; en: string } }[];
  const states = new Map(findings.map(({ check, state }) => [check, state]));
  for (const check of ['node', 'machine', 'data', 'http', 'sip', 'speech']) expect(states.get(check)).toBe('ok');
  expect(states.has('recordings')).toBe(true);
  expect(findings.every(({ text }) => text.zh !== '' && text.en !== '')).toBe(true);
  expect(existsSync(data)).toBe(false);
  const failing = await waihu(['doctor', '--data-directory', '/proc/waihu', '--http-port', '0', '--sip-port', '0']);
  expect(failing.code).toBe(1);
  expect(failing.stdout).toMatch(/^✗ data/m);
});

test('help is complete in both languages', async () => {
  for (const [language, words, foreign] of [
    ['zh', ['启动全部功能', '通用选项', '--http-port', '例如'], /Usage|Options|Examples|default/],
    ['en', ['start everything', 'Global options', '--http-port', 'Examples'], /\p{Script=Han}/u],
  ] as const) {
    const { code, stdout } = await waihu(['start', '--help'], { language });
    expect(code).toBe(0);
    for (const word of words) expect(stdout).toContain(word);
    expect(stdout).not.toMatch(foreign);
  }
});

test.skipIf(process.platform !== 'linux')('a sample that is interrupted leaves nothing', async () => {
  const temporary = openScratchDirectory();
  const sample = new WaihuProcess(['sample', '--contacts', '12'], { environment: { TMPDIR: temporary } });
  await sample.says(/Sample campaign/);
  sample.signal('SIGINT');
  expect(await sample.exited).toEqual({ code: 1, signal: null });
  expect(sample.stderr).toMatch(/The sample was interrupted\.\n$/);
  await expectGone([temporary, sample.mark]);
  expect(readdirSync(temporary).filter((name) => name.startsWith('waihu-'))).toEqual([]);
});
