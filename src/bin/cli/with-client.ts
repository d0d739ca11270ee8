import { openClient } from './client.ts';
import type { ApiClient, ClientNeeds } from './client.ts';
import type { CommandContext } from './settings.ts';
import { stopSignal } from './stop-signal.ts';

/** Runs a command against the API and closes what was opened for it; `stop` aborts when the user wants to end. */
export async function withClient<Result>(
  o: CommandContext,
  run: (client: ApiClient, stop: AbortSignal) => Promise<Result>,
  needs?: ClientNeeds,
): Promise<Result> {
  const stop = stopSignal();
  const client = await openClient(o, stop, needs);
  try {
    return await run(client, stop);
  } finally {
    o.terminal.endProgress();
    await client.close();
  }
}

/** Prints a result: JSON for machines, else what `present` makes of it. */
export function print<Result>(o: CommandContext, result: Result, present: (result: Result) => string): void {
  process.stdout.write(`${o.flags.json === true ? JSON.stringify(result) : present(result)}\n`);
}
