import type { Finding } from '@wrapup/findings';
import type { MappedField } from '@wrapup/mapping';
import { quoteAll } from '../owners/check-owners.ts';

/** Options that a finding names. */
const MAX_NAMED = 10;

/**
 * What the order of a `forward` field leaves out of the account's own options: a record that stands there is left alone.
 * @param options that the field can have
 */
export function checkOrder({ object, property, order, at }: MappedField, options: readonly string[]): Finding[] {
  if (!order) return [];
  const named = new Set(order.map((one) => one.toLowerCase()));
  const missing = options.filter((option) => !named.has(option.toLowerCase()));
  if (missing.length === 0) return [];
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
  return [
    {
      severity: 'warning',
      code: 'order-gap',
      message: `The order of ${object}.${property} does not name ${quoteAll(missing.slice(0, MAX_NAMED))}${more}: a record that stands there stays there.`,
      hint: 'Add them to order where a call may lead on from them.',
      at,
    },
  ];
}
