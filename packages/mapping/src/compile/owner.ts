/**
 * `owner:` of a person or a record: the ways to find out whom it is given to, in the order in which they stand.
 *
 *     owner: contact_owner
 *     owner: { by_agent: { agent-1: kim@acme.example }, fallback: 4711 }
 *     owner: [contact_owner, { by_email: metadata.rep_email }, { fallback: desk@acme.example }]
 */

import type { Place } from '@wrapup/findings';
import { type Entry, isList, isMap, type MapNode, type Node, textOf } from '@wrapup/findings';
import { type Compiling, compilePath } from '../language/compile-path.ts';
import { compileText } from '../language/text.ts';
import type { MappedField } from '../model/compiled.ts';
import type { LeftOut, OwnerPlan, OwnerStep } from '../model/plan.ts';
import { CONTACT_OWNER } from '../schema/owner-schema.ts';
import { Absent, type Scope, toText } from '../values/found.ts';

export interface CompiledOwner {
  property: string;
  /** E-mail addresses and ids that the mapping itself names. */
  named: string[];
  at: Place;
  plan(scope: Scope): OwnerPlan | undefined;
}

/** What one way gives for a call. */
interface Way {
  steps(scope: Scope): OwnerStep[];
  named: string[];
}

export interface OwnerContext {
  compiling: Compiling;
  /** Property of the record, and the one of the person; undefined where the mapping looks for no person. */
  property: string;
  ofPerson: string | undefined;
  /** Whom the mapping gives the person to, where it does. */
  personOwner?: CompiledOwner | undefined;
}

/** Compiles `owner:` of `node`, or reports what is wrong with it. The shape was checked before. */
export function compileOwner(node: Node, context: OwnerContext): CompiledOwner | undefined {
  const entry = isMap(node) ? node.entries.get('owner') : undefined;
  if (!entry) return undefined;
  const ways = listWays(entry.value, context);
  const { property } = context;
  const at = entry.value.at;
  return {
    property,
    named: ways.flatMap(({ named }) => named),
    at,
    plan(scope) {
      const steps = ways.flatMap((way) => way.steps(scope));
      return steps.length > 0 ? { property, steps, at } : undefined;
    },
  };
}

function listWays(node: Node, context: OwnerContext): Way[] {
  if (isList(node)) {
    const empty = node.items.length === 0;
    if (empty) context.compiling.report.error('bad-value', 'owner names no way to find one', node.at, 'add one');
    return node.items.flatMap((item) => listWays(item, context));
  }
  if (textOf(node) === CONTACT_OWNER) return contactOwner(node, context);
  if (!isMap(node)) return [];
  if (node.entries.size === 0)
    context.compiling.report.error('bad-value', 'owner names no way to find one', node.at, 'add one');
  return [...node.entries].flatMap(([name, entry]) => compileWay(name, entry, context));
}

function compileWay(name: string, { key, value }: Entry, context: OwnerContext): Way[] {
  if (name === CONTACT_OWNER) return contactOwner({ ...value, at: key }, context);
  if (name === 'by_agent') return isMap(value) ? [byAgent(value)] : [];
  if (name === 'by_email') return byEmail(value, context);
  const step = value.kind === 'scalar' && value.value !== null ? toStep(String(value.value)) : undefined;
  return step ? [{ steps: () => [step], named: [step.value] }] : [];
}

/**
 * The person is read like any other `person.*` path: known once it is found. A person without an owner is given to whom
 * the mapping says, and so is what follows.
 */
function contactOwner(node: Node, { compiling, ofPerson, personOwner }: OwnerContext): Way[] {
  if (ofPerson === undefined) {
    compiling.report.error(
      'bad-value',
      'contact_owner means the owner of the matched person, and there is none here',
      node.at,
      'use by_agent, by_email or fallback',
    );
    return [];
  }
  const path = compilePath(`person.${ofPerson}`, () => node.at, compiling);
  if (!path) return [];
  const steps = (scope: Scope) => {
    if (!scope.person) return [];
    const own = textStep(toText(path.evaluate(scope)), 'id');
    return own ? [own] : (personOwner?.plan(scope)?.steps ?? []);
  };
  return [{ steps, named: [] }];
}

function byAgent(table: MapNode): Way {
  const owners = new Map<string, OwnerStep>();
  for (const [agent, { value }] of table.entries)
    if (value.kind === 'scalar' && value.value !== null) owners.set(agent, toStep(String(value.value)));
  return {
    steps: ({ call }) => {
      const step = call.agent?.id === undefined ? undefined : owners.get(call.agent.id);
      return step ? [step] : [];
    },
    named: [...owners.values()].map(({ value }) => value),
  };
}

function byEmail(node: Node, { compiling }: OwnerContext): Way[] {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return [];
  const text = compileText(node.value, node.locate, 'text', compiling);
  if (!text) return [];
  const { constant } = text;
  if (constant !== undefined && !constant.includes('@')) {
    compiling.report.error(
      'bad-value',
      `by_email: "${constant}" is neither an e-mail address nor a path`,
      node.at,
      'write metadata.rep_email, or { fallback: <id> } for an id',
    );
    return [];
  }
  return [
    {
      steps: (scope) => {
        const step = textStep(toText(text.evaluate(scope)), 'email');
        return step?.value.includes('@') ? [step] : [];
      },
      named: constant === undefined ? [] : [constant],
    },
  ];
}

/** Characters of an address or an id; what is longer is neither. */
const LONGEST = 254;

function textStep(text: string | Absent, by: OwnerStep['by']): OwnerStep | undefined {
  if (text instanceof Absent) return undefined;
  const value = text.trim();
  return value !== '' && value.length <= LONGEST ? { by, value } : undefined;
}

function toStep(text: string): OwnerStep {
  const value = text.trim();
  return { by: value.includes('@') ? 'email' : 'id', value };
}

/** What one call makes of it. */
export function planOwner(
  owner: CompiledOwner | undefined,
  record: string,
  scope: Scope,
): { owner?: OwnerPlan; left: LeftOut[] } {
  if (!owner) return { left: [] };
  const plan = owner.plan(scope);
  if (plan) return { owner: plan, left: [] };
  const reason =
    scope.person === undefined ? 'no owner can be named before the person is found' : 'none of its ways names an owner';
  return { left: [{ field: `${record}.${owner.property}`, reason, at: owner.at }] };
}

/** For schema checks. */
export function describeOwner(owner: CompiledOwner | undefined, record: string, object: string): MappedField[] {
  if (!owner) return [];
  const { property, named, at } = owner;
  return [{ record, object, property, use: 'write', write: 'if_empty', owners: named, at }];
}

/** An owner is named by `owner:` or as a field, not by both. */
export function checkOwnerOnce(
  owner: CompiledOwner,
  fields: { property: string; at: Place }[],
  { report }: Compiling,
): void {
  const twin = fields.find(({ property }) => property === owner.property);
  if (twin)
    report.error(
      'duplicate-field',
      `${owner.property} is set by owner, and by line ${twin.at.line} too`,
      owner.at,
      'keep one of the two',
    );
}
