/** What the write modes of a mapping mean for a Salesforce record. Pure. */
import {
  type CallFacts,
  decideFields as decide,
  type FieldDecision,
  type Properties,
} from '@wrapup/destination/delivery';
import type { FieldWrite } from '@wrapup/mapping';
import type { SObject } from './account/schema.ts';

/** Characters of a long text, where the definition does not say. */
const TEXT_LIMIT = 32_000;

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 */
export function decideFields(
  { fields: known }: SObject,
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallFacts,
): FieldDecision[] {
  return decide(fields, current, call, (name) => known.get(name)?.length || TEXT_LIMIT);
}
