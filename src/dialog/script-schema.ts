import { Type, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { LocalText } from '#domain/text.ts';
import type { Script } from '#domain/script.ts';
import { TRANSFER_FAILURES, TRANSFER_KINDS } from '#domain/transfer.ts';
import { OUTCOME_GRADES, SLOT_KINDS, GLOBAL_KINDS, NODE_TYPES } from './script-terms.ts';
import { AppError, type Problem } from '#platform/error.ts';
import { explain, pathOf } from './schema-errors.ts';
import { regexProblem } from './understand/match.ts';

/** Description in both languages, kept in the published schema. */
const d = (zh: string, en: string) => ({ description: `${zh} | ${en}` });
const closed = { additionalProperties: false } as const;
const oneOf = <Value extends string>(values: readonly Value[], options: { readonly description: string }) =>
  Type.Unsafe<Value>(Type.Enum<string[]>(values, options));
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema);

const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' });
const Name = Type.String({
  minLength: 1,
  maxLength: 40,
  pattern: '^[\\p{L}_][\\p{L}\\p{N}_]*$',
  ...d('在话术中以 {名称} 引用', 'Referred to as {name} in speech'),
});
const Phrase = Type.String({ minLength: 1, maxLength: 200 });
const Phrases = (zh: string, en: string) => Type.Array(Phrase, { maxItems: 500, ...d(zh, en) });
const Target = Type.String({ minLength: 1, maxLength: 64, ...d('节点编号', 'Id of a node') });
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 40 }), {
  maxItems: 20,
  ...d('命中时打上的标签', 'Tags put on the call'),
});
const Expression = (zh: string, en: string) => Type.String({ minLength: 1, maxLength: 500, ...d(zh, en) });
const Visits = Type.Integer({ minimum: 1, maximum: 100, ...d('最多次数', 'At most so many times') });
const Score = Type.Number({ minimum: -100, maximum: 100, ...d('命中时加减的分数', 'Added to the score') });
const WaitMs = (zh: string, en: string) => Type.Integer({ minimum: 500, maximum: 60_000, ...d(zh, en) });

