/**
 * A YAML value with its place. Merging keeps places, so that a finding about an inherited line names the
 * file that it is in.
 */
import type { Place } from './finding.ts';

export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  kind: 'map';
  at: Place;
  entries: Map<string, Entry>;
  /** Values that were left out because their environment variables are empty, by key. */
  emptied?: Map<string, { at: Place; variables: readonly string[] }>;
}

export interface Entry {
  /** Where the key stands. */
  key: Place;
  value: Node;
}

export interface ListNode {
  kind: 'list';
  at: Place;
  items: Node[];
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  kind: 'scalar';
  at: Place;
  value: Scalar;
  /** Place of a character of the text where it is known, else where the text begins. */
  locate(offset: number): Place;
  /** Environment variables that the text was made of: it is not shown. */
  variables?: readonly string[];
  /** The value could not be made, and that was reported. */
  unset?: true;
}

export function scalar(value: Scalar, at: Place, locate: (offset: number) => Place = () => at): ScalarNode {
  return { kind: 'scalar', value, at, locate };
}

export function isMap(node: Node | undefined): node is MapNode {
  return node?.kind === 'map';
}

export function isList(node: Node | undefined): node is ListNode {
  return node?.kind === 'list';
}

export function isNull(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && node.value === null;
}

export function get(node: Node | undefined, key: string): Node | undefined {
  return isMap(node) ? node.entries.get(key)?.value : undefined;
}

/** The text of a text node; undefined for everything else. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

/** As plain values, for the schema. Maps come without a prototype. */
export function toPlain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toPlain(value)]));
}

/** The node at exactly that path. */
export function find(root: Node, path: readonly PropertyKey[]): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path) {
    if (isMap(node)) node = node.entries.get(String(part))?.value;
    else node = isList(node) ? node.items[Number(part)] : undefined;
    if (!node) return undefined;
  }
  return node;
}

/** The node at a path, or the nearest around it, with the place of its key. */
export function nodeAt(root: Node, path: readonly PropertyKey[]): { node: Node; key: Place } {
  let node = root;
  let key = root.at;
  for (const part of path) {
    const entry = isMap(node) ? node.entries.get(String(part)) : undefined;
    const inner = entry?.value ?? (isList(node) ? node.items[Number(part)] : undefined);
    if (!inner) break;
    key = entry?.key ?? inner.at;
    node = inner;
  }
  return { node, key };
}

export type Locate = (path: (string | number)[], of: 'key' | 'value') => Place;

/** Levels that a value may be nested. */
export const MAX_DEPTH = 40;

/** Nodes of plain values whose places the caller knows. Undefined for what YAML cannot hold and what is nested too deep. */
export function fromPlain(value: unknown, locate: Locate, path: (string | number)[] = []): Node | undefined {
  const at = locate(path, 'value');
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return scalar(value, at);
  if (typeof value !== 'object' || path.length > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => fromPlain(item, locate, [...path, index]));
    return items.every((item) => item !== undefined) ? { kind: 'list', at, items } : undefined;
  }
  const entries = new Map<string, Entry>();
  for (const [name, inner] of Object.entries(value)) {
    const node = fromPlain(inner, locate, [...path, name]);
    if (!node) return undefined;
    entries.set(name, { key: locate([...path, name], 'key'), value: node });
  }
  return { kind: 'map', at, entries };
}
