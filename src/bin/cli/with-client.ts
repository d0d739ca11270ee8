import { openClient } from './client.ts';
import type { ApiClient } from './client.ts';
import type { CommandContext } from './settings.ts';

/** Runs a command against the API and closes what was opened for it. */
export async function withClient<Result>(
  o: CommandContext,
  run: (client: ApiClient) => Promise<Result>,
): Promise<Result> {
  const client = await openClient(o);
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}

/** Prints a result: JSON for machines, else what `present` makes of it. */
export function print<Result>(o: CommandContext, result: Result, present: (result: Result) => string): void {
  process.stdout.write(`${o.flags.json === true ? JSON.stringify(result) : present(result)}\n`);
}
