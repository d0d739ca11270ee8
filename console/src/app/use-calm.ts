import { useSyncExternalStore } from 'react';

const query = matchMedia('(prefers-reduced-motion: reduce)');

function onChange(listener: () => void): () => void {
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

/** Whether the reader's system asks for little motion; nothing should slide, zoom or fade then. */
export function isCalm(): boolean {
  return query.matches;
}

/** The same, kept true while it is shown. */
export function useCalm(): boolean {
  return useSyncExternalStore(onChange, isCalm);
}
