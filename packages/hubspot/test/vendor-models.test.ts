/**
 * Requests of the adapter and answers of the sandbox beside HubSpot's own description of its API: the models that its client
 * is generated from. What they say otherwise is listed with the reason.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runLive } from '../live/run.ts';
import { type GeneratedModules, loadGenerated } from '../src/client/generated.ts';
import { openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
  account.sandbox.control.reset({ provisioned: false });
  account.sandbox.control.settings({ hubspot: { limits: { search_per_second: 5 } } });
});
afterEach(() => account.close());

type Part = Exclude<keyof GeneratedModules, 'labels'>;
type Shape = [part: Part, model: string] | undefined;

interface Operation {
  path: RegExp;
  request?: Shape;
  /** Of a success, and of one in part. */
  answers: Record<number, Shape>;
}

const records = (
  request: string,
  answer = 'BatchResponseSimplePublicObject',
  success = 200,
): Omit<Operation, 'path'> => ({
  request: ['objects', request],
  answers: { [success]: ['objects', answer], 207: ['objects', `${answer}WithErrors`] },
});
const links = (request: string, answer: string, success: number): Omit<Operation, 'path'> => ({
  request: ['associations', request],
  answers: { [success]: ['associations', answer], 207: ['associations', `${answer}WithErrors`] },
});

const OPERATIONS: Operation[] = [
  {
    path: /^POST \/objects\/\w+\/batch\/create$/,
    ...records('BatchInputSimplePublicObjectBatchInputForCreate', undefined, 201),
  },
  { path: /^POST \/objects\/\w+\/batch\/update$/, ...records('BatchInputSimplePublicObjectBatchInput') },
  { path: /^POST \/objects\/\w+\/batch\/read$/, ...records('BatchReadInputSimplePublicObjectId') },
  {
    path: /^POST \/objects\/\w+\/batch\/upsert$/,
    ...records('BatchInputSimplePublicObjectBatchInputUpsert', 'BatchResponseSimplePublicUpsertObject'),
  },
  {
    path: /^POST \/objects\/\w+\/search$/,
    request: ['objects', 'PublicObjectSearchRequest'],
    answers: { 200: ['objects', 'CollectionResponseWithTotalSimplePublicObjectForwardPaging'] },
  },
  {
    path: /^POST \/objects\/\w+$/,
    request: ['objects', 'SimplePublicObjectInputForCreate'],
    answers: { 201: ['objects', 'SimplePublicObject'] },
  },
  {
    path: /^PATCH \/objects\/\w+\/\d+$/,
    request: ['objects', 'SimplePublicObjectInput'],
    answers: { 200: ['objects', 'SimplePublicObject'] },
  },
  { path: /^GET \/objects\/\w+\/\d+$/, answers: { 200: ['objects', 'SimplePublicObjectWithAssociations'] } },
  {
    path: /^GET \/objects\/\w+$/,
    answers: { 200: ['objects', 'CollectionResponseSimplePublicObjectWithAssociationsForwardPaging'] },
  },
  { path: /^DELETE /, answers: { 204: undefined } },
  {
    path: /^POST \/associations\/\w+\/\w+\/batch\/create$/,
    ...links('BatchInputPublicAssociationMultiPost', 'BatchResponseLabelsBetweenObjectPair', 201),
  },
  {
    path: /^POST \/associations\/\w+\/\w+\/batch\/associate\/default$/,
    request: ['associations', 'BatchInputPublicDefaultAssociationMultiPost'],
    answers: { 200: ['associations', 'BatchResponsePublicDefaultAssociation'] },
  },
  {
    path: /^POST \/associations\/\w+\/\w+\/batch\/read$/,
    ...links('BatchInputPublicFetchAssociationsBatchRequest', 'BatchResponsePublicAssociationMultiWithLabel', 200),
  },
  { path: /^GET \/properties\/\w+$/, answers: { 200: ['properties', 'CollectionResponsePropertyNoPaging'] } },
  {
    path: /^POST \/properties\/\w+$/,
    request: ['properties', 'PropertyCreate'],
    answers: { 201: ['properties', 'Property'] },
  },
  {
    path: /^POST \/properties\/\w+\/batch\/create$/,
    request: ['properties', 'BatchInputPropertyCreate'],
    answers: { 201: ['properties', 'BatchResponseProperty'], 207: ['properties', 'BatchResponsePropertyWithErrors'] },
  },
  {
    path: /^GET \/properties\/\w+\/groups$/,
    answers: { 200: ['properties', 'CollectionResponsePropertyGroupNoPaging'] },
  },
  {
    path: /^POST \/properties\/\w+\/groups$/,
    request: ['properties', 'PropertyGroupCreate'],
    answers: { 201: ['properties', 'PropertyGroup'] },
  },
  { path: /^GET \/owners\/?$/, answers: { 200: ['owners', 'CollectionResponsePublicOwnerForwardPaging'] } },
  // The client has no model of it that the adapter loads.
  { path: /^GET \/account-info/, answers: { 200: undefined } },
];

