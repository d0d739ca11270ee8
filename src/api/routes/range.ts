/** Reads a Range header of one byte range (RFC 9110 §14.1.2); anything else means the whole file. Bounds are inclusive. */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const suffix = match[1] === '';
  if (!suffix && match[2] !== '' && Number(match[2]) < Number(match[1])) return undefined;
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = suffix || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start >= size ? 'unsatisfiable' : { start, end };
}
