import { z } from 'zod';

export const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);

/** A text that is a path. Editors complete it: `editor-schema.ts`. */
export const pathSchema = z.string().meta({ id: 'path', title: 'Path' });