/** What the description says otherwise than accounts were recorded to answer. */
const EXPLAINED: [says: RegExp, reason: string][] = [
  [/\.dataSensitivity is not described$/, 'recorded of properties since 2025'],
  [/\.url is not described$/, 'recorded of records since 2025'],
  [/^ModelError\.status is not described$/, 'recorded of every refusal'],
  [/\.errors\[\]\.(?:links|errors|context) is missing$/, 'rows of a 207 were recorded without them'],
];

interface Model {
  /** Absent of a list of values. */
  getAttributeTypeMap?(): { name: string; baseName: string; type: string }[];
}

class Description {
  readonly #modules: GeneratedModules;
  readonly #required = new Map<string, Set<string>>();

  constructor(modules: GeneratedModules) {
    this.#modules = modules;
  }

  /** @returns what does not fit */
  check([part, model]: NonNullable<Shape>, value: unknown): string[] {
    return this.#model(part, model, value, model);
  }

  #find(part: Part, name: string): Model | undefined {
    return (this.#modules[part] as unknown as Record<string, Model | undefined>)[name];
  }

  #model(part: Part, name: string, value: unknown, path: string): string[] {
    const model = this.#find(part, name);
    if (!model) return [`${path}: there is no model ${name}`];
    if (!model.getAttributeTypeMap) return Object.values(model).includes(value) ? [] : [`${path} is ${String(value)}`];
    const attributes = model.getAttributeTypeMap();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`];
    const known = new Map(attributes.map(({ baseName, type }) => [baseName, type]));
    const required = this.#requiredOf(part, name);
    const missing = attributes.filter((one) => required.has(one.name) && !(one.baseName in value));
    return [
      ...missing.map(({ baseName }) => `${path}.${baseName} is missing`),
      ...Object.entries(value).flatMap(([key, member]) => {
        const type = known.get(key);
        return type === undefined
          ? [`${path}.${key} is not described`]
          : this.#type(part, type, member, `${path}.${key}`);
      }),
    ];
  }

  #type(part: Part, type: string, value: unknown, path: string): string[] {
    const list = /^Array<(.*)>$/.exec(type)?.[1];
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
    const plain = type.replace(/ \| null$/, '');
    if (value === null) return plain === type && !/^(?:string|any)$/.test(type) ? [`${path} is null`] : [];
    if (list)
      return Array.isArray(value)
        ? value.flatMap((item) => this.#type(part, list, item, `${path}[]`))
        : [`${path} is no list`];
    if (map) return Object.values(value as object).flatMap((item) => this.#type(part, map, item, `${path}.*`));
    if (/^(?:string|number|boolean)$/.test(plain))
      return typeof value === plain ? [] : [`${path} is ${typeof value}, not ${plain}`];
    if (plain === 'Date')
      return typeof value === 'string' && Number.isFinite(Date.parse(value)) ? [] : [`${path} is no date`];
    return this.#find(part, plain) ? this.#model(part, plain, value, path) : [];
  }

  /** The type map does not say it; the types do. */
  #requiredOf(part: Part, name: string): Set<string> {
    const known = this.#required.get(`${part}.${name}`);
    if (known) return known;
    const folder = part === 'associations' ? 'associations/v4' : part;
    const file = createRequire(import.meta.url).resolve(
      `@hubspot/api-client/lib/codegen/crm/${folder}/models/${name}.js`,
    );
    const text = readFileSync(file.replace(/\.js$/, '.d.ts'), 'utf8');
    const required = new Set([...text.matchAll(/^ {4}'(\w+)': /gm)].map(([, key = '']) => key));
    this.#required.set(`${part}.${name}`, required);
    return required;
  }
}

test('requests and answers are as HubSpot describes them, but for what is explained', async () => {
  const said = new Map<string, number>();
  const unknown = new Set<string>();
  let checked = 0;
  const description = new Description(await loadGenerated());
  await runLive({
    token: 'pat-na1-live',
    base_url: account.sandbox.hubspotUrl,
    version: '2026-09',
    observe({ request, answer }) {
      const { pathname } = new URL(request.url);
      const path = `${request.method} ${pathname.replace(/^\/hubspot(?:\/crm)?/, '').replace('/2026-09', '')}`;
      const operation = OPERATIONS.find((one) => one.path.test(path));
      if (!operation) return void unknown.add(path);
      const body = answer.text === '' ? undefined : JSON.parse(answer.text);
      const shape = answer.status < 400 ? operation.answers[answer.status] : (['objects', 'ModelError'] as const);
      const lines = [
        ...(operation.request ? description.check(operation.request, JSON.parse(String(request.body))) : []),
        ...(shape ? description.check(shape as NonNullable<Shape>, body) : []),
      ];
      checked += 1;
      for (const line of lines) said.set(line, (said.get(line) ?? 0) + 1);
    },
  });
  expect([...unknown]).toEqual([]);
  expect(checked).toBeGreaterThan(60);
  expect([...said.keys()].filter((line) => !EXPLAINED.some(([says]) => says.test(line)))).toEqual([]);
  expect(EXPLAINED.filter(([says]) => ![...said.keys()].some((line) => says.test(line)))).toEqual([]);
});
