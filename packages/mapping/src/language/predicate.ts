/**
 * Conditions: a closed set of predicates. Several in one place all have to hold; an absent value fulfils none but
 * `exists: false`.
 */

import type { Entry, MapNode, Node } from '@wrapup/findings';
import { isList, isMap, suggest } from '@wrapup/findings';
import { isUnclear, normalise, readPoint, sameValue } from '../values/compare.ts';
import { Absent, isScalar, type Present, type Scope } from '../values/found.ts';
import { type CompiledPath, type Compiling, compilePath } from './compile-path.ts';
import { compileTransforms, pipe } from './steps.ts';

/** Total: never throws. */
export type Condition = (scope: Scope) => boolean;

/** What is asked of a value that is there; absent where it cannot be compared. */
type Test = (value: Present) => boolean | Absent;
type Plain = string | number | boolean;

export const COMPARISONS = ['gt', 'gte', 'lt', 'lte'] as const;
export const PREDICATES = ['equals', 'in', 'exists', ...COMPARISONS, 'contains', 'starts_with'] as const;
/** Those that are asked of a value that is there. */
type Asked = Exclude<(typeof PREDICATES)[number], 'exists'>;

/** Compiles a condition, or reports what is wrong with it. The shape was checked before. */
export function compileCondition(node: Node, compiling: Compiling): Condition | undefined {
  if (!isMap(node)) return undefined;
  const all = node.entries.get('all');
  if (all) return compileAll(all, compiling, (conditions, scope) => conditions.every((one) => one(scope)));
  const any = node.entries.get('any');
  if (any) return compileAll(any, compiling, (conditions, scope) => conditions.some((one) => one(scope)));
  const not = node.entries.get('not');
  if (not) {
    const inner = compileCondition(not.value, compiling);
    return inner && ((scope) => !inner(scope));
  }
  return compilePredicates(node, compiling);
}

function compileAll(
  { value }: Entry,
  compiling: Compiling,
  combine: (conditions: Condition[], scope: Scope) => boolean,
): Condition | undefined {
  if (!isList(value)) return undefined;
  const conditions = value.items.map((item) => compileCondition(item, compiling));
  if (!conditions.every((one) => one !== undefined)) return undefined;
  return (scope) => combine(conditions, scope);
}

function compilePredicates(node: MapNode, compiling: Compiling): Condition | undefined {
  const { report } = compiling;
  const pathNode = node.entries.get('path')?.value;
  if (pathNode?.kind !== 'scalar' || typeof pathNode.value !== 'string') return undefined;
  const path = compilePath(pathNode.value, pathNode.locate, compiling);
  const written = node.entries.get('transform');
  const steps = written ? compileTransforms(written.value, compiling) : [];
  // What a transform makes of it may be any value.
  const asked = steps?.length === 0 ? path : undefined;
  const tests: Test[] = [];
  let exists: boolean | undefined;
  let fine = path !== undefined && steps !== undefined;
  for (const [name, entry] of node.entries) {
    if (name === 'path' || name === 'transform') continue;
    if (name === 'exists') {
      exists = entry.value.kind === 'scalar' && entry.value.value === true;
      continue;
    }
    // An unknown predicate is reported by the schema.
    const known = PREDICATES.find((predicate): predicate is Asked => predicate === name);
    const test = known && compileTest(known, entry, asked, compiling);
    if (test) tests.push(test);
    else fine = false;
  }
  if (exists === undefined && tests.length === 0) {
    if (fine)
      report.error(
        'bad-value',
        'the condition asks nothing of its path',
        node.at,
        `add one of ${PREDICATES.join(', ')}`,
      );
    return undefined;
  }
  if (!fine || !path || !steps) return undefined;
  const evaluate = pipe(path.evaluate, steps);
  const doubt = (reason: string) => `its condition on ${path.text} does not hold: ${reason}`;
  return (scope) => {
    const value = evaluate(scope);
    if (value instanceof Absent) {
      if (value.unusable) scope.doubts?.set(doubt(value.reason), value.unusable);
      return exists === false && tests.length === 0;
    }
    if (exists === false) return false;
    return tests.every((test) => {
      const held = test(value);
      if (held instanceof Absent) scope.doubts?.set(doubt(held.reason), held.unusable ?? 'unreadable_value');
      return held === true;
    });
  };
}

function compileTest(
  name: Asked,
  { value: node }: Entry,
  path: CompiledPath | undefined,
  compiling: Compiling,
): Test | undefined {
  if (name === 'in') {
    if (!isList(node)) return undefined;
    const fits = node.items.map((item) => checkValue(item, path, compiling));
    const wanted = node.items.map(plainOf).filter((value) => value !== undefined);
    return fits.every(Boolean)
      ? (value) => isScalar(value) && wanted.some((one) => sameValue(value, one, compiling.reading))
      : undefined;
  }
  const wanted = plainOf(node);
  if (wanted === undefined) return undefined;
  switch (name) {
    case 'equals':
      return checkValue(node, path, compiling)
        ? (value) => isScalar(value) && sameValue(value, wanted, compiling.reading)
        : undefined;
    case 'contains': {
      const part = normalise(wanted);
      return (value) =>
        Array.isArray(value)
          ? value.some((item) => isScalar(item) && sameValue(item, wanted, compiling.reading))
          : isScalar(value) && normalise(value).includes(part);
    }
    case 'starts_with': {
      const start = normalise(wanted);
      return (value) => isScalar(value) && normalise(value).startsWith(start);
    }
    default:
      return compileComparison(name, node, wanted, compiling);
  }
}

const NO_NUMBER = new Absent('it is no number', 'unreadable_number');
const UNCLEAR_NUMBER = new Absent('two countries read it as two numbers (number: en, number: de)', 'ambiguous_number');
const NO_MOMENT = new Absent('it is no date or time', 'unreadable_date');

const ORDER: Record<(typeof COMPARISONS)[number], (one: number, other: number) => boolean> = {
  gt: (one, other) => one > other,
  gte: (one, other) => one >= other,
  lt: (one, other) => one < other,
  lte: (one, other) => one <= other,
};

function compileComparison(
  name: (typeof COMPARISONS)[number],
  node: Node,
  wanted: Plain,
  { report, reading }: Compiling,
): Test | undefined {
  const as = readPoint(wanted, 'number', reading) !== undefined ? 'number' : 'moment';
  const limit = readPoint(wanted, as, reading);
  if (limit === undefined) {
    report.error(
      'bad-value',
      `${name} compares numbers or times`,
      node.at,
      'write a number, or a time such as 2026-11-20T18:00:00Z',
    );
    return undefined;
  }
  const none = as === 'number' ? NO_NUMBER : NO_MOMENT;
  return (value) => {
    const point = readPoint(value, as, reading);
    if (point === undefined) return isUnclear(value, as, reading) ? UNCLEAR_NUMBER : none;
    return ORDER[name](point, limit);
  };
}

function plainOf(node: Node): Plain | undefined {
  return node.kind === 'scalar' && node.value !== null ? node.value : undefined;
}

/** A value that the path can never have is a mistake. */
function checkValue(node: Node, path: CompiledPath | undefined, { report }: Compiling): boolean {
  const wanted = plainOf(node);
  const values = path?.known.values;
  if (wanted === undefined) return false;
  if (!values || values.some((value) => sameValue(value, wanted))) return true;
  report.error(
    'unknown-value',
    `${path?.text} is never "${wanted}"`,
    node.at,
    suggest(String(wanted), values.map(String)),
  );
  return false;
}
