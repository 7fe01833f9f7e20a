/** `find: { id: … }`: a record that is there already, which the call changes instead of making one. */
import { get, isMap, type MapNode, type Place, textOf } from '@wrapup/findings';
import type { Compiling } from '../language/compile-path.ts';
import { compileText } from '../language/text.ts';
import type { RecordFind, RecordPlan } from '../model/plan.ts';
import { Absent, type Evaluate, type Scope, toText } from '../values/found.ts';
import type { Field } from './fields.ts';
import { isGiven, rootsOf } from './person.ts';

export interface CompiledFind {
  evaluate: Evaluate;
  /** What its path begins with. */
  roots: string[];
  text: string;
  none: RecordFind['none'];
  /** `said: match` of the person: what was only said counts. */
  trusts: boolean;
  at: Place;
}

/** What happens where nothing is found and the mapping does not say. */
export const NONE_DEFAULT: RecordFind['none'] = 'create';
/** Characters of an id; what is longer is none. */
const LONGEST_ID = 64;

/** @param trusts whether the mapping lets what was said count like what is given; @param fields of the record */
export function compileFind(
  node: MapNode,
  { trusts, fields }: { trusts: boolean; fields: Field[] },
  compiling: Compiling,
): CompiledFind | undefined {
  const { report } = compiling;
  const [find, none] = [node.entries.get('find'), node.entries.get('none')];
  if (none && !find)
    report.error('bad-value', 'none: says what happens when find: finds nothing', none.key, 'add find: { id: … }');
  if (!find || !isMap(find.value)) return undefined;
  const id = get(find.value, 'id');
  const text = textOf(id);
  if (id?.kind !== 'scalar' || text === undefined) {
    report.error(
      'missing-key',
      'find does not say what by',
      find.value.at,
      'write find: { id: prompt_variables.deal_id }',
    );
    return undefined;
  }
  const source = compileText(text, id.locate, 'path', compiling);
  if (!source) return undefined;
  // What stands in a record that was made elsewhere was not written here, and stays under the default.
  for (const { property, write, says_write, at } of fields)
    if (write === 'if_ours' && !says_write)
      report.warn(
        'found-field',
        `${property} is written only where the record that is found has nothing there`,
        at,
        'say write: forward with an order, or overwrite; if_empty where that is meant',
      );
  return {
    evaluate: source.evaluate,
    roots: rootsOf(text),
    text,
    none: (textOf(none?.value) ?? NONE_DEFAULT) as RecordFind['none'],
    trusts,
    at: find.key,
  };
}

/**
 * What the plan looks for. Every caller can say any id: one that nothing but speech vouches for finds nothing, unless the
 * mapping trusts what is said.
 */
export function planFind(find: CompiledFind | undefined, scope: Scope): Pick<RecordPlan, 'find'> {
  if (!find) return {};
  const { none, at, text } = find;
  const value = toText(find.evaluate(scope));
  if (value instanceof Absent || value.trim().length > LONGEST_ID)
    return { find: { none, at, why: `the call has no ${text}` } };
  const given = find.trusts || find.roots.every((root) => isGiven(root, scope.call));
  if (!given) return { find: { none, at, why: `${text} was only said` } };
  return { find: { id: value.trim(), none, at, why: 'the CRM has no record with that id' } };
}
