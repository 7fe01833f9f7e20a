/** What a zod schema finds wrong with a YAML file, as findings with a place, in the words of its author. */
import type { z } from 'zod';
import { readKnown } from './closed.ts';
import type { Fix, Place } from './finding.ts';
import { nearest, suggest } from './nearest.ts';
import { find, isList, isMap, type Node, nodeAt, textOf, toPlain } from './node.ts';
import type { Report } from './report.ts';
import { TYPE_NAMES } from './type-names.ts';

type Issue = z.core.$ZodIssue;

/** A key that earlier versions accepted. */
export interface RetiredKey {
  message: string;
  hint: string;
  fix?: Fix;
}

export interface ShapeOptions {
  /** Path at which the checked node stands in its file, for the messages. */
  base?: readonly PropertyKey[];
  /** Retired keys by their path, `call_log.transcript`. */
  retired?: Readonly<Record<string, RetiredKey>>;
  /** What to write under a key where a text stands that should be a section, by the key's name. */
  forms?: Readonly<Record<string, (written: string) => string>>;
}

/** Checks a node against a schema and reports what does not fit, as far as possible all of it. */
export function checkShape(node: Node, schema: z.ZodType, report: Report, options: ShapeOptions = {}): void {
  const result = schema.safeParse(toPlain(node));
  if (!result.success) reportIssues(result.error.issues, node, report, options);
}

/** Reports the issues of a schema that has already been asked about the node. */
export function reportIssues(issues: readonly Issue[], node: Node, report: Report, options: ShapeOptions = {}): void {
  const flat = issues.flatMap((issue) => flatten(issue));
  for (const issue of flat) if (!isConsequence(issue, flat, node)) reportIssue(issue, node, report, options);
}

/** A union's issues are those of the branch that fits best. */
function flatten(issue: Issue, around: PropertyKey[] = []): Issue[] {
  const path = [...around, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ ...issue, path }];
  const branches = issue.errors.map((errors) => errors.flatMap((error) => flatten(error)));
  const best = branches.toSorted((one, other) => cost(one) - cost(other))[0];
  // Every branch wants another kind of value.
  if (!best || cost(best) >= WRONG_KIND) return [{ ...issue, path }];
  return best.map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
}

const WRONG_KIND = 1000;

function cost(issues: Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_union'))
      return sum + WRONG_KIND;
    return sum + (issue.code === 'unrecognized_keys' ? issue.keys.length * 2 : 1);
  }, 0);
}

/** A key that is missing because it was mistyped is one mistake, not two. */
function isConsequence(issue: Issue, all: Issue[], root: Node): boolean {
  if (issue.code !== 'invalid_type' || find(root, issue.path)) return false;
  const [parent, key] = [issue.path.slice(0, -1), String(issue.path.at(-1))];
  return all.some(
    (other) =>
      other.code === 'unrecognized_keys' &&
      samePath(other.path, parent) &&
      other.keys.some((name) => nearest(name, [key])),
  );
}

const samePath = (one: PropertyKey[], other: PropertyKey[]) => one.join('\n') === other.join('\n');

/** More mistyped keys in one section are left out. */
const MAX_KEYS = 50;
/** Characters of a value that a message quotes. */
const MAX_QUOTED = 60;

