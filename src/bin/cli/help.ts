import type { Command, Option } from 'commander';
import type { Language } from '#domain/text.ts';

const TITLES: Readonly<Record<string, string>> = {
  'Usage:': '用法：',
  'Options:': '选项：',
  'Global Options:': '通用选项（写在命令前后均可）：',
  'Commands:': '命令：',
  'Arguments:': '参数：',
};

/** What commander says of wrong use, in Chinese. */
const ERRORS: readonly (readonly [RegExp, string])[] = [
  [/^error: unknown option '(.+?)'/m, '没有选项 $1。'],
  [/^error: unknown command '(.+?)'/m, '没有命令 $1。'],
  [/^error: missing required argument '(.+?)'/m, '缺少参数 $1。'],
  [/^error: option '(.+?)' argument missing/m, '选项 $1 缺少取值。'],
  [/^error: required option '(.+?)' not specified/m, '必须给出选项 $1。'],
  [/^error: too many arguments.*$/m, '参数过多。'],
  [
    /^error: option '(.+?)' argument '(.*?)' is invalid\. Allowed choices are (.+)\./m,
    '选项 $1 的取值“$2”无效，可选：$3。',
  ],
  [/\(Did you mean (?:one of )?(.+?)\?\)/, '是不是要写 $1？'],
];

/** Lets a program and all its commands, which are added afterwards, speak the user's language. */
export function localizeHelp(program: Command, language: Language): void {
  program.configureHelp({
    showGlobalOptions: true,
    styleTitle: (title) =>
      language === 'zh'
        ? (TITLES[title] ?? title)
        : title.replace('Global Options:', 'Global options (before or after the command):'),
    optionDescription: (option) => describe(option, language),
  });
  program.configureOutput({
    outputError: (text, write) =>
      write(language === 'zh' ? ERRORS.reduce((said, [from, to]) => said.replace(from, to), text) : text),
  });
}

function describe(option: Option, language: Language): string {
  const { description, argChoices } = option;
  const fallback: unknown = option.defaultValue;
  const shown = (typeof fallback === 'string' || typeof fallback === 'number') && fallback !== '';
  const extra = [
    ...(argChoices === undefined ? [] : [argChoices.join(' | ')]),
    ...(shown ? [language === 'zh' ? `默认 ${fallback}` : `default ${fallback}`] : []),
  ];
  if (extra.length === 0) return description;
  return language === 'zh' ? `${description}（${extra.join('；')}）` : `${description} (${extra.join('; ')})`;
}
