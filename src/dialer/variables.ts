import type { Script } from '#domain/script.ts';

/**
 * The values a script's variables have for a contact: an attribute of the variable's name or label, the contact's
 * name for `name`, else the script's fallback. Attributes beyond the script's own stay available.
 */
export function scriptVariables(
  script: Pick<Script, 'variables'>,
  contact: { readonly name: string; readonly attributes: Readonly<Record<string, string>> },
): { readonly values: Readonly<Record<string, string>>; readonly missing: readonly string[] } {
  const values: Record<string, string> = { ...contact.attributes };
  if (contact.name !== '') values['name'] ??= contact.name;
  const missing: string[] = [];
  for (const variable of script.variables) {
    const value = [values[variable.name], contact.attributes[variable.label], variable.fallback].find(
      (candidate) => candidate !== undefined && candidate.trim() !== '',
    );
    if (value !== undefined) values[variable.name] = value;
    else if (variable.required) missing.push(variable.name);
    else values[variable.name] = '';
  }
  return { values, missing };
}
