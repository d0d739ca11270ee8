import type { QueryClient, QueryKey } from '@tanstack/react-query';

/**
 * Has all queries below a key ask again after a change. One that is under way for the first time would not by itself, although
 * it may have been answered before the change: it is given up.
 */
export async function askAgain(client: QueryClient, queryKey: QueryKey): Promise<void> {
  await client.cancelQueries({ queryKey });
  await client.invalidateQueries({ queryKey });
}
