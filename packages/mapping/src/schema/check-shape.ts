/** What zod found wrong, as findings with a place, in the words of somebody who edits YAML. */

import type { z } from 'zod';
import { nearest, suggest } from '../nearest.ts';
import type { Report } from '../report.ts';
import { isList, isMap, type Node, nodeAt, toPlain } from '../yaml/node.ts';
import { readKnown } from './closed.ts';
import { KIND_WORDS } from './kind-words.ts';

type Issue = z.core.$ZodIssue;

/** Checks a node against a schema and reports what does not fit, as far as possible all of it. */
export function checkShape(node: Node, schema: z.ZodType, report: Report, base = ''): void {
  const result = schema.safeParse(toPlain(node));
  if (result.success) return;
  for (const issue of withoutFollowing(result.error.issues.flatMap((one) => flatten(one)))) {
    reportIssue(issue, node, report, base);
  }
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
function withoutFollowing(issues: Issue[]): Issue[] {
  return issues.filter((issue) => {
    if (issue.code !== 'invalid_type' || issue.message.indexOf('received undefined') < 0) return true;
    const [parent, key] = [issue.path.slice(0, -1), String(issue.path.at(-1))];
    return !issues.some(
      (other) =>
        other.code === 'unrecognized_keys' &&
        samePath(other.path, parent) &&
        other.keys.some((name) => nearest(name, [key])),
    );
  });
}

const samePath = (one: PropertyKey[], other: PropertyKey[]) => one.join('\n') === other.join('\n');

/** More mistyped keys in one section are not told one by one. */
const MOST_KEYS = 50;

/** Keys that earlier versions took, by where they stood. */
const RETIRED: Record<string, { message: string; hint: string }> = {
  'call_log.transcript': {
    message: 'call_log.transcript is gone: the CRM’s own transcripts are no longer written',
    hint: 'take it out; body: { transcript: full } writes every word into the call itself',
  },
};

function reportIssue(issue: Issue, root: Node, report: Report, base: string): void {
  const { node, key } = nodeAt(root, issue.path);
  const where = writePath(base, issue.path);
  const bad = (message: string, hint?: string) => report.error('bad-value', message, node.at, hint);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = readKnown(issue.message);
      const used = isMap(node) ? [...node.entries.keys()] : [];
      for (const name of issue.keys.slice(0, MOST_KEYS)) {
        const at = isMap(node) ? (node.entries.get(name)?.key ?? node.at) : node.at;
        const free = known.filter((candidate) => !used.includes(candidate));
        const retired = RETIRED[`${where}.${name}`];
        const hint =
          name === '<<' ? 'merge keys are not read; use extends' : suggest(name, nearest(name, free) ? free : known);
        if (retired) report.error('retired-key', retired.message, at, retired.hint);
        else report.error('unknown-key', `unknown key "${name}" in ${where || 'the file'}`, at, hint);
      }
      return;
    }
    case 'invalid_type':
    case 'invalid_union': {
      const wanted = issue.code === 'invalid_type' ? kindOf(issue.expected) : wantedOf(issue);
      if (issue.code === 'invalid_type' && issue.message.includes('received undefined')) {
        report.error('missing-key', `${where} is required`, node.at, `write ${String(issue.path.at(-1))}: …`);
      } else if (node.kind === 'scalar' && node.value === null) {
        report.error('bad-value', `${where || 'the file'} has no value`, key, 'give it one, or remove the key');
      } else bad(`${where || 'the file'} must be ${wanted}, not ${kindOfNode(node)}`);
      return;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const given = node.kind === 'scalar' ? String(node.value) : kindOfNode(node);
      bad(
        `${where} is none of ${values.join(', ')}: "${given}"`,
        node.kind === 'scalar' ? suggest(given, values) : undefined,
      );
      return;
    }
    case 'invalid_key':
      bad(`${where}: ${issue.issues[0]?.message ?? issue.message}`);
      return;
    default:
      bad(`${where} ${issue.message}`);
  }
}

function kindOf(expected: string): string {
  return KIND_WORDS[expected] ?? expected;
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
  return node.value === null ? 'nothing' : (KIND_WORDS[typeof node.value] ?? typeof node.value);
}

/** `tasks[0].subject`, `person.fields["lead source"]`. */
function writePath(base: string, path: PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w-]+$/.test(String(part))) return `${text}["${String(part)}"]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, base);
}
