import { OUTCOMES, parsePhone, personKey } from '@wrapup/call';
import type { Dialect } from '../dialect.ts';
import type { Compiling } from '../language/compile-path.ts';
import { Absent, type Evaluate, type Scope, toText } from '../language/found.ts';
import { compileText } from '../language/text.ts';
import { type Ambiguous, type LeftOut, type MatchStep, type PersonPlan, UNMATCHED, type Unmatched } from '../plan.ts';
import { MATCH_BY } from '../schema/mapping-schema.ts';
import { get, isList, isMap, type Node, textOf } from '../yaml/node.ts';
import { compileFields, evaluateFields, type Field } from './fields.ts';
import { type CompiledOwner, checkOwnerOnce, compileOwner, planOwner } from './owner.ts';

export interface CompiledPerson {
  fields: Field[];
  owner?: CompiledOwner;
  plan(scope: Scope): { person: PersonPlan; left: LeftOut[] };
}

/** Where a call may carry the person's id in the CRM, unless the mapping says `id:`. The first that is there counts. */
const ID_PATHS = ['metadata.crm_person_id', 'prompt_variables.crm_person_id'];
/** Characters of an id; what is longer is none. */
const LONGEST_ID = 64;

export function compilePerson(node: Node, dialect: Dialect, zone: string, compiling: Compiling): CompiledPerson {
  const { report } = compiling;
  const listed = get(node, 'match');
  const match = isList(listed) ? listed.items.map((item) => textOf(item) as MatchStep['by']) : [...MATCH_BY];
  if (isList(listed))
    for (const [index, item] of listed.items.entries())
      if (match.indexOf(match[index] as MatchStep['by']) < index)
        report.error('bad-value', `${match[index]} is listed twice`, item.at, 'keep the first');
  const unmatched = compileUnmatched(get(node, 'unmatched'), compiling);
  const ambiguous = (textOf(get(node, 'ambiguous')) ?? 'park') as Ambiguous;
  const create_as = textOf(get(node, 'create_as')) ?? dialect.person.create_as[0] ?? '';
  const id = compileId(get(node, 'id'), compiling);
  const fields = compileFields(node, { compiling, record: 'person', write: 'if_newer', zone, words: {} });
  const owned = dialect.person.owner;
  const owner =
    owned === undefined ? undefined : compileOwner(node, { compiling, property: owned, ofPerson: undefined });
  if (owner) checkOwnerOnce(owner, fields, compiling);

  return {
    fields,
    ...(owner ? { owner } : {}),
    plan(scope) {
      const { lead } = scope.call;
      const { writes, left, missing } = evaluateFields(fields, 'person', scope);
      const phone = usable(lead?.phone);
      const email = usable(lead?.email);
      const policy = unmatched(scope.call.outcome);
      const given = planOwner(owner, 'person', scope);
      const all = [...left, ...given.left];
      const leftOut = missing
        ? [...all, { field: 'person', reason: `nobody is created without ${missing.property}`, at: missing.at }]
        : all;
      return {
        left: leftOut,
        person: {
          match: match.flatMap((by) => matchStep(by, { id: id(scope), phone, email })),
          unmatched: missing && policy === 'create' ? 'log_only' : policy,
          ambiguous,
          key: personKey({ phone, email }) ?? null,
          create_as,
          fields: writes,
          ...(given.owner ? { owner: given.owner } : {}),
          fallback: fallbackOf(phone, email),
        },
      };
    },
  };
}

function usable(text: unknown): string | undefined {
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

function matchStep(by: MatchStep['by'], values: Record<MatchStep['by'], string | undefined>): MatchStep[] {
  const value = values[by];
  return value === undefined ? [] : [{ by, value }];
}

/** The name is made when somebody asks for it: reading a number costs more than the rest of a person. */
function fallbackOf(phone: string | undefined, email: string | undefined): PersonPlan['fallback'] {
  let name: string | undefined;
  return {
    ...(phone ? { phone } : {}),
    ...(email ? { email } : {}),
    get name() {
      name ??= nameFor(phone, email);
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

function compileId(node: Node | undefined, compiling: Compiling): (scope: Scope) => string | undefined {
  // Whom the call is about has to be known before the person is.
  const without: Compiling = { ...compiling, needs: undefined };
  const sources =
    node?.kind === 'scalar' && typeof node.value === 'string' ? [{ text: node.value, spot: node.spot }] : undefined;
  const texts = sources ?? ID_PATHS.map((text) => ({ text, spot: () => ({ file: '', line: 1, column: 1 }) }));
  const evaluates = texts
    .map(({ text, spot }) => compileText(text, spot, 'path', without)?.evaluate)
    .filter((evaluate): evaluate is Evaluate => evaluate !== undefined);
  return (scope) => {
    for (const evaluate of evaluates) {
      const value = toText(evaluate(scope));
      if (!(value instanceof Absent) && value.trim().length <= LONGEST_ID) return value.trim();
    }
    return undefined;
  };
}

/** Nobody is created for a mapping that does not say so. */
const UNMATCHED_DEFAULT: Unmatched = 'log_only';

function compileUnmatched(node: Node | undefined, { report }: Compiling): (outcome: string) => Unmatched {
  const one = textOf(node);
  if (one !== undefined) return () => one as Unmatched;
  if (!isMap(node)) return () => UNMATCHED_DEFAULT;
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
  return (outcome) => table.get(outcome) ?? fallback ?? UNMATCHED_DEFAULT;
}
