/**
 * Named values: `define: { result: { cases: …, default: … }, score: { count: … } }`, read as `my.result`. They may read one
 * another, in any order and never in a circle; each is computed once a call.
 */
import { get, isList, isMap, type MapNode, type Node, type Place, textOf } from '@wrapup/findings';
import type { Compiling, NamedValue, NamedValues, ReadPath } from '../language/compile-path.ts';
import { type Condition, compileCondition } from '../language/predicate.ts';
import type { Known } from '../language/roots.ts';
import { type CompiledValue, compileValue } from '../language/value.ts';
import { NO_CASE } from '../model/plan.ts';
import { Absent, type Evaluate, type Found, type Scope } from '../values/found.ts';

const NAME = /^[a-z][a-z0-9_]*$/;
/** Named values that may read one another in a row. */
const LONGEST_CHAIN = 20;

/** Compiles each when it is first read, then those that nothing reads: what is wrong with them is said all the same. */
export function compileDefine(
  node: Node | undefined,
  base: Pick<Compiling, 'report' | 'reading' | 'tells_changes' | 'reads'>,
): NamedValues {
  const { report } = base;
  const entries = isMap(node) ? node.entries : new Map();
  const done = new Map<string, NamedValue | undefined>();
  const way: string[] = [];
  const values: NamedValues = {
    names: [...entries.keys()],
    find(name) {
      if (done.has(name)) return done.get(name);
      const entry = entries.get(name);
      if (!entry || !mayFollow(way, name, entry.key, report)) return undefined;
      way.push(name);
      const needs = new Map<string, Place>();
      const paths: ReadPath[] = [];
      const compiled = compileNamed(name, entry.value, { ...base, needs, paths, my: values });
      way.pop();
      const named = compiled && { evaluate: once(compiled.evaluate), known: compiled.known, needs, paths };
      done.set(name, named);
      return named;
    },
  };
  for (const [name, { key }] of entries) {
    if (!NAME.test(name))
      report.error(
        'bad-name',
        `${name} must be small letters, digits and underscores`,
        key,
        `it is read as my.${name}`,
      );
    values.find(name);
  }
  return values;
}

function mayFollow(way: string[], name: string, at: Place, report: Compiling['report']): boolean {
  if (way.includes(name)) {
    const circle = [...way.slice(way.indexOf(name)), name].map((one) => `my.${one}`).join(' -> ');
    report.error('define-cycle', `named values read one another in a circle: ${circle}`, at, 'take one of them out');
    return false;
  }
  if (way.length < LONGEST_CHAIN) return true;
  report.error(
    'define-chain',
    `more than ${LONGEST_CHAIN} named values read one another in a row`,
    at,
    'put some together',
  );
  return false;
}

interface Named {
  evaluate: Evaluate;
  known: Known;
}

function compileNamed(name: string, node: Node, compiling: Compiling): Named | undefined {
  const { report } = compiling;
  const [cases, count] = [get(node, 'cases'), get(node, 'count')];
  if (isMap(node) && (cases || count)) {
    const source = cases ? 'cases' : 'count';
    const allowed = cases ? ['cases', 'default'] : ['count'];
    for (const [key, entry] of node.entries)
      if (!allowed.includes(key))
        report.error('bad-value', `a value with ${source} takes no ${key}`, entry.key, `take ${key} or ${source} out`);
    return cases ? compileCases(name, node, cases, compiling) : compileCount(count, compiling);
  }
  const value = compileValue(node, 'path', compiling);
  return value && { evaluate: value.evaluate, known: knownOf(value) };
}

function knownOf({ values, gives }: Pick<CompiledValue, 'values' | 'gives'>): Known {
  const named = values?.filter((value) => typeof value !== 'number');
  return {
    leaf: true,
    ...(named && named.length === values?.length ? { values: named } : {}),
    ...(gives ? { gives } : {}),
  };
}

function compileCases(name: string, node: MapNode, list: Node, compiling: Compiling): Named | undefined {
  const compiled: { when: Condition; is: string | number | boolean }[] = [];
  let fine = isList(list);
  for (const item of isList(list) ? list.items : []) {
    const [when, is] = [get(item, 'when'), get(item, 'is')];
    const condition = when && compileCondition(when, compiling);
    if (condition && is?.kind === 'scalar' && is.value !== null) compiled.push({ when: condition, is: is.value });
    else fine = false;
    const text = textOf(is);
    if (is && text?.includes('{{'))
      compiling.report.error('bad-value', 'is: takes a constant', is.at, 'a text of the call belongs under default');
  }
  const written = get(node, 'default');
  const fallback = written && compileValue(written, 'path', compiling);
  if (!fine || (written && !fallback)) return undefined;
  const none = new Absent(`${NO_CASE}${name} holds`);
  const values =
    fallback && !fallback.values ? undefined : [...compiled.map(({ is }) => is), ...(fallback?.values ?? [])];
  return {
    evaluate: (scope) => {
      const first = compiled.find(({ when }) => when(scope));
      return first ? first.is : (fallback?.evaluate(scope) ?? none);
    },
    known: knownOf(values ? { values: [...new Set(values)] } : {}),
  };
}

function compileCount(list: Node | undefined, compiling: Compiling): Named | undefined {
  const conditions = isList(list) ? list.items.map((item) => compileCondition(item, compiling)) : [];
  if (!conditions.every((one) => one !== undefined)) return undefined;
  return {
    evaluate: (scope) => conditions.filter((holds) => holds(scope)).length,
    known: { leaf: true, gives: 'number' },
  };
}

/** Computed once for a call: a scope stands for one. */
function once(evaluate: Evaluate): Evaluate {
  const known = new WeakMap<Scope, Found>();
  return (scope) => {
    const before = known.get(scope);
    if (before !== undefined) return before;
    const value = evaluate(scope);
    known.set(scope, value);
    return value;
  };
}
