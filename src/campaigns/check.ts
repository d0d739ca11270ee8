import type { Problem } from '#platform/error.ts';

/** Collects the problems of an input while it is read; a wrong value reads as a harmless one of its kind. */
export class Check {
  readonly problems: Problem[] = [];

  add(path: string, zh: string, en: string): void {
    this.problems.push({ path, message: { zh, en } });
  }

  record(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    this.add(path, '必须是一个对象。', 'Must be an object.');
    return {};
  }

  list(value: unknown, path: string, maxItems: number): readonly unknown[] {
    if (!Array.isArray(value)) {
      this.add(path, '必须是一个列表。', 'Must be a list.');
      return [];
    }
    if (value.length > maxItems) {
      this.add(path, `最多 ${maxItems} 项。`, `At most ${maxItems} items.`);
      return [];
    }
    return value as readonly unknown[];
  }

  integer(value: unknown, path: string, min: number, max: number): number {
    if (Number.isSafeInteger(value)) return this.number(value, path, min, max);
    this.add(path, `必须是 ${min} 到 ${max} 之间的整数。`, `Must be a whole number from ${min} to ${max}.`);
    return min;
  }

  number(value: unknown, path: string, min: number, max: number): number {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    this.add(path, `必须在 ${min} 到 ${max} 之间。`, `Must be from ${min} to ${max}.`);
    return min;
  }

  text(value: unknown, path: string, maxLength = 200): string {
    if (typeof value === 'string' && value.trim().length > 0 && value.length <= maxLength) return value.trim();
    this.add(path, `必填，最多 ${maxLength} 个字符。`, `Required, at most ${maxLength} characters.`);
    return '';
  }

  oneOf<Value extends string>(value: unknown, path: string, choices: readonly Value[]): Value {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    this.add(path, `必须是以下之一：${choices.join('、')}。`, `Must be one of: ${choices.join(', ')}.`);
    return choices[0]!;
  }
}
