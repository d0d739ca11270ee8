import type { HangupSide } from '#domain/call.ts';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';

/** What an expression may look at. Slots and variables that have no value read as the empty text. */
export interface ExpressionFacts {
  readonly variables: Readonly<Record<string, string>>;
  readonly slots: Readonly<Record<string, string>>;
  readonly counters: Readonly<Record<Counter, number>>;
  readonly visited: ReadonlySet<string>;
  readonly said: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
  /** Empty while the call goes on. */
  readonly hungUpBy: HangupSide | '';
}

/** Numbers that expressions may use by name. */
export const COUNTERS = ['rounds', 'talkSeconds', 'refusals', 'positives', 'negatives', 'score', 'silences'] as const;
export type Counter = (typeof COUNTERS)[number];

type Value = number | string | boolean;
type ValueType = 'number' | 'text' | 'boolean' | 'any';

/** A name the expression looks up, for the publish-time check. */
export interface Reference {
  readonly kind: 'variable' | 'slot' | 'node' | 'intent' | 'tag';
  readonly name: string;
}

/** A compiled expression; `holds` never throws. */
export interface Expression {
  readonly source: string;
  readonly references: readonly Reference[];
  holds(facts: ExpressionFacts): boolean;
  value(facts: ExpressionFacts): Value;
}

/** The outcome of parsing; `at` counts characters from 0. */
export type ParsedExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly at: number; readonly problem: LocalText };

interface Term {
  readonly type: ValueType;
  evaluate(facts: ExpressionFacts): Value;
}

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'operator' | 'end';
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|([\p{L}_][\p{L}\p{N}_]*)|(==|!=|<=|>=|&&|\|\||[=<>!+\-*/%().,]))/uy;
const MAX_DEPTH = 40;
const FUNCTIONS: Readonly<Record<string, Reference['kind']>> = {
  visited: 'node',
  said: 'intent',
  tagged: 'tag',
  filled: 'slot',
};

class Fault extends Error {
  readonly at: number;
  readonly problem: LocalText;
  constructor(at: number, zh: string, en: string) {
    super(en);
    this.at = at;
    this.problem = { zh, en };
  }
}

/**
 * Parses an expression such as `said('promise') and slots.promiseDate != '' and not tagged('投诉')`: or/and/not,
 * comparisons, arithmetic, parentheses, `variables.x`, `slots.x`, counters, `hungUpBy`, visited/said/tagged/filled.
 */
export function parseExpression(source: string): ParsedExpression {
  try {
    const references: Reference[] = [];
    const parser = new Parser(tokenize(source), references);
    const term = parser.whole();
    return {
      ok: true,
      expression: {
        source,
        references,
        holds: (facts) => truthy(term.evaluate(facts)),
        value: (facts) => term.evaluate(facts),
      },
    };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, at: error.at, problem: error.problem };
    throw error;
  }
}

