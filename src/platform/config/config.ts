import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse, TomlError } from 'smol-toml';
import { Value } from 'typebox/value';
import { AppError, type Problem } from '../error.ts';
import { isSystemError } from '../db/data-directory.ts';
import { violations } from './violations.ts';
import { configSchema, type Config, type TrunkConfig } from './schema.ts';
import { trunkSchema } from './trunk-schema.ts';
import { SETTINGS, type Setting } from './settings.ts';
import { sipProblems, trunkProblems } from './trunk-problems.ts';

export type { Config, TrunkConfig } from './schema.ts';

/** Where settings come from; later ones win: defaults, file, environment, flags. */
export interface ConfigSources {
  /** Path of a TOML file that must exist. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values by setting path, for example `{ 'http.port': '9000' }`; undefined is not set. */
  readonly flags: Readonly<Record<string, string | number | boolean | undefined>>;
}

type Tree = Record<string, unknown>;

/** Reads all sources; throws `config-invalid` with every problem there is. */
export function loadConfig(sources: ConfigSources): Config {
  const problems: Problem[] = [];
  const tree = sources.file === undefined ? {} : readFile(sources.file, problems);
  const named = new Map<string, string>();
  for (const setting of SETTINGS) {
    const { path, variable } = setting;
    const fromFlag = sources.flags[path];
    const fromEnv = variable === undefined ? undefined : sources.env[variable];
    if (fromFlag !== undefined) put(tree, path, convert(fromFlag, setting));
    else if (fromEnv !== undefined && fromEnv !== '') {
      put(tree, path, convert(fromEnv, setting));
      named.set(path, variable!);
    }
  }
  problems.push(...unknownNames(sources));
  const complete = Value.Default(configSchema, tree) as Tree;
  problems.push(...violations(configSchema, complete, ''));
  if (problems.length === 0) problems.push(...contradictions(complete as unknown as Config));
  if (problems.length > 0) throw invalid(problems, named);
  return complete as unknown as Config;
}

/** A trunk with every default filled in, for those that no file holds. */
export function completeTrunk(trunk: Pick<TrunkConfig, 'name' | 'callerNumbers'> & Partial<TrunkConfig>): TrunkConfig {
  return Value.Default(trunkSchema, structuredClone(trunk)) as TrunkConfig;
}

function readFile(file: string, problems: Problem[]): Tree {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof TomlError) {
      const reason = error.message.split('\n')[0] ?? '';
      problems.push({
        path: `${file}:${error.line}`,
        message: { zh: `不是有效的 TOML：${reason}`, en: `This is not valid TOML: ${reason}` },
      });
      return {};
    }
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR')) throw error;
    problems.push({
      path: file,
      message: { zh: '读不到这个配置文件。', en: 'This configuration file cannot be read.' },
    });
    return {};
  }
}

function put(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let node = tree;
  for (const key of keys) {
    const next: unknown = node[key];
    if (next === undefined) node = node[key] = {} as Tree;
    else if (typeof next === 'object' && next !== null) node = next as Tree;
    // The file has something else than a section here, which validation reports.
    else return;
  }
  node[last] = value;
}

/** Text to the setting's type; what does not fit stays text, so that validation can say so. */
function convert(value: string | number | boolean, { schema }: Setting): unknown {
  if (typeof value !== 'string') return value;
  if ((schema.type === 'integer' || schema.type === 'number') && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  if (schema.type === 'array') return value.split(',').flatMap((item) => item.trim() || []);
  if (schema.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function unknownNames(sources: ConfigSources): Problem[] {
  const variables = new Set(SETTINGS.map((setting) => setting.variable));
  const paths = new Set(SETTINGS.map((setting) => setting.path));
  return [
    ...Object.keys(sources.env)
      .filter((name) => name.startsWith('WAIHU_') && !variables.has(name))
      .map((path) => ({
        path,
        message: { zh: '没有这个环境变量的设置。', en: 'There is no setting with this environment variable.' },
      })),
    ...Object.keys(sources.flags)
      .filter((path) => !paths.has(path))
      .map((path) => ({ path, message: { zh: '没有这个设置。', en: 'There is no such setting.' } })),
  ];
}

/** What no single value shows. */
function contradictions(config: Config): Problem[] {
  const problems: Problem[] = [];
  if (config.rtp.lastPort - config.rtp.firstPort < 7)
    problems.push({
      path: 'rtp.lastPort',
      message: {
        zh: '必须至少比 rtp.firstPort 大 7：每通电话占四个端口。',
        en: 'It must be at least 7 above rtp.firstPort: a call takes four ports.',
      },
    });
  config.inbound.allow.forEach((entry, index) => {
    if (!isPrefix(entry))
      problems.push({
        path: `inbound.allow[${index}]`,
        message: {
          zh: '不是 IP 地址或网段，例如 192.0.2.0/24 或 2001:db8::/32。',
          en: 'This is neither an address nor a prefix, for example 192.0.2.0/24 or 2001:db8::/32.',
        },
      });
  });
  problems.push(...sipProblems(config.sip), ...trunkProblems(config));
  return problems;
}

/** Whether a text is an IP address, with or without the length of a prefix. */
function isPrefix(text: string): boolean {
  const [host = '', length, ...more] = text.split('/');
  const family = isIP(host);
  if (family === 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 6 ? 128 : 32));
}

function invalid(problems: readonly Problem[], named: ReadonlyMap<string, string>): AppError {
  const located = problems.map((problem) => {
    const variable = named.get(problem.path);
    return variable === undefined ? problem : { ...problem, path: `${problem.path} (${variable})` };
  });
  const list = (language: 'zh' | 'en') =>
    located.map(({ path, message }) => `\n  ${path}: ${message[language]}`).join('');
  return new AppError(
    'config-invalid',
    {
      zh: `配置有 ${located.length} 处问题，说明见 docs/config.md：${list('zh')}`,
      en: `The configuration has ${located.length} problem(s), see docs/config.md:${list('en')}`,
    },
    { problems: located },
  );
}
