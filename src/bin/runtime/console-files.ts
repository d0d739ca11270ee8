import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The built console, or undefined where it has not been built. */
export function consoleDirectory(): string | undefined {
  const directory = fileURLToPath(new URL('../../../console/dist/', import.meta.url));
  return existsSync(`${directory}/index.html`) ? directory : undefined;
}
