// Feeds mutilated SIP and SDP to a user agent with live calls, to the stream framer and to everything that reads fields.
// npm run fuzz sip -- --inputs 1000000 [--seed 1]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { silentLog } from '#platform/log.ts';
import { localMediaOf } from '#telephony/sdp/local-media.ts';
import type { LocalMedia } from '#telephony/sdp/media.ts';
import { acceptAnswer, createAnswer, createOffer, createReoffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import type { HeaderField } from '#telephony/sip/messages/headers.ts';
import {
  assertedIdentities,
  attestationOf,
  diversionsOf,
  earlyMediaOf,
  historyOf,
  privacyOf,
  userToUserOf,
} from '#telephony/sip/messages/identity.ts';
import type { SipRequest } from '#telephony/sip/messages/message.ts';
import { parseMessage } from '#telephony/sip/messages/parse.ts';
import { buildRequest, buildResponse, writeMessage } from '#telephony/sip/messages/write.ts';
import { parseReason } from '#telephony/sip/reason.ts';
import { StreamFramer } from '#telephony/sip/transport/framer.ts';
import type { SipTransport } from '#telephony/sip/transport/transport.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { FuzzWatch, generator, readCorpus, runFuzz } from './watch.ts';
import type { FuzzReport } from './watch.ts';

/** The RFC 4475 messages, where the package that has them is installed. */
const TORTURE = fileURLToPath(new URL('../../node_modules/sip/test/messages/', import.meta.url));
/** A user agent lives for this many inputs, so that its calls are in the states that matter. */
const EPOCH_RUNS = 400;
const MAX_BYTES = 8_192;

const LOCAL: LocalMedia = {
  address: '10.0.0.1',
  audioPort: 4000,
  textPort: 4002,
  codecs: ['PCMA', 'PCMU'],
  dtmf: true,
  direction: 'sendrecv',
};
const PEER = { host: '10.0.0.2', port: 5060 };
const CONTACT: HeaderField = ['Contact', '<sip:10.0.0.2>'];
const TYPE: HeaderField = ['Content-Type', 'application/sdp'];

type Target = (bytes: Buffer) => void;

/** Runs that many mutations, for one seed the same but for the random ids of our own; stops at the first fault. */
export async function fuzzSip(inputs: number, seed: number): Promise<FuzzReport> {
  const random = generator(seed);
  const torture = existsSync(TORTURE)
    ? readdirSync(TORTURE)
        .filter((name) => name.endsWith('.dat'))
        .sort((a, b) => a.localeCompare(b))
        .map((name) => readFileSync(`${TORTURE}${name}`))
    : [];
  const strangers = [...torture, ...readCorpus('sip'), ...readCorpus('sdp')];
  const watch = new FuzzWatch(inputs);
  let epoch = openEpoch();
  for (let input = 0; input < inputs; input++) {
    if (input % EPOCH_RUNS === EPOCH_RUNS - 1) {
      epoch.close();
      // What waits for the end of its call hears of it only now.
      await new Promise((resolve) => setImmediate(resolve));
      epoch = openEpoch();
    }
    watch.base(input);
    const bytes = mutated(random() < 0.3 ? strangers : epoch.corpus, random);
    const names = Object.keys(epoch.targets);
    // Most of the code is behind the user agent.
    const target = random() < 0.7 ? 'agent' : names[Math.floor(random() * names.length)]!;
    const fault = watch.time(() => {
      epoch.targets[target]!(bytes);
      if (random() < 0.05) epoch.clock.advance(Math.floor(random() * 40_000));
      if (epoch.fault() !== undefined) throw epoch.fault();
    });
    if (fault !== undefined) return watch.failed(input, target, bytes, fault);
  }
  epoch.close();
  await new Promise((resolve) => setImmediate(resolve));
  return watch.passed();
}

/** A user agent with a ringing, an answered and an incoming call, and messages that fit each of them. */
function openEpoch() {
  const clock = new ManualClock();
  let fault: unknown;
  const sent: Buffer[] = [];
  const transport: SipTransport = {
    protocol: 'UDP',
    reliable: false,
    local: { address: '10.0.0.1', port: 5060 },
    onDatagram: undefined,
    send: (bytes) => {
      const copy = Buffer.from(bytes);
      // Whatever came in, a request of ours can be read; refusals of nonsense repeat the nonsense.
      if (!copy.toString('latin1', 0, 4).startsWith('SIP/') && !parseMessage(copy).ok)
        fault ??= new Error(`we sent ${copy.toString('latin1')}`);
      if (sent.length < 16) sent.push(copy);
    },
    close: () => Promise.resolve(),
  };
  // The layer keeps a handler's fault from the socket; here it counts.
  const log = { ...silentLog, error: (fields: object) => (fault ??= (fields as { err?: unknown }).err ?? fields) };
  const resolver = { srv: () => Promise.resolve([]), addresses: () => Promise.resolve([]) };
  const options = { clock, log: { ...log, child: () => log }, product: 'fuzz', resolver, random: () => 0.5 };
  const agent = SipUserAgent.on(transport, options);
  const offer = writeSdp(createOffer(LOCAL));
  agent.onIncomingCall = (call) => {
    call.onTransferRequested = (request) => request.accept()(200);
    call.progress(180);
    call.answer(offer, LOCAL);
    void call.hold();
  };
  const place = (callId: string): SipRequest => {
    const handlers = {
      onProgress: () => undefined,
      onAnswered: () => undefined,
      onEnded: () => undefined,
      onTransferRequested: (request: { reject(status: number): void }) => request.reject(603),
    };
    const call = agent.placeCall(
      {
        callId,
        target: 'sip:1@10.0.0.2',
        from: 'sip:2@10.0.0.1',
        sdp: offer,
        ringTimeoutMs: 60_000,
        credentials: { username: 'u', password: 'p' },
        mayRedirectTo: () => true,
      },
      handlers,
    );
    const parsed = parseMessage(sent.at(-1)!);
    if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('INVITE cannot be read');
    void call.hold();
    return parsed.message;
  };
  const ringing = place('ringing');
  const talking = place('talking');
  const corpus = [...messagesFor(ringing, offer), ...messagesFor(talking, offer)];
  const feed = (bytes: Buffer): void => transport.onDatagram?.(bytes, PEER);
  feed(writeMessage(buildResponse(talking, 200, { toTag: 'x', headers: [CONTACT, TYPE], body: offer })));
  const targets: Readonly<Record<string, Target>> = { agent: feed, framer, headers, sdp };
  return {
    clock,
    corpus,
    targets,
    fault: () => fault,
    close: () => {
      void agent.close('epoch');
      clock.advance(200_000);
    },
  };
}

/** Everything that a peer may send for one call. */
function messagesFor(invite: SipRequest, sdp: string): readonly Buffer[] {
  const parts = (headers: readonly HeaderField[], body = '') => ({
    toTag: 'x',
    headers: [CONTACT, ...headers, ...(body === '' ? [] : [TYPE])],
    body,
  });
  const respond = (status: number, headers: readonly HeaderField[] = [], body = ''): Buffer =>
    writeMessage(buildResponse(invite, status, parts(headers, body)));
  const ask = (method: string, sequence: number, headers: readonly HeaderField[] = [], body = ''): Buffer =>
    writeMessage(
      buildRequest(
        method,
        'sip:10.0.0.1',
        [
          ['Via', `SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK${method}${sequence};rport`],
          ['From', '<sip:1@10.0.0.2>;tag=x'],
          ['To', invite.headers.get('From') ?? ''],
          ['Call-ID', invite.callId],
          ['CSeq', `${sequence} ${method}`],
          CONTACT,
          ...headers,
          ...(body === '' ? [] : [TYPE]),
        ],
        body,
      ),
    );
  const fresh = ['A', 'B'].map((name) =>
    writeMessage(
      buildRequest(
        'INVITE',
        'sip:2@10.0.0.1',
        [
          ['Via', `SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK${name};rport`],
          ['From', '"A" <sip:1@10.0.0.2>;tag=y'],
          ['To', '<sip:2@10.0.0.1>'],
          ['Call-ID', `in-${name}`],
          ['CSeq', '1 INVITE'],
          CONTACT,
          ['Supported', 'timer, 100rel, replaces'],
          ['Session-Expires', '90;refresher=uac'],
          ['P-Asserted-Identity', '<sip:1@10.0.0.2>, <tel:+861>'],
          ['Identity', 'e30.eyJhdHRlc3QiOiJBIiwib3JpZ2lkIjoieCJ9.c2ln;info=<https://x/1>;alg=ES256;ppt=shaken'],
          ['Diversion', '<sip:1@x>;reason=no-answer'],
          ['History-Info', '<sip:a@x?Reason=SIP%3Bcause%3D302>;index=1'],
          TYPE,
        ],
        sdp,
      ),
    ),
  );
  return [
    ...fresh,
    respond(180),
    respond(
      183,
      [
        ['Require', '100rel'],
        ['RSeq', '1'],
      ],
      sdp,
    ),
    respond(183, [
      ['Require', '100rel'],
      ['RSeq', '2'],
    ]),
    respond(
      200,
      [
        ['Session-Expires', '90;refresher=uac'],
        ['Allow', 'UPDATE'],
        ['Record-Route', '<sip:10.0.0.2;lr>'],
      ],
      sdp,
    ),
    respond(302, [['Contact', '<sip:3@10.0.0.2>;q=0.5']]),
    respond(401, [
      ['WWW-Authenticate', 'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="o"'],
    ]),
    respond(422, [['Min-SE', '1900']]),
    respond(486, [['Reason', 'Q.850;cause=17;text="User busy"']]),
    respond(491),
    respond(503, [['Retry-After', '7 (busy);duration=3']]),
    ask('INVITE', 5, [['Session-Expires', '90']], sdp),
    ask('INVITE', 6),
    ask('ACK', 6, [], sdp),
    ask('UPDATE', 7, [['Supported', 'timer']], sdp),
    ask('INFO', 8, [['Content-Type', 'application/dtmf-relay']]),
    ask('REFER', 9, [
      ['Refer-To', '<sip:5@10.0.0.2?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>'],
      ['Referred-By', '<sip:1@x>'],
    ]),
    ask('NOTIFY', 10, [
      ['Event', 'refer;id=2'],
      ['Subscription-State', 'terminated;reason=noresource'],
    ]),
    ask('OPTIONS', 11, [['Require', 'timer']]),
    ask('PRACK', 12, [['RAck', '1 1 INVITE']]),
    ask('CANCEL', 5),
    ask('BYE', 13, [['Reason', 'Q.850;cause=16']]),
  ];
}

const decode = (bytes: Buffer): string => bytes.toString('utf8');

function framer(bytes: Buffer): void {
  const one = new StreamFramer(65_536);
  const half = Math.floor(bytes.length / 2);
  for (const part of [bytes.subarray(0, half), bytes.subarray(half), bytes])
    if (typeof one.push(part) === 'string') return;
}

function headers(bytes: Buffer): void {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return;
  const { headers: fields } = parsed.message;
  assertedIdentities(fields);
  attestationOf(fields);
  privacyOf(fields);
  earlyMediaOf(fields);
  diversionsOf(fields);
  historyOf(fields);
  userToUserOf(fields);
  for (const value of fields.all('Reason')) parseReason(value);
  if (!parseMessage(writeMessage(parsed.message)).ok) throw new Error('cannot read back what was written');
}

function sdp(bytes: Buffer): void {
  const text = decode(bytes);
  const at = text.indexOf('v=0');
  try {
    const remote = parseSdp(at < 0 ? text : text.slice(at));
    const answered = createAnswer(remote, LOCAL);
    if (answered.ok) parseSdp(writeSdp(answered.answer));
    acceptAnswer(createOffer(LOCAL), remote);
    const local = localMediaOf(remote);
    if (local !== undefined) parseSdp(writeSdp(createReoffer(remote, local)));
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'protocol')) throw error;
  }
}

