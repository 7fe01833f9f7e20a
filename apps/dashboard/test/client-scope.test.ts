/**
 * An installation with two clients and a source of its own. What belongs to client bolt, or to no client, is marked with
 * `zq-` wherever it is more than a name, so that a page which shows it is recognised whatever it is.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@wrapup/config';
import { type DeliveryChange, startBulk } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER, basic, type Harness, sessionCookie, startDashboard } from './support/harness.ts';

const WHOLE = { user: 'admin', password: 'correct horse: battery' };
const BOUND = { user: 'acme', password: '6f8d2b19c04e7a53acme' };
const MARK = 'zq-';
const ASKED = 'call-of-bolt-1';

const fileOf = (name: string, secret: string, more = '') => `sources:
  main: { webhook_secrets: [${secret}], agents: { a1: { name: "${name} agent" } }, reconcile: {}, api_key: k }
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "http://127.0.0.1:9" }
routes:
  - { name: calls, to: sales, mapping: mapping.yaml }
${more}`;

let folder: string;
let config: Config;
let dashboard: Harness;
let own: string;
let runOfBolt: string;

const PARKED: DeliveryChange = { state: 'parked', code: 'ambiguous_person', reason: 'Two match.', hint: 'Merge them.' };
const marked = (name: string): DeliveryChange => ({
  ...PARKED,
  reason: `${MARK}reason of ${name}`,
  hint: `${MARK}hint`,
  code: 'refused',
});

async function load(files: Record<string, string>): Promise<Config> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const loaded = await loadConfig({ file: join(folder, 'wrapup.yaml'), env: {} });
  if (!loaded.config) throw new Error(JSON.stringify(loaded.findings));
  return loaded.config;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wrapup-scope-'));
  mkdirSync(join(folder, 'clients'));
  config = await load({
    'wrapup.yaml': fileOf(`${MARK}root`, 'a3f1c09e5d7b48a6a3f1c09e5d7b48a6'),
    'mapping.yaml': 'extends: hubspot/call-log\n',
    'clients/acme.yaml': fileOf(
      'Acme',
      '7be04d92c1f8436a7be04d92c1f8436a',
      `dashboard: { password: ${BOUND.password} }\n`,
    ),
    'clients/bolt.yaml': fileOf(
      `${MARK}bolt`,
      '5ad04d92c1f8436a7be04d92c1f8987c',
      'dashboard: { password: 19d0c7e65b3a4f28bolt }\n',
    ),
    // It has a mistake, which only the whole installation is to see.
    'clients/calm.yaml': fileOf('Calm', '28d0c7e65b3a4f2819d0c7e65b3a4f99', `${MARK}section: 1\n`),
  });
  // Streams end soon: each address is read to its end.
  dashboard = await startDashboard({
    config: () => config,
    credentials: WHOLE,
    wait: async () => {},
    live: { lasts: 50 },
  });
  own = await dashboard.seed({
    source: 'acme.main',
    deliveries: [{ route: 'acme.calls', connection: 'acme.sales', change: PARKED }],
  });
  for (const [source, call_id] of [
    ['bolt.main', ASKED],
    ['bolt.main', `${MARK}call`],
    ['main', `${MARK}root-call`],
  ] as const) {
    const client = source === 'main' ? '' : 'bolt.';
    const change = marked(source);
    const deliveries = [{ route: `${client}calls`, connection: `${client}sales`, change }];
    await dashboard.seed({ source, call_id, outcome: `${MARK}outcome`, notes: [`${MARK}note`], deliveries });
  }
  const { store } = dashboard;
  const by = { name: `${MARK}operator`, via: 'dashboard' as const, from: '127.0.0.1' };
  await store.connections.pause('bolt.sales', `${MARK}pause`, by);
  const run = await startBulk(store, {
    state: 'parked',
    action: 'drop',
    why: `${MARK}why`,
    by,
    filter: { client: 'bolt', codes: ['none_of_these'] },
  });
  runOfBolt = run.id;
  await store.redis.hset(store.keys.bulkRuns, run.id, JSON.stringify({ ...run, begun: true }));
});
afterAll(async () => {
  await dashboard.close();
  rmSync(folder, { recursive: true, force: true });
});

const as = (credentials: { user: string; password: string }) => basic(credentials.user, credentials.password);
const write = (path: string, fields: Record<string, string>, of = BOUND) =>
  dashboard.post(path, fields, { ...as(of), origin: dashboard.url });
const read = async (path: string, of = BOUND) => (await dashboard.get(path, as(of))).text();

/** Addresses of all pages, each with every way to name something of another client. */
function addresses(): string[] {
  const places = [
    '',
    `?source=bolt.main&route=bolt.calls&connection=bolt.sales&id=${ASKED}`,
    '?source=main',
    `?id=${MARK.slice(0, 2)}`,
    `?run=${runOfBolt}&did=dropped_many`,
    '?client=bolt',
    '?client=acme&client=bolt',
  ];
  const values: Record<string, string[]> = { id: [ASKED, own], name: ['bolt.sales', 'sales'] };
  return dashboard
    .routes()
    .filter(({ method, path }) => method === 'get' && !path.includes('*'))
    .flatMap(({ path }) => [path, `/queues${path}`])
    .flatMap((path) => {
      const [, name] = /:(\w+)/.exec(path) ?? [];
      return (values[name ?? ''] ?? ['x']).map((value) => path.replace(/:\w+/g, value));
    })
    .flatMap((path) => places.map((place) => `${path}${place}`));
}

