import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Script } from '#domain/script.ts';
import { AppError } from '#platform/error.ts';
import { compileScript } from './compile.ts';
import { lintScript } from './lint.ts';
import { readSample, SAMPLE_SCRIPTS } from './publish.ts';
import { checkExample, rehearse } from './rehearse.ts';
import { parseScript, publishedSchema } from './script-schema.ts';
import { GLOBAL_KINDS } from './script-terms.ts';

const samples = await Promise.all(SAMPLE_SCRIPTS.map((key) => readSample(key)));

describe.each(samples.map((script) => [script.id, script] as const))('sample script %s', (_, script) => {
  const compiled = compileScript(script);

  test('passes the publishing lint without errors or warnings', () => {
    expect(lintScript(script)).toEqual({ errors: [], warnings: [] });
  });

  test.each(script.examples.map((example) => [example.name, example] as const))('example “%s” holds', (_, example) => {
    expect(checkExample(compiled, example)).toEqual([]);
  });

  test('has every global, eight answers, and an example of every grade', () => {
    expect(new Set(script.globals.map((handler) => handler.kind))).toEqual(new Set(GLOBAL_KINDS));
    expect(script.knowledge.length).toBeGreaterThanOrEqual(8);
    expect(new Set(script.examples.map((example) => example.expectGrade))).toEqual(
      new Set(['A', 'B', 'C', 'D', 'E', 'F']),
    );
  });

  test.each(script.examples.map((example) => [example.name, example] as const))(
    'example “%s” keeps its grade when one question is asked again',
    (_, example) => {
      const [first, ...rest] = example.turns.map((turn) => turn.callee);
      if (first === '') return;
      const turns = [first!, ...rest.flatMap((turn, index) => (index === 0 ? ['你说什么，没听清', turn] : [turn]))];
      expect(rehearse(compiled, { variables: example.variables, turns }).result.grade).toBe(example.expectGrade);
    },
  );

  test('says that an AI calls before anything else, and never promises or exaggerates', () => {
    const { turns } = rehearse(compiled, { variables: script.examples[0]!.variables, turns: [] });
    expect(turns[0]?.text).toMatch(/^您好，我是.+人工智能/u);
    const texts = [...script.nodes, ...script.globals].flatMap((owner) => owner.speech.map((speech) => speech.text));
    expect([...texts, ...script.knowledge.flatMap((entry) => entry.answers.map((a) => a.text))].join('')).not.toMatch(
      /保证|百分之百|100%|最低价|绝对|稳赚/u,
    );
  });
});

describe('script documents', () => {
  const base = samples[0]!;
  const problemsOf = (document: unknown): readonly string[] => {
    try {
      parseScript(document);
      return [];
    } catch (error) {
      return error instanceof AppError ? error.problems.map((problem) => problem.path) : ['?'];
    }
  };

  test('the published schema is the one that is checked', async () => {
    const published = await readFile(new URL('./script.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(publishedSchema()));
  });

  test('all problems are reported at once', () => {
    const broken = { ...base, name: '', extra: 1, settings: { ...base.settings, maxRounds: 0 } };
    const paths = problemsOf(broken);
    expect(paths).toContain('name');
    expect(paths).toContain('settings.maxRounds');
    expect(paths.length).toBeGreaterThanOrEqual(3);
  });

  test('duplicate ids, a second start and dangerous expressions are refused', () => {
    const start = base.nodes[0]!;
    const intent = { id: 'x', match: { regex: ['(a+)+'] } };
    const paths = problemsOf({ ...base, nodes: [...base.nodes, start], intents: [...base.intents, intent] });
    expect(paths).toContain(`nodes[${base.nodes.length}].id`);
    expect(paths).toContain('nodes');
    expect(paths).toContain(`intents[${base.intents.length}].match.regex[0]`);
  });

  const change = (from: Partial<Script>): string[] => {
    const { errors, warnings } = lintScript({ ...base, examples: [], ...from });
    return [...errors, ...warnings].map((finding) => finding.code);
  };

  test('the lint finds what would go wrong in a call', () => {
    const [start, ...rest] = base.nodes;
    expect(change({ nodes: [{ ...start!, next: 'nowhere' }, ...rest] })).toContain('unknown-target');
    expect(change({ nodes: base.nodes.filter((node) => node.type !== 'end') })).toContain('missing-end');
    expect(change({ globals: base.globals.filter((handler) => handler.kind !== 'opt-out') })).toContain(
      'missing-global',
    );
    expect(change({ settings: { ...base.settings, aiDisclosure: '您好，我是小王。' } })).toContain(
      'missing-disclosure',
    );
    expect(change({ grades: [{ code: 'A', priority: 1, expression: 'rounds >', reason: 'x' }] })).toContain(
      'bad-expression',
    );
    expect(change({ grades: [{ code: 'A', priority: 1, expression: "visited('x')", reason: 'x' }] })).toContain(
      'unknown-reference',
    );
    expect(change({ nodes: [{ ...start!, speech: [{ text: '{nobody}' }] }, ...rest] })).toContain('unknown-variable');
    expect(change({ nodes: [{ ...start!, branches: start!.branches.slice(0, 1) }, ...rest] })).toContain(
      'uncovered-branch',
    );
    const island = { ...base.nodes.at(-1)!, id: 'island' };
    expect(change({ nodes: [...base.nodes, island] })).toContain('unreachable-node');
    const loop = { ...island, type: 'jump' as const, next: 'island' };
    expect(change({ nodes: [...base.nodes, loop] })).toContain('no-exit');
    const main = base.nodes.map((node) =>
      node.id === 'notify'
        ? { ...node, branches: [...node.branches, { meaning: 'positive', next: 'paid-end' }] }
        : node,
    );
    expect(change({ nodes: main })).toContain('several-non-refusing');
  });

  test('a conversation that does not go as promised is reported turn by turn', () => {
    const example = { ...base.examples[0]!, expectGrade: 'E' as const };
    const turns = example.turns.map((turn) => ({ ...turn, expectNode: 'paid-end' }));
    const { errors } = lintScript({ ...base, examples: [{ ...example, turns }] });
    expect(errors).toHaveLength(turns.length + 1);
    expect(errors[0]?.message.en).toContain('After turn 1');
  });
});
