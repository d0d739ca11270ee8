/**
 * SIPp scenarios as lists of steps. What the first request said is kept, so that each answer can go to it whatever came in
 * between: $2 From, $3 To, $4 Contact URI, $5 Via, $6 CSeq number; $7 is our tag once we have answered.
 */
export interface Step {
  readonly xml: string;
}

/** The SDP of the peer: PCMA unless the formats say otherwise. */
export function peerSdp(formats = '8', direction = 'sendrecv', address = '[local_ip]'): string {
  return [
    'v=0',
    'o=peer 53655765 2353687637 IN IP[local_ip_type] [local_ip]',
    's=-',
    `c=IN IP[local_ip_type] ${address}`,
    't=0 0',
    `m=audio 6000 RTP/AVP ${formats}`,
    `a=${direction}`,
    '',
  ].join('\n');
}

interface Parts {
  /** The tag of the peer; empty: none. */
  readonly tag?: string;
  readonly headers?: readonly string[];
  /** In place of the peer's own address. */
  readonly contact?: string;
  readonly sdp?: string;
  /** A body that is no SDP, with its type. */
  readonly body?: { readonly type: string; readonly text: string };
  /** Repeated until something comes. */
  readonly repeat?: boolean;
}

const CHECKED = 20;

/** Waits for our INVITE and keeps what answers to it need; `again` for one that follows an ACK. */
export function invited(checks: readonly Check[] = []): Step {
  const keep = (header: string, regexp: string, variable: number): string =>
    `<ereg regexp="${regexp}" search_in="hdr" header="${header}:" assign_to="${variable}"/>`;
  const kept = [
    keep('From', '&lt;.*', 2),
    keep('To', '&lt;.*', 3),
    keep('Contact', 'sip:[^&gt;]*', 4),
    keep('Via', '.*', 5),
    keep('CSeq', '[0-9]+', 6),
  ];
  return { xml: `<recv request="INVITE"><action>${kept.join('')}${checksXml(checks)}</action></recv>` };
}

/** A regular expression that a header, or the whole message for an empty name, must match. */
export interface Check {
  readonly header: string;
  readonly regexp: string;
}

/** Waits for a request of ours. */
export function recv(method: string, checks: readonly Check[] = []): Step {
  return { xml: `<recv request="${method}"><action>${checksXml(checks)}</action></recv>` };
}

/** Waits for a response of ours. */
export function response(status: number, checks: readonly Check[] = [], optional = false): Step {
  const keep = '<ereg regexp="tag=.*" search_in="hdr" header="To:" assign_to="7"/>';
  const actions = optional ? '' : `<action>${keep}${checksXml(checks)}</action>`;
  return { xml: `<recv response="${status}" optional="${optional}">${actions}</recv>` };
}

/** Answers the INVITE that was kept. */
export function answer(status: number, phrase: string, parts: Parts = {}): Step {
  const { tag = '[pid]SIPp[call_number]' } = parts;
  const head = [
    `SIP/2.0 ${status} ${phrase}`,
    'Via: [$5]',
    'From: [$2]',
    `To: [$3]${tag === '' ? '' : `;tag=${tag}`}`,
    'Call-ID: [call_id]',
    'CSeq: [$6] INVITE',
  ];
  return send(head, parts, parts.headers?.some((one) => /^(?:Contact|m):/.test(one)) === true ? [] : [CONTACT]);
}

/** Answers the last request, whatever it was. */
export function ok(status = 200, phrase = 'OK', headers: readonly string[] = [], sdp?: string): Step {
  const head = [
    `SIP/2.0 ${status} ${phrase}`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
  ];
  return send(head, { headers, ...(sdp === undefined ? {} : { sdp }) }, [CONTACT]);
}

/** A request of the peer that was called. */
export function ask(method: string, sequence: number, parts: Parts & { readonly via?: string } = {}): Step {
  const { tag = '[pid]SIPp[call_number]', via = 'branch=[branch]' } = parts;
  const head = [
    `${method} [$4] SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];${via};rport`,
    `From: [$3];tag=${tag}`,
    'To: [$2]',
    'Call-ID: [call_id]',
    `CSeq: ${sequence} ${method}`,
    'Max-Forwards: 70',
  ];
  const contact = parts.contact === undefined ? CONTACT : `Contact: ${parts.contact}`;
  return send(head, { repeat: method !== 'ACK', ...parts }, [contact]);
}

/** A request of the peer that calls; `inside` once we have answered. */
export function call(
  method: string,
  sequence: number,
  parts: Parts & { readonly inside?: boolean; readonly via?: string } = {},
): Step {
  const head = [
    `${method} sip:1@[remote_ip]:[remote_port] SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];${parts.via ?? 'branch=[branch]'}`,
    'From: <sip:peer@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]',
    `To: <sip:1@[remote_ip]:[remote_port]>${parts.inside === true ? ';[$7]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${sequence} ${method}`,
    'Max-Forwards: 70',
  ];
  return send(head, { repeat: method !== 'ACK' && method !== 'CANCEL', ...parts }, [CONTACT]);
}

/** Waits; SIPp fails where something unexpected comes meanwhile. */
export function pause(ms: number): Step {
  return { xml: `<pause milliseconds="${ms}"/>` };
}

/** The scenario file. */
export function sippXml(name: string, steps: readonly Step[]): string {
  const body = steps.map(({ xml }) => xml).join('\n');
  const used = new Set([...body.matchAll(/assign_to="(\d+)"/g)].map(([, variable]) => variable));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${body}\n<Reference variables="${[...used].join(',')}"/>\n</scenario>\n`;
}

const CONTACT = 'Contact: <sip:[local_ip]:[local_port]>';

function send(head: readonly string[], parts: Parts, standard: readonly string[]): Step {
  const {
    headers = [],
    repeat,
    sdp,
    body = sdp === undefined ? undefined : { type: 'application/sdp', text: sdp },
  } = parts;
  const fields = [...head, ...standard, ...headers, ...(body === undefined ? [] : [`Content-Type: ${body.type}`])];
  const text = `${fields.join('\n')}\nContent-Length: [len]\n\n${body?.text ?? ''}`;
  return { xml: `<send${repeat === true ? ' retrans="500"' : ''}><![CDATA[\n${text}\n]]></send>` };
}

function checksXml(checks: readonly Check[]): string {
  return checks
    .map(({ header, regexp }, index) => {
      const where = header === '' ? 'search_in="msg"' : `search_in="hdr" header="${header}:"`;
      return `<ereg regexp="${regexp.replaceAll('<', '&lt;').replaceAll('"', '&quot;')}" ${where} check_it="true" assign_to="${CHECKED + index}"/>`;
    })
    .join('');
}
