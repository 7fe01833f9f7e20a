/**
 * The plan of a revision of which only a signature vouches for a part. That part may change records that are there, and
 * nothing else: no record is created for it, and no person is found, created or linked by it.
 */
import type { Plan, RecordPlan } from './plan.ts';

export interface Restricted {
  plan: Plan;
  /** Names of records that the whole call would have, and this plan does not. */
  withheld: string[];
}

/**
 * @param proved the plan of the call without that part: it says which records there are, and whose
 * @param whole the plan of the call with it: it says what stands in them
 * @param written names of records that earlier deliveries of the call have written
 */
export function restrictPlan(proved: Plan, whole: Plan, written: ReadonlySet<string>): Restricted {
  const known = new Map(proved.records.map((record) => [record.name, record]));
  const records: RecordPlan[] = [];
  const withheld: string[] = [];
  for (const record of whole.records) {
    const before = known.get(record.name);
    if (before) records.push(asBefore(before, record));
    else if (written.has(record.name)) records.push(withoutLinks(record));
    else withheld.push(record.name);
  }
  const plan: Plan = {
    ...whole,
    person: whole.person && proved.person ? { ...proved.person, fields: whole.person.fields } : proved.person,
    records,
    settle: (person) => restrictPlan(proved.settle(person), whole.settle(person), written).plan,
  };
  return { plan, withheld };
}

/** The record with what it is to say now, and with the key, the owner and the links that it had. */
function asBefore(before: RecordPlan, record: RecordPlan): RecordPlan {
  return { ...before, fields: record.fields };
}

function withoutLinks({ owner: _owner, labels: _labels, ...record }: RecordPlan): RecordPlan {
  return { ...record, associate: [] };
}
