/**
 * JSON Schema (draft 2020-12) for editors, from the very schemas that check files. What zod alone cannot say is added:
 * the paths, transforms and presets there are, and the properties of an account where they were pulled.
 * https://json-schema.org/draft/2020-12
 */
import { z } from 'zod';
import { type Known, ROOTS } from '../language/roots.ts';
import type { Dialect } from '../model/dialect.ts';
import { DEFAULT_TRANSFORM, listTransforms } from '../transforms/registry.ts';
import { describeUse, type Parameter, type Transform } from '../transforms/transform.ts';
import { mappingSchema } from './mapping-schema.ts';
import { PREDICATE_DOES, whenSchema } from './when-schema.ts';

export type JsonSchema = { [key: string]: unknown };

/** A property of an account, for completion. */
export interface AccountField {
  name: string;
  label?: string;
  type?: string;
  /** Cannot be written. */
  read_only?: boolean;
  options?: { value: string; label?: string }[];
}

/** By the CRM's own object: `contacts`, `Task`. */
export type AccountFields = Record<string, AccountField[]>;

type Override = (id: string | undefined, schema: JsonSchema, zod: z.core.$ZodType) => void;

/** Turns a zod schema into what an editor reads. @param change sees every part, by its id where it has one */
export function toEditorSchema(schema: z.ZodType, title: string, change: Override = () => {}): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) =>
      change(z.globalRegistry.get(zodSchema)?.id, jsonSchema as JsonSchema, zodSchema),
  }) as JsonSchema;
  const { $schema, $defs, ...rest } = made;
  return { $schema, title, ...rest, ...($defs ? { $defs } : {}) };
}

/** The schema of mapping files for one kind of destination. */
export function mappingEditorSchema(dialect: Dialect, account?: AccountFields): JsonSchema {
  const title = `Wrapup mapping for ${dialect.kind}`;
  const schema = toEditorSchema(mappingSchema(dialect), title, (id, part) => {
    completeLanguage(id, part);
    if (id === 'extends')
      completeFrom(
        part,
        Object.keys(dialect.presets).map((name) => `${dialect.kind}/${name}`),
      );
  });
  if (account) completeFields(schema, dialect, account);
  return schema;
}

/** Adds what the language knows to the parts that have an id. For every schema that holds conditions or values. */
export function completeLanguage(id: string | undefined, part: JsonSchema): void {
  if (id === 'path') completeFrom(part, knownPaths());
  if (id === 'value' || id === 'found-value')
    (part.anyOf as JsonSchema[]).unshift({ enum: knownPaths(), description: 'A path into the call' });
  if (id === 'transform') replaceWith(part, transformSchema());
  if (id === 'when') describeConditions(part);
}

function describeConditions({ anyOf }: JsonSchema): void {
  for (const { properties } of (anyOf ?? []) as { properties?: Record<string, JsonSchema> }[])
    for (const name of ['all', 'any', 'not'] as const)
      if (properties?.[name]) properties[name] = { ...properties[name], description: PREDICATE_DOES[name] };
}

/** A text with suggestions; any other passes too. */
function completeFrom(part: JsonSchema, values: string[]): void {
  const { title, description, ...rest } = part;
  for (const key of Object.keys(rest)) if (key !== 'id') delete part[key];
  part.anyOf = [{ enum: values }, { type: 'string' }];
}

function replaceWith(part: JsonSchema, by: JsonSchema): void {
  const { description } = part;
  for (const key of Object.keys(part)) if (key !== 'id') delete part[key];
  Object.assign(part, by, description === undefined ? {} : { description });
}

/** Every path that is known before the first call; one example where names are free. */
export function knownPaths(): string[] {
  return Object.entries(ROOTS).flatMap(([root, known]) => pathsUnder(root, known));
}

const EXAMPLES: Record<string, string> = {
  vars: 'vars.budget',
  extracted: 'extracted.topic',
  collected: 'collected.budget.value',
  actions: 'actions.book.return_value',
  prompt_variables: 'prompt_variables.campaign',
  metadata: 'metadata.crm_person_id',
  raw: 'raw.call.timezone',
  my: 'my.result',
  person: 'person.firstname',
  'call.turns': 'call.turns[0].text',
  'call.notes': 'call.notes[0].message',
};

