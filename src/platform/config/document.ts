import { SETTINGS, type Setting, type SettingSchema } from './settings.ts';

/** docs/config.md, made from the schema. */
export function renderConfigDocument(): string {
  const rows = (settings: readonly Setting[]) =>
    settings
      .map(({ path, variable, schema, required }) => {
        const fallback = required ? '**required 必填**' : code(schema.default);
        const names = variable === undefined ? '' : `\`${variable}\``;
        return `| \`${path}\` | ${names} | ${kindOf(schema)} | ${fallback} | ${schema.description}<br>${schema.zh} |`;
      })
      .join('\n');
  const head =
    '| setting 设置 | environment 环境变量 | values 取值 | default 默认 | meaning 说明 |\n|---|---|---|---|---|';
  const inTrunks = (setting: Setting) => setting.path.startsWith('trunks[]');
  return `<!-- Made by \`npm run docs\` from src/platform/config/schema.ts; changes here are overwritten. -->
# Configuration 配置

Settings come from four places; later ones win: defaults, a TOML file (\`waihu.toml\` in the working directory, or
\`--config FILE\`), environment variables, command-line flags. All problems are reported at once, and nothing starts
with a wrong setting.

设置来自四处，后者优先：默认值、TOML 文件（工作目录下的 \`waihu.toml\`，或 \`--config 文件\`）、环境变量、命令行参数。
所有问题一次列出；有错误的设置时不会启动。

${head}
${rows(SETTINGS.filter((setting) => !inTrunks(setting)))}

## Trunks 线路

Each carrier line is one \`[[trunks]]\` table of the file. 每条运营商线路是文件中的一个 \`[[trunks]]\` 表。

${head}
${rows(SETTINGS.filter(inTrunks))}

\`\`\`toml
[sip]
host = "192.0.2.10"
transports = ["udp", "tls"]

[rtp]
host = "192.0.2.10"

[[trunks]]
name = "carrier"
host = "sip.carrier.example"
channels = 100
callsPerSecond = 10
callerNumbers = ["+861012345678"]
numberFormat = "national"
progress = { 486 = "busy", cause-20 = "powered-off" }

[trunks.account]
username = "waihu"
password = "secret"

[trunks.account.registration]
expiresSeconds = 600

# Another carrier, by TLS over two servers, the second one only where the first fails.
[[trunks]]
name = "backup"
callerNumbers = ["+861012345678"]
outboundProxy = "sip:edge.example:5061;transport=tls"
headers = { X-Attempt = "{attemptId}" }

[[trunks.peers]]
host = "a.carrier.example"
transport = "tls"

[[trunks.peers]]
host = "b.carrier.example"
transport = "tls"
priority = 1

[trunks.caller]
rule = "rotate"
identity = "asserted"

[trunks.tls]
authorities = "carrier-ca.pem"

# People who call back: a script of their own for one number, the campaign's for all others.
[inbound]
allow = ["198.51.100.0/24"]
[[inbound.routes]]
numbers = ["+861012345678"]
script = "credit-card-reminder"
[[inbound.routes]]
numbers = ["*"]
\`\`\`
`;
}

function kindOf(schema: SettingSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(' ');
  if (schema.items !== undefined) return `list 列表：${kindOf(schema.items)}`;
  if (schema.minimum !== undefined && schema.maximum !== undefined) return `${schema.minimum}–${schema.maximum}`;
  if (schema.maximum !== undefined) return `> 0, ≤ ${schema.maximum}`;
  if (schema.type === 'boolean') return '`true` `false`';
  return schema.type === 'object' ? 'table 表' : 'text 文本';
}

function code(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}
