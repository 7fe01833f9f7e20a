/**
 * Upserts look first and write later; what another request writes in between is met on writing: the value is taken then,
 * and the row is refused.
 */
import type { Prepared, SalesforceCall } from '../http/endpoint.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SObjectField } from '../schema/field.ts';
import type { SObject } from '../schema/sobject.ts';
import { recordByExternalId } from './identify.ts';
import { duplicateValue, type StoredSObject } from './records.ts';
import { createRecord, updateRecord } from './writes.ts';

/** Id of the record that has the value; undefined when none or several have it, which is said on writing. */
export function lookAhead(
  call: SalesforceCall,
  object: SObject,
  field: SObjectField,
  value: unknown,
): string | undefined {
  try {
    return recordByExternalId(call, object, field, String(value))?.id;
  } catch (error) {
    if (error instanceof SalesforceRefusal) return undefined;
    throw error;
  }
}

export interface Upsert {
  object: SObject;
  field: SObjectField;
  value: string;
  given: Record<string, unknown>;
  /** What was found before; undefined: nothing. */
  foundBefore: string | undefined;
  /** Only a record that is there may be changed. */
  updateOnly?: boolean;
}

/** @throws Refusal */
export function upsertRecord(call: SalesforceCall, upsert: Upsert): { record: StoredSObject; created: boolean } {
  const { object, field, value, given, foundBefore, updateOnly } = upsert;
  const found = recordByExternalId(call, object, field, value);
  if (found) {
    // Another request made it after we had looked: the insert that was under way meets the unique value.
    if (foundBefore === undefined) throw duplicateValue(field, found.id);
    updateRecord(call, found, given);
    return { record: found, created: false };
  }
  if (updateOnly || field.type === 'id')
    throw new SalesforceRefusal('NOT_FOUND', 'The requested resource does not exist', { status: 404 });
  return { record: createRecord(call, object, { ...given, [field.name]: value }), created: true };
}

/** Ids that a write of this row locks besides the record itself: whatever it belongs to. */
export function parentsOf(row: Record<string, unknown>): string[] {
  return ['WhoId', 'WhatId', 'AccountId', 'ContactId', 'ParentId', 'id', 'Id']
    .map((name) => row[name])
    .filter((id): id is string => typeof id === 'string')
    .map((id) => id.slice(0, 15));
}

/** Holds what the rows need. @returns which of them meet the locks of another request */
export function holdLocks(
  call: SalesforceCall,
  rows: Record<string, unknown>[],
  found: (string | undefined)[],
): Prepared {
  const locked = new Map<number, string>();
  for (const [at, row] of rows.entries()) {
    const ids = [...parentsOf(row), ...(found[at] ? [found[at].slice(0, 15)] : [])];
    const [held] = call.org.locks.hold(call.n, ids);
    if (held !== undefined) locked.set(at, held);
  }
  return { found, locked };
}
