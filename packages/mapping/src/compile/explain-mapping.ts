/**
 * A mapping as it is in force: presets, what it extends and defaults in one, and of every line where it comes from. The text
 * is a mapping of its own that does the same.
 */
import type { Finding, Place } from '@wrapup/findings';
import {
  fromPlain,
  get,
  isList,
  isMap,
  type MapNode,
  type Node,
  textOf,
  writeFlow,
  writeKey,
  writePath,
  writeScalar,
} from '@wrapup/findings';
import type { CompiledMapping, MappedField } from '../model/compiled.ts';
import type { Dialect } from '../model/dialect.ts';
import type { WriteMode } from '../model/plan.ts';
import { SINGLE } from '../schema/mapping-schema.ts';
import { compileWithTree, type MappingSource } from './compile-mapping.ts';
import { NONE_DEFAULT, SEVERAL_DEFAULT } from './find.ts';
import { PERSON_DEFAULTS } from './person.ts';

export interface ExplainedLine {
  /** `person.fields.phone`, `tasks[0].subject`. */
  path: string;
  /** YAML, without a line break at its end; a long text goes on over several lines. */
  yaml: string;
  /** Where it is written. Absent: nothing says it, and it is the default. */
  from?: Place;
  /** Of a line that sets a field: the CRM's property and how it is written. */
  field?: { record: string; property: string; write: WriteMode; says_write: boolean };
}

export interface ExplainedMapping {
  mapping: CompiledMapping;
  /** All of it, places included; those of defaults have no file. */
  tree: MapNode;
  lines: ExplainedLine[];
}

/** Characters of a line, comments apart. */
const WIDTH = 96;
/** Characters up to which a section is written on one line. */
const FLOW_WIDTH = 72;
/** Stands for the file of what no file says. */
const DEFAULT: Place = { file: '', line: 0, column: 0 };
/** Sections that are written one key a line, however short. */
const OPEN: ReadonlySet<string> = new Set(['fields', 'define']);

/** @returns no lines where the mapping has errors; the findings say which */
export function explainMapping(source: MappingSource): { explained?: ExplainedMapping; findings: Finding[] } {
  const { tree, mapping, findings } = compileWithTree(source);
  if (!tree || !mapping) return { findings };
  const whole = withDefaults(tree, source.dialect);
  const fields = mapping.fields.filter(({ use }) => use === 'write');
  const lines = explainMap(whole, [], '', { root: whole, dialect: source.dialect, fields });
  return { findings, explained: { mapping, tree: whole, lines } };
}

/** The tree with what it leaves to the language said. */
function withDefaults(tree: MapNode, dialect: Dialect): MapNode {
  const entries = new Map(tree.entries);
  const lacksZone = !entries.has('time_zone');
  const person = entries.get('person');
  if (person && isMap(person.value)) {
    const { match, unmatched, ambiguous } = PERSON_DEFAULTS;
    const said = { match, create_as: dialect.person.create_as[0] ?? null, unmatched, ambiguous };
    entries.set('person', { ...person, value: completed(person.value, said) });
  }
  for (const [key, entry] of entries) {
    if (!Object.hasOwn(dialect.records, key)) continue;
    const complete = (record: Node) =>
      isMap(record)
        ? completed(record, {
            ...(record.entries.has('find') ? { none: NONE_DEFAULT, ...severalDefault(get(record, 'find')) } : {}),
            ...(person ? { associate: ['person'] } : {}),
          })
        : record;
    const { value } = entry;
    entries.set(key, {
      ...entry,
      value: isList(value) ? { ...value, items: value.items.map(complete) } : complete(value),
    });
  }
  const zone = lacksZone ? completed({ ...tree, entries: new Map() }, { time_zone: 'UTC' }).entries : [];
  return { ...tree, entries: new Map([...zone, ...entries]) };
}

/** Neither an id nor the newest finds several. */
function severalDefault(find: Node | undefined): Record<string, unknown> {
  return get(find, 'by') || textOf(get(find, 'open')) === 'only' ? { several: SEVERAL_DEFAULT } : {};
}

