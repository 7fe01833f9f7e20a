/** The equivalent of a recorded request to HubSpot, sent to a sandbox that has what the recorded account must have had. */
import type { RunningSandbox } from '@wrapup/sandbox';
import { formsOf, type RecordedAnswer, type Recording } from './recordings.ts';
import { send } from './send.ts';

const AUTHORIZATION = { authorization: 'Bearer pat-na1-replay' };
const OWNER = '71000001';

type Properties = Record<string, string | null>;
interface Definition {
  name: string;
  type: string;
  options?: { value: string }[];
  externalOptions?: boolean;
  groupName?: string;
}
interface Known {
  id: string;
  properties: Properties;
  associations?: Record<string, unknown>;
}

export async function playHubSpot(sandbox: RunningSandbox, given: Recording): Promise<RecordedAnswer> {
  const recording = byNumber(given);
  const { api, request, response } = recording;
  sandbox.control.reset({ provisioned: false });
  sandbox.control.settings({ hubspot: { forms: formsOf(recording), search_lag: 0, race_window: 0 } });
  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = AUTHORIZATION) =>
    send(`${sandbox.hubspotUrl}${path}`, method, body, headers);
  const object = objectOf(request.path);
  if (object?.startsWith('2-')) sandbox.control.seed({ custom_objects: [{ id: object, name: 'things' }] });
  const account = new ReplayAccount(sandbox, await definitionsOf(ask, object), object);
  const asked = account.asked(request.body, request.query);
  account.define(asked, api.endsWith('/upsert'));
  let body = request.body;
  if (response.status === 429 || (response.status === 500 && api.includes('search')))
    sandbox.control.settings({ hubspot: { limits: { search_per_second: 0, ten_secondly: 0 } } });
  if (response.status === 403) {
    sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.contacts.read'] } });
    return ask('GET', '/crm/v3/objects/contacts');
  }
  if (response.status === 401) {
    sandbox.control.settings({ hubspot: { oauth: { expires_in: 0 } } });
    return ask('GET', '/crm/v3/objects/contacts', undefined, {
      authorization: `Bearer ${await expiredToken(sandbox)}`,
    });
  }
  if (api.includes('/associations/')) body = account.linked(request, response) ?? body;
  else if (api.includes('/properties/')) body = await properties(ask, recording);
  else if (object) body = account.prepare(recording);
  const path = account.translate(given.request.path.replace(/\/owners\/\d+$/, `/owners/${OWNER}`));
  const query = new URLSearchParams(request.query ?? {}).toString();
  return ask(request.method, query ? `${path}?${query}` : path, account.translated(body));
}

/** Paths by date as those of v3 and v4, which say the same. */
function byNumber(recording: Recording): Recording {
  const numbered = (path: string) =>
    path
      .replace(/\/crm\/(objects|properties|owners)\/(?:\{date\}|\d{4}-\d\d)(?=\/|$)/, '/crm/v3/$1')
      .replace(/\/crm\/associations\/(?:\{date\}|\d{4}-\d\d)\//, '/crm/v4/associations/');
  const { request } = recording;
  return { ...recording, api: numbered(recording.api), request: { ...request, path: numbered(request.path) } };
}

function objectOf(path: string): string | undefined {
  const named = /\/crm\/v3\/(?:objects|properties)\/([^/]+)/.exec(path)?.[1];
  return named && ({ CONTACT: 'contacts', COMPANY: 'companies' }[named] ?? named);
}

type Ask = (method: string, path: string, body?: unknown) => Promise<RecordedAnswer>;

async function definitionsOf(ask: Ask, object: string | undefined): Promise<Definition[]> {
  if (object === undefined) return [];
  const { body } = await ask('GET', `/crm/v3/properties/${object}`);
  return (body as { results?: Definition[] }).results ?? [];
}

async function expiredToken(sandbox: RunningSandbox): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'sandbox-client',
    client_secret: 'sandbox-secret',
    refresh_token: 'sandbox-refresh',
  });
  const answer = await fetch(`${sandbox.hubspotUrl}/oauth/v1/token`, { method: 'POST', body: form });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Properties that the recorded request defines or changes are there as far as its answer says so. */
