/**
 * Text from callers and CRMs on a terminal. Control characters could move the cursor, recolour, or rewrite what stands
 * above; bidirectional overrides could make a line read as something else. Both are taken out of whatever is shown.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const HARMFUL_IN_JSON = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of harmless text. @param limit characters to keep */
export function clean(value: unknown, limit = 500): string {
  const text = (typeof value === 'string' ? value : String(value)).replace(/[\t\r\n]+/g, ' ').replace(HARMFUL, '');
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/**
 * JSON for machines that is safe on a terminal, too: characters that JSON leaves unescaped are escaped.
 * @param indent 0: on one line
 */
export function cleanJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    HARMFUL_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
