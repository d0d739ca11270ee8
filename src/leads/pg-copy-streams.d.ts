/** The one function of pg-copy-streams that is used here; the package has no types of its own. */
declare module 'pg-copy-streams' {
  import type { Writable } from 'node:stream';
  import type { Submittable } from 'pg';

  /** A stream that feeds `COPY … FROM STDIN`; hand it to `client.query` first. */
  export function from(sql: string): Writable & Submittable & { readonly rowCount: number };
}