describe('a login that is bound to a client', () => {
  it('finds nothing of another on any page, and the whole installation does', async () => {
    const pages = [...new Set(addresses()), '/metrics', '/clients', '/queues/', '/queues/api/queues'];
    expect(pages.length).toBeGreaterThan(60);
    const found = { bound: [] as string[], whole: new Set<string>() };
    for (const path of pages) {
      if ((await read(path)).includes(MARK)) found.bound.push(path);
      if ((await read(path, WHOLE)).includes(MARK)) found.whole.add(path.replace(/\?.*/, ''));
    }
    expect(found.bound).toEqual([]);
    expect([...found.whole]).toEqual(
      expect.arrayContaining(['/', '/calls', `/calls/${ASKED}`, '/parked', '/connections', '/audit', '/clients']),
    );
  });

  it('is not even shown names, unless it asks for them', async () => {
    const paths = ['/', '/calls', '/parked', '/dead', '/connections', '/playground', `/calls/${own}?source=acme.main`];
    for (const path of paths) {
      const page = await read(path);
      expect([path, /bolt|calm|>main</.exec(page)?.[0]]).toEqual([path, undefined]);
      expect(page).toContain('acme');
    }
    expect(await read('/')).toContain('<b>1</b> parked now');
    expect(await read('/parked')).toContain('<b>1 delivery</b>');
  });

  it.each([
    ['a call by its id', `/calls/${ASKED}`, 404],
    ['a call by id and source', `/calls/${ASKED}?source=bolt.main`, 404],
    ['a call of no client', `/calls/${MARK}root-call?source=main`, 404],
    ['another client', '/?client=bolt', 404],
    ['the overview of clients', '/clients', 404],
    ['the queues', '/queues/', 403],
    ['the board’s API', '/queues/api/queues', 403],
  ])('is refused %s', async (_what, path, status) => {
    expect((await dashboard.get(path, as(BOUND))).status).toBe(status);
  });

  it('finds no call of another by a person, and is given no names for one', async () => {
    const keys = [{ by: 'number' as const, value: '14155550199' }];
    for (const [source, call_id] of [
      ['bolt.main', ASKED],
      ['acme.main', own],
    ] as const)
      await dashboard.store.people.add({ source, call_id }, undefined, keys, 90);
    const asked: [string, Record<string, string>][] = [
      ['/calls/of-person', { person: '+1 415 555 0199' }],
      ['/calls/names', { calls: `bolt.main:${ASKED}\nacme.main:${own}` }],
    ];
    for (const [path, fields] of asked) {
      const shown = async (of: typeof BOUND) => {
        const page = await (await write(path, fields, of)).text();
        return [page.includes(own), page.includes(ASKED)];
      };
      expect([path, await shown(BOUND), await shown(WHOLE)]).toEqual([path, [true, false], [true, true]]);
    }
  });

  it('changes nothing of another by any action', async () => {
    const { store } = dashboard;
    const snapshot = async () => ({
      calls: await Promise.all([ASKED, `${MARK}call`].map((id) => store.ledger.read('bolt.main', id))),
      root: await store.ledger.read('main', `${MARK}root-call`),
      connections: await store.connections.readAll(['bolt.sales', 'sales']),
      run: await store.redis.hget(store.keys.bulkRuns, runOfBolt),
    });
    const before = await snapshot();
    const actions = dashboard.routes().filter(({ method, path }) => method !== 'get' && !/log(in|out)/.test(path));
    const statuses: Record<string, number> = {};
    for (const { path } of actions) {
      for (const [of, source] of [
        ['bolt.', 'bolt.main'],
        ['', 'main'],
      ]) {
        const target = path
          .replace(':name', `${of}sales`)
          .replace('/runs/:id', `/runs/${runOfBolt}`)
          .replace(/:\w+/g, of ? ASKED : `${MARK}root-call`);
        const fields = {
          ...{
            source: source as string,
            route: `${of}calls`,
            connection: `${of}sales`,
            client: 'bolt',
            code: 'refused',
          },
          ...{ reason: 'x', why: 'x', seen: String(Date.now() + 60_000), ask: 'yes' },
          payload: JSON.stringify(samplePayload('connected', {})),
        };
        const answer = await write(target, fields);
        const page = await answer.text();
        statuses[target] = answer.status;
        expect([target, page.includes(MARK)]).toEqual([target, false]);
      }
    }
    expect(await snapshot()).toEqual(before);
    expect(statuses).toMatchObject({
      [`/calls/${ASKED}/replay`]: 404,
      [`/calls/${ASKED}/drop`]: 404,
      '/connections/bolt.sales/pause': 404,
      '/connections/bolt.sales/resume': 404,
      '/connections/sales/pause': 404,
      [`/parked/runs/${runOfBolt}`]: 404,
      '/playground': 422,
    });
    // Of the same call id elsewhere, and of everything: only its own.
    await write('/parked/drop', { why: 'all of mine', seen: String(Date.now() + 60_000) });
    expect(await snapshot()).toEqual(before);
    expect((await store.ledger.read('acme.main', own))?.deliveries[0]?.state).toBe('dropped');
  });

  it('acts on its own, and is named in the log', async () => {
    const id = await dashboard.seed({
      source: 'acme.main',
      deliveries: [{ route: 'acme.calls', connection: 'acme.sales', change: PARKED }],
    });
    const answer = await write(`/calls/${id}/replay`, { source: 'acme.main', route: 'acme.calls', back: '/parked' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/parked?did=replayed']);
    expect(dashboard.logged()).toMatch(/"action":"replay","user":"acme",.*"client":"acme"/);
    expect((await write('/connections/acme.sales/pause', { reason: 'x' })).status).toBe(303);
    expect((await write('/connections/acme.sales/resume', {})).status).toBe(303);
    const payload = JSON.stringify(samplePayload('connected', {}));
    const plan = await (await write('/playground', { payload, source: 'acme.main' })).text();
    expect(plan).toContain('of route acme.calls to acme.sales');
  });

  it('stays bound over a session, which ends when its password changes or its client goes', async () => {
    const cookie = sessionCookie(await dashboard.login(BOUND));
    const open = (path: string) => dashboard.get(path, { ...BROWSER, cookie });
    expect([(await open('/')).status, (await open('/?client=bolt')).status]).toEqual([200, 404]);
    const before = config;
    const acme = before.clients.acme as Config['clients'][string];
    config = { ...before, clients: { ...before.clients, acme: { ...acme, password: 'b3f1c0de9a77401b-other' } } };
    expect((await open('/')).status).toBe(303);
    const { acme: _, ...others } = before.clients;
    config = { ...before, clients: others };
    expect((await open('/')).status).toBe(303);
    expect((await dashboard.get('/', as(BOUND))).status).toBe(401);
    config = before;
    expect((await open('/')).status).toBe(200);
  });

  it('cannot be had with the password of another', async () => {
    for (const user of ['bolt', 'calm', 'admin', 'gone', '__proto__'])
      expect([user, (await dashboard.get('/', basic(user, BOUND.password))).status]).toEqual([user, 401]);
  });

  it('closes the metrics, which name all clients, unless they have a token', async () => {
    const answer = await dashboard.get('/metrics');
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('METRICS_TOKEN')]);
    const guarded = await startDashboard({ config: () => config, credentials: WHOLE, metricsToken: 't0ken' });
    expect((await guarded.get('/metrics')).status).toBe(401);
    expect((await guarded.get('/metrics', { authorization: 'Bearer t0ken' })).status).toBe(200);
    await guarded.close();
  });
});