function reportIssue(issue: Issue, root: Node, report: Report, options: ShapeOptions): void {
  const { base = [], retired = {}, forms = {} } = options;
  const { node: near, key } = nodeAt(root, issue.path);
  const node = find(root, issue.path);
  // What its variable left unset is reported where the variable is.
  if (near.kind === 'scalar' && near.unset) return;
  const where = writePath([...base, ...issue.path]);
  const bad = (message: string, hint?: string) => report.error('bad-value', message, near.at, hint);
  switch (issue.code) {
    case 'unrecognized_keys':
      reportUnknownKeys(issue, near, where, report, retired);
      return;
    case 'invalid_type':
    case 'invalid_union':
      if (!node) reportMissing(issue, near, key, where, report);
      else if (node.kind === 'scalar' && node.value === null)
        report.error('bad-value', `${where || 'the file'} has no value`, key, 'give it one, or remove the key');
      else if (issue.message.startsWith('must ')) bad(`${where} ${issue.message}`);
      else
        bad(`${where || 'the file'} must be ${wantedBy(issue)}, not ${kindOfNode(node)}`, formFor(issue, node, forms));
      return;
    case 'invalid_value': {
      const values = issue.values.map(String);
      const none = `${where} is none of ${values.join(', ')}`;
      // A value out of a variable may be a secret that went astray: it is never repeated.
      if (near.kind === 'scalar' && near.variables) bad(none, `one of: ${values.join(', ')}`);
      else if (near.kind === 'scalar')
        bad(`${none}: "${String(near.value).slice(0, MAX_QUOTED)}"`, suggest(String(near.value), values));
      else bad(`${none}: "${kindOfNode(near)}"`);
      return;
    }
    case 'invalid_key':
      report.error(
        'bad-name',
        `the name "${String(issue.path.at(-1)).slice(0, MAX_QUOTED)}" ${issue.issues[0]?.message ?? 'is not allowed'}`,
        key,
        'names are permanent: they are part of the keys of what is written',
      );
      return;
    default: {
      const isName = issue.path.at(-1) === 'name' && issue.code === 'invalid_format';
      report.error(isName ? 'bad-name' : 'bad-value', `${where} ${issue.message}`, near.at);
    }
  }
}

function formFor(issue: Issue, node: Node, forms: NonNullable<ShapeOptions['forms']>): string | undefined {
  const text = textOf(node);
  const key = String(issue.path.findLast((part) => typeof part === 'string'));
  return text !== undefined && Object.hasOwn(forms, key) ? forms[key]?.(text) : undefined;
}

function reportUnknownKeys(
  issue: Issue & { code: 'unrecognized_keys' },
  node: Node,
  where: string,
  report: Report,
  retired: Readonly<Record<string, RetiredKey>>,
): void {
  const known = readKnown(issue.message);
  const entries = isMap(node) ? node.entries : new Map();
  const free = known.filter((candidate) => !entries.has(candidate));
  for (const name of issue.keys.slice(0, MAX_KEYS)) {
    const at: Place = entries.get(name)?.key ?? node.at;
    const path = where ? `${where}.${name}` : name;
    const gone = Object.hasOwn(retired, path) ? retired[path] : undefined;
    if (gone) {
      report.error('retired-key', gone.message, at, gone.hint, gone.fix);
      continue;
    }
    const hint =
      name === '<<' ? 'merge keys are not read; use extends' : suggest(name, nearest(name, free) ? free : known);
    report.error('unknown-key', `unknown key "${name}" ${where ? `in ${where}` : 'at the top of the file'}`, at, hint);
  }
}

function reportMissing(issue: Issue, around: Node, key: Place, where: string, report: Report): void {
  const name = String(issue.path.at(-1));
  const empty = isMap(around) ? around.emptied?.get(name) : undefined;
  if (empty) {
    const [first] = empty.variables;
    const message = `${where} is required, and ${empty.variables.join(', ')} is empty`;
    report.error('empty-variable', message, empty.at, `set ${first}`);
  } else report.error('missing-key', `${where} is required`, key, `write ${name}: …`);
}

function wantedBy(issue: Issue & { code: 'invalid_type' | 'invalid_union' }): string {
  return issue.code === 'invalid_type' ? kindOf(issue.expected) : wantedOf(issue);
}

function kindOf(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function wantedOf(issue: Issue & { code: 'invalid_union' }): string {
  const kinds = issue.errors.flat(1).flatMap((error): string[] => {
    if (error.code === 'invalid_union') return [wantedOf(error)];
    return error.code === 'invalid_type' && error.path.length === 0 && error.expected !== 'null'
      ? [kindOf(error.expected)]
      : [];
  });
  return [...new Set(kinds.flatMap((kind) => kind.split(' or ').filter((word) => word !== 'false')))]
    .map((kind) => (kind === 'true' ? 'true or false' : kind))
    .join(' or ');
}

function kindOfNode(node: Node): string {
  if (isMap(node)) return 'a section with keys';
  if (isList(node)) return 'a list';
  return node.value === null ? 'nothing' : (TYPE_NAMES[typeof node.value] ?? typeof node.value);
}

/** `tasks[0].subject`, `person.fields["lead source"]`; empty for the file itself. */
export function writePath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w-]+$/.test(String(part))) return `${text}["${String(part)}"]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
