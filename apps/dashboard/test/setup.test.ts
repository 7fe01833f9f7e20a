/** The set-up page: over HTTP, and in a real browser without a script, against the sandbox over real sockets. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { hashPassword, type LoginRole, ROLES, type User, type Users } from '@wrapup/config';
import { httpKind } from '@wrapup/http';
import { hubspotKind } from '@wrapup/hubspot';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import { scanKeys } from '@wrapup/queue';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { basic, configOf, type Harness, startDashboard } from './support/harness.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const PASSWORD = 'correct horse battery staple';
const TOKEN = 'fe8c12a94d6b4077fe8c12a94d6b4077';
const SECRET = '3f8c12a94d6b4077fe8c12a94d6b4099';
const TEXT = `
person: { match: [phone], unmatched: create, fields: { wrapup_topic: vars.topic } }
call_log: { title: "Call: {{ call.outcome }}" }
`;

let sandbox: RunningSandbox;
let dashboard: Harness;
const users: Record<string, User> = {};

beforeAll(async () => {
  // An account that has none of the fields that the mapping needs.
  sandbox = await startSandbox({ port: 0, provisioned: false });
  const compiled = compileMapping({
    ...{ name: 'mappings/hubspot.yaml', text: TEXT, dialect: hubspotKind.dialect },
    readFile: () => undefined,
  });
  const mapping = compiled.mapping as CompiledMapping;
  const settings = hubspotKind.settings.parse({ access_token: 'pat-na1-setup', base_url: sandbox.hubspotUrl });
  const hook = httpKind.settings.parse({ url: 'https://hooks.example.com/acme' });
  const { retention, sources, routes } = configOf();
  const [first] = routes;
  const main = { ...sources.main, webhook_secrets: [SECRET], path_token: [TOKEN] };
  const config = configOf({
    sources: { main, 'acme.main': { ...main, name: 'acme.main', path_token: [] } } as typeof sources,
    connections: {
      sales: { name: 'sales', kind: 'hubspot', settings },
      'acme.chat': { name: 'acme.chat', kind: 'http', settings: hook },
    },
    routes: first ? [{ ...first, mapping }] : [],
    clients: {
      acme: { name: 'acme', file: 'clients/acme.yaml', state: 'current', hash: 'a', errors: [], retention },
    },
  });
  const password = await hashPassword(PASSWORD);
  for (const role of ROLES) users[role] = { role, password };
  users.bound = { role: 'admin', client: 'acme', password };
  dashboard = await startDashboard({ users: (): Users => users, config: () => config });
});
afterAll(async () => {
  await dashboard.close();
  await sandbox.close();
});

const as = (user: string) => basic(user, PASSWORD);
/** Asked again while Redis does not answer in time, as the page itself says: other tests keep the machine busy. */
async function whenAnswered(asked: () => Promise<Response>): Promise<Response> {
  let answer = await asked();
  for (let again = 0; answer.status === 503 && again < 50; again++) {
    await setTimeout(200);
    answer = await asked();
  }
  return answer;
}
const page = async (path: string, user: string) => (await whenAnswered(() => dashboard.get(path, as(user)))).text();
const post = (path: string, user: string, fields: Record<string, string> = {}) =>
  whenAnswered(() => dashboard.post(path, fields, { ...as(user), origin: dashboard.url }));

describe('from nothing', () => {
  it('says of each step that it is to be done, and how', async () => {
    const text = await page('/setup', 'admin');
    expect(text.match(/<li class="step">/g)).toHaveLength(5);
    expect(text).toMatch(/Configuration <span class="chip written">done/);
    expect(text).toMatch(/Webhooks <span class="chip queued">to do/);
    expect(text).toMatch(/The first call that is written <span class="chip queued">to do/);
    expect(text).toContain('value="https://&lt;your host&gt;/webhooks/main/&lt;path token&gt;/post-call"');
    expect(text).toContain('value="https://&lt;your host&gt;/webhooks/acme.main/post-call"');
    expect(text).toContain('send samples/connected.json --new-id --source main');
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(SECRET);
  });

  it('the overview leads there until a call was written', async () => {
    expect(await page('/', 'viewer')).toContain('<a href="/setup">Set-up</a> leads to the first one');
    const call_id = await dashboard.seed({
      deliveries: [
        { route: 'sales-calls', connection: 'sales', change: { state: 'written', records: [], requests: 1 } },
      ],
    });
    expect(call_id).not.toBe('');
    expect(await page('/', 'viewer')).not.toContain('leads to the first one');
    // Neither where the time that is shown has none.
    expect(await page('/?range=yesterday', 'viewer')).not.toContain('leads to the first one');
    const text = await page('/setup', 'viewer');
    expect(text).toMatch(/1 delivery was written/);
    expect(text).toMatch(/The first call that is written <span class="chip written">done/);
    expect(text).toMatch(/webhooks come<\/span> main/);
    expect(text).toMatch(/nothing came<\/span> acme\.main/);
    // Calls of an earlier version are in the ledger, and were not counted.
    const { redis, keys } = dashboard.store;
    for await (const name of scanKeys(redis, `${keys.counts}*`)) await redis.del(name);
    expect(await page('/', 'viewer')).not.toContain('leads to the first one');
  });
});

