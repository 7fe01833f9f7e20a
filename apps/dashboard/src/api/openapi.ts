/** The OpenAPI 3.1 document of the API, made of its operations and their schemas. */
import { z } from 'zod';
import { RIGHTS } from '../security/rights.ts';
import { type ApiOperation, OPERATIONS } from './contract.ts';
import { problemsOf } from './problems.ts';
import { PROBLEM } from './schemas.ts';
import { RATE_PER_MINUTE } from './token-rate.ts';

type Json = { [name: string]: unknown };

const COMPONENTS = '#/components/schemas/';
/** Refusals that every operation has. */
const ALWAYS = [400, 401, 403, 429, 500, 503];

const TITLES: Record<number, string> = {
  400: 'The request is not as this document says; `errors` names each place',
  401: 'The token is missing, unknown, expired or revoked',
  403: 'The role of the token, or its client, does not allow it',
  404: 'It is not there, or not for this token',
  405: 'The path does not take this method',
  413: 'The body is larger than 64 kB',
  415: 'The body is no JSON',
  429: `More than ${RATE_PER_MINUTE} requests a minute with this token`,
  500: 'The dashboard failed',
  503: 'Redis does not answer; try again as Retry-After says',
};

export function makeOpenApi(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const [operationId, operation] of Object.entries<ApiOperation>(OPERATIONS)) {
    const { method, path } = operation;
    paths[path] = { ...paths[path], [method]: { operationId, ...describe(operation, schemas) } };
  }
  schemaOf(PROBLEM, 'output', schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Wrapup',
      version: '1',
      description:
        'Calls, what became of them, and what to do about it. A token is made by `wrapup token add`; it has a role, an end, and may be bound to one client.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function describe(
  { path, right, summary, whole, query, body, answer, refusals = [] }: ApiOperation,
  schemas: Json,
): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const own = [...refusals, ...(query && 'client' in query.shape ? [404] : []), ...(body ? [413, 415] : [])];
  return {
    summary,
    description: `Takes the right \`${right}\`: role ${RIGHTS[right]} or more${whole ? ', not bound to a client' : ''}.`,
    ...(inPath.length > 0 || query ? { parameters: [...inPath, ...(query ? parametersOf(query, schemas) : [])] } : {}),
    ...(body
      ? {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: json(schemaOf(body, 'input', schemas)),
          },
        }
      : {}),
    responses: {
      200: { description: 'Done', content: json(schemaOf(answer, 'output', schemas)) },
      ...Object.fromEntries([...new Set([...ALWAYS, ...own])].sort().map((status) => [status, refusal(status)])),
    },
  };
}

function refusal(status: number): Json {
  const codes = problemsOf(status).map((code) => `\`${code}\``);
  return {
    description: `${TITLES[status]}: ${codes.join(', ')}`,
    content: { 'application/problem+json': { schema: { $ref: `${COMPONENTS}Problem` } } },
  };
}

function parametersOf(query: z.ZodObject, schemas: Json): Json[] {
  const whole = resolved(schemaOf(query, 'input', schemas), schemas);
  const required = (whole.required as string[] | undefined) ?? [];
  return Object.entries(whole.properties as Record<string, Json>).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: required.includes(name) },
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function resolved(schema: Json, schemas: Json): Json {
  const { $ref } = schema;
  return typeof $ref === 'string' ? (schemas[$ref.slice(COMPONENTS.length)] as Json) : schema;
}

const json = (schema: Json) => ({ 'application/json': { schema } });

/** A schema as JSON Schema 2020-12. Those with an id are put among the components, and referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const made = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'throw' }) as Json;
  const { $schema: _, $defs = {}, ...rest } = made;
  for (const [name, one] of Object.entries($defs as Record<string, Json>)) schemas[name] = withoutIds(moveRefs(one));
  const id = z.globalRegistry.get(schema)?.id;
  const own = withoutIds(moveRefs(rest));
  // With an id the whole may be one of the definitions already.
  if (id === undefined || '$ref' in own) return own;
  schemas[id] = own;
  return { $ref: `${COMPONENTS}${id}` };
}

function moveRefs(value: Json): Json {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', `"${COMPONENTS}`)) as Json;
}

function withoutIds({ id: _, $id: __, ...schema }: Json): Json {
  return schema;
}
