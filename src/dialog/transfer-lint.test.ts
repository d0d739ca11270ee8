import { expect, test } from 'vitest';
import type { Script, ScriptNode } from '#domain/script.ts';
import { lintScript } from './lint.ts';
import { readSample } from './publish.ts';
import { parseScript } from './script-schema.ts';

const card = await readSample('credit-card-reminder');
const end = card.nodes.find(({ type }) => type === 'end')!.id;
const node: ScriptNode = {
  id: 'hand-over',
  type: 'transfer',
  stage: 'main',
  speech: [{ text: '为您转接。' }],
  branches: [],
  maxVisits: 1,
  scoreDelta: 0,
  next: end,
  transfer: { target: 'sip:8001@pbx.example', kind: 'attended', onFailure: { busy: end }, after: end },
};

/** What the lint says about transfers once the script has this node, as `code path`. */
function remarks(changes: Partial<ScriptNode>, settings: Partial<Script['settings']> = {}): string[] {
  const script = parseScript({
    ...card,
    settings: { ...card.settings, ...settings },
    nodes: [...card.nodes, { ...node, ...changes }],
  });
  const { errors, warnings } = lintScript(script);
  return [...errors, ...warnings]
    .map(({ code, path }) => `${code} ${path.replace(/nodes\[\d+\]/, 'node')}`)
    .filter((remark) => !remark.startsWith('unreachable-node'));
}

test('a transfer with target, announcement and a way on is in order', () => {
  expect(remarks({})).toEqual([]);
  expect(remarks({ transfer: { target: '{amount}', kind: 'blind' } })).toEqual([]);
  // The script's own example of somebody who asks for a person takes another way then, and publishing says so.
  const codes = remarks({}, { transfer: { target: '+864001234567', kind: 'attended' } }).map(
    (one) => one.split(' ')[0],
  );
  expect(new Set(codes)).toEqual(new Set(['example-failed']));
});

test('a target that nobody could call, or that names no variable, keeps a script from being published', () => {
  expect(remarks({ transfer: { target: '人工坐席', kind: 'blind' } })).toEqual(['bad-transfer node.transfer.target']);
  expect(remarks({ transfer: { target: '{hotline}', kind: 'blind' } })).toEqual([
    'unknown-variable node.transfer.target',
  ]);
  expect(remarks({}, { transfer: { target: 'sip:', kind: 'blind' } })).toEqual([
    'bad-transfer settings.transfer.target',
  ]);
  expect(remarks({ type: 'end' })).toEqual(['bad-transfer node.transfer']);
});

test('nodes that a transfer leads to must exist, and silence before one or nothing after it is remarked upon', () => {
  const transfer = { target: '8001', kind: 'attended', onFailure: { busy: 'nowhere' }, after: 'nobody' } as const;
  expect(remarks({ transfer })).toEqual([
    'unknown-target node.transfer.onFailure.busy',
    'unknown-target node.transfer.after',
  ]);
  const { next: _, ...without } = node;
  const script = parseScript({ ...card, nodes: [...card.nodes, { ...without, speech: [] }] });
  expect(lintScript(script).warnings.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['unannounced-transfer', 'unhandled-transfer']),
  );
});

test('the schema refuses kinds and failures that there are not', () => {
  const bad = (transfer: object) => () => parseScript({ ...card, nodes: [...card.nodes, { ...node, transfer }] });
  expect(bad({ target: '8001', kind: 'warm' })).toThrow('problem');
  expect(bad({ target: '8001', kind: 'blind', onFailure: { tired: end } })).toThrow('problem');
  expect(bad({ kind: 'blind' })).toThrow('problem');
});
