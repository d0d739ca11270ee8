/** Byte order mark: begins a session and keeps it alive (ITU-T T.140 §8). */
export const BOM = '\uFEFF';
/** Stands for text that was lost (T.140 addendum 1). */
export const MISSING_TEXT = '\uFFFD';

/** SOS … ST encloses what is meant for a terminal, not for a reader. */
const CONTROL_STRING = /\u0098[^\u009C]*\u009C/gu;
const NEW_LINE = /\r\n|\r|\u2028/gu;

/** T.140 data as its reader should get it: new lines are `\n`, erasures `\b`, nothing else is a control character. */
export function cleanT140(text: string): string {
  let clean = '';
  for (const character of text.replace(CONTROL_STRING, '').replace(NEW_LINE, '\n'))
    if (isReadable(character)) clean += character;
  return clean;
}

/** Adds received text to what is already shown: each `\b` erases the character before it. */
export function appendT140(shown: string, text: string): string {
  if (!text.includes('\b')) return shown + text;
  const characters = Array.from(shown);
  for (const character of text) {
    if (character === '\b') characters.pop();
    else characters.push(character);
  }
  return characters.join('');
}

/** Backspace and line feed are text to T.140; tabs are to us. */
function isReadable(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 0x20) return character === '\b' || character === '\n' || character === '\t';
  return !(code >= 0x7f && code < 0xa0) && character !== BOM;
}
