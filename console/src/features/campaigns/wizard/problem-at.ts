/** The problem at a path or at an item of the list there. */
export function problemAt(problems: Readonly<Record<string, string>>, path: string): string | undefined {
  const isItem = (at: string): boolean => at.startsWith(`${path}[`) && /^\[\d+\]$/.test(at.slice(path.length));
  return problems[path] ?? Object.entries(problems).find(([at]) => isItem(at))?.[1];
}
