import { AppError } from '#platform/error.ts';
import type { Problem } from '#platform/error.ts';

/** Deeper than any request of ours. */
const MAX_DEPTH = 16;

/**
 * Refuses what the database cannot hold: NUL characters and halves of surrogate pairs, in keys and values at any depth.
 * @throws AppError `invalid-input` with the path of each
 */
export function requireStorable(value: unknown, path = ''): void {
  const problems: Problem[] = [];
  collect(value, path, 0, problems);
  if (problems.length === 0) return;
  throw new AppError(
    'invalid-input',
    { zh: '内容含有无法保存的字符，请删除后重试。', en: 'It holds characters that cannot be stored; remove them.' },
    { problems },
  );
}

function collect(value: unknown, path: string, depth: number, problems: Problem[]): void {
  if (depth > MAX_DEPTH) {
    problems.push({ path, message: { zh: '嵌套太深。', en: 'Is nested too deeply.' } });
  } else if (typeof value === 'string' && !isStorable(value)) {
    problems.push({ path, message: { zh: '含有无法保存的字符。', en: 'Holds characters that cannot be stored.' } });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, `${path}[${index}]`, depth + 1, problems);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (!isStorable(key)) collect(key, path, depth, problems);
      else collect(item, path === '' ? key : `${path}.${key}`, depth + 1, problems);
    }
  }
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
