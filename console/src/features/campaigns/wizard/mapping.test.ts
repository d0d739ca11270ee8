import { describe, expect, it } from 'vitest';
import type { ImportPreview, ScriptSummary } from '#domain/api.ts';
import { coverageOf, guessUses, mappingOf, mappingProblems, variableChoices } from './mapping.ts';

const script: ScriptSummary = {
  id: '1',
  key: 'k',
  name: '还款提醒',
  language: 'zh',
  publishedVersion: 1,
  variables: [
    { name: 'name', label: '客户姓名', required: true },
    { name: 'amount', label: '本期账单金额', required: true },
    { name: 'dueDate', label: '最后还款日', required: true },
    { name: 'org', label: '机构名称', required: false },
  ],
};
const preview: ImportPreview = {
  encoding: 'utf-8',
  columns: ['手机号', '姓名', '本期账单金额', 'due_date', '城市', '备注'],
  rows: [],
  guess: { phone: '手机号', name: '姓名', ignore: ['备注'], rename: {} },
};
const variables = variableChoices([script, script]);

describe('column mapping', () => {
  it('offers each variable once and leaves the name to the name column', () => {
    expect(variables.map(({ name }) => name)).toEqual(['amount', 'dueDate', 'org']);
  });

  it('finds variables by label and by name', () => {
    expect(guessUses(preview, variables)).toEqual([
      'phone',
      'name',
      'variable:amount',
      'variable:dueDate',
      'attribute',
      'ignore',
    ]);
  });

  it('becomes what the API takes', () => {
    expect(mappingOf(preview.columns, guessUses(preview, variables))).toEqual({
      phone: '手机号',
      name: '姓名',
      ignore: ['备注'],
      rename: { 本期账单金额: 'amount', due_date: 'dueDate' },
    });
    expect(mappingOf(['a'], ['attribute'])).toEqual({ phone: null, name: null, ignore: [], rename: {} });
  });

  it('names every fault at once', () => {
    const uses = ['name', 'name', 'variable:org', 'variable:org'] as const;
    expect(mappingProblems(uses, variables).map(({ code }) => code)).toEqual([
      'phoneMissing',
      'nameTwice',
      'variableTwice',
    ]);
    expect(mappingProblems(guessUses(preview, variables), variables)).toEqual([]);
  });

  it('tells which variables the list fills', () => {
    const uses = ['phone', 'name', 'attribute', 'ignore', 'attribute', 'ignore'] as const;
    expect(script.variables.map((variable) => coverageOf(variable, preview.columns, uses))).toEqual([
      'column',
      'column',
      'missing',
      'fallback',
    ]);
  });
});
