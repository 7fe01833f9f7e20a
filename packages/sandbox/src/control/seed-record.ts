/** One record of HubSpot as it was before a test began, whatever made it so. */
import type { Account } from '../hubspot/account.ts';
import { asArray, asId, asObject } from '../hubspot/http/endpoint.ts';
import { invalid } from '../hubspot/http/refusal.ts';
import { checkProperties } from '../hubspot/records/property-values.ts';
import type { HubSpotRecord } from '../hubspot/records/records.ts';
import type { AssociationType, AssociationTypes } from '../hubspot/schema/association-types.ts';
import type { ObjectType } from '../hubspot/schema/object-types.ts';
import { checkStage } from '../hubspot/schema/pipelines.ts';

export interface SeededRecord {
  /** Also what only HubSpot sets, such as the date of creation. */
  properties: Record<string, string>;
  /**
   * Links by object: ids, or ids with the label of the link, which is made where the account has none of that name. `#0` is
   * the first record of that object in the same seed; objects that are linked to stand before.
   */
  associations?: Record<string, (string | { id: string; label: string })[]>;
  /** It has been archived since; links to it are not shown. */
  archived?: boolean;
  /** Records that have been merged into it: gone, but for their addresses and what it lacked. */
  merged?: { properties: Record<string, string> }[];
}

/** @param made ids of the same seed, by object. @throws Refusal */
export function seedRecord(
  account: Account,
  object: string,
  given: Record<string, unknown>,
  made: Record<string, string[]> = {},
): HubSpotRecord {
  const { properties, associations = {}, archived = false, merged = [], ...rest } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw invalid(`A seeded record has no "${unknown}"; it has properties, associations, archived and merged`);
  const type = account.schema.type(object);
  const record = create(account, type, properties);
  for (const [name, ends] of Object.entries(asObject(associations, '"associations"')))
    for (const end of asArray(ends, `associations to ${name}`))
      link(account, record, account.schema.type(name), end, made[name]);
  for (const item of asArray(merged, '"merged"'))
    account.records.merge(record, create(account, type, asObject(item, 'a merged record').properties));
  if (archived === true) account.records.archive(record);
  return record;
}

/** An account holds records that its API would not make: people that were imported with nothing but a number. */
function create(account: Account, type: ObjectType, properties: unknown): HubSpotRecord {
  const values = checkProperties(account.schema, type, properties ?? {}, true);
  checkStage(account.schema, type, values);
  const id = account.records.allocateId(type);
  account.records.checkUnique(type, id, values, true, new Map());
  const record = account.records.create(type, id, values);
  const at = values.get(type.created);
  if (at) record.createdAt = new Date(at);
  return record;
}

function link(
  { records, associations }: Account,
  record: HubSpotRecord,
  to: ObjectType,
  end: unknown,
  made: string[] = [],
): void {
  const { id, label } = typeof end === 'object' && end !== null ? (end as Record<string, unknown>) : { id: end };
  const wanted = asId(id, `the id of ${to.singular}`);
  const other = records.get(to, /^#\d+$/.test(wanted) ? (made[Number(wanted.slice(1))] ?? '') : wanted);
  if (!other) throw invalid(`There is no ${to.singular} ${String(id)} to associate with`);
  const { types } = associations;
  const named =
    label === undefined ? [types.plain(record.type, to)] : labelled(types, record.type, to, asId(label, '"label"'));
  associations.link(record, other, named);
}

function labelled(types: AssociationTypes, from: ObjectType, to: ObjectType, label: string): AssociationType[] {
  const known = types.between(from, to).filter((type) => type.label === label);
  return known.length > 0 ? known : types.addLabel(from, to, label);
}
