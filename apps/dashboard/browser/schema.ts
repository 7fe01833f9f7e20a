/** What a JSON schema says of a place in a document: which keys and values there may be, and what they mean. */

export interface SchemaPart {
  $ref?: string;
  $defs?: Record<string, SchemaPart>;
  anyOf?: SchemaPart[];
  oneOf?: SchemaPart[];
  allOf?: SchemaPart[];
  properties?: Record<string, SchemaPart>;
  additionalProperties?: SchemaPart | boolean;
  items?: SchemaPart;
  prefixItems?: SchemaPart[];
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  description?: string;
}

export interface Suggestion {
  text: string;
  description?: string | undefined;
}

/** Keys of sections by their names, items of lists by their index. */
export type DocumentPath = readonly (string | number)[];

/** Alternatives that a part may stand for; schemas refer to themselves, so that there is an end. */
const MOST_ALTERNATIVES = 400;

/** Parts that the schema has at a place, each without references and alternatives. */
export function partsAt(root: SchemaPart, path: DocumentPath): SchemaPart[] {
  let parts = expand(root, [root]);
  for (const step of path) {
    const next = parts.flatMap((part) => childOf(part, step) ?? []);
    parts = expand(root, next);
  }
  return parts;
}

function childOf(part: SchemaPart, step: string | number): SchemaPart | undefined {
  if (typeof step === 'number') return part.prefixItems?.[step] ?? part.items;
  if (part.properties && Object.hasOwn(part.properties, step)) return part.properties[step];
  return typeof part.additionalProperties === 'object' ? part.additionalProperties : undefined;
}

function expand(root: SchemaPart, parts: readonly SchemaPart[]): SchemaPart[] {
  const done: SchemaPart[] = [];
  const seen = new Set<SchemaPart>();
  const waiting = [...parts];
  for (let part = waiting.shift(); part && done.length < MOST_ALTERNATIVES; part = waiting.shift()) {
    if (seen.has(part)) continue;
    seen.add(part);
    const { $ref, anyOf, oneOf, allOf, description } = part;
    const inner = [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? [])];
    const referred = $ref === undefined ? undefined : resolve(root, $ref);
    if (referred) inner.push(referred);
    if (inner.length === 0) done.push(part);
    // What is said of the whole holds for each alternative that says nothing itself.
    else waiting.unshift(...inner.map((one) => (one.description || !description ? one : { ...one, description })));
  }
  return done;
}

function resolve(root: SchemaPart, ref: string): SchemaPart | undefined {
  const name = /^#\/\$defs\/(.+)$/.exec(ref)?.[1];
  return name === undefined ? undefined : root.$defs?.[name];
}

/** Keys that a section may have there. */
export function keysAt(root: SchemaPart, path: DocumentPath): Suggestion[] {
  const known = new Map<string, Suggestion>();
  for (const { properties = {} } of partsAt(root, path))
    for (const [text, part] of Object.entries(properties)) {
      const description =
        part.description ?? partsAt(root, [...path, text]).find((one) => one.description)?.description;
      if (!known.get(text)?.description) known.set(text, { text, description });
    }
  return [...known.values()];
}

/** Values that are known there. */
export function valuesAt(root: SchemaPart, path: DocumentPath): Suggestion[] {
  const known = new Map<string, Suggestion>();
  for (const part of partsAt(root, path)) {
    const values = part.enum ?? (part.const === undefined ? [] : [part.const]);
    const all = part.type === 'boolean' && values.length === 0 ? [true, false] : values;
    for (const value of all) {
      const text = String(value);
      if (value !== null && !known.has(text)) known.set(text, { text, description: part.description });
    }
  }
  return [...known.values()];
}

/** What a key means. */
export function describeAt(root: SchemaPart, path: DocumentPath): string | undefined {
  const key = path.at(-1);
  const named = typeof key === 'string' ? keysAt(root, path.slice(0, -1)).find(({ text }) => text === key) : undefined;
  return named?.description ?? partsAt(root, path).find(({ description }) => description)?.description;
}
