/** Asks the API, and holds every answer against its document. */
import type { LoginRole } from '@wrapup/config';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { makeOpenApi } from '../../src/api/openapi.ts';
import type { Harness } from './harness.ts';

interface Operation {
  operationId: string;
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}

export const DOCUMENT = makeOpenApi() as unknown as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const validators = new Map<object, ValidateFunction>();

/** Operations that were answered with 200. */
export const ANSWERED = new Set<string>();

export interface ApiAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what tests read was held against the document
  body: any;
}

export async function tokenFor(dashboard: Harness, role: LoginRole, client?: string, ms = 60_000): Promise<string> {
  const given = { name: `${role} of a test`, role, expires_at: Date.now() + ms, ...(client ? { client } : {}) };
  return (await dashboard.store.tokens.add(given, { name: 'ada' })).text;
}

export async function askApi(
  dashboard: Harness,
  token: string | undefined,
  path: string,
  {
    body,
    headers = {},
    method = body === undefined ? 'GET' : 'POST',
  }: { body?: unknown; headers?: Record<string, string>; method?: string } = {},
): Promise<ApiAnswer> {
  const answer = await fetch(`${dashboard.url}/api/v1${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const parsed = text === '' ? undefined : JSON.parse(text);
  holdAgainstDocument(method.toLowerCase(), path, answer, parsed);
  return { status: answer.status, headers: answer.headers, body: parsed };
}

function holdAgainstDocument(method: string, path: string, answer: Response, body: unknown): void {
  const [pathname = ''] = path.split('?');
  const found = Object.entries(DOCUMENT.paths).find(
    ([template, methods]) => methods[method] && new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  if (!found) {
    expect([404, 405, 401]).toContain(answer.status);
    hold(DOCUMENT.components.schemas.Problem ?? {}, body);
    return;
  }
  const operation = found[1][method] as Operation;
  const described = operation.responses[answer.status];
  expect(
    described,
    `${operation.operationId} answers ${answer.status}, which its document does not have`,
  ).toBeDefined();
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
  expect(Object.keys(described?.content ?? {})).toEqual([type]);
  hold(described?.content[type]?.schema ?? {}, body);
  if (answer.status === 200) ANSWERED.add(operation.operationId);
}

function hold(schema: object, body: unknown): void {
  const validate = validators.get(schema) ?? ajv.compile({ ...schema, components: DOCUMENT.components });
  validators.set(schema, validate);
  const isValid = validate(body);
  expect(isValid ? [] : validate.errors, JSON.stringify(body)).toEqual([]);
}
