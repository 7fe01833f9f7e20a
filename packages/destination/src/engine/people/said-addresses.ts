/**
 * Addresses that were only said: what they are good for on the way from plans to written records.
 *
 *   given    the line, the customer's own list or our own look-up vouches for it: it finds, creates and is written
 *   said     it finds a person who then gets the call log and the tasks, marked, and nothing else (`limitToSaid`); it
 *            creates a person whom the CRM does not know; it never makes a record that exists the caller's own
 *
 * A CRM that refuses a new person because a record holds one of the values has found a person, too: by which value decides.
 */
import { limitToSaid, type MatchStep, type Plan } from '@wrapup/mapping';
import type { Context } from '../../port/context.ts';
import type { Omission } from '../../port/omission.ts';
import { recallMade, wasIssued } from './person-cache.ts';
import type { Claim, PersonWrite } from './person-verbs.ts';
import { withNote } from './person-write.ts';

const NAMES: Record<MatchStep['by'], string> = { id: 'an id', email: 'an e-mail address', phone: 'a number' };

/** Whether the key that a new person gets is made of something that was only said. */
export function isKeySaid({ person }: Plan): boolean {
  const { phone, email, said = [] } = person?.fallback ?? {};
  return (
    said.length > 0 &&
    (phone === undefined || said.includes('phone')) &&
    (email === undefined || said.includes('email'))
  );
}

/**
 * Settles which of the ids that a call claims may be looked for: those that our own look-up did not give for its number
 * are none. @throws what memory throws
 */
export async function settleClaim(ctx: Pick<Context, 'memory'>, plan: Plan): Promise<Plan> {
  const { person } = plan;
  if (!person?.match.some((step) => step.by === 'id' && step.issued_to !== undefined)) return plan;
  const match: MatchStep[] = [];
  for (const step of person.match)
    if (step.by !== 'id' || step.issued_to === undefined) match.push(step);
    else if (await wasIssued(ctx, step.issued_to, step.value)) match.push({ by: 'id', value: step.value });
  return { ...plan, person: { ...person, match } };
}

/** What a person gets who was found only by what was said. @param by what it was; absent where the CRM does not say */
export function limitWrite(write: PersonWrite, by?: MatchStep['by']): PersonWrite {
  if (write.limited) return write;
  const what = by ? NAMES[by] : 'an address';
  const note = `Found by ${what} that was only said: the call log and the tasks are marked, nothing else was written. Where what is said may be trusted, the mapping says so: person: { said: match }.`;
  return withNote({ ...write, limited: true, plan: limitToSaid(write.plan) }, note);
}

/** The plan as what was found allows: limited, unless this very call created the person in an earlier attempt. */
export async function limitIfSaid(
  ctx: Context,
  write: PersonWrite,
  { person, said }: { person: { id: string }; said?: MatchStep['by'] },
): Promise<PersonWrite> {
  if (said === undefined || (await recallMade(ctx, write.plan.key)) === person.id) return write;
  return limitWrite(write, said);
}

/**
 * @param writes of one new person
 * @param values those that may be meant: one where the CRM says which, else all that would be written
 */
export function judgeClaim(writes: readonly PersonWrite[], values: unknown[]): Claim {
  const claims = writes.map(({ plan }) => claimOf(plan, values));
  return claims.includes('without') ? 'without' : claims.includes('limit') ? 'limit' : 'same';
}

function claimOf(plan: Plan, values: unknown[]): Claim {
  const { person } = plan;
  if (!person || person.said === 'match') return 'same';
  const doubtful = values.some((value) => (value === person.key ? isKeySaid(plan) : isUnproved(plan, value)));
  if (!doubtful) return 'same';
  return person.said === 'ignore' ? 'without' : 'limit';
}

/** An address or a number that was only said. */
function isUnproved({ person }: Plan, value: unknown): boolean {
  if (typeof value !== 'string' || !person) return false;
  const { fallback, said_values = [] } = person;
  const said = [...(fallback.said ?? []).map((by) => fallback[by]), ...said_values];
  const text = value.trim().toLowerCase();
  return said.some((one) => one?.trim().toLowerCase() === text);
}

/** Takes what was only said out of what would be written of a new person, and notes it. */
export function withoutUnproved(write: PersonWrite): PersonWrite {
  const { plan } = write;
  if (!plan.person) return write;
  const { said_values: _, ...person } = plan.person;
  const dropped = person.fields.filter(({ value }) => isUnproved(plan, value));
  const { said = [], ...fallback } = person.fallback;
  const kept = { ...fallback };
  for (const by of said) delete kept[by];
  const fields = person.fields.filter((field) => !dropped.includes(field));
  const notes = dropped.map(
    ({ name, at }): Omission => ({
      ...{ code: 'taken_value', record: 'person', field: name, at },
      reason: 'another record holds it, and it was only said',
      hint: 'Where what is said may be trusted, the mapping says so: person: { said: match }; then replay.',
    }),
  );
  return {
    ...write,
    plan: { ...plan, person: { ...person, fields, fallback: kept } },
    notes: [...write.notes, ...notes],
  };
}
