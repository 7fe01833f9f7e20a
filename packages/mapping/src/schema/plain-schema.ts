import { z } from 'zod';

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

/** One transform, or several in their order. */
export const transformsSchema = z.union([transformSchema, z.array(transformSchema)]);
