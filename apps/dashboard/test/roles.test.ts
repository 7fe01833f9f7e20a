/** Who may do what: every role at every request of the pages, over HTTP. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { hashPassword, type LoginRole, ROLES, type User, type Users } from '@wrapup/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRight, PAGE_RIGHTS, RIGHTS, type Right, rightOf } from '../src/security/rights.ts';
import { BROWSER, basic, configOf, type Harness, parked, sessionCookie, startDashboard } from './support/harness.ts';

const PASSWORD = 'correct horse battery staple';
const acme = { name: 'acme', file: 'clients/acme.yaml', state: 'current', hash: 'a' } as const;
let users: Record<string, User> = {};
let dashboard: Harness;

beforeAll(async () => {
  const password = await hashPassword(PASSWORD);
  for (const role of ROLES) users[role] = { role, password };
  users.bound = { role: 'operator', client: 'acme', password };
  const { retention, sources, connections } = configOf();
  const main = sources.main;
  if (!main) throw new Error('the configuration has no source');
  const config = configOf({
    clients: { acme: { ...acme, errors: [], retention } },
    sources: { ...sources, 'acme.main': { ...main, name: 'acme.main' } },
    connections: { ...connections, 'acme.sales': { name: 'acme.sales', kind: 'hubspot', settings: {} } },
  });
  dashboard = await startDashboard({ users: (): Users => users, config: () => config });
});
afterAll(() => dashboard.close());

const as = (user: string) => basic(user, PASSWORD);
const form = (user: string) => ({ ...as(user), origin: dashboard.url });

/** A request for each row of the table, and how it is answered where it is allowed. */
const REQUESTS: {
  right: Right;
  method: 'GET' | 'POST';
  path: (id: string) => string;
  fields?: Record<string, string>;
  allowed: number;
}[] = [
  { right: 'read', method: 'GET', path: () => '/parked', allowed: 200 },
  { right: 'read', method: 'GET', path: (id) => `/calls/${id}?source=main`, allowed: 200 },
  { right: 'read', method: 'POST', path: () => '/playground', fields: { payload: 'x' }, allowed: 422 },
  { right: 'look_up', method: 'POST', path: () => '/playground/call', fields: { call_id: 'none' }, allowed: 404 },
  { right: 'configure', method: 'POST', path: () => '/playground/write', allowed: 404 },
  { right: 'look_up', method: 'POST', path: () => '/calls/of-person', fields: { person: 'x' }, allowed: 422 },
  { right: 'look_up', method: 'POST', path: () => '/calls/names', fields: { calls: '' }, allowed: 200 },
  { right: 'look_up', method: 'POST', path: (id) => `/calls/${id}/transcript`, allowed: 200 },
  { right: 'look_up', method: 'POST', path: (id) => `/calls/${id}/preview`, fields: { route: 'none' }, allowed: 404 },
  { right: 'audit', method: 'GET', path: () => '/audit', allowed: 200 },
  { right: 'replay', method: 'POST', path: (id) => `/calls/${id}/replay`, allowed: 303 },
  { right: 'drop', method: 'POST', path: (id) => `/calls/${id}/drop`, fields: { reason: 'no' }, allowed: 303 },
  { right: 'decide', method: 'POST', path: (id) => `/calls/${id}/choose`, fields: { person: '101' }, allowed: 303 },
  { right: 'decide', method: 'GET', path: () => '/parked/decide?code=none', allowed: 200 },
  { right: 'decide', method: 'GET', path: () => '/parked/choose', allowed: 404 },
  { right: 'decide', method: 'POST', path: () => '/parked/choose', fields: { source: 'none' }, allowed: 404 },
  { right: 'look_up', method: 'POST', path: () => '/parked/preview', fields: { code: 'none' }, allowed: 200 },
  { right: 'replay', method: 'POST', path: () => '/parked/replay', fields: { source: 'none' }, allowed: 303 },
  { right: 'drop', method: 'POST', path: () => '/dead/drop', fields: { source: 'none', why: 'no' }, allowed: 303 },
  { right: 'drop', method: 'POST', path: () => '/parked/runs/none', allowed: 404 },
  { right: 'replay', method: 'POST', path: () => '/omissions/none/replay', allowed: 404 },
  { right: 'pause', method: 'POST', path: () => '/connections/sales/pause', allowed: 303 },
  { right: 'pause', method: 'POST', path: () => '/connections/sales/resume', allowed: 303 },
  { right: 'look_up', method: 'POST', path: () => '/setup/connections/none/check', allowed: 404 },
  { right: 'provision', method: 'POST', path: () => '/setup/connections/sales/provision', allowed: 400 },
];

const send = ({ method, path, fields = {} }: (typeof REQUESTS)[number], id: string, user: string) =>
  method === 'GET'
    ? dashboard.get(path(id), as(user))
    : dashboard.post(path(id), { source: 'main', route: 'sales-calls', ...fields }, form(user));