async function properties(ask: Ask, { api, request, response }: Recording): Promise<unknown> {
  const given = request.body as { inputs?: Definition[]; groupName?: string; name?: string } | null | undefined;
  const all = `/crm/v3/properties/${objectOf(request.path)}`;
  const group = /groups\/(\w+)$/.exec(request.path)?.[1] ?? given?.groupName ?? given?.inputs?.[0]?.groupName;
  if (group && !api.endsWith('/groups')) await ask('POST', `${all}/groups`, { name: group, label: group });
  if (response.status === 409) await ask('POST', api.endsWith('/groups') ? `${all}/groups` : all, given);
  const known =
    request.method === 'PATCH'
      ? [given]
      : response.status === 207
        ? (given?.inputs ?? []).filter(({ name }) => refused(response, name))
        : [];
  for (const definition of known) await ask('POST', all, withoutUnknown(definition));
  if (given?.inputs) return { inputs: given.inputs.map(withoutUnknown) };
  return request.body === null ? undefined : withoutUnknown(given);
}

function refused({ body }: RecordedAnswer, name: string): boolean {
  return JSON.stringify((body as { errors: unknown }).errors).includes(`"${name}"`);
}

/** The sandbox's accounts hold no sensitive data. */
function withoutUnknown(definition: unknown): unknown {
  const { dataSensitivity: _, ...rest } = (definition ?? {}) as Record<string, unknown>;
  return rest;
}

class ReplayAccount {
  readonly #sandbox: RunningSandbox;
  readonly #definitions: Map<string, Definition>;
  readonly #object: string | undefined;
  /** Ids of the sandbox by those that were recorded. */
  readonly #ids = new Map<string, string>();

  constructor(sandbox: RunningSandbox, definitions: Definition[], object: string | undefined) {
    this.#sandbox = sandbox;
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#object = object;
  }

  /** Names of all properties that a request speaks of. */
  asked(body: unknown, query: Recording['request']['query']): string[] {
    const { properties = [], inputs = [], filters = [], filterGroups = [] } = (body ?? {}) as Record<string, never[]>;
    const ofInputs = (inputs as { properties?: object; idProperty?: string }[]).flatMap((input) => [
      ...Object.keys(input.properties ?? {}),
      ...(input.idProperty ? [input.idProperty] : []),
    ]);
    const groups = [{ filters }, ...filterGroups] as { filters: { propertyName: string }[] }[];
    return [
      ...(Array.isArray(properties) ? properties : Object.keys(properties)),
      ...ofInputs,
      ...groups.flatMap((group) => group.filters.map(({ propertyName }) => propertyName)),
      ...(query?.properties?.split(',') ?? []),
    ];
  }

