/** What the write modes of a mapping mean for a HubSpot record, whose values are all text. Pure. */
import {
  type CallFacts,
  decideFields as decide,
  type FieldDecision,
  type Properties,
} from '@wrapup/destination/delivery';
import type { FieldWrite, Value } from '@wrapup/mapping';
import { TEXT_LIMIT } from './objects.ts';

/**
 * Decides each field.
 * @param current the record's values; undefined for a record that does not exist yet
 */
export function decideFields(
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallFacts,
): FieldDecision<string>[] {
  return decide(fields, current, call, () => TEXT_LIMIT).map((decision) => ({ ...decision, to: toText(decision.to) }));
}

/** HubSpot takes properties as text; the empty text clears one. */
export function toText(value: Value): string {
  return value === null ? '' : String(value);
}
