/** Where the cursor is in a YAML document, also while it is being typed. */
import { yamlLanguage } from '@codemirror/lang-yaml';
import type { DocumentPath } from './schema.ts';

export interface CursorPlace {
  /** Of the section whose key it is, or of the value. */
  path: DocumentPath;
  /** `either`: first on its line, it may become a key or be a value. `text`: inside quotes. */
  kind: 'key' | 'value' | 'either' | 'text';
  /** The word that the cursor is in. */
  from: number;
  to: number;
  /** Keys that the section has already. */
  siblings: ReadonlySet<string>;
  /** A colon follows. */
  hasColon: boolean;
}

type SyntaxNode = ReturnType<typeof yamlLanguage.parser.parse>['topNode'];

/** A word that no document has. */
const MARK = '\u{10ffff}';
const WORD = /[\w./-]/;

export function placeAt(text: string, cursor: number): CursorPlace | undefined {
  let [from, to] = [cursor, cursor];
  while (from > 0 && WORD.test(text[from - 1] ?? '')) from -= 1;
  while (to < text.length && WORD.test(text[to] ?? '')) to += 1;
  const begin = text.lastIndexOf('\n', from - 1) + 1;
  const end = text.indexOf('\n', to);
  const before = text.slice(begin, from);
  const after = text.slice(to, end < 0 ? undefined : end);
  if (/(?:^|\s)#/.test(before)) return undefined;
  const isFirst = /^\s*(?:-\s+)*$/.test(before);
  const hasColon = /^\s*:(?:\s|$)/.test(after);
  const isOpen = isFirst && after.trim() === '';
  const marked = `${text.slice(0, from)}${MARK}${isOpen ? ':' : ''}${text.slice(to)}`;
  const found = yamlLanguage.parser.parse(marked).resolveInner(from + 1, -1);
  const pair = found.parent?.name === 'Key' ? found.parent.parent : undefined;
  const section = pair?.parent;
  if (pair && section) {
    const siblings = new Set(keysOf(section, marked).filter((key) => key !== MARK));
    return { path: pathOf(section, marked), kind: isOpen ? 'either' : 'key', from, to, siblings, hasColon };
  }
  if (found.name !== 'Literal' && found.name !== 'QuotedLiteral') return undefined;
  const kind = found.name === 'QuotedLiteral' ? 'text' : 'value';
  return { path: pathOf(found, marked), kind, from, to, siblings: new Set(), hasColon };
}

/** Path of the key or value at a place of a document that is whole. */
export function pathAt(text: string, at: number): { path: DocumentPath; from: number; to: number } | undefined {
  const found = yamlLanguage.parser.parse(text).resolveInner(at, 1);
  if (!/Literal$/.test(found.name)) return undefined;
  const isKey = found.parent?.name === 'Key';
  const node = isKey ? found.parent?.parent : found;
  return node ? { path: pathOf(node, text), from: found.from, to: found.to } : undefined;
}

function pathOf(start: SyntaxNode, text: string): DocumentPath {
  const path: (string | number)[] = [];
  for (let node: SyntaxNode | null = start; node; node = node.parent) {
    if (node.name === 'Pair') path.unshift(keyOf(node, text));
    if (node.name === 'Item') path.unshift(indexOf(node));
  }
  return path;
}

function keyOf(pair: SyntaxNode, text: string): string {
  const key = pair.getChild('Key');
  return key ? text.slice(key.from, key.to).replace(/^(["'])(.*)\1$/, '$2') : '';
}

function keysOf(section: SyntaxNode, text: string): string[] {
  return section.getChildren('Pair').map((pair) => keyOf(pair, text));
}

function indexOf(item: SyntaxNode): number {
  return (item.parent?.getChildren('Item') ?? []).findIndex(({ from }) => from === item.from);
}
