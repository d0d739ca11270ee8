import type { Script, ScriptNode, ScriptTransfer } from '#domain/script.ts';
import type { LocalText } from '#domain/text.ts';
import { isDialable } from '#domain/transfer.ts';
import { compileScript } from './compile.ts';
import { parseExpression } from './expression.ts';
import { checkExample } from './rehearse.ts';
import { GLOBAL_KINDS, MEANINGS } from './script-terms.ts';
import { PLACEHOLDER } from './speech.ts';

/** One remark about a script; `path` points into the document. */
export interface LintFinding {
  readonly code:
    | 'unknown-target'
    | 'unknown-variable'
    | 'unknown-intent'
    | 'bad-expression'
    | 'unknown-reference'
    | 'unreachable-node'
    | 'uncovered-branch'
    | 'missing-next'
    | 'missing-speech'
    | 'missing-end'
    | 'missing-disclosure'
    | 'missing-global'
    | 'several-non-refusing'
    | 'no-exit'
    | 'bad-transfer'
    | 'unannounced-transfer'
    | 'unhandled-transfer'
    | 'missing-grades'
    | 'example-failed'
    | 'no-examples';
  readonly path: string;
  readonly message: LocalText;
}

/** What publishing reports; errors keep a script from being published. */
export interface LintReport {
  readonly errors: readonly LintFinding[];
  readonly warnings: readonly LintFinding[];
}

/** Globals without which a script must not call anybody, and those it merely should have. */
const REQUIRED_GLOBALS = ['opt-out', 'silence', 'voicemail'] as const;
const AI_WORDS = /人工智能|智能|机器人|AI|语音助手|virtual|automated|artificial|assistant/iu;

/** Checks a script that `parseScript` accepted, its own example conversations included. */
export function lintScript(script: Script): LintReport {
  const errors: LintFinding[] = [];
  const warnings: LintFinding[] = [];
  checkTargets(script, errors);
  checkNames(script, errors);
  checkExpressions(script, errors, warnings);
  checkGraph(script, errors, warnings);
  checkNodes(script, errors, warnings);
  checkTransfers(script, errors, warnings);
  checkDuties(script, errors, warnings);
  if (errors.length === 0) checkExamples(script, errors, warnings);
  return { errors, warnings };
}

function add(list: LintFinding[], code: LintFinding['code'], path: string, zh: string, en: string): void {
  list.push({ code, path, message: { zh, en } });
}

function checkTargets(script: Script, errors: LintFinding[]): void {
  const ids = new Set(script.nodes.map((node) => node.id));
  for (const { path, target } of targetsOf(script))
    if (!ids.has(target)) add(errors, 'unknown-target', path, `没有节点“${target}”`, `There is no node "${target}"`);
}

function targetsOf(script: Script): { path: string; target: string }[] {
  const found: { path: string; target: string | undefined }[] = [];
  script.nodes.forEach((node, index) => {
    for (const { path, target } of exitsOf(node)) found.push({ path: `nodes[${index}].${path}`, target });
  });
  script.knowledge.forEach((entry, index) =>
    found.push({ path: `knowledge[${index}].onExceed`, target: entry.onExceed }),
  );
  script.globals.forEach((handler, index) => {
    found.push({ path: `globals[${index}].next`, target: handler.next });
    found.push({ path: `globals[${index}].onExceed`, target: handler.onExceed });
  });
  found.push(...transferExits(script.settings.transfer, 'settings.transfer'));
  return found.filter((entry): entry is { path: string; target: string } => entry.target !== undefined);
}

function exitsOf(node: ScriptNode): { path: string; target: string }[] {
  const exits: { path: string; target: string | undefined }[] = [
    ...node.branches.map((branch, index) => ({ path: `branches[${index}].next`, target: branch.next })),
    { path: 'unmatched.short', target: node.unmatched?.short },
    { path: 'unmatched.long', target: node.unmatched?.long },
    { path: 'next', target: node.next },
    ...transferExits(node.transfer, 'transfer'),
  ];
  return exits.filter((entry): entry is { path: string; target: string } => entry.target !== undefined);
}

function transferExits(
  transfer: ScriptTransfer | undefined,
  path: string,
): { path: string; target: string | undefined }[] {
  return [
    ...Object.entries(transfer?.onFailure ?? {}).map(([failure, target]) => ({
      path: `${path}.onFailure.${failure}`,
      target,
    })),
    { path: `${path}.after`, target: transfer?.after },
  ];
}

