/**
 * How a file changes what it extends:
 *
 * - Sections merge by key (`define`, `person`, `call_log`, `fields`, `unmatched`, a body), lists of records by name; what is new
 *   comes after what is inherited.
 * - A field that names its own source (a bare text, `from`, `value`, `template`, `text`) replaces the inherited one. One
 *   that does not (`{ write: overwrite }`, `{ map: { connected: X } }`) changes only what it says; `map` merges by entry.
 * - Everything else (`when`, `match`, `transform`, `associate`, `owner`, …) is replaced as a whole.
 * - `null` takes a key away, `remove: true` a record of a list, an empty list all of its records: those who write
 *   `tasks: []` wants none.
 */
import type { Report } from '@wrapup/findings';
import {
  type Entry,
  get,
  isList,
  isMap,
  isNull,
  type ListNode,
  type MapNode,
  type Node,
  textOf,
} from '@wrapup/findings';

/** How the values under a key are merged; keys that are not listed are replaced. */
type Merge = (base: Node, over: Node, report: Report) => Node;

/** `default: null` is a value of its own, as a null in a table is: what the table does not know is left out. */
const LEAVE_OUT = 'default';

/** @returns a new tree; neither of the two is changed */
export function mergeMappings(base: MapNode, over: MapNode, report: Report): MapNode {
  return mergeKeys(base, over, report, (key) => {
    if (key === 'person') return mergePerson;
    if (key === 'define') return mergeDefine;
    if (isList(base.entries.get(key)?.value)) return mergeRecords;
    return isMap(base.entries.get(key)?.value) ? mergeRecord : undefined;
  });
}

/** Says where a null takes nothing away: a value was forgotten. */
export function checkNothingRemoved(node: Node, report: Report): void {
  if (isList(node)) for (const item of node.items) checkNothingRemoved(item, report);
  if (!isMap(node)) return;
  for (const [name, { key, value }] of node.entries) {
    if (name === 'map' || name === 'unmatched') continue;
    if (name === LEAVE_OUT && isNull(value)) continue;
    if (isNull(value))
      report.error(
        'nothing-to-remove',
        `${name} has no value, and nothing is inherited to take away`,
        key,
        'give it one, or remove the key',
      );
    else checkNothingRemoved(value, report);
  }
  const remove = node.entries.get('remove');
  if (remove && node.entries.has('name'))
    report.error(
      'nothing-to-remove',
      `nothing is inherited under the name ${textOf(get(node, 'name')) ?? ''}`,
      remove.key,
      'take the record out of the file',
    );
}

function mergeKeys(base: MapNode, over: MapNode, report: Report, how: (key: string) => Merge | undefined): MapNode {
  const entries = new Map<string, Entry>(base.entries);
  for (const [name, entry] of over.entries) {
    const inherited = entries.get(name);
    if (!inherited) {
      checkNothingRemoved({ kind: 'map', at: over.at, entries: new Map([[name, entry]]) }, report);
      entries.set(name, entry);
    } else if (isNull(entry.value) && name !== LEAVE_OUT) entries.delete(name);
    else entries.set(name, { key: entry.key, value: (how(name) ?? replace)(inherited.value, entry.value, report) });
  }
  return { kind: 'map', at: over.at, entries };
}

const replace: Merge = (_base, over, report) => {
  checkNothingRemoved(over, report);
  return over;
};

function sections(how: (key: string) => Merge | undefined): Merge {
  return (base, over, report) =>
    isMap(base) && isMap(over) ? mergeKeys(base, over, report, how) : replace(base, over, report);
}

/** Null in a table is a value of its own: leave the field out. */
const mergeTable: Merge = (base, over) =>
  isMap(base) && isMap(over)
    ? { kind: 'map', at: over.at, entries: new Map([...base.entries, ...over.entries]) }
    : over;

const SOURCES = ['from', 'value', 'template', 'text'];

/** A field that says itself what it is, whatever it inherits. */
export function namesSource(node: Node): boolean {
  return !isMap(node) || SOURCES.some((key) => node.entries.has(key));
}

const mergeValue: Merge = (base, over, report) => {
  if (!isMap(over) || namesSource(over)) return replaceBody(base, over, report);
  const whole: Node =
    base.kind === 'scalar'
      ? { kind: 'map', at: base.at, entries: new Map([[sourceKey(base), { key: base.at, value: base }]]) }
      : base;
  return sections((key) => (key === 'map' ? mergeTable : undefined))(whole, over, report);
};

const sourceKey = (node: Node) => (textOf(node) === undefined ? 'value' : 'from');

/** A body that changes its text keeps what it says of the transcript. */
const replaceBody: Merge = (base, over, report) => {
  checkNothingRemoved(over, report);
  const transcript = isMap(base) ? base.entries.get('transcript') : undefined;
  const isBody = isMap(over) && (over.entries.has('template') || over.entries.has('text'));
  if (!transcript || !isBody || over.entries.has('transcript')) return over;
  return { ...over, entries: new Map([...over.entries, ['transcript', transcript]]) };
};

/** A named value that names its own source replaces the inherited one; one that does not changes only what it says. */
const mergeNamed: Merge = (base, over, report) => {
  const own = !isMap(over) || ['cases', 'count', ...SOURCES].some((key) => over.entries.has(key));
  if (own || !isMap(base)) return replace(base, over, report);
  return sections((key) => (key === 'map' ? mergeTable : undefined))(base, over, report);
};
const mergeDefine = sections(() => mergeNamed);

const mergeFields = sections(() => mergeValue);
const mergeUnmatched: Merge = (base, over, report) =>
  isMap(base) && isMap(over) ? mergeKeys(base, over, report, () => undefined) : over;

const mergePerson = sections((key) => {
  if (key === 'fields') return mergeFields;
  return key === 'unmatched' ? mergeUnmatched : undefined;
});

/** Keys of a record that are no values. */
const WHOLE = new Set([
  'name',
  'when',
  'associate',
  'labels',
  'object',
  'key',
  'find',
  'none',
  'several',
  'owner',
  'remove',
]);

const mergeRecord = sections((key) => {
  if (key === 'fields') return mergeFields;
  return WHOLE.has(key) ? undefined : mergeValue;
});

const nameOf = (node: Node) => textOf(get(node, 'name'));

const mergeRecords: Merge = (base, over, report) => {
  if (!isList(base) || !isList(over)) return replace(base, over, report);
  if (over.items.length === 0) return over;
  const items = [...base.items];
  const seen = new Set<string>();
  for (const item of over.items) {
    const name = nameOf(item);
    const index = items.findIndex((known) => name !== undefined && nameOf(known) === name);
    // A name that the file itself gives twice is a mistake, found later.
    if (index < 0 || seen.has(name as string)) {
      checkNothingRemoved(item, report);
      items.push(item);
    } else if (get(item, 'remove')) items.splice(index, 1);
    else items[index] = mergeRecord(items[index] as Node, item, report);
    if (name !== undefined) seen.add(name);
  }
  return { kind: 'list', at: over.at, items } satisfies ListNode;
};
