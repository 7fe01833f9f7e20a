/** Which of the owners that a plan names is written. Pure. */
import type { FieldWrite, OwnerPlan, Plan } from '@wrapup/mapping';

/** Who can own something, as far as that is known. */
export interface Directory {
  /** Undefined when owners cannot be read; `why` says so, without personal data. */
  ids?: ReadonlySet<string>;
  byEmail: ReadonlyMap<string, string>;
  why?: string;
}

/** The plan with the owner of the person and of each record among their fields, and notes on those that cannot be had. */
export function assignOwners(plan: Plan, owners: Directory): { plan: Plan; notes: string[] } {
  const notes: string[] = [];
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
): { id?: string; note?: string } {
  const chosen = steps.findIndex(({ by, value }) =>
    by === 'email' ? byEmail.has(value.toLowerCase()) : ids === undefined || ids.has(value),
  );
  const step = steps[chosen];
  const place = `${at.file}:${at.line}`;
  const reason = why ?? 'not an active owner of the account';
  if (!step)
    return { note: `${record}.${property} was left out: none of those whom ${place} names can be had: ${reason}.` };
  const id = step.by === 'email' ? byEmail.get(step.value.toLowerCase()) : step.value;
  if (chosen === 0) return { ...(id ? { id } : {}) };
  return {
    ...(id ? { id } : {}),
    note: `${record}.${property}: choice ${chosen + 1} of ${place} was taken; before it: ${reason}.`,
  };
}

/** Who of `named` is no active owner. Empty when that cannot be told. */
export function unknownOwners(named: string[], { ids, byEmail }: Directory): string[] {
  if (ids === undefined) return [];
  return named.filter((name) => (name.includes('@') ? !byEmail.has(name.toLowerCase()) : !ids.has(name)));
}
