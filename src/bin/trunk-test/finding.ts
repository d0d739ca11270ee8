import type { LocalText } from '#domain/text.ts';

export type Step = 'configuration' | 'dns' | 'connection' | 'tls' | 'options' | 'registration' | 'call' | 'media';

/** One thing that a test of a trunk found: what was seen, what it means, what to do. */
export interface Finding {
  readonly step: Step;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  /** Static, for scripts and tests, for example `tls-expired`. */
  readonly code: string;
  /** The server that it is about. */
  readonly server?: string;
  readonly seen: LocalText;
  readonly means?: LocalText;
  readonly todo?: LocalText;
  /** Units are in the names. */
  readonly figures?: Readonly<Record<string, number | undefined>>;
}

/** A text that is the same in both languages. */
export function both(text: string): LocalText {
  return { zh: text, en: text };
}
