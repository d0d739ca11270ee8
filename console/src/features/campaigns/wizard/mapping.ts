import type { ColumnMapping, ImportPreview, ScriptSummary } from '#domain/api.ts';

/** What a column of the file is for; `variable:NAME` fills a script's variable. */
export type ColumnUse = 'phone' | 'name' | 'attribute' | 'ignore' | `variable:${string}`;

/** A variable that some script asks for. */
export interface VariableChoice {
  readonly name: string;
  readonly label: string;
}

/** A fault of a mapping, with the variable it is about. */
export interface MappingProblem {
  readonly code: 'phoneMissing' | 'phoneTwice' | 'nameTwice' | 'variableTwice';
  readonly label: string;
}

/** How a script's variable gets its value from a list. */
export type Coverage = 'column' | 'fallback' | 'missing';

/** The variables of all scripts, each name once; `name` comes from the name column. */
export function variableChoices(scripts: readonly ScriptSummary[]): readonly VariableChoice[] {
  const choices = new Map<string, VariableChoice>();
  for (const { variables } of scripts) {
    for (const { name, label } of variables) {
      if (name !== 'name' && !choices.has(name)) choices.set(name, { name, label });
    }
  }
  return [...choices.values()];
}

/** What each column most likely is: the server's guess, then variables of the same name or label. */
export function guessUses(preview: ImportPreview, variables: readonly VariableChoice[]): readonly ColumnUse[] {
  const taken = new Set<string>();
  return preview.columns.map((column): ColumnUse => {
    if (column === preview.guess.phone) return 'phone';
    if (column === preview.guess.name) return 'name';
    if (preview.guess.ignore.includes(column)) return 'ignore';
    const renamed = preview.guess.rename[column] ?? column;
    const variable = variables.find(
      ({ name, label }) => plain(name) === plain(renamed) || plain(label) === plain(renamed),
    );
    if (variable === undefined || taken.has(variable.name)) return 'attribute';
    taken.add(variable.name);
    return `variable:${variable.name}`;
  });
}

/** The mapping as the API takes it. */
export function mappingOf(columns: readonly string[], uses: readonly ColumnUse[]): ColumnMapping {
  const rename: Record<string, string> = {};
  const ignore: string[] = [];
  columns.forEach((column, index) => {
    const use = uses[index];
    const variable = use === undefined ? undefined : variableOf(use);
    if (use === 'ignore') ignore.push(column);
    if (variable !== undefined && variable !== column) rename[column] = variable;
  });
  return {
    phone: columns[uses.indexOf('phone')] ?? null,
    name: columns[uses.indexOf('name')] ?? null,
    ignore,
    rename,
  };
}

/** What keeps a mapping from being used; empty when it is whole. */
export function mappingProblems(
  uses: readonly ColumnUse[],
  variables: readonly VariableChoice[],
): readonly MappingProblem[] {
  const count = (use: ColumnUse): number => uses.filter((other) => other === use).length;
  const problems: MappingProblem[] = [];
  if (count('phone') === 0) problems.push({ code: 'phoneMissing', label: '' });
  if (count('phone') > 1) problems.push({ code: 'phoneTwice', label: '' });
  if (count('name') > 1) problems.push({ code: 'nameTwice', label: '' });
  for (const { name, label } of variables) {
    if (count(`variable:${name}`) > 1) problems.push({ code: 'variableTwice', label });
  }
  return problems;
}

/** Whether a script's variable finds a value: by a mapped column, a column of its name or label, or the name column. */
export function coverageOf(
  variable: ScriptSummary['variables'][number],
  columns: readonly string[],
  uses: readonly ColumnUse[],
): Coverage {
  const found =
    uses.includes(`variable:${variable.name}`) ||
    (variable.name === 'name' && uses.includes('name')) ||
    columns.some(
      (column, index) => uses[index] === 'attribute' && (column === variable.name || column === variable.label),
    );
  if (found) return 'column';
  return variable.required ? 'missing' : 'fallback';
}

function variableOf(use: ColumnUse): string | undefined {
  return use.startsWith('variable:') ? use.slice('variable:'.length) : undefined;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
