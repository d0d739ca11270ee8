import type { Problem } from '#platform/error.ts';
import type { LocalText } from '#domain/text.ts';

/** What the validator says of one value; the fields of Ajv's errors that we read. */
export interface ValidationFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** A validator's findings as problems with paths such as `settings.windows[0].endMinute`, in both languages. */
export function problemsOf(faults: readonly ValidationFault[]): readonly Problem[] {
  return faults.map((fault) => ({ path: pathOf(fault), message: textOf(fault) }));
}

function pathOf({ instancePath, params }: ValidationFault): string {
  const below = params['missingProperty'] ?? params['additionalProperty'];
  const steps = instancePath.split('/').slice(1);
  if (typeof below === 'string') steps.push(below);
  return steps
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

function textOf({ keyword, params, message = keyword }: ValidationFault): LocalText {
  const limit = String(params['limit']);
  switch (keyword) {
    case 'required':
      return { zh: '必填。', en: 'Required.' };
    case 'additionalProperties':
      return { zh: '没有这个字段。', en: 'There is no such field.' };
    case 'type':
      return { zh: `类型应为 ${String(params['type'])}。`, en: `Must be of type ${String(params['type'])}.` };
    case 'enum': {
      const allowed = (params['allowedValues'] as readonly unknown[]).join(', ');
      return { zh: `必须是以下之一：${allowed}。`, en: `Must be one of: ${allowed}.` };
    }
    case 'minLength':
      return limit === '1'
        ? { zh: '不能为空。', en: 'Must not be empty.' }
        : { zh: `至少 ${limit} 个字符。`, en: `At least ${limit} characters.` };
    case 'maxLength':
      return { zh: `最多 ${limit} 个字符。`, en: `At most ${limit} characters.` };
    case 'minimum':
      return { zh: `不能小于 ${limit}。`, en: `Must not be less than ${limit}.` };
    case 'maximum':
      return { zh: `不能大于 ${limit}。`, en: `Must not be more than ${limit}.` };
    case 'maxItems':
      return { zh: `最多 ${limit} 项。`, en: `At most ${limit} items.` };
    case 'maxProperties':
      return { zh: `最多 ${limit} 项。`, en: `At most ${limit} entries.` };
    case 'format':
    case 'pattern':
      return { zh: '格式不对。', en: 'Has the wrong form.' };
    default:
      return { zh: `不符合要求：${message}`, en: message };
  }
}
