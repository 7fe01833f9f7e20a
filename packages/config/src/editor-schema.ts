/** JSON Schema of wrapup.yaml for editors: the shape that is checked, the settings of every kind, and conditions. */
import { isObject } from '@wrapup/call';
import type { DestinationKind } from '@wrapup/destination';
import { type JsonSchema, toEditorSchema, whenEditorSchema } from '@wrapup/mapping';
import type { z } from 'zod';
import { connectionSchema, wrapupSchema } from './file/schema.ts';
import { formatDuration } from './file/units.ts';
import { KINDS } from './kinds.ts';

/** Whatever is no plain text may also come from the environment. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{' };

export function wrapupEditorSchema(kinds: Record<string, DestinationKind> = KINDS): JsonSchema {
  const schema = toEditorSchema(wrapupSchema, 'wrapup.yaml', adapt);
  const { properties } = schema as { properties: Record<string, JsonSchema> };
  const all = Object.values(kinds).map(connectionOf);
  properties.connections = {
    ...properties.connections,
    additionalProperties: { anyOf: all.map(({ schema: one }) => one) },
  };
  const when = whenEditorSchema();
  schema.$defs = Object.assign({}, ...all.map(({ defs }) => defs), schema.$defs, when.$defs);
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === 'when' && isObject(value) && Object.keys(value).every((name) => name === 'description')
        ? { ...value, $ref: '#/$defs/when' }
        : value,
    ),
  ) as JsonSchema;
}

/** A connection of one kind: `kind`, what connections of every kind have, and the kind's own settings. */
function connectionOf({ kind, settings }: DestinationKind): { schema: JsonSchema; defs: object } {
  const { $defs, $schema, title, ...schema } = toEditorSchema(settings as z.ZodType, kind, adapt);
  const { properties, required = [] } = schema as { properties?: JsonSchema; required?: string[] };
  const { kind: _, ...shared } = toEditorSchema(connectionSchema, kind, adapt).properties as Record<string, JsonSchema>;
  return {
    schema: {
      ...schema,
      title: `kind: ${kind}`,
      properties: { kind: { const: kind, description: 'Which CRM' }, ...properties, ...shared },
      required: ['kind', ...required],
    },
    defs: ($defs as object | undefined) ?? {},
  };
}

type Def = { type: string; in?: z.core.$ZodType; out?: z.core.$ZodType; defaultValue?: unknown };

/**
 * Written is not what is read: a preprocessed value is described by what comes after, a duration's default is
 * milliseconds to the program and `10m` to who writes it.
 */
function adapt(id: string | undefined, part: JsonSchema, zod: z.core.$ZodType): void {
  const def = zod._zod.def as unknown as Def;
  if (def.type === 'pipe' && def.in?._zod.def.type === 'transform' && def.out) {
    const { $schema, ...after } = toEditorSchema(def.out as z.ZodType, '', adapt);
    Object.assign(part, { ...after, title: undefined });
    // One bare value stands for a list of one.
    const { items } = after as { items?: unknown };
    if (after.type === 'array') Object.assign(withoutAll(part), { anyOf: [{ type: 'array', items }, items] });
  }
  if (def.type === 'default' || def.type === 'prefault') {
    const value = readable(part.default ?? def.defaultValue, part);
    if (isObject(value) || Array.isArray(value)) delete part.default;
    else part.default = value;
  }
  const closed = ['enum', 'pattern', 'format'].some((key) => part[key] !== undefined) || part.type === 'number';
  if (id !== 'name' && def.type !== 'default' && (closed || part.type === 'integer' || part.type === 'boolean')) {
    const inner = { ...part };
    Object.assign(withoutAll(part), { anyOf: [inner, VARIABLE] });
  }
}

function withoutAll(part: JsonSchema): JsonSchema {
  for (const key of Object.keys(part)) delete part[key];
  return part;
}

function readable(value: unknown, { type }: JsonSchema): unknown {
  if (typeof value === 'number' && type === 'string') return formatDuration(value);
  return value;
}
