/** What a query shows of a record. */
import type { FieldType, Subquery } from '@jetstreamapp/soql-parser-js';
import { SalesforceRefusal, unsupported } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import { attributesOf, shownValue } from '../records/record-json.ts';
import type { StoredSObject } from '../records/records.ts';
import { childRelationshipName } from '../schema/describe.ts';
import type { SObjectField } from '../schema/field.ts';
import type { SObject } from '../schema/sobject.ts';
import { isArchived } from './archived.ts';
import { follow, resolve } from './path.ts';
import { malformed } from './where.ts';

export type Shown = Record<string, unknown>;
export type Projection = (record: StoredSObject) => Shown;

export interface Projecting {
  org: Org;
  /** `/services/data/v66.0` */
  root: string;
  /** Answers a query for the records that point at a parent by a field. */
  children(object: SObject, by: SObjectField, query: Subquery, parent: StoredSObject): object;
}

/** @throws Refusal */
export function compileSelect(
  projecting: Projecting,
  object: SObject,
  fields: FieldType[],
  limit: number | undefined,
): Projection {
  const writers = fields.flatMap((one) => compileField(projecting, object, one, limit));
  return (record) => {
    const shown: Shown = { ...attributesOf(projecting, record) };
    for (const write of writers) write(record, shown);
    return shown;
  };
}

type Writer = (record: StoredSObject, shown: Shown) => void;

function compileField(projecting: Projecting, object: SObject, one: FieldType, limit: number | undefined): Writer[] {
  const { org } = projecting;
  switch (one.type) {
    case 'Field':
      return [plain(projecting, resolve(org, object, [], one.field).field)];
    case 'FieldRelationship': {
      const { steps, field } = resolve(org, object, one.relationships, one.field);
      return [related(projecting, steps, field)];
    }
    case 'FieldSubquery':
      return [subquery(projecting, object, one.subquery)];
    case 'FieldFunctionExpression':
      if (/^fields$/i.test(one.functionName)) return allFields(projecting, object, String(one.parameters[0]), limit);
      throw unsupported(`the function ${one.functionName}`);
    default:
      throw unsupported('TYPEOF');
  }
}

function allFields(projecting: Projecting, object: SObject, which: string, limit: number | undefined): Writer[] {
  const kind = which.toUpperCase();
  if (kind !== 'STANDARD' && (limit === undefined || limit > 200)) {
    throw malformed('The SOQL FIELDS function must have a LIMIT of at most 200');
  }
  return projecting.org.schema
    .fields(object)
    .filter(({ custom }) => kind === 'ALL' || custom === (kind === 'CUSTOM'))
    .map((field) => plain(projecting, field));
}

function plain(projecting: Projecting, field: SObjectField): Writer {
  return (record, shown) => {
    shown[field.name] = field.name === 'IsArchived' ? isArchived(record) : shownValue(projecting, record, field.name);
  };
}

/** Parents nest; a parent that is not there is null. */
function related(projecting: Projecting, steps: SObjectField[], field: SObjectField): Writer {
  return (record, shown) => {
    let at: StoredSObject = record;
    let into = shown;
    for (const step of steps) {
      const name = step.relationshipName as string;
      const next = follow(projecting.org, at, step);
      if (!next) {
        into[name] = null;
        return;
      }
      into[name] ??= { ...attributesOf(projecting, next) };
      into = into[name] as Shown;
      at = next;
    }
    const own = at.object.fields.has(field.name);
    into[field.name] = !own && field.name === 'Type' ? at.object.name : shownValue(projecting, at, field.name);
  };
}

function subquery(projecting: Projecting, parent: SObject, query: Subquery): Writer {
  const { schema } = projecting.org;
  for (const child of schema.objects) {
    if (childRelationshipName(child, '')?.toLowerCase() !== query.relationshipName.toLowerCase()) continue;
    const by = schema
      .fields(child)
      .find(
        ({ name, referenceTo }) => childRelationshipName(child, name) !== null && referenceTo.includes(parent.name),
      );
    if (!by) continue;
    return (record, shown) => {
      shown[query.relationshipName] = projecting.children(child, by, query, record);
    };
  }
  throw new SalesforceRefusal(
    'INVALID_TYPE',
    `Didn't understand relationship '${query.relationshipName}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name.`,
  );
}
