import { closed } from '@wrapup/findings';
import { z } from 'zod';
import { scalarSchema } from './plain-schema.ts';
import { fallbackShape } from './value-schema.ts';
import { whenSchema } from './when-schema.ts';

const caseSchema = closed({
  when: whenSchema.describe('The case holds for calls that fulfil it'),
  is: scalarSchema.describe('What the value is then: a constant'),
});

const namedSchema = z.union([
  scalarSchema,
  z.null(),
  closed({
    cases: z
      .array(caseSchema)
      .min(1, 'must list at least one case')
      .optional()
      .describe('The first that holds says what the value is'),
    count: z
      .array(whenSchema)
      .min(1, 'must list at least one condition')
      .optional()
      .describe('How many of these hold: a number'),
    ...fallbackShape(),
  }),
]);

/** Named values of a mapping. Null takes an inherited one away. */
export const defineSchema = z
  .record(z.string(), namedSchema)
  .describe('Named values, read as my.<name> in fields, texts, maps and conditions');
