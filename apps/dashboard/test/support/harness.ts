/** A dashboard on a real socket over a real Redis, with a log that can be read. */
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { Writable } from 'node:stream';
import type { Call } from '@wrapup/call';
import type { Config, Route, Source } from '@wrapup/config';
import type { Plan } from '@wrapup/mapping';
import {
  type Arrival,
  type DeliveryChange,
  type DeliveryEntry,
  type Intake,
  openIntake,
  openStore,
  revisionOf,
  type Store,
} from '@wrapup/queue';
import { createLogger, createMetrics, serve } from '@wrapup/telemetry';
import { vi } from 'vitest';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../../test/support/redis.ts';
import { beginAttempt } from '../../../../test/support/store.ts';
import { createDashboard, type DashboardParts } from '../../src/index.ts';

export type Harness = Awaited<ReturnType<typeof startDashboard>>;

export interface HarnessOptions extends Partial<Omit<DashboardParts, 'store' | 'log' | 'metrics'>> {
  redis?: string;
  /** Listened on; default: any free one. */
  port?: number;
  /** Does not wait for Redis. */
  atOnce?: boolean;
  /** Of another dashboard's installation, to share its data. */
  prefix?: string;
}

/** What a browser says when a person opens a page. */
export const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

export function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** The session cookie of an answer, as a browser sends it back. */
export function sessionCookie(answer: Response): string {
  const [cookie = ''] = answer.headers.getSetCookie();
  return cookie.slice(0, cookie.indexOf(';'));
}

