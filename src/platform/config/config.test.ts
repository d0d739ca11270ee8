import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { AppError } from '../error.ts';
import { loadConfig, type ConfigSources } from './config.ts';

function toml(text: string): string {
  const file = path.join(scratchDirectory(), 'waihu.toml');
  writeFileSync(file, text);
  return file;
}

function problemsOf(sources: Partial<ConfigSources>): Map<string, string> {
  const fault = refusal(sources);
  expect(fault.problems.filter(({ message }) => !/[\u4e00-\u9fff]/.test(message.zh))).toEqual([]);
  return new Map(fault.problems.map((problem) => [problem.path, problem.message.en]));
}

function refusal(sources: Partial<ConfigSources>): AppError {
  try {
    loadConfig({ env: {}, flags: {}, ...sources });
  } catch (error) {
    if (error instanceof AppError && error.code === 'config-invalid') return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const TRUNK = `
[[trunks]]
name = "carrier"
host = "sip.example.com"
callerNumbers = ["+861012345678"]
`;

test('nothing set gives a complete configuration that listens on loopback', () => {
  const config = loadConfig({ env: {}, flags: {} });
  expect(config).toMatchObject({
    dataDirectory: 'data',
    language: 'zh',
    log: { level: 'info' },
    http: { host: '127.0.0.1', port: 8080 },
    sip: { host: '127.0.0.1', port: 5060 },
    rtp: { host: '127.0.0.1', firstPort: 20_000, lastPort: 29_999, workers: 0 },
    trunks: [],
    retention: { recordingsDays: 180, recordsDays: 1095 },
  });
  expect(config.databaseUrl).toBeUndefined();
});

test('flags win over the environment, and the environment over the file', () => {
  const file = toml('[http]\nport = 1001\nhost = "0.0.0.0"\n[sip]\nport = 1002\n');
  const config = loadConfig({
    file,
    env: { WAIHU_HTTP_PORT: '2001', WAIHU_SIP_PORT: '2002', DATABASE_URL: 'postgres://u@h/d', WAIHU_LANGUAGE: '' },
    flags: { 'http.port': '3001' },
  });
  expect(config.http).toEqual({ host: '0.0.0.0', port: 3001 });
  expect(config.sip.port).toBe(2002);
  expect(config.databaseUrl).toBe('postgres://u@h/d');
  expect(config.language).toBe('zh');
});

test('a trunk takes its defaults', () => {
  expect(loadConfig({ file: toml(TRUNK), env: {}, flags: {} }).trunks).toEqual([
    {
      name: 'carrier',
      host: 'sip.example.com',
      priority: 0,
      weight: 1,
      codecs: ['PCMA', 'PCMU'],
      channels: 30,
      callsPerSecond: 5,
      callerNumbers: ['+861012345678'],
      caller: { rule: 'campaign', identity: 'from', privacy: 'none', from: 'number' },
      numberFormat: 'e164',
      tonePlan: 'cn',
      probe: { enabled: true, intervalSeconds: 30, downAfter: 3, upAfter: 2 },
      sessionSeconds: 1800,
      reliable: 'supported',
    },
  ]);
});

test('one configuration does not change the defaults of the next', () => {
  (loadConfig({ env: {}, flags: {} }).trunks as unknown[]).push('x');
  expect(loadConfig({ env: {}, flags: {} }).trunks).toEqual([]);
});

test('all problems come at once, each with its place, in both languages', () => {
  const file = toml(
    `colour = "red"\n[log]\nlevel = "loud"\n[http]\nport = 70000\nadress = "x"\n[[trunks]]\nname = "A b"\nhost = "h"\n`,
  );
  const problems = problemsOf({
    file,
    env: { WAIHU_SIP_PORT: 'many', WAIHU_SIPP_PORT: '1' },
    flags: { nonsense: 'x' },
  });
  expect([...problems.keys()].toSorted()).toEqual([
    'WAIHU_SIPP_PORT',
    'colour',
    'http.adress',
    'http.port',
    'log.level',
    'nonsense',
    'sip.port (WAIHU_SIP_PORT)',
    'trunks[0].callerNumbers',
    'trunks[0].name',
  ]);
  expect(problems.get('http.port')).toBe('It must be <= 65535 but is 70000.');
  expect(problems.get('log.level')).toContain('debug, info, warn, error, silent');
});

test('values that contradict each other are refused', () => {
  const twice = `${TRUNK}sessionSeconds = 60\n${TRUNK}\n[rtp]\nfirstPort = 30000\nlastPort = 30006\n`;
  expect([...problemsOf({ file: toml(twice) }).keys()]).toEqual([
    'rtp.lastPort',
    'trunks[0].sessionSeconds',
    'trunks[1].name',
  ]);
});

test('a file that is missing or not TOML is a problem like any other', () => {
  expect([...problemsOf({ file: '/nowhere/waihu.toml', flags: { 'http.port': 'x' } }).keys()]).toEqual([
    '/nowhere/waihu.toml',
    'http.port',
  ]);
  const broken = toml('a = 1\nb = = 2\n');
  expect([...problemsOf({ file: broken }).keys()]).toContain(`${broken}:2`);
});

test('a secret that is wrong is not repeated in the message', () => {
  const problems = problemsOf({ env: { DATABASE_URL: 'mysql://u:hunter2@h/d' } });
  expect([...problems.values()].join('')).not.toContain('hunter2');
});