  /** @param unique whether records are to be known by them */
  define(names: string[], unique = false): void {
    const unknown = [...new Set(names)].filter((name) => /^[a-z]\w*$/.test(name) && !this.#definitions.has(name));
    if (unknown.length === 0 || this.#object === undefined) return;
    const definitions = unknown.map((name) => ({ name, type: 'string', fieldType: 'text', hasUniqueValue: unique }));
    this.#sandbox.control.seed({ properties: { [this.#object]: definitions } });
    for (const definition of definitions) this.#definitions.set(definition.name, definition);
  }

  /** A value that the sandbox's property takes, where the recorded one names something of the recorded account. */
  #fit(name: string, value: string | null): string {
    const definition = this.#definitions.get(name);
    if (definition?.externalOptions) return value ? OWNER : '';
    const options = definition?.options ?? [];
    if (options.length > 0 && value && !options.some((option) => option.value === value))
      return options[0]?.value ?? '';
    return value ?? '';
  }

  #fitAll(properties: Properties): Record<string, string> {
    const known = Object.entries(properties).filter(([name]) => name !== 'hs_object_id' && this.#definitions.has(name));
    return Object.fromEntries(known.map(([name, value]) => [name, this.#fit(name, value)]));
  }

  #seed(object: string, records: Known[], links: Record<string, string[]> = {}): void {
    const made = this.#sandbox.control.seed({
      records: {
        [object]: records.map(({ properties }) => ({ properties: this.#fitAll(properties), associations: links })),
      },
    });
    for (const [at, { id }] of records.entries()) this.#ids.set(id, made[object]?.[at] ?? '');
  }

  /** Puts in what must have been there, and gives the body to send. */
  prepare({ api, request, response }: Recording): unknown {
    const answered = response.body as { results?: Known[]; paging?: unknown } & Partial<Known>;
    const results = answered?.results ?? (answered?.properties ? [answered as Known] : []);
    const object = this.#object as string;
    if (/\/(batch\/create|objects\/\w+)$/.test(api) && request.method === 'POST')
      return this.#creation(request.body, response, results);
    this.define(results.flatMap(({ properties }) => Object.keys(properties)).filter((name) => !name.startsWith('hs_')));
    const id = /\/(\d+)$/.exec(request.path)?.[1];
    const known = results.length > 0 ? results : id ? [{ id, properties: { name: 'A', firstname: 'A' } }] : [];
    if (!api.endsWith('/upsert') && response.status < 300) this.#seed(object, known, this.#linksOf(results));
    if (answered?.paging) this.#fillPage(object, request, results);
    if (api.endsWith('/archive')) {
      const inputs = (request.body as { inputs: { id: string }[] }).inputs;
      this.#seed(
        object,
        inputs.map(({ id: own }) => ({ id: own, properties: {} })),
      );
    }
    return this.#writing(request.body, response) ?? this.#bodyFor(api, results, response);
  }

  /** As many records more as make another page. */
  #fillPage(object: string, { body, query }: Recording['request'], [first]: Known[]): void {
    const { limit = query?.limit ?? 10 } = (body ?? {}) as { limit?: number };
    const more = Array.from({ length: Number(limit) }, (_, at) => ({
      id: `more-${at}`,
      properties: Object.fromEntries(Object.entries(first?.properties ?? {}).filter(([name]) => name !== 'email')),
    }));
    this.#seed(object, more);
  }

  /** Records at the other ends that an answer shows, one of each object. */
  #linksOf(results: Known[]): Record<string, string[]> {
    const objects = [...new Set(results.flatMap(({ associations = {} }) => Object.keys(associations)))];
    return Object.fromEntries(
      objects.map((object) => [
        object,
        this.#sandbox.control.seed({ records: { [object]: [{ properties: {} }] } })[object] ?? [],
      ]),
    );
  }

  /** Values that fit, except where a wrong value is what the recording is about. */
  #writing(body: unknown, { status }: RecordedAnswer): unknown {
    if (body === null || body === undefined) return undefined;
    const given = body as { inputs?: { properties?: Properties }[]; properties?: Properties | string[] };
    if (status >= 400) return given;
    if (given.inputs)
      return {
        inputs: given.inputs.map((input) =>
          input.properties ? { ...input, properties: this.#fitGiven(input.properties) } : input,
        ),
      };
    if (given.properties && !Array.isArray(given.properties))
      return { ...given, properties: this.#fitGiven(given.properties) };
    return given;
  }

  #fitGiven(properties: Properties): Record<string, string> {
    return Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, this.#fit(name, String(value))]),
    );
  }

