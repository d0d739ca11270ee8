import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import type { SipTransport } from '../transport/transport.ts';
import { SipUserAgent } from '../user-agent.ts';
import { parseMessage } from './parse.ts';
import { writeMessage } from './write.ts';

/**
 * What becomes of each message of RFC 4475: `ok` is read, `refused` is answered without state, `dropped` vanishes; the
 * reply is the last status that our user agent sends (180 where an INVITE rings, 0 for silence). Where the RFC leaves a
 * choice between refusing and reading what was meant (stray spaces, escapes, a branch of nothing), we refuse: a reading
 * that differs from that of the proxy before us is a way around it. What does no harm (a date, Max-Forwards of zero at an
 * endpoint) passes.
 */
const TABLE: readonly (readonly [file: string, section: string, parse: 'ok' | 'refused' | 'dropped', reply: number])[] =
  [
    ['wsinv', '3.1.1.1 short tortuous INVITE; its To tag names no dialog of ours', 'ok', 481],
    ['intmeth', '3.1.1.2 wide range of valid characters', 'ok', 501],
    ['esc01', '3.1.1.3 valid use of % escaping', 'ok', 180],
    ['escnull', '3.1.1.4 escaped nulls in URIs', 'ok', 405],
    ['esc02', '3.1.1.5 % that is no escape in a method', 'ok', 501],
    ['lwsdisp', '3.1.1.6 no space between display name and <', 'ok', 200],
    ['longreq', '3.1.1.7 long values in header fields', 'ok', 180],
    ['dblreq', '3.1.1.8 extra octets behind the datagram’s message', 'ok', 405],
    ['semiuri', '3.1.1.9 semicolon in the user part', 'ok', 200],
    ['transports', '3.1.1.10 varied and unknown transports', 'ok', 200],
    ['mpart01', '3.1.1.11 multipart MESSAGE', 'ok', 405],
    ['unreason', '3.1.1.12 unusual reason phrase', 'ok', 0],
    ['noreason', '3.1.1.13 empty reason phrase', 'ok', 0],
    ['badinv01', '3.1.2.1 extraneous separators in Via and Contact', 'refused', 400],
    ['clerr', '3.1.2.2 Content-Length larger than the message', 'refused', 400],
    ['ncl', '3.1.2.3 negative Content-Length', 'refused', 400],
    ['scalar02', '3.1.2.4 request scalars out of range', 'refused', 400],
    ['scalarlg', '3.1.2.5 response scalars out of range', 'dropped', 0],
    ['quotbal', '3.1.2.6 unterminated quoted string', 'refused', 400],
    ['ltgtruri', '3.1.2.7 <> around the Request-URI', 'refused', 400],
    ['lwsruri', '3.1.2.8 spaces within the Request-URI', 'refused', 400],
    ['lwsstart', '3.1.2.9 several spaces in the start-line', 'refused', 400],
    ['trws', '3.1.2.10 space at the end of the start-line', 'refused', 400],
    ['escruri', '3.1.2.11 escaped headers in the Request-URI', 'refused', 400],
    ['baddate', '3.1.2.12 invalid time zone in Date, which we do not read', 'ok', 180],
    ['regbadct', '3.1.2.13 Contact URI with ? and no <>', 'refused', 400],
    ['badaspec', '3.1.2.14 spaces within an addr-spec', 'refused', 400],
    ['baddn', '3.1.2.15 unquoted comma in a display name', 'refused', 400],
    ['badvers', '3.1.2.16 unknown protocol version', 'refused', 505],
    ['mismatch01', '3.1.2.17 CSeq and start-line name different methods', 'refused', 400],
    ['mismatch02', '3.1.2.18 the same with an unknown method', 'refused', 400],
    ['bigcode', '3.1.2.19 overlarge response code', 'dropped', 0],
    ['badbranch', '3.2.1 branch of nothing but the cookie', 'refused', 400],
    ['insuf', '3.3.1 missing required header fields', 'refused', 400],
    ['unkscm', '3.3.2 Request-URI with an unknown scheme', 'ok', 416],
    ['novelsc', '3.3.3 known but unusual scheme', 'ok', 416],
    ['unksm2', '3.3.4 unknown schemes in header fields; we register nobody', 'ok', 405],
    ['bext01', '3.3.5 Require of unknown extensions', 'ok', 420],
    ['invut', '3.3.6 unknown Content-Type', 'ok', 415],
    ['regaut01', '3.3.7 unknown authorization scheme; we register nobody', 'ok', 405],
    ['multi01', '3.3.8 several values in single-value fields', 'refused', 400],
    ['mcl01', '3.3.9 several Content-Length values', 'refused', 400],
    ['bcast', '3.3.10 response with the broadcast address in its second Via', 'ok', 0],
    ['zeromf', '3.3.11 Max-Forwards of zero: the endpoint may answer', 'ok', 200],
    ['cparam01', '3.3.12 REGISTER with a contact parameter', 'ok', 405],
    ['cparam02', '3.3.13 REGISTER with a URL parameter', 'ok', 405],
    ['regescrt', '3.3.14 REGISTER with an escaped header in the URL', 'ok', 405],
    ['sdp01', '3.3.15 unacceptable Accept', 'ok', 406],
    ['inv2543', '3.4.1 INVITE with RFC 2543 syntax', 'ok', 180],
  ];

const FOLDER = fileURLToPath(new URL('../../../../node_modules/sip/test/messages/', import.meta.url));

describe.skipIf(!existsSync(FOLDER))('RFC 4475 torture messages', () => {
  it('has all 49 messages in its table', () => {
    expect(new Set(TABLE.map(([file]) => file)).size).toBe(49);
  });

  for (const [file, section, parse, reply] of TABLE)
    it(`handles ${file}: ${section}`, () => {
      const bytes = readFileSync(`${FOLDER}${file}.dat`);
      const result = parseMessage(bytes);
      const got = result.ok ? 'ok' : result.refusal === undefined ? 'dropped' : 'refused';
      expect({ file, got }).toEqual({ file, got: parse });
      expect(lastReply(bytes)).toBe(reply);
    });

  it('reads back what it writes of every readable message', () => {
    for (const [file, , parse] of TABLE) {
      // A binary body does not survive as text.
      if (parse !== 'ok' || file === 'mpart01') continue;
      const first = parseMessage(readFileSync(`${FOLDER}${file}.dat`));
      const again = first.ok ? parseMessage(writeMessage(first.message)) : first;
      if (!first.ok || !again.ok) throw new Error(file);
      const fields = [...first.message.headers].filter(([name]) => name !== 'Content-Length');
      expect([...again.message.headers].filter(([name]) => name !== 'Content-Length')).toEqual(fields);
      expect(again.message.body).toBe(first.message.body);
    }
  });
});

function lastReply(bytes: Uint8Array): number {
  let status = 0;
  const transport: SipTransport = {
    protocol: 'UDP',
    reliable: false,
    local: { address: '10.0.0.1', port: 5060 },
    onDatagram: undefined,
    send: (sent) => {
      status = Number(Buffer.from(sent).toString('latin1', 8, 11));
    },
    close: () => Promise.resolve(),
  };
  const agent = SipUserAgent.on(transport, { clock: new ManualClock(), log: silentLog, product: 'test' });
  agent.onIncomingCall = (call) => call.progress(180);
  transport.onDatagram?.(bytes, { host: '192.0.2.1', port: 5060 });
  return status;
}