function checkNames(script: Script, errors: LintFinding[]): void {
  const known = new Set(script.variables.map((variable) => variable.name));
  for (const node of script.nodes) for (const slot of node.slots ?? []) known.add(slot.name);
  const check = (path: string, text: string) => {
    for (const match of text.matchAll(PLACEHOLDER))
      if (!known.has(match[1]!))
        add(errors, 'unknown-variable', path, `没有变量“${match[1]}”`, `There is no variable or slot "${match[1]}"`);
  };
  check('settings.aiDisclosure', script.settings.aiDisclosure);
  for (const list of ['nodes', 'globals'] as const)
    script[list].forEach((owner, index) =>
      owner.speech.forEach((speech, nth) => check(`${list}[${index}].speech[${nth}]`, speech.text)),
    );
  script.knowledge.forEach((entry, index) =>
    entry.answers.forEach((answer, nth) => check(`knowledge[${index}].answers[${nth}]`, answer.text)),
  );
  check('settings.transfer.target', script.settings.transfer?.target ?? '');
  script.nodes.forEach((node, index) => check(`nodes[${index}].transfer.target`, node.transfer?.target ?? ''));
  const intents = new Set<string>([...MEANINGS, ...script.intents.map((intent) => intent.id)]);
  script.nodes.forEach((node, index) =>
    node.branches.forEach((branch, nth) => {
      if (intents.has(branch.meaning) || branch.match !== undefined || node.type === 'condition') return;
      const path = `nodes[${index}].branches[${nth}].meaning`;
      add(errors, 'unknown-intent', path, `没有意图“${branch.meaning}”`, `There is no intent "${branch.meaning}"`);
    }),
  );
}

function checkExpressions(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  const names = {
    variable: new Set(script.variables.map((variable) => variable.name)),
    slot: new Set(script.nodes.flatMap((node) => (node.slots ?? []).map((slot) => slot.name))),
    node: new Set(script.nodes.map((node) => node.id)),
    intent: new Set<string>([
      ...MEANINGS,
      ...GLOBAL_KINDS,
      ...script.intents.map((intent) => intent.id),
      ...script.knowledge.map((entry) => entry.id),
      ...script.nodes.flatMap((node) => node.branches.map((branch) => branch.meaning)),
    ]),
    tag: new Set([
      ...script.tags.map((rule) => rule.tag),
      ...[...script.nodes, ...script.globals].flatMap((owner) => owner.tags ?? []),
      ...script.nodes.flatMap((node) => node.branches.flatMap((branch) => branch.tags ?? [])),
    ]),
  };
  const check = (path: string, source: string) => {
    const parsed = parseExpression(source);
    if (!parsed.ok) {
      const { zh, en } = parsed.problem;
      add(errors, 'bad-expression', path, `第 ${parsed.at + 1} 个字符：${zh}`, `Character ${parsed.at + 1}: ${en}`);
      return;
    }
    for (const { kind, name } of parsed.expression.references)
      if (!names[kind].has(name))
        add(errors, 'unknown-reference', path, `没有${kind}“${name}”`, `There is no ${kind} "${name}"`);
  };
  script.nodes.forEach((node, index) =>
    node.branches.forEach((branch, nth) => {
      if (branch.when !== undefined) check(`nodes[${index}].branches[${nth}].when`, branch.when);
    }),
  );
  script.grades.forEach((rule, index) => check(`grades[${index}].expression`, rule.expression));
  script.tags.forEach((rule, index) => check(`tags[${index}].expression`, rule.expression));
  if (script.grades.length === 0)
    add(warnings, 'missing-grades', 'grades', '没有评级规则，通话一律评为 D', 'No grade rules: every call gets D');
}

function checkGraph(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  const byId = new Map(script.nodes.map((node) => [node.id, node]));
  const start = script.nodes.find((node) => node.type === 'start');
  const everywhere = targetsOf({ ...script, nodes: [] }).map((entry) => entry.target);
  const reached = new Set<string>();
  const queue = [...(start === undefined ? [] : [start.id]), ...everywhere];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const node = byId.get(id);
    if (node === undefined || reached.has(id)) continue;
    reached.add(id);
    queue.push(...exitsOf(node).map((exit) => exit.target));
  }
  const leaving = new Set(
    script.nodes.filter((node) => node.type === 'end' || node.type === 'transfer').map((node) => node.id),
  );
  for (let grown = true; grown;) {
    grown = false;
    for (const node of script.nodes)
      if (!leaving.has(node.id) && exitsOf(node).some((exit) => leaving.has(exit.target))) {
        leaving.add(node.id);
        grown = true;
      }
  }
  if (!script.nodes.some((node) => node.type === 'end'))
    add(errors, 'missing-end', 'nodes', '没有结束节点', 'There is no end node');
  script.nodes.forEach((node, index) => {
    const path = `nodes[${index}]`;
    if (!reached.has(node.id))
      add(warnings, 'unreachable-node', path, `节点“${node.id}”无法到达`, `Node "${node.id}" cannot be reached`);
    if (!leaving.has(node.id))
      add(errors, 'no-exit', path, `节点“${node.id}”走不到结束`, `No way leads from node "${node.id}" to an end`);
  });
}

