/** What may go wrong with a mapping's records and values although every name in it is right. */

import type { Finding } from '@wrapup/findings';
import type { CompiledMapping, MappedField, ValueKind } from '@wrapup/mapping';
import type { Property } from './schema.ts';

/**
 * What HubSpot needs to create a record, beside what the adapter adds by itself.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/objects/deals/guide and …/tickets/guide
 */
const REQUIRED: Record<string, string[]> = {
  deals: ['dealname', 'dealstage'],
  tickets: ['subject', 'hs_pipeline_stage'],
};

export function checkRequired({ records, fields }: CompiledMapping): Finding[] {
  return records.flatMap(({ name, object, at }) => {
    const set = new Set(
      fields.filter(({ record, use }) => record === name && use === 'write').map(({ property }) => property),
    );
    const missing = (REQUIRED[object] ?? []).filter((property) => !set.has(property));
    if (missing.length === 0) return [];
    return [
      {
        severity: 'error',
        code: 'required-not-mapped',
        message: `${name}: HubSpot creates no ${object} without ${missing.join(' and ')}.`,
        hint: `Set ${missing.join(' and ')} in the mapping; a constant will do: { value: … }.`,
        at,
      } satisfies Finding,
    ];
  });
}

/** What makes a value fit each type whatever the call says, and the kinds of values that do already. */
const SURE: Record<string, { transform: string; kinds: ValueKind[] }> = {
  number: { transform: 'number', kinds: ['number'] },
  bool: { transform: 'boolean', kinds: ['boolean'] },
  date: { transform: 'date', kinds: ['date', 'datetime'] },
  datetime: { transform: 'datetime', kinds: ['date', 'datetime'] },
};

/** A value that is passed on as the call says it may not fit: HubSpot then refuses it, one call at a time. */
export function warnOfFit(
  { object, property, values, gives, owners, at }: MappedField,
  { type, options }: Property,
): Finding[] {
  const sure = SURE[type];
  if (values !== undefined || owners !== undefined) return [];
  const warning = (message: string, hint: string): Finding[] => [
    { severity: 'warning', code: 'may-not-fit', message, hint, at },
  ];
  if (sure && !(gives && sure.kinds.includes(gives)))
    return warning(
      `${object}.${property} is a ${type}, and is written as the call says it.`,
      `Add transform: ${sure.transform}; what is none is then left out.`,
    );
  if (type === 'enumeration' && options.length > 0 && gives !== 'boolean')
    return warning(
      `${object}.${property} has ${options.length} options, and is written as the call says it.`,
      'Add a map from what the agent may say to the options, with default: null for the rest.',
    );
  return [];
}
