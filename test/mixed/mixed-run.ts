/**
 * Calls that go to HubSpot, Salesforce and an HTTP endpoint at once, while one of the three is down for a while: it breaks
 * some answers after taking what was sent, and then takes nothing any more. What each holds in the end is asked of it, and
 * not of Wrapup.
 */
import { type Answering, type Endpoint, openEndpoint, status } from '../../packages/http/test/support/endpoint.ts';
import { verifies } from '../../packages/http/test/support/verify.ts';
import { type PlannedCall, planCalls } from '../faults/workload.ts';
import { makeConfig, SALES } from '../support/config.ts';
import { makeRandom } from '../support/random.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

export const CONNECTIONS = ['sales', 'service', 'alerts'] as const;
export type Connection = (typeof CONNECTIONS)[number];

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'mixed').toString('base64')}`;

/** Retries come soon, so that a run is over soon; in number they are as shipped. */
const CONFIG = makeConfig({
  connections: [
    SALES,
    'service: { kind: salesforce, client_id: "${SALESFORCE_CLIENT_ID}", client_secret: "${SALESFORCE_CLIENT_SECRET}", base_url: "${SALESFORCE_BASE_URL}" }',
    'alerts: { kind: http, url: "${ENDPOINT_URL}", secret: "${ENDPOINT_SECRET}", allow_private: true }',
  ],
  routes: [
    '- { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { base: 500ms, cap: 5s } }',
    '- { name: service-calls, to: service, mapping: salesforce.yaml, retries: { base: 500ms, cap: 5s } }',
    '- { name: events, to: alerts, mapping: event.yaml, retries: { base: 500ms, cap: 5s } }',
  ],
});

export interface MixedSystem extends TestSystem {
  endpoint: Endpoint;
}

/** @param redis default: that of the tests */
export async function openMixedSystem(redis?: string): Promise<MixedSystem> {
  const endpoint = await openEndpoint(status(200, 'taken'));
  const system = await openSystem({
    ...(redis !== undefined && { redis }),
    config: CONFIG,
    files: { 'salesforce.yaml': 'extends: salesforce/call-log\n', 'event.yaml': 'extends: http/event\n' },
    env: { ENDPOINT_URL: `${endpoint.url}/calls`, ENDPOINT_SECRET: WEBHOOK_SECRET },
  });
  await Promise.all([system.startIngress(), system.startWorker()]);
  const closeSystem = system.close;
  const close = async () => {
    await closeSystem();
    await endpoint.close();
  };
  return Object.assign(system, { endpoint, close });
}

/** Half of the people are in both CRMs, and found there, before they call. */
export async function planMixedCalls(
  system: MixedSystem,
  name: string,
  block: number,
  count: number,
): Promise<PlannedCall[]> {
  const planned = planCalls(name, block, makeRandom(block), { calls: count, copies: 1 });
  const known = [...new Set(planned.map(({ phone }) => phone))].sort().filter((_, n) => n % 2 === 0);
  system.sandbox.control.seed({
    records: { contacts: known.map((phone) => ({ properties: { phone, firstname: 'Known' } })) },
    salesforce: {
      records: {
        Lead: known
          .filter((_, n) => n % 2 === 0)
          .map((Phone) => ({ Phone, LastName: `Known ${Phone.slice(-4)}`, Company: 'x' })),
        Contact: known.filter((_, n) => n % 2 === 1).map((Phone) => ({ Phone, LastName: `Known ${Phone.slice(-4)}` })),
      },
    },
  });
  await letSearchSee(system);
  return planned;
}

/** Both indexes catch up with what was seeded; from then on they lag as they did. */
async function letSearchSee({ sandbox }: MixedSystem): Promise<void> {
  sandbox.control.settings({ hubspot: { search_lag: 0 }, salesforce: { search_lag: 0 } });
  const sosl = encodeURIComponent('FIND {nobody} IN PHONE FIELDS RETURNING Lead(Id), Contact(Id)');
  await ask(`${sandbox.salesforceUrl}/services/data/v66.0/search?q=${sosl}`, sandbox.salesforce.token());
  await ask(`${sandbox.hubspotUrl}/crm/v3/objects/contacts/search`, 'pat-na1-test', { filterGroups: [] });
  sandbox.control.settings({ hubspot: { search_lag: 2_000 }, salesforce: { search_lag: 2_000 } });
}

async function ask(url: string, token: string, body?: object): Promise<void> {
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
}

/** Takes what comes and answers nothing, for some; then takes nothing. */
export function bringDown(system: MixedSystem, connection: Connection): void {
  if (connection === 'alerts') {
    let left = 3;
    const down: Answering = (response, received) => {
      // What was not taken does not count as received.
      if (left-- <= 0) system.endpoint.received.splice(system.endpoint.received.indexOf(received), 1);
      response.destroy();
    };
    system.endpoint.answers(down);
    return;
  }
  const api = connection === 'sales' ? 'hubspot' : 'salesforce';
  system.sandbox.control.fault(
    { kind: 'commit_then_reset', api, times: 3 },
    { kind: 'status', status: 503, api, times: null },
  );
}

export function bringUp(system: MixedSystem): void {
  system.endpoint.answers(status(200, 'taken'));
  system.sandbox.control.clearFaults();
}

export async function send(system: MixedSystem, planned: readonly PlannedCall[], atOnce = 20): Promise<void> {
  const waiting = [...planned];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let call = waiting.shift(); call; call = waiting.shift()) {
        const answer = await system.post(call.payload);
        if (answer.status !== 202) throw new Error(`ingress answered ${answer.status}`);
      }
    }),
  );
}

const ROUTES: Record<Connection, string> = { sales: 'sales-calls', service: 'service-calls', alerts: 'events' };

/** Deliveries to a connection by what became of them. */
export async function states(
  system: MixedSystem,
  planned: readonly PlannedCall[],
  connection: Connection,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const entry of await Promise.all(planned.map(({ id }) => system.store.ledger.read('main', id)))) {
    const state = entry?.deliveries.find(({ route }) => route === ROUTES[connection])?.state ?? 'none';
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Resolves when all deliveries to these connections are written. @returns ms. @throws when one stops, or after `within` ms */
export async function written(
  system: MixedSystem,
  planned: readonly PlannedCall[],
  connections: readonly Connection[],
  within = 240_000,
): Promise<number> {
  const began = performance.now();
  const open = new Set(connections);
  for (;;) {
    for (const connection of open) {
      const counts = await states(system, planned, connection);
      if (counts.parked || counts.dead) throw new Error(`${connection}: ${JSON.stringify(counts)}`);
      if (counts.written === planned.length) open.delete(connection);
    }
    if (open.size === 0) return performance.now() - began;
    if (performance.now() - began > within) throw new Error(`not written: ${[...open].join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface Verdict {
  /** Records in each CRM that belong to these calls. */
  hubspot: { logs: number; tasks: number; people: number };
  salesforce: { logs: number; tasks: number; people: number };
  /** Requests that the endpoint took, and how many ids they have. */
  endpoint: { received: number; distinct: number };
  /** What is wrong, one line each. */
  broken: string[];
}

/** Asks each of the three what it holds of these calls. */
export async function judge(system: MixedSystem, planned: readonly PlannedCall[]): Promise<Verdict> {
  const { sandbox, endpoint } = system;
  const broken: string[] = [];
  const keys = new Set(planned.map(({ id }) => `main:${id}`));
  const tasks = planned.filter(({ leavesTask }) => leavesTask).map(({ id }) => `main:${id}:call-back`);
  const phones = new Set(planned.map(({ phone }) => phone));
  const exactly = (what: string, found: (string | null | undefined)[], wanted: Iterable<string>): number => {
    const counts = new Map<string, number>();
    for (const key of found) if (key) counts.set(key, (counts.get(key) ?? 0) + 1);
    const all = new Set(wanted);
    for (const key of all) if (counts.get(key) !== 1) broken.push(`${what} ${key}: ${counts.get(key) ?? 0} times`);
    return [...counts].filter(([key]) => all.has(key)).reduce((sum, [, count]) => sum + count, 0);
  };

  const properties = (object: string, name: string) => sandbox.records(object).map((one) => one.properties[name]);
  const hubspot = {
    logs: exactly('HubSpot call', properties('calls', 'wrapup_call_id'), keys),
    tasks: exactly('HubSpot task', properties('tasks', 'wrapup_key'), tasks),
    people: exactly('HubSpot contact', properties('contacts', 'phone'), phones),
  };
  const fields = (object: string, name: string) =>
    sandbox.salesforce.records(object).map((one) => one.fields[name] as string | undefined);
  const activities = fields('Task', 'Wrapup_Call_Id__c');
  const salesforce = {
    logs: exactly('Salesforce call', activities, keys),
    tasks: exactly('Salesforce task', activities, tasks),
    people: exactly('Salesforce person', [...fields('Lead', 'Phone'), ...fields('Contact', 'Phone')], phones),
  };

  const own = endpoint.received.filter(({ body }) => keys.has(`main:${callIn(body)}`));
  const ids = new Map<string, string>();
  for (const received of own) {
    if (!(await verifies(received, WEBHOOK_SECRET))) broken.push('an event whose signature does not hold');
    const id = String(received.headers['webhook-id']);
    const call = callIn(received.body);
    if ((ids.get(id) ?? call) !== call) broken.push(`${id} stands for two calls`);
    ids.set(id, call);
  }
  const expected = await Promise.all(
    planned.map(async ({ id }) => {
      const entry = await system.store.ledger.read('main', id);
      return entry?.deliveries.find(({ route }) => route === ROUTES.alerts)?.records[0]?.id ?? `nothing for ${id}`;
    }),
  );
  exactly('webhook-id', [...ids.keys()], expected);
  if (ids.size !== expected.length) broken.push(`${ids.size} webhook-ids instead of ${expected.length}`);
  return { hubspot, salesforce, endpoint: { received: own.length, distinct: ids.size }, broken };
}

function callIn(body: unknown): string {
  return (body as { data?: { call?: { id?: string } } }).data?.call?.id ?? '';
}