const MatchSchema = Type.Object(
  {
    exact: optional(Phrases('整句相同', 'The whole utterance equals one of these')),
    keywords: optional(Phrases('句中包含且未被否定', 'The utterance contains one of these and does not deny it')),
    regex: optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        maxItems: 50,
        ...d('正则表达式，不得嵌套重复', 'Regular expressions without nested repeats'),
      }),
    ),
    pinyin: optional(Phrases('按读音近似匹配', 'Compared by sound')),
    not: optional(Phrases('出现则不匹配', 'Excludes the match')),
    entity: optional(oneOf(SLOT_KINDS, d('句中含有该类信息', 'The utterance holds such a value'))),
  },
  { ...closed, ...d('任一列表的任一条命中即可', 'Any entry of any list suffices') },
);
const SpeechSchema = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 1000, ...d('可含 {变量}', 'May hold {variable} and {slot}') }),
    audio: optional(Type.String({ minLength: 1, maxLength: 200, ...d('录音文件名', 'Name of a recorded prompt') })),
  },
  closed,
);
const Speeches = Type.Array(SpeechSchema, {
  maxItems: 20,
  ...d('第几次访问说第几句，最后一句重复', 'One per visit; the last one repeats'),
});
const Barge = Type.Object(
  {
    mode: oneOf(['never', 'always', 'keywords', 'semantic'], d('打断方式', 'What interrupts')),
    graceMs: Type.Integer({ minimum: 0, maximum: 60_000, ...d('开头不可打断的时长', 'Uninterruptible start') }),
    keywords: optional(Phrases('可打断的词', 'Words that interrupt')),
    ignoreWords: Phrases('不打断的应答词', 'Acknowledgements that do not interrupt'),
  },
  { ...closed, ...d('打断策略', 'Barge-in policy') },
);
const SlotSchema = Type.Object(
  {
    name: Name,
    kind: oneOf(SLOT_KINDS, d('信息类型', 'Kind of value')),
    required: Type.Boolean(d('必须取得', 'The node asks until it has it')),
    choices: optional(
      Type.Array(Type.Object({ value: Type.String({ minLength: 1, maxLength: 100 }), match: MatchSchema }, closed), {
        minItems: 1,
        maxItems: 50,
      }),
    ),
  },
  closed,
);
const BranchSchema = Type.Object(
  {
    meaning: Type.String({
      minLength: 1,
      maxLength: 64,
      ...d(
        'positive、negative、refuse、neutral、unmatched 或意图编号',
        'positive, negative, refuse, neutral, unmatched or the id of an intent',
      ),
    }),
    match: optional(MatchSchema),
    when: optional(Expression('条件节点的表达式', 'Expression of a condition node')),
    next: Target,
    tags: optional(Tags),
  },
  closed,
);
const TransferSchema = Type.Object(
  {
    target: Type.String({
      minLength: 1,
      maxLength: 200,
      ...d('号码或 SIP 地址，可含 {变量}', 'A number or a SIP URI; may hold {variable}'),
    }),
    kind: oneOf(TRANSFER_KINDS, d('盲转或咨询转', 'Blind, or after the target has answered')),
    ringSeconds: optional(Type.Integer({ minimum: 5, maximum: 180, ...d('最长振铃', 'Rings at most so long') })),
    onFailure: optional(
      Type.Object(Object.fromEntries(TRANSFER_FAILURES.map((failure) => [failure, optional(Target)])), {
        ...closed,
        ...d('各种失败去往的节点', 'Where particular failures go'),
      }),
    ),
    after: optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        ...d('对方挂断后去往的节点，缺省则结束通话', 'Node after the target has hung up; without it the call ends'),
      }),
    ),
  },
  { ...closed, ...d('转接到外部号码或 PBX', 'Hands the call to an outside number or PBX') },
);
const NodeSchema = Type.Object(
  {
    id: Id,
    type: oneOf(NODE_TYPES, d('节点类型', 'Type of node')),
    stage: Type.String({ maxLength: 64, ...d('流程阶段', 'Stage of the conversation') }),
    speech: Speeches,
    barge: optional(Barge),
    branches: Type.Array(BranchSchema, { maxItems: 50 }),
    unmatched: optional(
      Type.Object(
        { short: optional(Target), long: optional(Target) },
        { ...closed, ...d('未识别时按长短去往的节点', 'Where short and long unmatched replies go') },
      ),
    ),
    noReplyMs: optional(WaitMs('等待回答的时长', 'Wait for a reply')),
    slots: optional(Type.Array(SlotSchema, { maxItems: 10 })),
    maxVisits: Visits,
    scoreDelta: Score,
    tags: optional(Tags),
    next: optional(Target),
    transferTo: optional(Type.String({ minLength: 1, maxLength: 64, ...d('转接给谁', 'Who is wanted') })),
    transfer: optional(TransferSchema),
  },
  closed,
);
const KnowledgeSchema = Type.Object(
  {
    id: Id,
    questions: Phrases('客户会怎么问', 'How callees ask'),
    match: MatchSchema,
    answers: Type.Array(SpeechSchema, { minItems: 1, maxItems: 20 }),
    after: oneOf(['wait', 'return', 'transfer', 'hangup'], d('回答之后', 'What follows the answer')),
    maxHits: Visits,
    onExceed: optional(Target),
    scoreDelta: Score,
  },
  closed,
);
const GlobalSchema = Type.Object(
  {
    kind: oneOf(GLOBAL_KINDS, d('全局处理的情形', 'What is handled everywhere')),
    match: optional(MatchSchema),
    speech: Speeches,
    action: oneOf(['stay', 'jump', 'hangup', 'transfer'], d('动作', 'What is done')),
    next: optional(Target),
    max: Visits,
    onExceed: optional(Target),
    tags: optional(Tags),
  },
  closed,
);
const Grade = oneOf(OUTCOME_GRADES, d('意向等级', 'Intent grade'));

/** The script document as JSON Schema (draft 2020-12); `script.schema.json` is this, published. */
export const ScriptSchema = Type.Object(
  {
    id: Id,
    version: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    name: Type.String({ minLength: 1, maxLength: 100 }),
    language: oneOf(['zh', 'en'], d('话术语言', 'Language of the script')),
    variables: Type.Array(
      Type.Object(
        {
          name: Name,
          label: Type.String({ minLength: 1, maxLength: 100 }),
          kind: oneOf(['text', 'amount', 'date', 'time', 'phone'], d('变量类型', 'Kind of variable')),
          required: Type.Boolean(),
          fallback: optional(Type.String({ maxLength: 200, ...d('缺少时使用', 'Used where a contact lacks it') })),
        },
        closed,
      ),
      { maxItems: 50 },
    ),
    intents: Type.Array(Type.Object({ id: Id, match: MatchSchema }, closed), { maxItems: 200 }),
    nodes: Type.Array(NodeSchema, { minItems: 1, maxItems: 300 }),
    knowledge: Type.Array(KnowledgeSchema, { maxItems: 300 }),
    globals: Type.Array(GlobalSchema, { maxItems: GLOBAL_KINDS.length }),
    grades: Type.Array(
      Type.Object(
        {
          code: Grade,
          priority: Type.Integer({ minimum: 0, maximum: 10_000 }),
          expression: Expression('成立即评级', 'Holds for this grade'),
          reason: Type.String({ minLength: 1, maxLength: 200 }),
        },
        closed,
      ),
      { maxItems: 100 },
    ),
    tags: Type.Array(
      Type.Object(
        {
          tag: Type.String({ minLength: 1, maxLength: 40 }),
          expression: Expression('成立即打标签', 'Holds for this tag'),
        },
        closed,
      ),
      { maxItems: 100 },
    ),
    settings: Type.Object(
      {
        maxRounds: Type.Integer({ minimum: 1, maximum: 200 }),
        maxSeconds: Type.Integer({ minimum: 10, maximum: 3600 }),
        greetDelayMs: Type.Integer({ minimum: 0, maximum: 5000 }),
        endOfTurnMs: Type.Integer({ minimum: 100, maximum: 5000 }),
        bargeInMs: Type.Integer({ minimum: 50, maximum: 5000 }),
        noReply: Type.Object(
          {
            waitMs: WaitMs('首次等待', 'First wait'),
            reprompts: Type.Integer({ minimum: 0, maximum: 10, ...d('追问次数', 'Reprompts') }),
            hangupMs: WaitMs('挂断前等待', 'Last wait'),
          },
          closed,
        ),
        aiDisclosure: Type.String({
          minLength: 1,
          maxLength: 300,
          ...d('每通电话首先说明由人工智能呼叫', 'Spoken first on every call'),
        }),
        voice: Type.String({ minLength: 1, maxLength: 100 }),
        transfer: optional(TransferSchema),
      },
      closed,
    ),
    examples: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 100 }),
          variables: Type.Record(Type.String(), Type.String({ maxLength: 500 })),
          turns: Type.Array(
            Type.Object({ callee: Type.String({ maxLength: 500 }), expectNode: optional(Target) }, closed),
            { maxItems: 100 },
          ),
          expectGrade: Grade,
          expectTags: optional(Tags),
        },
        closed,
      ),
      { maxItems: 200 },
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Waihu script',
    ...closed,
    ...d('外呼话术', 'A script for outbound calls'),
  },
);