describe('a client that is chosen in the address', () => {
  it('narrows every list, and stays chosen over links, forms and actions', async () => {
    const page = await read('/parked?client=bolt', WHOLE);
    expect(page).toContain('<b>2 deliveries</b>');
    expect(page).toContain(`href="/calls/${ASKED}?source=bolt.main&amp;client=bolt"`);
    const links = [...page.matchAll(/ (?:href|action)="(\/[^"]*)"/g)].map(([, path]) => path as string);
    const without = links.filter((path) => !path.includes('client=bolt')).map((path) => path.replace(/\?v=.*/, ''));
    const styles = ['dashboard', 'worklist'].map((name) => `/assets/${name}.css`);
    const whole = ['/assets/icon.svg', ...styles, '/clients', '/queues/'];
    expect(new Set(without)).toEqual(new Set(whole));
    // The forms of a search take it along in a field.
    expect(page.match(/<input type="hidden" name="client" value="bolt">/g)).toHaveLength(1);
    const answer = await write(`/calls/${ASKED}/drop?client=bolt`, { source: 'bolt.main', back: '/parked' }, WHOLE);
    expect(answer.headers.get('location')).toBe('/parked?did=reason&client=bolt');
    expect(await read(`/calls?client=bolt&id=${MARK}`, WHOLE)).toContain(`${MARK}call`);
    expect(await read(`/calls?client=bolt&id=${own}`, WHOLE)).toContain('No call matches');
  });

  it('is one that there is, or that has calls', async () => {
    await dashboard.seed({ source: 'gone.main' });
    expect((await dashboard.get('/?client=acne', as(WHOLE))).status).toBe(404);
    expect((await dashboard.get('/?client=gone', as(WHOLE))).status).toBe(200);
    expect((await dashboard.get('/?client=__proto__', as(WHOLE))).status).toBe(404);
  });

  it('is not asked for where there is none', async () => {
    const single = await startDashboard();
    const page = await (await single.get('/')).text();
    expect(page).not.toMatch(/client/i);
    await single.close();
  });
});
