import { existsSync } from 'node:fs';
import { loadConfig } from '#platform/config/config.ts';
import type { Config } from '#platform/config/config.ts';
import { AppError } from '#platform/error.ts';
import type { Terminal } from './terminal.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly config?: string;
  readonly dataDirectory?: string;
  readonly httpHost?: string;
  readonly httpPort?: string;
  readonly sipHost?: string;
  readonly sipPort?: string;
  readonly logLevel?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

/** What every command gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
  readonly version: string;
}

/** Reads the configuration of a command; throws `config-invalid` with every problem. */
export function settingsOf(
  flags: GlobalFlags,
  more: Readonly<Record<string, string | number | undefined>> = {},
): Config {
  const file = flags.config ?? (existsSync('waihu.toml') ? 'waihu.toml' : undefined);
  const others = flags.set.map((setting): [string, string] => {
    const at = setting.indexOf('=');
    if (at < 1)
      throw new AppError('invalid-input', {
        zh: `--set 要写成 名称=值：${setting}`,
        en: `Write --set as name=value: ${setting}`,
      });
    return [setting.slice(0, at), setting.slice(at + 1)];
  });
  return loadConfig({
    file,
    env: process.env,
    flags: {
      dataDirectory: flags.dataDirectory,
      'http.host': flags.httpHost,
      'http.port': flags.httpPort,
      'sip.host': flags.sipHost,
      'sip.port': flags.sipPort,
      'log.level': flags.logLevel,
      ...Object.fromEntries(others),
      ...more,
    },
  });
}

/** `name=value` pairs of a repeated option; throws `invalid-input`. */
export function pairs(values: readonly string[], option: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=');
      if (at < 1)
        throw new AppError('invalid-input', {
          zh: `${option} 要写成 名称=值：${value}`,
          en: `Write ${option} as name=value: ${value}`,
        });
      return [value.slice(0, at), value.slice(at + 1)];
    }),
  );
}
