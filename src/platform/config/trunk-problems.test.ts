import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../error.ts';
import { loadConfig } from './config.ts';
import { renderConfigDocument } from './document.ts';
import { fillHeader } from './header-template.ts';

let directory: string;
let files = 0;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waihu-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string) {
  const file = join(directory, `${files++}.toml`);
  writeFileSync(file, text);
  return loadConfig({ file, env: {}, flags: {} });
}

/** The problems of a file by their place, in both languages. */
function problems(text: string): ReadonlyMap<string, { readonly zh: string; readonly en: string }> {
  try {
    load(text);
  } catch (error) {
    if (error instanceof AppError) return new Map(error.problems.map(({ path, message }) => [path, message]));
    throw error;
  }
  return new Map();
}

const trunk = (text: string, above = '') =>
  `${above}\n[[trunks]]\nname = "t"\ncallerNumbers = ["01012345678"]\n${text}\n`;

describe('trunk settings', () => {
  it.each([
    ['no server', '', ['trunks[0].host']],
    ['both ways to write servers', 'host = "a"\npeers = [{ host = "b" }]', ['trunks[0].peers']],
    ['the same server twice', 'peers = [{ host = "b" }, { host = "b" }]', ['trunks[0].peers[1]']],
    ['a transport that is not bound', 'host = "a"\ntransport = "tls"', ['trunks[0].transport']],
    ['a proxy over such a one', 'host = "a"\noutboundProxy = "sip:p;transport=tcp"', ['trunks[0].outboundProxy']],
    ['an IPv6 server from an IPv4 address', 'host = "2001:db8::1"', ['trunks[0].host']],
    ['a port within the host', 'host = "carrier.example:5070"', ['trunks[0].host']],
    [
      'a registration without credentials',
      'host = "a"\n[trunks.account.registration]',
      ['trunks[0].account.username', 'trunks[0].account.password'],
    ],
    ['a pattern that is none', 'host = "a"\ntakes = "^+86("', ['trunks[0].takes']],
    [
      'areas without their rule',
      'host = "a"\n[trunks.caller]\nareas = { "+8610" = ["01012345678"] }',
      ['trunks[0].caller.areas'],
    ],
    [
      'an area with a number of somebody else',
      'host = "a"\n[trunks.caller]\nrule = "area"\nareas = { "+8610" = ["999"] }',
      ['trunks[0].caller.areas.+8610'],
    ],
    ['a hidden number that nobody learns', 'host = "a"\n[trunks.caller]\nprivacy = "id"', ['trunks[0].caller.privacy']],
    [
      'an account in From that is not there',
      'host = "a"\n[trunks.caller]\nfrom = "account"',
      ['trunks[0].caller.from'],
    ],
    ['a header of ours', 'host = "a"\nheaders = { Contact = "x" }', ['trunks[0].headers.Contact']],
    ['a header with a line break', 'host = "a"\nheaders = { X-A = "x\\r\\nVia: y" }', ['trunks[0].headers.X-A']],
    ['a header with an unknown variable', 'host = "a"\nheaders = { X-A = "{password}" }', ['trunks[0].headers.X-A']],
    ['a header without a name', 'host = "a"\nheaders = { "X A" = "x" }', ['trunks[0].headers.X A']],
    ['TLS settings for UDP', 'host = "a"\ntls = { verify = false }', ['trunks[0].tls']],
    ['a progress code that is none', 'host = "a"\nprogress = { 200 = "busy" }', ['trunks[0].progress.200']],
    ['a session interval too short', 'host = "a"\nsessionSeconds = 30', ['trunks[0].sessionSeconds']],
  ])('refuse %s', (_, text, places) => {
    const found = problems(trunk(text));
    expect([...found.keys()]).toEqual(places);
    for (const { zh, en } of found.values()) {
      expect(zh).toMatch(/[一-鿿]/);
      expect(en).toMatch(/[a-z]{3}/);
    }
  });

  it('refuse a certificate without its key, on either side', () => {
    const sip = '[sip]\ntransports = ["tls"]\n[sip.tls]\ncertificate = "c.pem"\n';
    const text = trunk(
      'host = "a"\ntransport = "tls"\ntls = { certificate = "c.pem", verify = false, serverName = "b" }',
      sip,
    );
    expect([...problems(text).keys()]).toEqual(['sip.tls.key', 'trunks[0].tls.key', 'trunks[0].tls.verify']);
  });

  it.each([
    ['other settings for one host', 'host = "A"\ntransport = "tls"\ntls = { verify = false }', true],
    ['none where the other has some', 'host = "a"\ntransport = "tls"', true],
    ['by the proxy', 'host = "b"\noutboundProxy = "sips:a"\ntls = { verify = false }', true],
    ['where DNS may say TLS', 'host = "a"', true],
    [
      'the same, in another order',
      'host = "a"\ntransport = "tls"\ntls = { verify = true, authorities = "c.pem" }',
      false,
    ],
    ['the host over UDP', 'host = "a"\nport = 5060\ntransport = "udp"', false],
    ['another host', 'host = "b"\ntransport = "tls"\ntls = { verify = false }', false],
  ])('tell two trunks that share a TLS host apart only by the same settings: %s', (_, second, refused) => {
    const sip = '[sip]\ntransports = ["udp", "tls"]\n';
    const one = trunk('host = "a"\ntransport = "tls"\ntls = { authorities = "c.pem", verify = true }', sip);
    const found = problems(`${one}[[trunks]]\nname = "u"\ncallerNumbers = ["01012345679"]\n${second}\n`);
    expect([...found.keys()]).toEqual(refused ? ['trunks[1].tls'] : []);
    const told = [...found.values()].map(({ en }) => en.slice(0, 18));
    expect(told).toEqual(refused ? ['Trunk "t" reaches '] : []);
  });

  it('refuse a group with the name of a trunk', () => {
    expect([...problems(trunk('host = "a"\ngroup = "t"')).keys()]).toEqual(['trunks[0].group']);
  });

  it('never repeat a password', () => {
    const found = problems(trunk('host = "a"\n[trunks.account]\nusername = "u x"\npassword = 1234'));
    expect([...found.keys()]).toEqual(['trunks[0].account.username', 'trunks[0].account.password']);
    expect(JSON.stringify([...found.values()])).not.toContain('1234');
  });

  it('take the example of the document', () => {
    const example = /```toml\n([\s\S]*?)```/.exec(renderConfigDocument())?.[1] ?? '';
    const { trunks } = load(example);
    expect(trunks.map(({ name }) => name)).toEqual(['carrier', 'backup']);
    expect(trunks[0]?.account?.registration).toEqual({ expiresSeconds: 600 });
    expect(trunks[1]?.peers?.[1]).toMatchObject({ host: 'b.carrier.example', priority: 1, weight: 1 });
    expect(readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8')).toBe(renderConfigDocument());
  });
});

it('fills header templates, and leaves out a field that lacks a value', () => {
  expect(fillHeader('id={attemptId};to={phone}', { attemptId: 'a', phone: '+86' })).toBe('id=a;to=+86');
  expect(fillHeader('{campaignId}', { attemptId: 'a' })).toBeUndefined();
});
