import { type Call, type Origin, OUTCOMES, parsePhone, personKey } from '@wrapup/call';
import { get, isList, isMap, type Node, textOf } from '@wrapup/findings';
import type { Compiling, ReadPath } from '../language/compile-path.ts';
import { compileText } from '../language/text.ts';
import type { Dialect } from '../model/dialect.ts';
import {
  type Ambiguous,
  type FieldWrite,
  type LeftOut,
  type MatchStep,
  type PersonPlan,
  type Said,
  UNMATCHED,
  type Unmatched,
} from '../model/plan.ts';
import { MATCH_BY } from '../schema/mapping-schema.ts';
import { Absent, type Evaluate, type Scope, toText } from '../values/found.ts';
import { compileFields, evaluateFields, type Field } from './fields.ts';
import { type CompiledOwner, checkOwnerOnce, compileOwner, planOwner } from './owner.ts';

export interface CompiledPerson {
  fields: Field[];
  owner?: CompiledOwner;
  plan(scope: Scope): { person: PersonPlan; left: LeftOut[]; parked?: LeftOut };
}

/**
 * Where a call may carry the person's id in the CRM, unless the mapping says `id:`. The first that is there counts. On an
 * outbound call it comes from the customer's own list; on any other only our inbound look-up can have put it there, and it
 * counts only for the number for which it did.
 */
const ID_PATHS = ['metadata.crm_person_id', 'prompt_variables.crm_person_id'];
/** What a mapping says of the person that does not say it. No person is created by default. */
export const PERSON_DEFAULTS: { match: MatchStep['by'][]; unmatched: Unmatched; ambiguous: Ambiguous } = {
  match: [...MATCH_BY],
  unmatched: 'log_only',
  ambiguous: 'park',
};
/** Characters of an id; what is longer is none. */
export const LONGEST_ID = 64;

export function compilePerson(node: Node, dialect: Dialect, zone: string, compiling: Compiling): CompiledPerson {
  const { report } = compiling;
  const listed = get(node, 'match');
  const match = isList(listed) ? listed.items.map((item) => textOf(item) as MatchStep['by']) : PERSON_DEFAULTS.match;
  if (isList(listed))
    for (const [index, item] of listed.items.entries())
      if (match.indexOf(match[index] as MatchStep['by']) < index)
        report.error('bad-value', `${match[index]} is listed twice`, item.at, 'keep the first');
  const unmatched = compileUnmatched(get(node, 'unmatched'), compiling);
  const ambiguous = (textOf(get(node, 'ambiguous')) ?? PERSON_DEFAULTS.ambiguous) as Ambiguous;
  const trust = textOf(get(node, 'said')) as Said | undefined;
  const create_as = textOf(get(node, 'create_as')) ?? dialect.person.create_as[0] ?? '';
  const id = compileId(get(node, 'id'), trust, compiling);
  const fields = compileFields(node, { compiling, record: 'person', write: () => 'if_newer', zone, words: {} });
  const owned = dialect.person.owner;
  const owner =
    owned === undefined ? undefined : compileOwner(node, { compiling, property: owned, ofPerson: undefined });
  if (owner) checkOwnerOnce(owner, fields, compiling);

  return {
    fields,
    ...(owner ? { owner } : {}),
    plan(scope) {
      const { lead } = scope.call;
      const { writes, left, missing, parked } = evaluateFields(fields, 'person', scope);
      const known = knownOf(lead, trust);
      const policy = unmatched(scope.call.outcome);
      const heard = trust === 'match' ? [] : saidValues(writes, known, scope.call);
      const given = planOwner(owner, 'person', scope);
      const all = [...left, ...given.left];
      const leftOut = missing
        ? [
            ...all,
            {
              field: 'person',
              reason: `no person is created without ${missing.field.property}`,
              at: missing.field.at,
              ...(missing.absent.unusable ? { unusable: missing.absent.unusable } : {}),
            },
          ]
        : all;
      return {
        left: leftOut,
        ...(parked ? { parked } : {}),
        person: {
          match: stepsOf(match, known, id(scope, known), trust),
          ...(trust ? { said: trust } : {}),
          unmatched: missing && policy === 'create' ? 'log_only' : policy,
          ambiguous,
          key: keyOf(known, trust) ?? null,
          create_as,
          fields: writes,
          ...(heard.length > 0 ? { said_values: heard } : {}),
          ...(given.owner ? { owner: given.owner } : {}),
          fallback: fallbackOf(known, trust),
        },
      };
    },
  };
}

