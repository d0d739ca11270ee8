import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReason, writeReason } from '../reason.ts';
import { parseMessage } from './parse.ts';
import { parseNameAddr } from './name-addr.ts';
import { parseSipUri } from './uri.ts';
import { parseVia } from './via.ts';
import { buildRequest, writeMessage } from './write.ts';

const INVITE = [
  'INVITE sip:bob@biloxi.example SIP/2.0',
  'v: SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1;rport, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2',
  'Max-Forwards: 70',
  'f: "A. ""\\"x, y" <sip:alice@atlanta.example;transport=udp>;tag=1',
  't: Bob <sip:bob@biloxi.example>',
  'i: a84b4c76e66710',
  'CSeq: 314159 INVITE',
  'Subject: one',
  '\t two',
  'm: <sip:alice@192.0.2.1>',
  'l: 4',
  '',
  'bodyEXTRA',
].join('\r\n');

describe('messages', () => {
  it('are read with compact names, folding, lists and Content-Length', () => {
    const text = INVITE.replace('"A. ""\\"x, y"', '"A. \\"x, y"');
    const result = parseMessage(Buffer.from(text));
    if (!result.ok) throw new Error(result.detail);
    const { message } = result;
    expect(message.headers.all('Via')).toHaveLength(2);
    expect(message.via).toMatchObject({ host: '2001:db8::9', port: 5070, transport: 'UDP' });
    expect(message.from).toMatchObject({ displayName: 'A. "x, y', uri: 'sip:alice@atlanta.example;transport=udp' });
    expect(message.headers.get('subject')).toBe('one two');
    expect(message.body).toBe('body');
  });

  it('are refused where a quoted string is followed by another', () => {
    expect(parseMessage(Buffer.from(INVITE))).toMatchObject({ ok: false, refusal: { status: 400 } });
  });

  it('cannot smuggle a header field in through a value', () => {
    const request = buildRequest('OPTIONS', 'sip:a@b', [
      ['Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'],
      ['From', '<sip:a@b>;tag=1'],
      ['To', '<sip:c@d>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 OPTIONS'],
      ['X-Note', 'a\r\nRoute: <sip:evil>'],
    ]);
    const read = parseMessage(writeMessage(request));
    expect(read.ok && read.message.headers.get('Route')).toBeUndefined();
  });

  it('come back as they were written', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,20}$/);
    const value = fc.stringMatching(/^[\x21-\x7e\u4e00-\u4eff]([\x20-\x7e\u4e00-\u4eff]{0,40}[\x21-\x7e])?$/);
    fc.assert(
      fc.property(token, value, fc.string(), (name, text, body) => {
        const header = `X-${name}`;
        const request = buildRequest(
          'MESSAGE',
          'sip:a@b',
          [
            ['Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'],
            ['From', '<sip:a@b>;tag=1'],
            ['To', '<sip:c@d>'],
            ['Call-ID', 'x'],
            ['CSeq', '1 MESSAGE'],
            [header, text],
          ],
          body.toWellFormed(),
        );
        const read = parseMessage(writeMessage(request));
        if (!read.ok) throw new Error(read.detail);
        expect(read.message.headers.get(header)).toBe(text);
        expect(read.message.body).toBe(body.toWellFormed());
      }),
    );
  });

  it('are refused with line ends or other control characters in the Call-ID, which our own requests would repeat', () => {
    for (const character of ['\r', '\u0000', '\t', ' ', '\u007f'])
      expect(parseMessage(Buffer.from(INVITE.replace('a84b4c', `a84${character}b4c`))).ok).toBe(false);
  });

  it('never make the reader throw, however they are damaged', () => {
    const base = Buffer.from(INVITE);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(9), fc.uint8Array({ maxLength: 9 })), { maxLength: 4 }),
        (edits) => {
          let bytes: Buffer = base;
          for (const [at, cut, put] of edits)
            bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
          const read = parseMessage(bytes);
          // What could be read can be written and read again.
          expect(read.ok ? parseMessage(writeMessage(read.message)).ok : false).toBe(read.ok);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('are read in time linear in their length', () => {
    for (const filler of ['"', '<', ';', ',', ' ', '\\', '\r\n ', 'a:']) {
      const bytes = Buffer.from(INVITE.replace('Subject: one', `Contact: ${filler.repeat(60_000 / filler.length)}`));
      const startMs = performance.now();
      parseMessage(bytes);
      expect(performance.now() - startMs).toBeLessThan(500);
    }
  });
});

describe('values', () => {
  it.each([
    ['sip:1@h:5080;transport=tcp?x=y', { user: '1', host: 'h', port: 5080, headers: 'x=y' }],
    ['sips:[2001:db8::1]', { scheme: 'sips', user: undefined, host: '2001:db8::1' }],
  ])('URI %s is read', (text, expected) => {
    expect(parseSipUri(text)).toMatchObject(expected);
  });

  it.each(['sip:', 'sip:@h', 'sip:a@h:99999', 'sip:a b@h', 'tel:1', 'sip:[::1', 'sip:a@h;=x'])(
    'URI %s is refused',
    (text) => {
      expect(parseSipUri(text)).toBeUndefined();
    },
  );

  it.each(['<sip:a', '"x <sip:a@b>', 'a,b <sip:a@b>', '<sip:a@b>;;', '', '<>', 'sip:a@b?x=y'])(
    'name-addr %s is refused',
    (text) => {
      expect(parseNameAddr(text)).toBeUndefined();
    },
  );

  it.each(['SIP/2.0/UDP', 'SIP/2.0/UDP ;branch=1', 'UDP h', 'SIP/2.0/UDP h:x'])('Via %s is refused', (text) => {
    expect(parseVia(text)).toBeUndefined();
  });

  it('Reason is read with several values, quoted commas and without a cause', () => {
    expect(parseReason('Q.850 ;cause=16 ;text="a, \\"b\\"", SIP;cause=600, x, ;;')).toEqual([
      { protocol: 'Q.850', cause: 16, text: 'a, "b"' },
      { protocol: 'SIP', cause: 600, text: '' },
      { protocol: 'x', cause: undefined, text: '' },
    ]);
    const reason = { protocol: 'SIP', cause: 200, text: 'say "hi"\\' };
    expect(parseReason(writeReason(reason))).toEqual([reason]);
  });
});
