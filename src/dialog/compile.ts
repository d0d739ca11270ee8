import type { GlobalKind, Knowledge, Match, Script, ScriptNode } from '#domain/script.ts';
import { AppError } from '#platform/error.ts';
import { compileExpression, type Expression } from './expression.ts';
import { MEANINGS } from './script-terms.ts';
import { BUILT_IN_GLOBALS, BUILT_IN_MEANINGS } from './understand/built-in.ts';
import { compileMatch, regexProblem, type CompiledMatch } from './understand/match.ts';

/** A branch with everything that is looked up while talking. */
export interface CompiledBranch {
  readonly meaning: string;
  readonly match: CompiledMatch | undefined;
  readonly intent: CompiledMatch | undefined;
  readonly when: Expression | undefined;
  readonly next: string;
  readonly tags: readonly string[];
}

/** A node ready to run. */
export interface CompiledNode {
  readonly node: ScriptNode;
  readonly branches: readonly CompiledBranch[];
  readonly choices: ReadonlyMap<string, readonly { readonly value: string; readonly match: CompiledMatch }[]>;
}

/** A script ready to run; immutable and shared by all calls of it. Becomes its id and version in JSON. */
export interface CompiledScript {
  readonly source: Script;
  readonly start: string;
  readonly nodes: ReadonlyMap<string, CompiledNode>;
  readonly intents: readonly { readonly id: string; readonly match: CompiledMatch }[];
  readonly knowledge: readonly { readonly entry: Knowledge; readonly match: CompiledMatch }[];
  readonly globals: ReadonlyMap<GlobalKind, CompiledMatch>;
  readonly grades: readonly { readonly rule: Script['grades'][number]; readonly expression: Expression }[];
  readonly tags: readonly { readonly tag: string; readonly expression: Expression }[];
  toJSON(): { readonly id: string; readonly version: number };
}

/** Fixed meanings, compiled once for all scripts. */
export const COMPILED_MEANINGS = {
  positive: compileMatch(BUILT_IN_MEANINGS.positive),
  negative: compileMatch(BUILT_IN_MEANINGS.negative),
  neutral: compileMatch(BUILT_IN_MEANINGS.neutral),
};

/** Compiles a script that `parseScript` accepted. Throws AppError 'invalid-input' for bad expressions. */
export function compileScript(script: Script): CompiledScript {
  const start = script.nodes.find((node) => node.type === 'start');
  if (start === undefined)
    throw new AppError('invalid-input', { zh: '话术没有开始节点', en: 'The script has no start node' });
  const intents = script.intents.map((intent) => ({ id: intent.id, match: safeMatch(intent.match) }));
  const byId = new Map(intents.map((intent) => [intent.id, intent.match]));
  const nodes = new Map(script.nodes.map((node) => [node.id, compileNode(node, byId)]));
  return {
    source: script,
    start: start.id,
    nodes,
    intents,
    knowledge: script.knowledge.map((entry) => ({ entry, match: safeMatch(entry.match, entry.questions) })),
    globals: new Map(script.globals.map((handler) => [handler.kind, withBuiltIn(handler.kind, handler.match)])),
    grades: [...script.grades]
      .sort((a, b) => a.priority - b.priority)
      .map((rule) => ({ rule, expression: compileExpression(rule.expression) })),
    tags: script.tags.map((rule) => ({ tag: rule.tag, expression: compileExpression(rule.expression) })),
    toJSON: () => ({ id: script.id, version: script.version }),
  };
}

function compileNode(node: ScriptNode, intents: ReadonlyMap<string, CompiledMatch>): CompiledNode {
  const fixed: readonly string[] = MEANINGS;
  return {
    node,
    branches: node.branches.map((branch) => ({
      meaning: branch.meaning,
      match: branch.match === undefined ? undefined : safeMatch(branch.match),
      intent: fixed.includes(branch.meaning) ? undefined : intents.get(branch.meaning),
      when: branch.when === undefined ? undefined : compileExpression(branch.when),
      next: branch.next,
      tags: branch.tags ?? [],
    })),
    choices: new Map(
      (node.slots ?? []).map((slot) => [
        slot.name,
        (slot.choices ?? []).map((choice) => ({
          value: choice.value,
          match: safeMatch({ ...choice.match, keywords: [...(choice.match.keywords ?? []), choice.value] }),
        })),
      ]),
    ),
  };
}

function withBuiltIn(kind: GlobalKind, own: Match | undefined): CompiledMatch {
  const builtIn = BUILT_IN_GLOBALS[kind];
  const both = (key: 'exact' | 'keywords' | 'regex' | 'pinyin' | 'not') => [
    ...(builtIn?.[key] ?? []),
    ...(own?.[key] ?? []),
  ];
  return safeMatch({
    exact: both('exact'),
    keywords: both('keywords'),
    regex: both('regex'),
    pinyin: both('pinyin'),
    not: both('not'),
    ...(own?.entity === undefined ? {} : { entity: own.entity }),
  });
}

function safeMatch(match: Match, questions?: readonly string[]): CompiledMatch {
  const unsafe = match.regex?.find((source) => regexProblem(source) !== undefined);
  if (unsafe !== undefined)
    throw new AppError('invalid-input', {
      zh: `正则表达式不可用：${unsafe}`,
      en: `The expression cannot be used: ${unsafe}`,
    });
  return compileMatch(match, questions);
}