function usable(text: unknown): string | undefined {
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

/** What the call knows of the person, by where it comes from. */
interface Known {
  given: { phone?: string; email?: string };
  said: { phone?: string; email?: string };
}

/** Where the mapping trusts what is said, everything counts as given. */
function knownOf(lead: Call['lead'] | undefined, trust: Said | undefined): Known {
  const known: Known = { given: {}, said: {} };
  const add = (by: 'phone' | 'email', text: unknown, origin: Origin | undefined) => {
    const value = usable(text);
    const side = origin === 'said' && trust !== 'match' ? known.said : known.given;
    if (value !== undefined) side[by] ??= value;
  };
  add('phone', lead?.phone, lead?.phone_origin);
  add('email', lead?.email, lead?.email_origin);
  if (trust !== 'match') add('email', lead?.said_email, 'said');
  return known;
}

/** Given values first: one that was said is tried only where none of them finds a person. */
function stepsOf(
  match: MatchStep['by'][],
  { given, said }: Known,
  id: Extract<MatchStep, { by: 'id' }> | undefined,
  trust: Said | undefined,
): MatchStep[] {
  const certain = match.flatMap((by): MatchStep[] => {
    if (by === 'id') return id && !id.said ? [id] : [];
    const value = given[by];
    return value === undefined ? [] : [{ by, value }];
  });
  if (trust === 'ignore') return certain;
  const claimed = match.flatMap((by): MatchStep[] => {
    if (by === 'id') return id?.said ? [id] : [];
    const value = said[by];
    return value === undefined ? [] : [{ by, value, said: true }];
  });
  return [...certain, ...claimed];
}

/** Addresses that are written and that nothing but speech tells, from whatever variable the mapping takes them. */
function saidValues(writes: FieldWrite[], { given, said }: Known, call: Call): string[] {
  const addresses = writes.flatMap(({ value }) => (typeof value === 'string' && value.includes('@') ? [value] : []));
  if (addresses.length === 0) return [];
  const spoken = [call.vars, call.extracted, ...(call.direction === 'outbound' ? [] : [call.prompt_variables])];
  const heard = new Set([...spoken.flatMap((values) => Object.values(values ?? {})), said.email].map(plain));
  return addresses.filter((address) => heard.has(plain(address)) && plain(address) !== given.email);
}

function plain(value: unknown): unknown {
  return typeof value === 'string' ? value.trim().toLowerCase() : undefined;
}

/** Where no person is looked for by what was said, no person is created by it alone: no later call could find them. */
function keyOf({ given, said }: Known, trust: Said | undefined): string | undefined {
  return personKey(given) ?? (trust === 'ignore' ? undefined : personKey(said));
}

/** The name is made when it is asked for: reading a number costs more than the rest of a person. */
function fallbackOf({ given, said }: Known, trust: Said | undefined): PersonPlan['fallback'] {
  const both = trust === 'ignore' ? given : { ...said, ...given };
  const claimed = (['phone', 'email'] as const).filter((by) => both[by] !== undefined && given[by] === undefined);
  let name: string | undefined;
  return {
    ...both,
    ...(claimed.length > 0 ? { said: claimed } : {}),
    get name() {
      name ??= nameFor(both.phone, both.email);
      return name;
    },
  };
}

/** What a person without a name is called. */
function nameFor(phone: string | undefined, email: string | undefined): string {
  const national = phone === undefined ? undefined : (parsePhone(phone)?.national ?? phone);
  const known = national ?? email;
  return known === undefined ? 'Caller' : `Caller ${known}`;
}

type IdStep = Extract<MatchStep, { by: 'id' }>;

function compileId(
  node: Node | undefined,
  trust: Said | undefined,
  compiling: Compiling,
): (scope: Scope, known: Known) => IdStep | undefined {
  // Whom the call is about has to be known before the person is.
  const without: Compiling = { ...compiling, needs: undefined };
  const sources =
    node?.kind === 'scalar' && typeof node.value === 'string' ? [{ text: node.value, locate: node.locate }] : undefined;
  const texts = sources ?? ID_PATHS.map((text) => ({ text, locate: () => ({ file: '', line: 1, column: 1 }) }));
  const compiled = texts.flatMap(({ text, locate }) => {
    const paths: ReadPath[] = [];
    const evaluate: Evaluate | undefined = compileText(text, locate, 'path', { ...without, paths })?.evaluate;
    return evaluate ? [{ evaluate, paths, issued: ID_PATHS.includes(text.trim()) }] : [];
  });
  return (scope, { given }) => {
    for (const { evaluate, paths, issued } of compiled) {
      const value = toText(evaluate(scope));
      if (value instanceof Absent || value.trim().length > LONGEST_ID) continue;
      const step: IdStep = { by: 'id', value: value.trim() };
      if (paths.every((path) => isGiven(path, scope.call))) return step;
      if (issued) return given.phone === undefined ? undefined : { ...step, issued_to: given.phone };
      return trust === 'match' ? step : { ...step, said: true };
    }
    return undefined;
  };
}

/** What comes from the platform itself or from the configuration. */
const GIVEN_ROOTS: ReadonlySet<string> = new Set(['call', 'source']);
/** What comes from the customer's own list, on calls that are made from one. */
const LISTED_ROOTS: ReadonlySet<string> = new Set(['metadata', 'prompt_variables']);

export function isGiven({ segments }: ReadPath, { direction }: Call): boolean {
  const root = String(segments[0]);
  return GIVEN_ROOTS.has(root) || (LISTED_ROOTS.has(root) && direction === 'outbound');
}

function compileUnmatched(node: Node | undefined, { report }: Compiling): (outcome: string) => Unmatched {
  const one = textOf(node);
  if (one !== undefined) return () => one as Unmatched;
  if (!isMap(node)) return () => PERSON_DEFAULTS.unmatched;
  const table = new Map([...node.entries].map(([name, { value }]) => [name, textOf(value) as Unmatched]));
  const missing = OUTCOMES.filter((outcome) => !table.has(outcome));
  const fallback = table.get('default');
  if (missing.length > 0 && fallback === undefined)
    report.error(
      'unmapped-value',
      `unmatched says nothing of the outcomes ${missing.join(', ')}`,
      node.at,
      `add a default: one of ${UNMATCHED.join(', ')}`,
    );
  return (outcome) => table.get(outcome) ?? fallback ?? PERSON_DEFAULTS.unmatched;
}