const SPECIAL = [
  '\r\n',
  '\r\n\r\n',
  ' ',
  ';',
  ',',
  '"',
  '<',
  '>',
  ':',
  '=',
  '\u0000',
  '\u00e9',
  '-1',
  '4294967296',
  '%00',
  '\t',
];

/** A message with some bytes changed, lines moved between messages, numbers at their limits; now and then as it is. */
function mutated(corpus: readonly Buffer[], random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = (): string => corpus[below(corpus.length)]!.toString('latin1');
  let text = pick();
  for (let steps = below(5); steps > 0; steps--) {
    const at = below(text.length + 1);
    const kind = below(7);
    const lines = text.split('\r\n');
    const line = below(lines.length);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + below(12));
    else if (kind === 1) text = text.slice(0, at) + SPECIAL[below(SPECIAL.length)]! + text.slice(at);
    else if (kind === 2) text = lines.toSpliced(line, below(2), pick().split('\r\n')[below(12)] ?? '').join('\r\n');
    else if (kind === 3) text = lines.toSpliced(line, 0, lines[below(lines.length)]!).join('\r\n');
    else if (kind === 4) text = text.replace(/\d+/g, (digits) => (below(12) === 0 ? String(2 ** below(40)) : digits));
    else if (kind === 5) text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
    else text = text.slice(0, at) + text.slice(at, at + 40).repeat(below(30)) + text.slice(at);
    if (text.length > MAX_BYTES) text = text.slice(0, MAX_BYTES);
  }
  return Buffer.from(text, 'latin1');
}

if (import.meta.main) await runFuzz('sip', fuzzSip);