/** The text of `script.schema.json`. */
export function publishedSchema(): string {
  return `${JSON.stringify(ScriptSchema, undefined, 2)}\n`;
}

const validator = Compile(ScriptSchema);

/** A valid script, or AppError 'invalid-input' with every problem at once. */
export function parseScript(json: unknown): Script {
  const problems: Problem[] = validator.Check(json)
    ? consistencyProblems(json)
    : // An unknown field is reported twice: by its parent, with the name, and as itself against `false`.
      validator
        .Errors(json)
        .filter((error) => error.keyword !== 'boolean')
        .map((error) => ({
          path: pathOf(error.instancePath),
          message: explain(error.keyword, error.params as Record<string, unknown>, error.message),
        }));
  if (problems.length > 0)
    throw new AppError(
      'invalid-input',
      { zh: `话术有 ${problems.length} 处错误`, en: `The script has ${problems.length} problems` },
      { problems },
    );
  return json as Script;
}

const REGEX_TEXT = {
  'too-long': { zh: '正则表达式过长（最多 200 个字符）', en: 'The expression is too long (200 characters at most)' },
  'nested-repeat': {
    zh: '正则表达式嵌套重复，可能极慢，请简化',
    en: 'The expression repeats a repeating group and could be very slow; simplify it',
  },
  unsupported: { zh: '正则表达式不能用反向引用或后行断言', en: 'Back-references and look-behind are not allowed' },
  syntax: { zh: '正则表达式语法错误', en: 'The expression has a syntax error' },
} as const satisfies Record<string, LocalText>;

/** What JSON Schema cannot say: unique ids, one start, safe expressions. */
function consistencyProblems(script: Script): Problem[] {
  const problems: Problem[] = [];
  const unique = (list: readonly string[], path: (index: number) => string) =>
    list.forEach((value, index) => {
      if (list.indexOf(value) !== index)
        problems.push({ path: path(index), message: { zh: `重复：${value}`, en: `Duplicate: ${value}` } });
    });
  unique(
    script.nodes.map((node) => node.id),
    (index) => `nodes[${index}].id`,
  );
  unique(
    script.intents.map((intent) => intent.id),
    (index) => `intents[${index}].id`,
  );
  unique(
    script.knowledge.map((entry) => entry.id),
    (index) => `knowledge[${index}].id`,
  );
  unique(
    script.globals.map((handler) => handler.kind),
    (index) => `globals[${index}].kind`,
  );
  unique(
    script.variables.map((variable) => variable.name),
    (index) => `variables[${index}].name`,
  );
  const starts = script.nodes.filter((node) => node.type === 'start').length;
  if (starts !== 1)
    problems.push({
      path: 'nodes',
      message: { zh: `应有且只有一个开始节点，现有 ${starts} 个`, en: `There must be one start node, found ${starts}` },
    });
  walk(script, '', (value, path) => {
    const problem = /\.regex\[\d+\]$/u.test(path) && typeof value === 'string' ? regexProblem(value) : undefined;
    if (problem !== undefined) problems.push({ path, message: REGEX_TEXT[problem] });
  });
  return problems;
}

function walk(value: unknown, path: string, visit: (value: unknown, path: string) => void): void {
  visit(value, path);
  if (Array.isArray(value)) value.forEach((item, index) => walk(item, `${path}[${index}]`, visit));
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`, visit);
}