describe.each(ROLES)('a login with the role %s', (role: LoginRole) => {
  it.each(REQUESTS)('$method $path: as the table says', async (request) => {
    const id = await dashboard.seed(parked({ candidates: ['101', '102'] }));
    const before = await dashboard.delivery(id);
    const answer = await send(request, id, role);
    const isAllowed = hasRight(role, request.right);
    expect(answer.status).toBe(isAllowed ? request.allowed : 403);
    if (isAllowed) return;
    expect(await answer.text()).toContain('The role of this login does not allow it');
    expect(await dashboard.delivery(id)).toEqual(before);
    expect((await dashboard.store.connections.read('sales')).operator).toBeUndefined();
  });

  it('sees the buttons that it may press, and no others', async () => {
    const id = await dashboard.seed(parked({ candidates: ['101', '102'] }));
    const page = await (await dashboard.get(`/calls/${id}?source=main`, as(role))).text();
    const list = await (await dashboard.get('/parked', as(role))).text();
    const connections = await (await dashboard.get('/connections', as(role))).text();
    for (const [text, right] of [
      [/\/replay"/.test(page), 'replay'],
      [/\/drop"/.test(page) && /<summary>Drop…/.test(page), 'drop'],
      [/\/choose"/.test(page), 'decide'],
      [/href="\/parked\/decide[?"]/.test(list), 'decide'],
      [/href="\/parked\/preview\?action=replay/.test(list), 'replay'],
      [/href="\/parked\/preview\?action=drop/.test(list), 'drop'],
      [/action="\/playground\/call"/.test(page), 'look_up'],
      [/action="\/playground\/call"/.test(list), 'look_up'],
      [/<summary>Pause…/.test(connections), 'pause'],
      [/href="\/audit"/.test(page), 'audit'],
      [/value="ask"/.test(await (await dashboard.get('/playground', as(role))).text()), 'look_up'],
    ] as const)
      expect([right, text]).toEqual([right, hasRight(role, right)]);
    const looked = (await dashboard.store.audit.page({ by: role, action: 'look up', call_id: id })).entries;
    expect(looked.length > 0).toBe(hasRight(role, 'look_up'));
  });
});

describe('the table', () => {
  it('has every write of the pages, and a request above for each', () => {
    const writes = dashboard.routes().filter(({ method, path }) => method === 'post' && !/^\/log(in|out)$/.test(path));
    expect(writes.length).toBeGreaterThan(10);
    for (const { path } of writes) {
      const sample = path.replace(/:\w+/g, 'x');
      expect([path, rightOf('POST', sample)]).toEqual([path, expect.any(String)]);
    }
    for (const { path, method } of PAGE_RIGHTS)
      expect(
        REQUESTS.some((one) => one.method === method && path.test(one.path('x').split('?')[0] ?? '')),
        String(path),
      ).toBe(true);
    expect(rightOf('POST', '/of/a/later/version')).toBeUndefined();
    expect(Object.values(RIGHTS).every((role) => ROLES.includes(role))).toBe(true);
  });

  it('is not got round by the spelling of a path', async () => {
    const id = await dashboard.seed(parked());
    for (const path of [`/calls/${id}/drop/`, `/CALLS/${id}/DROP`, `/calls/${id}/%64rop`]) {
      expect(
        (await dashboard.post(path, { source: 'main', route: 'sales-calls', reason: 'x' }, form('viewer'))).status,
      ).toBe(403);
    }
    expect((await dashboard.get('/AUDIT/', as('viewer'))).status).toBe(403);
    expect((await dashboard.delivery(id)).state).toBe('parked');
  });
});

describe('a login of the file', () => {
  it('signs in with its password alone, by session and by Basic', async () => {
    expect((await dashboard.login({ user: 'viewer', password: 'wrong' })).status).toBe(403);
    expect((await dashboard.login({ user: 'no one', password: PASSWORD })).status).toBe(403);
    const answer = await dashboard.login({ user: 'viewer', password: PASSWORD });
    expect(answer.status).toBe(303);
    const cookie = sessionCookie(answer);
    expect((await dashboard.get('/parked', { ...BROWSER, cookie })).status).toBe(200);
    expect((await dashboard.get('/audit', { ...BROWSER, cookie })).status).toBe(403);
  });

  it('bound to a client finds nothing of another, and changes nothing there', async () => {
    const id = await dashboard.seed(parked());
    expect((await dashboard.get(`/calls/${id}?source=main`, as('bound'))).status).toBe(404);
    const fields = { source: 'main', route: 'sales-calls', reason: 'x' };
    expect((await dashboard.post(`/calls/${id}/drop`, fields, form('bound'))).status).toBe(404);
    expect((await dashboard.post('/connections/sales/pause', {}, form('bound'))).status).toBe(404);
    expect((await dashboard.post('/connections/acme.sales/pause', {}, form('bound'))).status).toBe(303);
    expect((await dashboard.store.audit.page({ by: 'bound' })).entries).toMatchObject([
      { action: 'pause', connection: 'acme.sales', client: 'acme' },
    ]);
    await dashboard.store.connections.resume('acme.sales');
    expect((await dashboard.get('/metrics')).status).toBe(403);
  });

  it('takes another role at once, and its sessions end with its password or itself', async () => {
    const password = await hashPassword(PASSWORD);
    users = { ...users, eve: { role: 'admin', password } };
    const cookie = sessionCookie(await dashboard.login({ user: 'eve', password: PASSWORD }));
    const audit = async () => (await dashboard.get('/audit', { cookie })).status;
    expect(await audit()).toBe(200);
    users = { ...users, eve: { role: 'viewer', password } };
    expect(await audit()).toBe(403);
    users = { ...users, eve: { role: 'admin', password: await hashPassword(PASSWORD) } };
    expect(await audit()).toBe(401);
    const { eve: _, ...others } = users;
    users = others;
    expect((await dashboard.get('/parked', as('eve'))).status).toBe(401);
  });
});

it('the guide has the same table', () => {
  const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/guide/operating.md'), 'utf8');
  for (const [right, least] of Object.entries(RIGHTS)) {
    const row = new RegExp(`^\\| ${right} \\| .* \\| (\\w+) \\| (\\w+) \\| (\\w+) \\|$`, 'm').exec(guide)?.slice(1);
    expect([right, row]).toEqual([
      right,
      ROLES.map((role) => (ROLES.indexOf(role) >= ROLES.indexOf(least) ? 'yes' : 'no')),
    ]);
  }
});