export async function startDashboard({
  redis = redisUrl(),
  config = () => configOf(),
  atOnce,
  port = 0,
  prefix = freshPrefix(),
  ...parts
}: HarnessOptions = {}) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger('dashboard', { level: 'debug', stream });
  const onError = () => {};
  const store = openStore({ url: redis, prefix, role: 'producer', onError });
  if (!atOnce) await store.connected(PATIENCE);
  const metrics = createMetrics();
  const app = createDashboard({ store, config, log, metrics, lookEvery: 0, ...parts });
  const served = await serve(app, { port, host: '127.0.0.1', name: 'dashboard', log });
  let intake: Intake | undefined;
  const url = `http://127.0.0.1:${served.port}`;

  return {
    url,
    /** Every route of the pages, Bull Board's included. */
    routes: () => listRoutes(app.router.stack.filter((layer) => !isApi(layer))),
    /** Every route of the API. */
    apiRoutes: () => listRoutes(app.router.stack.filter(isApi)),
    port: served.port,
    prefix,
    store,
    logged: () => lines.join(''),
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, { headers, redirect: 'manual' }),
    /** Sends a form as a browser does from a page of `origin`. */
    post: (path: string, fields: Record<string, string>, headers: Record<string, string> = { origin: url }) =>
      fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' }),
    /** Signs in as a browser does. */
    login: (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${url}/login`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { ...BROWSER, origin: url, ...headers },
        redirect: 'manual',
      }),
    /** With a Host header, which fetch does not let through. */
    getAs: (host: string, path = '/') => statusAs(served.port, host, path),

    /** A call in the ledger, with its deliveries in the states that are given. */
    async seed(given: Seed = {}): Promise<string> {
      const call_id = given.call_id ?? randomUUID();
      const source = given.source ?? 'main';
      const body = Buffer.from(JSON.stringify({ call: { call_id } }));
      const revision = revisionOf(body);
      intake ??= openIntake({ url: redis, prefix, onError });
      const arriving = intake;
      const arrival: Arrival = {
        source,
        call_id,
        body,
        received: 'webhook',
        verified: 'signature',
        received_at: given.received_at ?? Date.now(),
      };
      // A producer refuses rather than waits, as before its connection stands: asked again, as Synthflow would.
      await vi.waitUntil(() => arriving.accept(arrival).catch(() => false), PATIENCE);
      if (!given.deliveries) return call_id;
      const deliveries = await store.ledger.route(
        { source, call_id, revision },
        {
          effect: 'applied',
          facts: {
            outcome: given.outcome ?? 'connected',
            status: 'completed',
            ...(given.agent_id && { agent_id: given.agent_id }),
            notes: given.notes ?? [],
          },
          wanted: given.deliveries.map(({ route, connection }) => ({ route, connection })),
        },
      );
      for (const [index, delivery] of deliveries.entries()) {
        const change = given.deliveries[index]?.change;
        if (!change) continue;
        const ref = { source, call_id, route: delivery.route, revision, replays: 0 };
        await beginAttempt(store, ref, 'a1b2c3d4e5f6');
        // A worker counts what it has written.
        const kept = change.state === 'written' ? { keptMs: 90 * 24 * 3600_000 } : {};
        await store.ledger.recordOutcome(ref, change, kept);
        const now = await deliveryOf(store, source, call_id, delivery.route);
        if (now.state === 'parked' || now.state === 'dead')
          await store.operations.addUnresolved({ source, call_id }, now);
      }
      return call_id;
    },
    delivery: (callId: string, route = 'sales-calls') => deliveryOf(store, 'main', callId, route),

    async close() {
      await served.close(200);
      await intake?.close();
      await store.close();
    },
  };
}

export interface Seed {
  call_id?: string;
  source?: string;
  received_at?: number;
  outcome?: string;
  agent_id?: string;
  notes?: string[];
  deliveries?: { route: string; connection: string; change?: DeliveryChange }[];
}

export const parked = (change: DeliveryChange = {}): Seed => ({
  deliveries: [
    {
      route: 'sales-calls',
      connection: 'sales',
      change: {
        state: 'parked',
        code: 'ambiguous_person',
        reason: 'Two contacts match.',
        hint: 'Merge them.',
        ...change,
      },
    },
  ],
});

/** The same on the route of client acme, of `configWithAcme`. */
export const parkedOfAcme = (): Seed => ({
  source: 'acme.main',
  deliveries: (parked().deliveries ?? []).map((one) => ({ ...one, route: 'acme.calls', connection: 'acme.sales' })),
});

interface Layer {
  route?: { path: string | RegExp | (string | RegExp)[]; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
}

/** The router that serves the document of the API. */
function isApi(layer: unknown): boolean {
  return listRoutes((layer as Layer).handle?.stack ?? []).some(({ path }) => path === '/openapi.json');
}

function listRoutes(layers: readonly unknown[]): { method: string; path: string }[] {
  return (layers as Layer[]).flatMap(({ route, handle }) => {
    if (!route) return listRoutes(handle?.stack ?? []);
    const paths = [route.path].flat().filter((path) => typeof path === 'string');
    return paths.flatMap((path) => Object.keys(route.methods).map((method) => ({ method, path })));
  });
}

async function deliveryOf(store: Store, source: string, callId: string, route: string): Promise<DeliveryEntry> {
  const found = (await store.ledger.read(source, callId))?.deliveries.find((one) => one.route === route);
  if (!found) throw new Error(`the ledger has no delivery of ${callId} on ${route}`);
  return found;
}

/** A configuration with two sources and two routes. Mappings that pages do not run are left out. */
export function configOf(change: Partial<Config> = {}): Config {
  const source = (name: string): Source => ({
    name,
    provider: 'synthflow',
    region: 'us',
    webhook_secrets: [],
    path_token: [],
    trust: 'signature',
    revisions: 'additive',
    keep: { transcript: true, raw: true },
    agents: {},
  });
  const route = (name: string, to: string): Route => ({
    name,
    from: ['main', 'other'],
    to,
    mapping: {
      name: `mappings/${name}.yaml`,
      fields: [],
      reads: [],
      records: [],
      plan: emptyPlan,
    } as unknown as Route['mapping'],
    when: () => true,
    also: false,
    retries: { attempts: 7, base: 1000, cap: 600_000 },
  });
  return {
    file: '/nowhere/wrapup.yaml',
    hash: 'abc',
    sources: { main: source('main'), other: source('other') },
    connections: {
      sales: { name: 'sales', kind: 'hubspot', settings: {} },
      alerts: { name: 'alerts', kind: 'http', settings: {} },
    },
    routes: [route('sales-calls', 'sales'), route('alerts', 'alerts')],
    digests: [],
    retention: { ledger_days: 90, delivered_days: 30, stopped_days: 37 },
    clients: {},
    ...change,
  };
}

/** Of a mapping that writes nothing. */
function emptyPlan(call: Call, route: string): Plan {
  const mapping = { name: `mappings/${route}.yaml`, hash: 'abc' };
  const parts = { person: null, records: [], left_out: [], needs: [] };
  const plan: Plan = { key: call.id, route, mapping, call, ended_at: '', ...parts, settle: () => plan };
  return plan;
}

function statusAs(port: number, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

/** With a client, acme, that has a source, a connection and a route of its own. */
export function configWithAcme(): Config {
  const { retention, sources, connections, routes } = configOf();
  const { main } = sources;
  const [route] = routes;
  if (!main || !route) throw new Error('the configuration has nothing');
  const acme = { name: 'acme', file: 'clients/acme.yaml', state: 'current', hash: 'a', errors: [], retention } as const;
  return configOf({
    clients: { acme },
    sources: { ...sources, 'acme.main': { ...main, name: 'acme.main' } },
    connections: { ...connections, 'acme.sales': { name: 'acme.sales', kind: 'hubspot', settings: {} } },
    routes: [...routes, { ...route, name: 'acme.calls', from: ['acme.main'], to: 'acme.sales' }],
  });
}
