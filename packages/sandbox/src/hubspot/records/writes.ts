/**
 * Creating and changing records, in two steps: a plan checks everything against the account and against the earlier
 * rows of the request, its commit writes. Between the two nothing else may run.
 */
import type { Account } from '../account.ts';
import { asArray, asId, asObject, type HubSpotRequest } from '../http/endpoint.ts';
import { type HubSpotRefusal, invalid } from '../http/refusal.ts';
import type { AssociationSpec, AssociationType } from '../schema/association-types.ts';
import type { ObjectType } from '../schema/object-types.ts';
import { checkStage } from '../schema/pipelines.ts';
import { checkProperties } from './property-values.ts';
import type { HubSpotRecord } from './records.ts';
import { requireForCreate, requireForUpdate } from './rules.ts';

/** Unique values that the rows of one request take: by value, the id of the row's record. */
export type Claims = Map<string, string>;

export interface PlannedWrite {
  commit(): HubSpotRecord;
  /** Names of the properties that it writes. */
  written: string[];
}

/** @throws Refusal */
export function planCreate(
  call: HubSpotRequest,
  type: ObjectType,
  input: Record<string, unknown>,
  claims: Claims,
): PlannedWrite {
  const { account } = call;
  const values = checkProperties(account.schema, type, input.properties ?? {});
  requireForCreate(call, type, values);
  checkStage(account.schema, type, values);
  const links = readLinks(account, type, input.associations);
  requireLink(type, links);
  const id = account.records.allocateId(type);
  account.records.checkUnique(type, id, values, true, claims);
  return {
    written: [...values.keys()],
    commit() {
      const record = account.records.create(type, id, values);
      for (const { to, types } of links) account.associations.link(record, to, types);
      return record;
    },
  };
}

/** @throws Refusal */
export function planUpdate(
  call: HubSpotRequest,
  record: HubSpotRecord,
  properties: unknown,
  claims: Claims,
): PlannedWrite {
  const { account } = call;
  const values = checkProperties(account.schema, record.type, properties ?? {});
  const after = new Map([...record.properties, ...values]);
  requireForUpdate(call, record.type, after);
  checkStage(account.schema, record.type, after);
  account.records.checkUnique(record.type, record.id, values, false, claims);
  return {
    written: [...values.keys()],
    commit() {
      account.records.update(record, values);
      return record;
    },
  };
}

interface Link {
  to: HubSpotRecord;
  types: AssociationType[];
}

/** @throws Refusal when the new record is not linked to what such records are linked to */
function requireLink({ singular, linkedTo }: ObjectType, links: Link[]): void {
  if (!linkedTo || links.some(({ to }) => linkedTo.includes(to.type.name))) return;
  throw invalid(
    `A ${singular} must be associated with one of ${linkedTo.join(', ')} when it is created, and no association was given.`,
  );
}

/** Links given with a new record: they name no object at the other end, the number of the link does. */
function readLinks(account: Account, from: ObjectType, given: unknown): Link[] {
  if (given === undefined || given === null) return [];
  return asArray(given, '"associations"').map((item) => {
    const { to, types } = asObject(item, 'an association');
    const id = asId(asObject(to, '"to"').id, '"to.id"');
    const specs = readSpecs(types);
    const object = account.associations.types.target(from, specs[0]?.associationTypeId ?? Number.NaN);
    if (object === undefined) {
      throw invalid(`Invalid association type ${specs[0]?.associationTypeId ?? 'none'} from ${from.singular}`, {
        subCategory: 'crm.associations.INVALID_ASSOCIATION_TYPE',
      });
    }
    const type = account.schema.type(object);
    const record = account.records.get(type, id);
    if (!record) throw noSuchEnd(type, id);
    return { to: record, types: specs.map((spec) => account.associations.types.resolve(from, type, spec)) };
  });
}

/** @throws Refusal when there is none or one is not whole */
export function readSpecs(given: unknown): AssociationSpec[] {
  const specs = asArray(given, '"types"').map((item) => {
    const { associationCategory, associationTypeId } = asObject(item, 'an association type');
    return {
      associationCategory: asId(associationCategory, '"associationCategory"'),
      associationTypeId: Number(associationTypeId),
    };
  });
  if (specs.length === 0) throw invalid('At least one association type must be given');
  return specs;
}

/** For a link to a record that is not there. */
export function noSuchEnd({ singular }: ObjectType, id: string): HubSpotRefusal {
  if (/^\d+$/.test(id)) return invalid(`${singular.toUpperCase()}=${id} is not valid`);
  return invalid(`${id} is not a valid ID`, {
    subCategory: 'crm.associations.INVALID_IDENTIFIER',
    context: { id: [id] },
  });
}
