import { closed } from '@wrapup/findings';
import { z } from 'zod';
import type { FormKey } from '../language/value.ts';
import { WRITE_MODES } from '../model/plan.ts';

export const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);

/** A text that is a path. Editors complete it: `editor-schema.ts`. */
export const pathSchema = z.string().meta({ id: 'path', title: 'Path' });

const transformSchema = z
  .union([
    z.string(),
    z
      .record(z.string(), z.union([scalarSchema, z.null(), z.array(scalarSchema)]))
      .describe('A transform and its argument: { truncate: 20 }'),
  ])
  .meta({ id: 'transform' });

export const formShape = {
  value: scalarSchema.optional().describe('A constant'),
  from: pathSchema.optional().describe('A path, or a text with {{ placeholders }}'),
  transform: z
    .union([transformSchema, z.array(transformSchema)])
    .optional()
    .describe('What is done to the value, in this order'),
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
  clear: z.boolean().optional().describe('true: an absent value empties the field in the CRM'),
  required: z.boolean().optional().describe('true: without this value the record is not written'),
} satisfies Record<FormKey, z.ZodType>;

/** What may stand under `default`: a value, but not how it is written. */
function fallbackShape(): z.ZodRawShape {
  const { value, from, transform, map, default: next } = formShape;
  return { value, from, transform, map, default: next };
}

/** Any value form. Null takes an inherited one away. */
export const valueSchema = z.union([scalarSchema, z.null(), closed(formShape)]).meta({ id: 'value' });

export const fieldsSchema = z
  .record(z.string().min(1, 'a field needs the name that it has in the CRM'), valueSchema)
  .meta({ id: 'fields', description: 'CRM fields by their own name' });
