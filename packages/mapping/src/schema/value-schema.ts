import { closed } from '@wrapup/findings';
import { z } from 'zod';
import type { FormKey } from '../language/value.ts';
import { PARK, WRITE_MODES } from '../model/plan.ts';
import { pathSchema, scalarSchema, transformsSchema } from './plain-schema.ts';
import { whenSchema } from './when-schema.ts';

export const formShape = {
  value: scalarSchema.optional().describe('A constant'),
  from: pathSchema.optional().describe('A path, or a text with {{ placeholders }}'),
  transform: transformsSchema.optional().describe('What is done to the value, in this order'),
  map: z
    .record(z.string(), scalarSchema.nullable())
    .optional()
    .describe('What is written for each value; null leaves the field out'),
  default: z
    .lazy((): z.ZodType => z.union([scalarSchema, closed(fallbackShape()), z.null()]))
    .optional()
    .describe(
      'Stands in for a value that is absent, or not in the map; again a path, a constant, or a form with a map',
    ),
  write: z.enum(WRITE_MODES).optional().describe('When the field may be written'),
  order: z
    .array(scalarSchema)
    .min(2, 'must list at least two values')
    .optional()
    .describe('With write: forward, the values from the first to the last: the field only moves on'),
  when: whenSchema.optional().describe('The field is written only for calls that fulfil it'),
  clear: z.boolean().optional().describe('true: an absent value empties the field in the CRM'),
  required: z
    .union([z.boolean(), z.literal(PARK)])
    .optional()
    .describe('true: without this value the record is not written; park: without it the call waits for a person'),
} satisfies Record<FormKey, z.ZodType>;

/** What may stand under `default`: a value, but not how it is written. */
export function fallbackShape(): z.ZodRawShape {
  const { value, from, transform, map, default: next } = formShape;
  return { value, from, transform, map, default: next };
}

/** Any value form. Null takes an inherited one away. */
export const valueSchema = z.union([scalarSchema, z.null(), closed(formShape)]).meta({ id: 'value' });

export const fieldsSchema = z
  .record(z.string().min(1, 'a field needs the name that it has in the CRM'), valueSchema)
  .meta({ id: 'fields', description: 'CRM fields by their own name' });
