import type { LocalText } from '#domain/text.ts';

/** What a header template may name. */
export const HEADER_VARIABLES = ['attemptId', 'campaignId', 'leadId', 'trunk', 'phone', 'callerNumber'] as const;
export type HeaderVariable = (typeof HEADER_VARIABLES)[number];

/** Fields that the user agent writes itself, or that the trunk's other settings make. */
const OURS: ReadonlySet<string> = new Set([
  'via',
  'v',
  'from',
  'f',
  'to',
  't',
  'call-id',
  'i',
  'cseq',
  'contact',
  'm',
  'max-forwards',
  'route',
  'record-route',
  'content-type',
  'c',
  'content-length',
  'l',
  'content-encoding',
  'e',
  'content-disposition',
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'allow',
  'supported',
  'k',
  'require',
  'proxy-require',
  'session-expires',
  'x',
  'min-se',
  'user-agent',
  'rack',
  'rseq',
  'replaces',
  'refer-to',
  'r',
  'p-asserted-identity',
  'p-preferred-identity',
  'privacy',
]);

/** The faults of header templates by the field's name. */
export function* headerProblems(headers: Readonly<Record<string, string>>): Generator<readonly [string, LocalText]> {
  for (const [name, template] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9!%*_+`'~.-]+$/.test(name))
      yield [
        name,
        { zh: '不是有效的头域名（RFC 3261 token）。', en: 'It is not a name of a header field (RFC 3261 token).' },
      ];
    else if (OURS.has(name.toLowerCase()))
      yield [
        name,
        {
          zh: '这个头域由平台自己写，不能在这里设置；身份与隐私见 caller。',
          en: 'The platform writes this field itself; identity and privacy are set under caller.',
        },
      ];
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    if (/[\u0000-\u001f\u007f]/.test(template))
      yield [name, { zh: '不能含换行或控制字符。', en: 'It must not hold line breaks or control characters.' }];
    for (const [, variable = ''] of template.matchAll(/\{([^{}]*)\}/g))
      if (!(HEADER_VARIABLES as readonly string[]).includes(variable))
        yield [
          name,
          {
            zh: `没有变量 {${variable}}，可用：${HEADER_VARIABLES.map((one) => `{${one}}`).join(' ')}。`,
            en: `There is no {${variable}}; there are ${HEADER_VARIABLES.map((one) => `{${one}}`).join(' ')}.`,
          },
        ];
  }
}

/** The field's value for one call; undefined where a variable in it has none, for example {campaignId} of a single call. */
export function fillHeader(
  template: string,
  values: Readonly<Partial<Record<HeaderVariable, string>>>,
): string | undefined {
  let missing = false;
  const text = template.replace(/\{([^{}]*)\}/g, (_, variable: string) => {
    const value = values[variable as HeaderVariable];
    missing ||= value === undefined;
    return value ?? '';
  });
  return missing ? undefined : text;
}