function checkNodes(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  const handles = (kind: string) => script.globals.some((handler) => handler.kind === kind);
  script.nodes.forEach((node, index) => {
    const path = `nodes[${index}]`;
    const missing = (field: string) =>
      add(errors, 'missing-next', path, `节点“${node.id}”缺少 ${field}`, `Node "${node.id}" lacks ${field}`);
    const speaks = node.type === 'say' || node.type === 'collect' || node.type === 'end';
    if (speaks && node.speech.length === 0)
      add(errors, 'missing-speech', path, `节点“${node.id}”没有话术`, `Node "${node.id}" says nothing`);
    if (node.type === 'jump' && node.next === undefined) missing('next');
    if (node.type === 'collect' && node.next === undefined) missing('next');
    if (node.type === 'collect' && (node.slots ?? []).length === 0) missing('slots');
    if (node.type === 'condition' && node.next === undefined && node.branches.every((b) => b.when !== undefined))
      missing('next');
    if (node.type !== 'say' && node.type !== 'start') return;
    if (node.branches.length === 0) {
      if (node.next === undefined) missing('next');
      return;
    }
    const covered = new Set<string>(node.branches.map((branch) => branch.meaning));
    if (node.unmatched !== undefined || handles('unrecognised')) covered.add('unmatched');
    if (handles('refuse') || covered.has('negative')) covered.add('refuse');
    if (covered.has('refuse')) covered.add('negative');
    for (const meaning of ['positive', 'negative', 'refuse', 'unmatched'])
      if (!covered.has(meaning))
        add(
          warnings,
          'uncovered-branch',
          `${path}.branches`,
          `节点“${node.id}”没有处理 ${meaning}`,
          `Node "${node.id}" does not handle ${meaning}`,
        );
    const onward = node.branches.filter((branch) => branch.meaning === 'positive').length;
    if (node.stage === 'main' && onward !== 1)
      add(
        warnings,
        'several-non-refusing',
        `${path}.branches`,
        `主流程节点“${node.id}”应有且只有一个非拒绝分支，现有 ${onward} 个 positive`,
        `Main node "${node.id}" should have exactly one positive branch, has ${onward}`,
      );
  });
}

/** A transfer names somebody who can be called, is announced to the callee, and knows what follows a failure. */
function checkTransfers(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  const target = (path: string, transfer: ScriptTransfer | undefined): void => {
    if (transfer === undefined || transfer.target.match(PLACEHOLDER) !== null || isDialable(transfer.target)) return;
    add(
      errors,
      'bad-transfer',
      `${path}.target`,
      `“${transfer.target}”不是号码或 SIP 地址`,
      `"${transfer.target}" is neither a number nor a SIP URI`,
    );
  };
  target('settings.transfer', script.settings.transfer);
  script.nodes.forEach((node, index) => {
    const path = `nodes[${index}]`;
    target(`${path}.transfer`, node.transfer);
    if (node.transfer !== undefined && node.type !== 'transfer')
      add(
        errors,
        'bad-transfer',
        `${path}.transfer`,
        `节点“${node.id}”不是转接节点`,
        `Node "${node.id}" is no transfer node`,
      );
    if (node.type !== 'transfer' || (node.transfer ?? script.settings.transfer) === undefined) return;
    if (node.speech.length === 0)
      add(
        warnings,
        'unannounced-transfer',
        `${path}.speech`,
        `转接节点“${node.id}”没有事先告知`,
        `Node "${node.id}" transfers without saying so before`,
      );
    if (node.next === undefined)
      add(
        warnings,
        'unhandled-transfer',
        path,
        `转接节点“${node.id}”没有写明转接失败时去往的节点`,
        `Node "${node.id}" does not say where a failed transfer goes`,
      );
  });
}

function checkDuties(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  const { aiDisclosure } = script.settings;
  if (!AI_WORDS.test(aiDisclosure))
    add(
      errors,
      'missing-disclosure',
      'settings.aiDisclosure',
      '开场白必须说明由人工智能呼叫',
      'The disclosure must say that an AI is calling',
    );
  for (const kind of GLOBAL_KINDS) {
    if (script.globals.some((handler) => handler.kind === kind)) continue;
    const required = REQUIRED_GLOBALS.some((name) => name === kind);
    add(required ? errors : warnings, 'missing-global', 'globals', `没有处理 ${kind}`, `No handler for ${kind}`);
  }
}

function checkExamples(script: Script, errors: LintFinding[], warnings: LintFinding[]): void {
  if (script.examples.length === 0)
    add(warnings, 'no-examples', 'examples', '没有示例对话', 'There are no example conversations');
  const compiled = compileScript(script);
  script.examples.forEach((example, index) => {
    for (const { zh, en } of checkExample(compiled, example))
      add(
        errors,
        'example-failed',
        `examples[${index}]`,
        `示例“${example.name}”：${zh}`,
        `Example "${example.name}": ${en}`,
      );
  });
}