function pathsUnder(path: string, { fields }: Known): string[] {
  if (fields) return Object.entries(fields).flatMap(([name, inner]) => pathsUnder(`${path}.${name}`, inner));
  return [EXAMPLES[path] ?? path];
}

function transformSchema(): JsonSchema {
  const transforms = listTransforms();
  const names = [...transforms.map(({ name, does }) => ({ const: name, description: does })), DEFAULT_SCHEMA.name];
  return {
    anyOf: [
      { anyOf: names },
      { type: 'string', pattern: '^\\s*[a-z][a-z0-9_]*\\s*:' },
      {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...Object.fromEntries(transforms.map((transform) => [transform.name, argumentsSchema(transform)])),
          [DEFAULT_TRANSFORM]: DEFAULT_SCHEMA.argument,
        },
      },
    ],
  };
}

export const DEFAULT_DOES = 'Stands in for an absent value: a constant, or another path.';
const DEFAULT_SCHEMA = {
  name: { const: DEFAULT_TRANSFORM, description: DEFAULT_DOES },
  argument: { type: ['string', 'number', 'boolean'], description: DEFAULT_DOES },
};

function argumentsSchema(transform: Transform): JsonSchema {
  const { parameters, does } = transform;
  const description = `${does} ${describeUse(transform)}`;
  if (parameters.length === 0) return { type: 'null', description };
  if (parameters.length === 1) return { ...argumentSchema(parameters[0] as Parameter), description };
  const required = parameters.filter(({ optional }) => !optional).length;
  const list = {
    type: 'array',
    prefixItems: parameters.map(argumentSchema),
    minItems: required,
    maxItems: parameters.length,
  };
  return { anyOf: required === 1 ? [list, argumentSchema(parameters[0] as Parameter)] : [list], description };
}

function argumentSchema({ type, from, to, optional }: Parameter): JsonSchema {
  if (type === 'integer')
    return {
      type: optional ? ['integer', 'null'] : 'integer',
      ...(from === undefined ? {} : { minimum: from }),
      ...(to === undefined ? {} : { maximum: to }),
    };
  return { type: optional ? ['string', 'null'] : ['string', 'number', 'boolean'] };
}

/** Puts the account's own properties into the `fields` of each kind of record. */
function completeFields(schema: JsonSchema, dialect: Dialect, account: AccountFields): void {
  const defs = schema.$defs as Record<string, JsonSchema>;
  const properties = schema.properties as Record<string, JsonSchema>;
  const complete = (section: string, object: string) => {
    const known = account[object];
    const part = properties[section];
    if (!known || !part) return;
    const id = `fields_${section}`;
    defs[id] = fieldsOf(object, known);
    properties[section] = JSON.parse(
      JSON.stringify(part).replaceAll('"#/$defs/fields"', JSON.stringify(`#/$defs/${id}`)),
    ) as JsonSchema;
  };
  complete('person', dialect.person.object);
  for (const [section, { object }] of Object.entries(dialect.records)) complete(section, object);
}

function fieldsOf(object: string, known: AccountField[]): JsonSchema {
  const writable = known.filter(({ read_only }) => !read_only);
  return {
    type: 'object',
    description: `Properties of ${object}, as they were when the schema was pulled`,
    properties: Object.fromEntries(writable.map((field) => [field.name, fieldSchema(field)])),
    additionalProperties: { $ref: '#/$defs/value' },
  };
}

function fieldSchema({ label, type, options = [] }: AccountField): JsonSchema {
  const shown = options.map(({ value, label: name }) => (name && name !== value ? `${value} (${name})` : value));
  const description = [label, type, shown.length > 0 ? `one of ${shown.slice(0, 60).join(', ')}` : '']
    .filter(Boolean)
    .join(' · ');
  if (options.length === 0) return { description, $ref: '#/$defs/value' };
  const values = options.map(({ value }) => value);
  const option = { enum: values };
  // Suggested beside whatever else a value may be: `doctor` says which option an account does not have.
  const forms = {
    type: 'object',
    properties: {
      value: option,
      default: option,
      map: { type: 'object', additionalProperties: { anyOf: [option, { type: 'null' }] } },
    },
  };
  return { description, anyOf: [{ $ref: '#/$defs/value' }, forms] };
}

/** Conditions outside of mappings, such as the `when` of a route. */
export function whenEditorSchema(): JsonSchema {
  return toEditorSchema(whenSchema, 'Condition', completeLanguage);
}