describe('the account of a connection', () => {
  it('is asked on demand, which the audit has, and the answer stands on the page from then on', async () => {
    const before = await page('/setup', 'operator');
    expect(before).toContain('Not compared with the mappings yet');
    const answer = await post('/setup/connections/sales/check', 'operator');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/missing-property|missing-key/);
    expect((await dashboard.store.audit.page({ by: 'operator' })).entries).toMatchObject([
      { action: 'look up', connection: 'sales', via: 'dashboard' },
    ]);
    expect(await page('/setup', 'viewer')).toMatch(/Account<\/dt><dd>\d+ errors?, \d+ warnings?/);
    // What doctor finds is what the banner of the overview shows.
    expect(await page('/', 'viewer')).toContain('Mappings and accounts');
  });

  it('one that does not answer is said so, with what to do', async () => {
    sandbox.control.fault({ kind: 'unauthorized', times: 100 });
    const answer = await post('/setup/connections/sales/check', 'admin');
    sandbox.control.clearFaults();
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toMatch(/<p class="notice bad">[^<]*the access token is not valid/);
    // What was found before still stands.
    expect(await page('/setup', 'viewer')).toMatch(/Account<\/dt><dd>\d+ errors?, \d+ warnings?/);
  });

  it('gets the fields that are missing where an admin has confirmed it', async () => {
    const listed = await (await post('/setup/connections/sales/fields', 'operator')).text();
    expect(listed).toMatch(/wrapup_call_id<\/code><\/td><td><span class="chip parked">missing/);
    expect(listed).not.toContain('Make them');
    const offered = await (await post('/setup/connections/sales/fields', 'admin')).text();
    expect(offered).toContain('Make them');
    expect((await post('/setup/connections/sales/provision', 'admin')).status).toBe(400);
    expect((await post('/setup/connections/sales/provision', 'operator', { confirmed: 'yes' })).status).toBe(403);
    expect(await (await post('/setup/connections/sales/fields', 'operator')).text()).toContain('missing');
    const made = await (await post('/setup/connections/sales/provision', 'admin', { confirmed: 'yes' })).text();
    expect(made).toMatch(/wrapup_call_id<\/code><\/td><td><span class="chip written">created/);
    expect((await dashboard.store.audit.page({ action: 'provision' })).entries).toMatchObject([
      { by: 'admin', connection: 'sales' },
    ]);
    const after = await (await post('/setup/connections/sales/fields', 'operator')).text();
    expect(after).toContain('The account has all of them.');
  });
});

describe('who sees what', () => {
  it('a login of one client sees its own sources and connections, and can ask no other', async () => {
    const text = await page('/setup', 'bound');
    expect(text).toContain('/webhooks/acme.main/post-call');
    expect(text).toContain('acme.chat');
    expect(text).not.toContain('/webhooks/main/');
    expect(text).not.toMatch(/connections\/sales|>sales</);
    for (const what of ['check', 'fields', 'provision'])
      expect([what, (await post(`/setup/connections/sales/${what}`, 'bound', { confirmed: 'yes' })).status]).toEqual([
        ...[what, 404],
      ]);
  });

  it.each(ROLES)('a %s sees the buttons that it may press', async (role: LoginRole) => {
    const text = await page('/setup', role);
    expect(text.includes('Ask the account now')).toBe(role !== 'viewer');
    expect((await post('/setup/connections/acme.chat/check', role)).status).toBe(role === 'viewer' ? 403 : 200);
  });
});

describe.skipIf(!existsSync(CHROMIUM))('in a browser without a script', () => {
  it('a person asks the account, reads what it says, and comes back', async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await browser.newContext({
      ...{ baseURL: dashboard.url, javaScriptEnabled: false },
    });
    const tab = await context.newPage();
    const heading = tab.getByRole('heading', { level: 1 });
    /** Opens the page, after the sign-in, as often as it takes on a busy machine. */
    const open = async () => {
      await tab.goto('/setup');
      if ((await heading.textContent()) === 'Sign in') {
        await tab.getByLabel('User').fill('operator');
        await tab.getByLabel('Password').fill(PASSWORD);
        await tab.getByRole('button', { name: 'Sign in' }).click();
      }
      return (await heading.textContent()) === 'Set-up';
    };
    const ask = async () => {
      await vi.waitUntil(open, { timeout: PATIENCE, interval: 200 });
      expect(await tab.getByLabel('Webhook address').first().inputValue()).toContain('/webhooks/');
      await tab.getByRole('button', { name: 'Ask the account now' }).first().click();
      return (await heading.textContent()) !== 'Redis does not answer';
    };
    await vi.waitUntil(ask, { timeout: PATIENCE, interval: 200 });
    expect(new URL(tab.url()).pathname).toMatch(/^\/setup\/connections\/.*\/check$/);
    expect(await heading.textContent()).toBe('sales');
    expect(await tab.locator('main dt', { hasText: 'Account' }).count()).toBe(1);
    expect(await tab.locator('main').getByRole('link', { name: 'Set-up' }).getAttribute('href')).toBe('/setup');
    await browser.close();
  });
});
