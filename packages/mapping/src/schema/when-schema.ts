import { closed } from '@wrapup/findings';
import { z } from 'zod';
import { pathSchema, scalarSchema, transformsSchema } from './plain-schema.ts';

/** What each predicate asks, for editors and the reference. */
export const PREDICATE_DOES = {
  equals:
    'The value is this one; capitals and blanks around do not matter, and true also stands for yes, y, 1 and on, false for their opposites',
  in: 'The value is one of these',
  exists: 'true: there is a value; false: there is none',
  gt: 'Greater, or later, than',
  gte: 'At least, or not before',
  lt: 'Less, or earlier, than',
  lte: 'At most, or not after',
  contains: 'A text has this part, or a list this item',
  starts_with: 'The text begins so',
  all: 'Every one of these holds',
  any: 'At least one of these holds',
  not: 'This does not hold',
} as const;

const point = z.union([z.number(), z.string()]);

const predicateSchema = closed({
  path: pathSchema.describe('What is asked about: call.outcome, vars.budget'),
  transform: transformsSchema.optional().describe('What is done to the value before it is compared'),
  equals: scalarSchema.optional().describe(PREDICATE_DOES.equals),
  in: z.array(scalarSchema).min(1, 'must list at least one value').optional().describe(PREDICATE_DOES.in),
  exists: z.boolean().optional().describe(PREDICATE_DOES.exists),
  gt: point.optional().describe(PREDICATE_DOES.gt),
  gte: point.optional().describe(PREDICATE_DOES.gte),
  lt: point.optional().describe(PREDICATE_DOES.lt),
  lte: point.optional().describe(PREDICATE_DOES.lte),
  contains: scalarSchema.optional().describe(PREDICATE_DOES.contains),
  starts_with: scalarSchema.optional().describe(PREDICATE_DOES.starts_with),
});

export type When = z.output<typeof predicateSchema> | { all: When[] } | { any: When[] } | { not: When };

const AT_LEAST_ONE = 'must list at least one condition';

/** A condition: predicates on one path, or `all`, `any`, `not` of others. */
export const whenSchema: z.ZodType<When> = z
  .lazy(() =>
    z.union([
      predicateSchema,
      closed({ all: z.array(whenSchema).min(1, AT_LEAST_ONE) }),
      closed({ any: z.array(whenSchema).min(1, AT_LEAST_ONE) }),
      closed({ not: whenSchema }),
    ]),
  )
  .meta({ id: 'when', title: 'Condition' });
