import type { LocalText } from '#domain/text.ts';

/** A JSON pointer as the path that problems name: `nodes[0].speech[1].text`. */
export function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/u.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}

/** What a validator's finding means, in both languages. */
export function explain(keyword: string, params: Record<string, unknown>, message: string): LocalText {
  const list = (value: unknown) => (Array.isArray(value) ? value.join(', ') : String(value));
  switch (keyword) {
    case 'required':
      return {
        zh: `缺少字段：${list(params['requiredProperties'])}`,
        en: `Missing: ${list(params['requiredProperties'])}`,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return {
        zh: `不认识的字段：${list(params['additionalProperties'] ?? params['unevaluatedProperties'] ?? '')}`,
        en: `Unknown: ${list(params['additionalProperties'] ?? params['unevaluatedProperties'] ?? 'field')}`,
      };
    case 'type':
      return { zh: `类型应为 ${list(params['type'])}`, en: `Must be ${list(params['type'])}` };
    case 'enum':
      return {
        zh: `应为其中之一：${list(params['allowedValues'])}`,
        en: `Must be one of: ${list(params['allowedValues'])}`,
      };
    case 'minLength':
    case 'minItems':
      return { zh: `不能少于 ${list(params['limit'])}`, en: `Must not be shorter than ${list(params['limit'])}` };
    case 'maxLength':
    case 'maxItems':
      return { zh: `不能多于 ${list(params['limit'])}`, en: `Must not be longer than ${list(params['limit'])}` };
    case 'minimum':
    case 'maximum':
      return {
        zh: `数值应 ${list(params['comparison'])} ${list(params['limit'])}`,
        en: `Must be ${list(params['comparison'])} ${list(params['limit'])}`,
      };
    case 'pattern':
      return { zh: `格式不符：${list(params['pattern'])}`, en: `Must match ${list(params['pattern'])}` };
    default:
      return { zh: `不符合要求：${message}`, en: message };
  }
}
