/**
 * Whom records are given to. An account's owners are asked for once and remembered for a while by all processes; the first
 * active one that a plan names is written, where the record has no owner yet.
 *
 * An owner never fails a delivery for good: one that is unknown or inactive is passed over and noted, and where owners may
 * not be read at all, ids are taken as they are and addresses are passed over. Only while the CRM does not answer is the
 * delivery tried again, a few times, so that a follow-up does not end up without an owner.
 */
import type { FieldWrite, OwnerPlan, Plan } from '@wrapup/mapping';
import { type Context, remembered } from '../../port/context.ts';
import { Failure } from '../../port/failure.ts';
import type { ReceiptNote } from '../../port/omission.ts';
import { type PlanReport, type PlanWrite, reportFailures } from '../plan/plan-write.ts';

/** How long owners are remembered, and a refusal to tell them. */
const KEPT_MS = 10 * 60_000;
export const OWNERS_MEMORY = 'owners';
/** Attempts after which a delivery goes on without an owner that the CRM does not tell. */
const MAX_ATTEMPTS = 3;

/** Owners as they are remembered; `why` says that they may not be read, without personal data. */
export type OwnerList =
  | {
      /** E-mail in lower case; empty for those who have none. */
      owners: [id: string, email: string][];
      /** False: the account has more than could be read, so that any id may be right. Default true. */
      whole?: boolean;
    }
  | { why: string };

/** How a CRM tells who can own records. */
export interface OwnerSource {
  /** The property that names who a person belongs to: a mapping that reads it may name owners once it is settled. */
  property: string;
  /** Reads who is active. @param plans numbers of the plans that ask. @throws the failure of a request that may succeed another time */
  read(plans: number[]): Promise<OwnerList>;
  /** The set of ids, for CRMs in which one id has several spellings. */
  toSet?(ids: string[]): ReadonlySet<string>;
}

/** The account's owners, for the plans that ask for one. Never rejects. */
export async function ownersFor(
  ctx: Context,
  writes: PlanWrite[],
  source: OwnerSource,
): Promise<{ directory?: Directory; asking: ReadonlySet<PlanWrite>; reports: PlanReport[] }> {
  const asking = new Set(writes.filter(({ plan }) => wantsOwner(plan, source.property)));
  if (asking.size === 0) return { asking, reports: [] };
  const plans = [...asking].map(({ index }) => index);
  try {
    return { directory: await readDirectory(ctx, source, plans), asking, reports: [] };
  } catch (thrown) {
    const failure = Failure.of(thrown);
    const waiting = [...asking].filter(({ plan }) => (plan.resume?.attempts ?? 0) < MAX_ATTEMPTS);
    return {
      directory: { byEmail: new Map(), why: failure.message },
      asking,
      reports: reportFailures(waiting, 'owner', failure),
    };
  }
}

function wantsOwner({ person, records, needs }: Plan, property: string): boolean {
  return person?.owner !== undefined || records.some(({ owner }) => owner) || needs.includes(property);
}

/**
 * The account's owners, from memory or from the CRM.
 * @param fresh asks the CRM whatever is remembered
 * @throws the failure of a request that may succeed another time
 */
export async function readDirectory(
  ctx: Context,
  source: OwnerSource,
  plans: number[] = [],
  fresh = false,
): Promise<Directory> {
  return toDirectory(await remembered(ctx, OWNERS_MEMORY, KEPT_MS, () => source.read(plans), fresh), source);
}

function toDirectory(list: OwnerList, { toSet = (ids) => new Set(ids) }: OwnerSource): Directory {
  if ('why' in list) return { byEmail: new Map(), why: list.why };
  return {
    ...(list.whole === false ? {} : { ids: toSet(list.owners.map(([id]) => id)) }),
    byEmail: new Map(list.owners.filter(([, email]) => email !== '').map(([id, email]) => [email, id])),
  };
}

/** After the CRM refused one: who is remembered as active may not be any more. */
export async function forgetOwners(ctx: Context): Promise<void> {
  await ctx.memory.delete(OWNERS_MEMORY);
}

/** Who can own something, as far as that is known. */
export interface Directory {
  /** Undefined when owners cannot be read; `why` says so, without personal data. */
  ids?: ReadonlySet<string>;
  byEmail: ReadonlyMap<string, string>;
  why?: string;
}

/** The plan with the owner of the person and of each record among their fields, and notes on those that cannot be had. */
export function assignOwners(plan: Plan, owners: Directory): { plan: Plan; notes: ReceiptNote[] } {
  const notes: ReceiptNote[] = [];
  const fill = <Part extends { owner?: OwnerPlan; fields: FieldWrite[] }>(part: Part, name: string): Part => {
    const { owner, ...rest } = part;
    if (!owner) return part;
    const { id, note } = choose(owner, owners, name);
    if (note) notes.push(note);
    const field: FieldWrite[] = id ? [{ name: owner.property, value: id, write: 'if_empty', at: owner.at }] : [];
    return { ...rest, fields: [...part.fields, ...field] } as unknown as Part;
  };
  const assigned = {
    ...plan,
    person: plan.person && fill(plan.person, 'person'),
    records: plan.records.map((record) => fill(record, record.name)),
  };
  return { plan: assigned, notes };
}

function choose(
  { steps, property, at }: OwnerPlan,
  { ids, byEmail, why }: Directory,
  record: string,
): { id?: string; note?: ReceiptNote } {
  const chosen = steps.findIndex(({ by, value }) =>
    by === 'email' ? byEmail.has(value.toLowerCase()) : ids === undefined || ids.has(value),
  );
  const step = steps[chosen];
  const place = `${at.file}:${at.line}`;
  const reason = why ?? 'not an active owner of the account';
  if (!step) {
    const said = `none of those whom ${place} names can be had: ${reason}`;
    return { note: { code: 'unknown_owner', record, field: property, reason: said, at } };
  }
  const id = step.by === 'email' ? byEmail.get(step.value.toLowerCase()) : step.value;
  if (chosen === 0) return { ...(id ? { id } : {}) };
  return {
    ...(id ? { id } : {}),
    note: `${record}.${property}: choice ${chosen + 1} of ${place} was taken; before it: ${reason}.`,
  };
}

/** Who of `named` is no active owner. Empty when that is not known. */
export function unknownOwners(named: string[], { ids, byEmail }: Directory): string[] {
  if (ids === undefined) return [];
  return named.filter((name) => (name.includes('@') ? !byEmail.has(name.toLowerCase()) : !ids.has(name)));
}
