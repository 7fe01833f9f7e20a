import { z } from 'zod';
import { closed } from './closed.ts';
import { scalarSchema } from './value-schema.ts';

const point = z.union([z.number(), z.string()]);

const predicateSchema = closed({
  path: z.string(),
  equals: scalarSchema.optional(),
  in: z.array(scalarSchema).min(1, 'must list at least one value').optional(),
  exists: z.boolean().optional(),
  gt: point.optional(),
  gte: point.optional(),
  lt: point.optional(),
  lte: point.optional(),
  contains: scalarSchema.optional(),
  starts_with: scalarSchema.optional(),
});

export type When = z.output<typeof predicateSchema> | { all: When[] } | { any: When[] } | { not: When };

const AT_LEAST_ONE = 'must list at least one condition';

/** A condition: predicates on one path, or `all`, `any`, `not` of others. */
export const whenSchema: z.ZodType<When> = z.lazy(() =>
  z.union([
    predicateSchema,
    closed({ all: z.array(whenSchema).min(1, AT_LEAST_ONE) }),
    closed({ any: z.array(whenSchema).min(1, AT_LEAST_ONE) }),
    closed({ not: whenSchema }),
  ]),
);