/** What is not said comes after what is. */
function completed(map: MapNode, defaults: Record<string, unknown>): MapNode {
  const entries = new Map(map.entries);
  for (const [key, value] of Object.entries(defaults)) {
    const node = value === null ? undefined : fromPlain(value, () => DEFAULT);
    if (node && !entries.has(key)) entries.set(key, { key: DEFAULT, value: node });
  }
  return { ...map, entries };
}

interface Explaining {
  root: MapNode;
  dialect: Dialect;
  fields: MappedField[];
}

type Path = (string | number)[];

function explainMap({ entries }: MapNode, path: Path, indent: string, explaining: Explaining): ExplainedLine[] {
  return [...entries].flatMap(([key, { key: at, value }]) =>
    explainNode(key, value, at, [...path, key], indent, explaining),
  );
}

/** @param key undefined for an item of a list */
function explainNode(
  key: string | undefined,
  node: Node,
  at: Place,
  path: Path,
  indent: string,
  explaining: Explaining,
): ExplainedLine[] {
  const line = (yaml: string): ExplainedLine => ({
    path: writePath(path),
    yaml,
    ...(at.file === '' ? {} : { from: at }),
    ...fieldOf(path, node, explaining),
  });
  if (node.kind === 'scalar') {
    const lines = writeScalar(key, node.value, WIDTH - indent.length);
    return [line(lines.map((one) => `${indent}${one}`).join('\n'))];
  }
  const head = key === undefined ? '' : `${writeKey(key)}: `;
  const flow = `${indent}${head}${writeFlow(node)}`;
  const isEmpty = isMap(node) ? node.entries.size === 0 : node.items.length === 0;
  const fits = flow.length <= FLOW_WIDTH && !flow.includes('\n');
  if (isEmpty || (fits && isShort(path, key) && isOfOneFile(node, at.file))) return [line(flow)];
  // An item begins where the dash of its list is put.
  if (key === undefined) return explainInside(node, path, indent, explaining);
  return [line(`${indent}${head.trimEnd()}`), ...explainInside(node, path, `${indent}  `, explaining)];
}

function explainInside(node: Node, path: Path, indent: string, explaining: Explaining): ExplainedLine[] {
  if (isMap(node)) return explainMap(node, path, indent, explaining);
  if (!isList(node)) return [];
  return node.items.flatMap((item, index) => {
    const [first, ...rest] = explainNode(undefined, item, item.at, [...path, index], `${indent}  `, explaining);
    return first ? [{ ...first, yaml: `${indent}- ${first.yaml.slice(indent.length + 2)}` }, ...rest] : [];
  });
}

/** What is written on one line where it fits: values, conditions, lists of names; no record, no list of fields. */
function isShort(path: Path, key: string | undefined): boolean {
  if (path.length === 1 || (path.length === 2 && typeof path[1] === 'number')) return false;
  return key === undefined || !OPEN.has(key) || path.length > 3;
}

/** A line says one place: what was put together from several files is written out. */
function isOfOneFile(node: Node, file: string): boolean {
  if (node.at.file !== file) return false;
  if (isList(node)) return node.items.every((item) => isOfOneFile(item, file));
  if (!isMap(node)) return true;
  return [...node.entries.values()].every(({ key, value }) => key.file === file && isOfOneFile(value, file));
}

/** The field that a line sets, where it sets one. */
function fieldOf(path: Path, node: Node, { root, dialect, fields }: Explaining): Pick<ExplainedLine, 'field'> {
  const [section, ...rest] = path;
  const key = String(section);
  const isListed = typeof rest[0] === 'number';
  const inner = isListed ? rest.slice(1) : rest;
  const list = get(root, key);
  const item = isListed && isList(list) ? list.items[Number(rest[0])] : undefined;
  const record = isListed ? textOf(get(item, 'name')) : key;
  if (record === undefined || (key !== 'person' && key !== SINGLE && !isListed)) return {};
  const words = key === 'person' ? {} : (dialect.records[key]?.words ?? {});
  const [first, second] = inner.map(String);
  const property =
    first === 'fields' && inner.length === 2
      ? second
      : inner.length === 1 && first !== undefined && Object.hasOwn(words, first)
        ? words[first]?.property
        : undefined;
  const field = fields.find((one) => one.record === record && one.property === property);
  if (property === undefined || field?.write === undefined) return {};
  return { field: { record, property, write: field.write, says_write: get(node, 'write') !== undefined } };
}
