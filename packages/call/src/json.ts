/** Reading JSON from outside. */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is an object, else an empty one. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** The value of an own property, else undefined: what an object inherits is not part of the document. */
export function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined;
export function own(value: unknown, key: string): unknown;
export function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The document, or the text itself where it is not JSON. */
export function jsonOrText(text: string): unknown {
  const document = parseJson(text);
  return document === undefined ? text : document;
}

/** The document, or undefined for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
