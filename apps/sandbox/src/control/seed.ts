/** Putting things into an account without asking its API: what was there before a test begins. */
import type { Account } from '../hubspot/account.ts';
import { asArray, asId, asObject } from '../hubspot/endpoint.ts';
import { checkProperties } from '../hubspot/property-values.ts';
import type { StoredRecord } from '../hubspot/records.ts';
import { invalid } from '../hubspot/refusal.ts';
import { readDefinition } from '../hubspot/schema/define.ts';
import { options } from '../hubspot/schema/property.ts';
import { type SalesforceSeed, seedOrg } from '../salesforce/seed.ts';
import type { Sandbox } from '../sandbox.ts';

export interface Seed {
  /** Custom objects of the account. */
  custom_objects?: { id: string; name: string; required?: string[] }[];
  /** Properties by object, as the properties API takes them; the group may be left out. */
  properties?: Record<string, Record<string, unknown>[]>;
  /** Options of an enumeration, by object and property: replaces those that were there. */
  options?: Record<string, Record<string, string[]>>;
  /** Owners: a new one, or what changes about one that is there. An archived one can own nothing more. */
  owners?: { id: string; email?: string; archived?: boolean }[];
  /** Records by object. Values are checked as the API checks them, but what is required may be missing. */
  records?: Record<string, SeededRecord[]>;
  /** What to put into Salesforce; all else here goes into HubSpot. */
  salesforce?: SalesforceSeed;
}

export interface SeededRecord {
  properties: Record<string, string>;
  /** Plain links: ids by object. */
  associations?: Record<string, string[]>;
}

/**
 * @returns ids of the new records, by object and in the order given. The two vendors name no object alike: `contacts` is
 * HubSpot's, `Contact` Salesforce's
 * @throws Refusal of the one or the other
 */
export function seed(sandbox: Sandbox, given: unknown): Record<string, string[]> {
  const { salesforce = {}, ...hubspot } = asObject(given, 'the seed');
  return {
    ...seedAccount(sandbox.hubspot, hubspot),
    ...seedOrg(sandbox.salesforce, asObject(salesforce, '"salesforce"') as SalesforceSeed),
  };
}

function seedAccount(account: Account, given: Record<string, unknown>): Record<string, string[]> {
  const { custom_objects = [], properties = {}, options: choices = {}, owners = [], records = {}, ...rest } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw invalid(
      `A seed has no "${unknown}"; it has custom_objects, properties, options, owners, records and salesforce`,
    );
  for (const item of asArray(custom_objects, '"custom_objects"'))
    seedObject(account, asObject(item, 'a custom object'));
  for (const [object, list] of Object.entries(asObject(properties, '"properties"'))) {
    for (const item of asArray(list, `properties of ${object}`))
      seedProperty(account, object, asObject(item, 'a property'));
  }
  for (const [object, byName] of Object.entries(asObject(choices, '"options"'))) {
    for (const [name, values] of Object.entries(asObject(byName, `options of ${object}`))) {
      seedOptions(account, object, name, asArray(values, `options of ${name}`).map(String));
    }
  }
  for (const item of asArray(owners, '"owners"')) seedOwner(account, asObject(item, 'an owner'));
  return Object.fromEntries(
    Object.entries(asObject(records, '"records"')).map(([object, list]) => [
      object,
      asArray(list, `records of ${object}`).map((item) => seedRecord(account, object, asObject(item, 'a record')).id),
    ]),
  );
}

function seedObject(account: Account, { id, name, required = [] }: Record<string, unknown>): void {
  const given = asId(id, '"id"');
  if (!/^2-\d+$/.test(given)) throw invalid(`A custom object's id is "2-" and digits, not "${given}"`);
  const others = [...account.schema.types];
  const type = account.schema.addCustomObject(
    given,
    asId(name, '"name"'),
    asArray(required, '"required"').map(String),
    [],
  );
  account.associations.types.addCustomObject(type, others);
}

function seedProperty(account: Account, object: string, item: Record<string, unknown>): void {
  const type = account.schema.type(object);
  const [groupName] = account.schema.groups(type).keys();
  const whole = { label: item.name, type: 'string', fieldType: 'text', groupName, ...item };
  account.schema.put(type, readDefinition(account.schema, type, whole));
}

function seedOptions(account: Account, object: string, name: string, values: string[]): void {
  const type = account.schema.type(object);
  const definition = account.schema.property(type, name);
  if (!definition) throw invalid(`${object} has no property "${name}"`);
  account.schema.put(type, { ...definition, options: options(values) });
}

function seedOwner({ schema }: Account, { id, email, archived }: Record<string, unknown>): void {
  const given = asId(id, '"id"');
  const known = schema.owners.find((owner) => owner.id === given);
  const owner = known ?? {
    id: given,
    email: `owner-${given}@example.com`,
    firstName: 'Owner',
    lastName: given,
    userId: Number(given) + 10_000_000,
    archived: false,
  };
  if (email !== undefined) owner.email = asId(email, '"email"').toLowerCase();
  if (archived !== undefined) owner.archived = archived === true;
  if (!known) schema.owners.push(owner);
}

function seedRecord(
  account: Account,
  object: string,
  { properties, associations = {} }: Record<string, unknown>,
): StoredRecord {
  const type = account.schema.type(object);
  // An account holds records that its API would not make: people that were imported with nothing but a number.
  const values = checkProperties(account.schema, type, properties ?? {});
  const id = account.records.allocateId(type);
  account.records.checkUnique(type, id, values, true, new Map());
  const record = account.records.create(type, id, values);
  for (const [name, ids] of Object.entries(asObject(associations, '"associations"'))) {
    const to = account.schema.type(name);
    for (const id of asArray(ids, `associations to ${name}`).map(String)) {
      const other = account.records.get(to, id);
      if (!other) throw invalid(`There is no ${to.singular} ${id} to associate with`);
      account.associations.link(record, other, [account.associations.types.plain(type, to)]);
    }
  }
  return record;
}