/** As `parseExpression`, but throws AppError 'invalid-input'. */
export function compileExpression(source: string): Expression {
  const parsed = parseExpression(source);
  if (parsed.ok) return parsed.expression;
  throw new AppError('invalid-input', {
    zh: `表达式“${source}”第 ${parsed.at + 1} 个字符：${parsed.problem.zh}`,
    en: `Expression "${source}", character ${parsed.at + 1}: ${parsed.problem.en}`,
  });
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) {
      if (source.slice(at).trim() === '') break;
      throw new Fault(at, '无法识别的字符', 'Unexpected character');
    }
    const [whole, number, single, double, name, operator] = match;
    const start = at + whole.length - whole.trimStart().length;
    if (number !== undefined) tokens.push({ kind: 'number', text: number, at: start });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at: start });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator, at: start });
    else tokens.push({ kind: 'text', text: single ?? double ?? '', at: start });
    at += whole.length;
  }
  tokens.push({ kind: 'end', text: '', at: source.length });
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #references: Reference[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], references: Reference[]) {
    this.#tokens = tokens;
    this.#references = references;
  }

  whole(): Term {
    const term = this.#or();
    const rest = this.#peek();
    if (rest.kind !== 'end') throw new Fault(rest.at, `多余的内容：${rest.text}`, `Unexpected: ${rest.text}`);
    return term;
  }

  #peek(): Token {
    return this.#tokens[this.#position]!;
  }

  #take(...texts: readonly string[]): Token | undefined {
    const token = this.#peek();
    if ((token.kind !== 'operator' && token.kind !== 'name') || !texts.includes(token.text)) return undefined;
    this.#position++;
    return token;
  }

  #or(): Term {
    if (++this.#depth > MAX_DEPTH) throw new Fault(this.#peek().at, '嵌套过深', 'Nested too deeply');
    let left = this.#and();
    while (this.#take('or', '||') !== undefined) {
      const [a, b] = [left, this.#and()];
      left = { type: 'boolean', evaluate: (facts) => truthy(a.evaluate(facts)) || truthy(b.evaluate(facts)) };
    }
    this.#depth--;
    return left;
  }

  #and(): Term {
    let left = this.#not();
    while (this.#take('and', '&&') !== undefined) {
      const [a, b] = [left, this.#not()];
      left = { type: 'boolean', evaluate: (facts) => truthy(a.evaluate(facts)) && truthy(b.evaluate(facts)) };
    }
    return left;
  }

  #not(): Term {
    if (this.#take('not', '!') === undefined) return this.#compare();
    if (++this.#depth > MAX_DEPTH) throw new Fault(this.#peek().at, '嵌套过深', 'Nested too deeply');
    const term = this.#not();
    this.#depth--;
    return { type: 'boolean', evaluate: (facts) => !truthy(term.evaluate(facts)) };
  }

  #compare(): Term {
    const left = this.#sum();
    const operator = this.#take('==', '=', '!=', '<=', '>=', '<', '>');
    if (operator === undefined) return left;
    const right = this.#sum();
    if (left.type !== 'any' && right.type !== 'any' && left.type !== right.type)
      throw new Fault(
        operator.at,
        `不能比较 ${left.type} 和 ${right.type}`,
        `Cannot compare ${left.type} with ${right.type}`,
      );
    return {
      type: 'boolean',
      evaluate: (facts) => compare(operator.text, left.evaluate(facts), right.evaluate(facts)),
    };
  }

  #sum(): Term {
    let left = this.#product();
    for (let operator = this.#take('+', '-'); operator !== undefined; operator = this.#take('+', '-'))
      left = arithmetic(operator, left, this.#product());
    return left;
  }

  #product(): Term {
    let left = this.#primary();
    for (let operator = this.#take('*', '/', '%'); operator !== undefined; operator = this.#take('*', '/', '%'))
      left = arithmetic(operator, left, this.#primary());
    return left;
  }

  #primary(): Term {
    const token = this.#peek();
    this.#position++;
    if (token.kind === 'number') return constant(Number(token.text), 'number');
    if (token.kind === 'text') return constant(token.text, 'text');
    if (token.kind === 'operator' && token.text === '(') {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (token.kind === 'operator' && token.text === '-')
      return arithmetic(token, constant(0, 'number'), this.#primary());
    if (token.kind === 'name') return this.#name(token);
    throw new Fault(token.at, '此处应有一个值', 'A value is expected here');
  }

  #name(token: Token): Term {
    const name = token.text;
    if (name === 'true' || name === 'false') return constant(name === 'true', 'boolean');
    if (name === 'hungUpBy') return { type: 'text', evaluate: (facts) => facts.hungUpBy };
    const counter = COUNTERS.find((known) => known === name);
    if (counter !== undefined) return { type: 'number', evaluate: (facts) => facts.counters[counter] };
    if (name === 'slots' || name === 'variables') {
      this.#expect('.');
      const field = this.#peek();
      if (field.kind !== 'name') throw new Fault(field.at, '此处应有名称', 'A name is expected here');
      this.#position++;
      this.#references.push({ kind: name === 'slots' ? 'slot' : 'variable', name: field.text });
      return { type: 'any', evaluate: (facts) => own(facts[name], field.text) };
    }
    const kind = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (kind === undefined) throw new Fault(token.at, `未知名称：${name}`, `Unknown name: ${name}`);
    this.#expect('(');
    const argument = this.#peek();
    if (argument.kind !== 'text')
      throw new Fault(argument.at, '此处应有引号中的文字', 'A quoted text is expected here');
    this.#position++;
    this.#expect(')');
    this.#references.push({ kind, name: argument.text });
    const wanted = argument.text;
    return {
      type: 'boolean',
      evaluate: (facts) => {
        if (kind === 'node') return facts.visited.has(wanted);
        if (kind === 'intent') return facts.said.has(wanted);
        if (kind === 'tag') return facts.tags.has(wanted);
        return own(facts.slots, wanted) !== '';
      },
    };
  }

  #expect(text: string): void {
    if (this.#take(text) === undefined)
      throw new Fault(this.#peek().at, `此处应为 ${text}`, `${text} is expected here`);
  }
}

function own(record: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(record, name) ? (record[name] ?? '') : '';
}

function constant(value: Value, type: ValueType): Term {
  return { type, evaluate: () => value };
}

function arithmetic(operator: Token, left: Term, right: Term): Term {
  for (const side of [left, right])
    if (side.type !== 'number' && side.type !== 'any')
      throw new Fault(operator.at, `${operator.text} 只能用于数字`, `${operator.text} takes numbers only`);
  return {
    type: 'number',
    evaluate: (facts) => {
      const [a, b] = [toNumber(left.evaluate(facts)), toNumber(right.evaluate(facts))];
      if (operator.text === '+') return a + b;
      if (operator.text === '-') return a - b;
      if (operator.text === '*') return a * b;
      if (b === 0) return 0;
      return operator.text === '/' ? a / b : a % b;
    },
  };
}

function toNumber(value: Value): number {
  const number = typeof value === 'string' ? Number.parseFloat(value.replaceAll(',', '')) : Number(value);
  return Number.isFinite(number) ? number : 0;
}

function truthy(value: Value): boolean {
  return value !== false && value !== '' && value !== 0;
}

/** Numbers compare as numbers also where one side came as text; texts by code point, so ISO dates by time. */
function compare(operator: string, left: Value, right: Value): boolean {
  const numeric = typeof left === 'number' || typeof right === 'number';
  const [a, b] = numeric ? [toNumber(left), toNumber(right)] : [String(left), String(right)];
  if (operator === '!=') return a !== b;
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  if (operator === '>') return a > b;
  if (operator === '>=') return a >= b;
  return a === b;
}