  #creation(body: unknown, response: RecordedAnswer, results: Known[]): unknown {
    const given = body as { properties?: Properties; associations?: { to: { id: string } }[] } | null;
    for (const { to } of given?.associations ?? [])
      this.#seed('contacts', [{ id: to.id, properties: { firstname: 'A' } }]);
    if (given?.properties?.dealname) given.properties.dealstage ??= 'appointmentscheduled';
    if (body !== null && body !== undefined) return this.#writing(body, response);
    const person = { email: 'ada@example.com', firstname: 'Ada', lastname: 'Alder' };
    if (response.status === 201)
      return { inputs: results.map((_, at) => ({ properties: { ...person, email: `p${at}@example.com` } })) };
    if (response.status === 400)
      return { inputs: [1, 2].map(() => ({ properties: { no_such_name: 'A', nor_such_one: 'B' } })) };
    this.#seed('contacts', [{ id: '1', properties: { email: 'taken@example.com' } }]);
    const taken = { properties: { ...person, email: 'taken@example.com' } };
    if (response.status === 409) return { inputs: [taken] };
    return {
      inputs: [
        { ...taken, objectWriteTraceId: '0' },
        { properties: person, objectWriteTraceId: '1' },
      ],
    };
  }

  /** For answers whose request is not known. */
  #bodyFor(api: string, results: Known[], { status, body: said }: RecordedAnswer): unknown {
    const names = [...new Set(results.flatMap(({ properties }) => Object.keys(properties)))];
    if (api.endsWith('/search')) return { properties: names };
    if (api.endsWith('/batch/read')) return { inputs: results.map(({ id }) => ({ id })), properties: names };
    if (api.endsWith('/batch/upsert')) {
      this.#sandbox.control.seed({
        properties: {
          [this.#object as string]: [
            { name: 'reference', hasUniqueValue: true },
            { name: 'a_number', type: 'number', fieldType: 'number' },
          ],
        },
      });
      return {
        inputs: [{ id: 'R1', idProperty: 'reference', objectWriteTraceId: '0', properties: { a_number: 'none' } }],
      };
    }
    if (!api.endsWith('/batch/update')) return undefined;
    if (status === 400 && this.#object === 'companies')
      return { inputs: [{ id: '1', idProperty: 'hs_object_id', properties: {} }] };
    if (status === 400 && Array.isArray((said as { errors?: unknown }).errors)) {
      this.#seed('contacts', [{ id: '1', properties: { firstname: 'A' } }]);
      return { inputs: [{ id: '1', properties: { no_such_name: 'A' } }] };
    }
    if (status === 400) return { inputs: [1, 2].map(() => ({ id: '123456', properties: { firstname: 'A' } })) };
    const written = ['firstname', 'lastname'];
    const known = results.map(({ id, properties }) => ({
      id,
      properties: Object.fromEntries(Object.entries(properties).filter(([name]) => written.includes(name))),
    }));
    return {
      inputs: status === 207 ? [...known, { id: 'no-id', properties: { firstname: 'A' } }] : known,
    };
  }

  /** Both ends of links, where the answer says that they were there; and the links where it lists them. */
  linked({ path, method, body }: Recording['request'], response: RecordedAnswer): unknown {
    const [, from = '', to = ''] =
      /\/(?:associations|objects)\/([A-Za-z]+)\/(?:\d+\/associations\/)?([A-Za-z]+)/
        .exec(path)
        ?.map((name) => PLURAL[name] ?? name) ?? [];
    const [, ownId = ''] = /objects\/\w+\/(\d+)\/associations/.exec(path) ?? [];
    const results = (response.body as { results?: Record<string, unknown>[] } | null)?.results ?? [];
    const title = (object: string) => ({
      [{ contacts: 'firstname', companies: 'name', deals: 'dealname' }[object] ?? 'hs_timestamp']: 'A',
    });
    const there = (object: string, ids: unknown[]) =>
      this.#seed(
        object,
        [...new Set(ids.map(String))]
          .filter((id) => !this.#ids.has(id))
          .map((id) => ({ id, properties: title(object) })),
      );
    this.define(['firstname', 'name', 'dealname']);
    if (method === 'GET') {
      const ids = results.map(({ toObjectId }) => String(toObjectId));
      there(to, ids);
      const made = this.#sandbox.control.seed({
        records: {
          [from]: [{ properties: title(from), associations: { [to]: ids.map((id) => this.#ids.get(id) ?? '') } }],
        },
      });
      this.#ids.set(ownId, made[from]?.[0] ?? '');
      return undefined;
    }
    if (path.endsWith('/batch/read')) {
      there(to, ['1']);
      const made = this.#sandbox.control.seed({
        records: {
          [from]: [
            { properties: title(from), associations: { [to]: [{ id: this.#ids.get('1') ?? '', label: 'Primary' }] } },
            { properties: title(from) },
          ],
        },
      });
      return { inputs: (made[from] ?? []).map((id) => ({ id })) };
    }
    there(
      from,
      results.map(({ fromObjectId }) => fromObjectId),
    );
    there(
      to,
      results.map(({ toObjectId }) => toObjectId),
    );
    if (body !== null && body !== undefined) {
      const gone = new Set(
        [...JSON.stringify(response.body).matchAll(/[A-Z]+=(\d+) is not valid/g)].map(([, id]) => id),
      );
      const { inputs } = body as { inputs: { from: { id: number }; to: { id: number } | { id: number }[] }[] };
      there(
        from,
        inputs.map((input) => input.from.id).filter((id) => !gone.has(String(id))),
      );
      there(
        to,
        inputs.flatMap((input) => [input.to].flat().map(({ id }) => id)).filter((id) => !gone.has(String(id))),
      );
      return body;
    }
    if (response.status === 207) {
      there(from, ['1']);
      const input = (id: string) => ({
        from: { id: '1' },
        to: { id },
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 449 }],
      });
      return { inputs: [input('no_id'), input('1')] };
    }
    return {
      inputs: results.map(({ fromObjectId, toObjectId }) => ({
        from: { id: String(fromObjectId) },
        to: { id: String(toObjectId) },
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
      })),
    };
  }

  translate(text: string): string {
    return text.replace(/\b\d+\b/g, (id) => this.#ids.get(id) ?? id);
  }

  translated(body: unknown): unknown {
    return body === undefined || body === null ? undefined : JSON.parse(this.translate(JSON.stringify(body)));
  }
}

const PLURAL: Record<string, string> = { Contact: 'contacts', Company: 'companies', Deal: 'deals' };
