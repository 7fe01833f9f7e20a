import type { Call } from '@wrapup/call';
import { hubspotKind } from '@wrapup/hubspot';
import { type CompiledMapping, compileMapping, type Plan } from '@wrapup/mapping';
import { makeContext } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

const at = { file: 'mappings/hubspot.yaml', line: 12, column: 5 };

/** A mapping of three fields, by hand. */
function planOf(call: Call, route: string): Plan {
  const write = (name: string, value: string) => ({ name, value, write: 'overwrite' as const, at });
  const plan: Plan = {
    key: `${call.source}:${call.id}`,
    route,
    mapping: { name: 'mappings/hubspot.yaml', hash: 'abc' },
    call,
    ended_at: call.ended_at ?? '',
    person: {
      match: call.lead.phone ? [{ by: 'phone', value: call.lead.phone }] : [],
      unmatched: 'create',
      ambiguous: 'park',
      key: call.lead.phone ? 'person:1' : null,
      create_as: 'contact',
      fields: call.lead.first_name ? [write('firstname', call.lead.first_name)] : [],
      fallback: { name: 'Caller' },
    },
    records: [
      {
        type: 'call_log',
        object: 'calls',
        name: 'call_log',
        key: `${call.source}:${call.id}`,
        fields: [write('hs_call_title', `Call: ${call.outcome}`)],
        associate: ['person'],
      },
    ],
    left_out: [{ field: 'person.budget', reason: 'vars.budget is absent', at }],
    needs: [],
    settle: () => plan,
  };
  return plan;
}
const mapping: CompiledMapping = {
  name: 'mappings/hubspot.yaml',
  kind: 'hubspot',
  hash: 'abc',
  fields: [],
  reads: [],
  records: [],
  plan: planOf,
};

let dashboard: Harness;
beforeAll(async () => {
  const config = configOf();
  const routes = config.routes.map((route) => ({ ...route, mapping, when: () => route.name === 'sales-calls' }));
  dashboard = await startDashboard({ config: () => ({ ...config, routes }) });
});
afterAll(() => dashboard.close());

const tryOut = async (payload: string, fields: Record<string, string> = {}) => {
  const answer = await dashboard.post('/playground', { payload, source: 'main', ...fields });
  return { status: answer.status, text: await answer.text() };
};

describe('the playground', () => {
  it('shows how a payload is read, which routes it takes, and the plan of the first', async () => {
    const payload = JSON.stringify(samplePayload('connected'));
    const { status, text } = await tryOut(payload);
    expect(status).toBe(200);
    expect(text).toContain('<dt>Routes it takes</dt><dd>sales-calls</dd>');
    expect(text).toContain('Call: connected');
    expect(text).toContain('<code>hs_call_title</code>');
    expect(text).toContain('Looked for by phone +1');
    expect(text).toContain('vars.budget is absent');
    expect(text).toContain('mappings/hubspot.yaml:12');
  });

  it('shows the plan of another route when it is asked for', async () => {
    const { text } = await tryOut(JSON.stringify(samplePayload('voicemail')), { route: 'alerts' });
    expect(text).toContain('of route alerts to alerts');
  });

  it('keeps nothing: not in Redis, not in the log', async () => {
    const before = await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`);
    const payload = samplePayload('connected', { name: 'Zebulon Quist', phone: '+14155550177' });
    await tryOut(JSON.stringify(payload));
    expect(await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`)).toEqual(before);
    expect(dashboard.logged()).not.toMatch(/Zebulon|4155550177/);
  });

  it('shows what was pasted as text, in the box and in the plan', async () => {
    const evil = '</textarea><script>alert(1)</script>';
    const { text } = await tryOut(
      JSON.stringify(samplePayload('connected', { name: evil, collected: { [evil]: evil } })),
    );
    expect(text).not.toContain('<script>');
    expect(text.match(/<\/textarea>/g)).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['no call id', '{"call":{}}', 'no call id'],
    ['not an object', '[]', 'no call id'],
    ['nothing', '', 'Paste a payload first'],
  ])('says what is wrong with %s', async (_what, payload, words) => {
    const { status, text } = await tryOut(payload);
    expect(status).toBe(422);
    expect(text).toContain(words);
  });

  it('says so when source or route do not exist', async () => {
    const payload = JSON.stringify(samplePayload('connected'));
    expect((await tryOut(payload, { source: '__proto__' })).text).toContain('Choose a source');
    expect((await tryOut(payload, { route: 'nowhere' })).text).toContain('no such route');
  });

  it('refuses what is too large', async () => {
    expect((await tryOut('x'.repeat(6 * 1024 * 1024))).status).toBe(413);
  });

  it('says so when no route matches', async () => {
    const config = configOf();
    const own = await startDashboard({ config: () => ({ ...config, routes: [] }) });
    try {
      const payload = JSON.stringify(samplePayload('connected'));
      expect(await (await own.post('/playground', { payload })).text()).toContain('none matches');
    } finally {
      await own.close();
    }
  });
});

it('a parked call shows who its candidates are, read from the CRM for this page and kept nowhere', async () => {
  const sandbox = await startSandbox({ provisioned: true });
  const base = configOf();
  const settings = hubspotKind.settings.parse({ access_token: 'pat-na1-test', base_url: sandbox.hubspotUrl });
  const connections = { ...base.connections, sales: { name: 'sales', kind: 'hubspot', settings } };
  const own = await startDashboard({ config: () => ({ ...base, connections }) });
  try {
    const contacts = [
      { properties: { firstname: 'Dana', lastname: 'Example', email: 'dana@example.com' } },
      { properties: { firstname: '<b>Dan</b>' } },
    ];
    const ids = sandbox.control.seed({ records: { contacts } }).contacts ?? [];
    const id = await own.seed(parked({ candidates: [...ids, '999999'] }));
    const page = async () => (await (await own.get(`/calls/${id}`)).text()).replace(/\s+/g, ' ');
    const text = await page();
    expect(text).toMatch(
      new RegExp(
        `<a href="[^"]+${ids[0]}"[^>]*>contacts ${ids[0]}</a> Dana Example, dana@example.com <form class="choose"`,
      ),
    );
    expect(text).toMatch(/&lt;b&gt;Dan/);
    expect(text).toMatch(/999999 <span[^>]*>is not there any more/);
    const kept = await own.store.redis.hgetall(own.store.keys.ledger('main', id));
    expect(JSON.stringify(kept) + own.logged()).not.toContain('dana@example.com');
    const line =
      own
        .logged()
        .split('\n')
        .find((one) => one.includes('look up')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      ...{ msg: 'an operator acted', user: 'local user', address: '127.0.0.1' },
      ...{ source: 'main', call_id: id, route: 'sales-calls', connection: 'sales' },
    });
    // A CRM that does not answer leaves the page as it is.
    await sandbox.close();
    expect(await page()).toMatch(
      /could not be asked who they are.*Two contacts match|Two contacts match.*could not be asked/,
    );
  } finally {
    await own.close();
    await sandbox.close();
  }
});

describe('the playground, when the CRM is asked', () => {
  it('shows whom it found, old and new of each field, what stays, what is linked and what it would cost', async () => {
    const sandbox = await startSandbox({ provisioned: true, settings: { hubspot: { search_lag: 0 } } });
    const compiled = compileMapping({
      name: 'mappings/hubspot.yaml',
      text: 'extends: hubspot/call-log\nperson: { ambiguous: oldest, fields: { city: vars.city, jobtitle: vars.topic } }\n',
      dialect: hubspotKind.dialect,
      readFile: () => undefined,
    }).mapping as CompiledMapping;
    const base = configOf();
    const sales = { access_token: 'pat-na1-test', base_url: sandbox.hubspotUrl };
    const settings = hubspotKind.settings.parse(sales);
    const own = await startDashboard({
      config: () => ({
        ...base,
        connections: { ...base.connections, sales: { name: 'sales', kind: 'hubspot', settings } },
        routes: base.routes.map((route) => ({ ...route, to: 'sales', mapping: compiled, when: () => true })),
      }),
    });
    try {
      const phone = '+14155550142';
      const contacts = [
        { properties: { phone, firstname: 'Daniela', jobtitle: 'CEO' } },
        { properties: { phone, firstname: '<b>Dan</b>' } },
      ];
      sandbox.control.seed({ records: { contacts } });
      const payload = JSON.stringify(samplePayload('connected'));
      const answer = await own.post('/playground', { payload, source: 'main', ask: 'yes' });
      const text = (await answer.text()).replace(/\s+/g, ' ');
      expect(text).toContain('2 records found by phone: is written to.');
      // The look-up is an operator's action; whom it was about is not in the log.
      const [line = '', ...others] = own
        .logged()
        .split('\n')
        .filter((one) => one.includes('an operator acted'));
      expect(others).toEqual([]);
      expect(JSON.parse(line)).toMatchObject({
        ...{ action: 'look up', user: 'local user', address: '127.0.0.1' },
        ...{ source: 'main', route: 'sales-calls', connection: 'sales' },
      });
      expect(own.logged()).not.toMatch(/4155550142|Daniela/);
      expect(text).toMatch(/chosen<\/span>.*Daniela.*not taken<\/span>.*&lt;b&gt;Dan/);
      expect(text).toMatch(
        /<code>firstname<\/code><\/td> <td class="value">Daniela<\/td> <td class="value"><i>stays<\/i>, not Dana/,
      );
      expect(text).toMatch(/<code>jobtitle<\/code><\/td> <td class="value">CEO<\/td> <td class="value">upgrade/);
      expect(text).toMatch(/create call-back <span class="to">tasks, linked to person/);
      expect(text).toMatch(/person\.city.*vars\.city is not in the call.*mappings\/hubspot\.yaml:2/);
      expect(text).toMatch(/It would cost \d+ requests?\. Nothing was written\./);
      expect(sandbox.records('calls')).toEqual([]);

      sandbox.control.fault({ kind: 'unauthorized', times: null });
      const refused = await own.post('/playground', { payload, source: 'main', ask: 'yes' });
      const said = await refused.text();
      expect(said).toContain('The CRM could not be asked');
      // The mapping alone is better than nothing.
      expect(said).toContain('Looked for by');
    } finally {
      await own.close();
      await sandbox.close();
    }
  });

  it('renews tokens with the workers, whose refresh token the CRM has replaced', async () => {
    const sandbox = await startSandbox({
      provisioned: true,
      settings: { hubspot: { search_lag: 0, oauth: { rotate: true } } },
    });
    const app = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', refresh_token: 'sandbox-refresh' };
    const settings = hubspotKind.settings.parse({ ...app, base_url: sandbox.hubspotUrl });
    const base = configOf();
    const own = await startDashboard({
      config: () => ({
        ...base,
        connections: { ...base.connections, sales: { name: 'sales', kind: 'hubspot', settings } },
        routes: base.routes.map((route) => ({ ...route, to: 'sales', mapping, when: () => true })),
      }),
    });
    try {
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const signal = new AbortController().signal;
      const context = makeContext(own.store, { connection: 'sales', priority: 'live', within: 60_000, signal, log });
      const worker = await hubspotKind.connect('sales', settings);
      await worker.probe(context);
      await worker.close();
      // The worker's access token has ended; the refresh token of the configuration is no longer taken.
      for (const key of await own.store.redis.keys(`${own.store.keys.prefix}*access*`)) await own.store.redis.del(key);
      const payload = JSON.stringify(samplePayload('connected'));
      const answer = await own.post('/playground', { payload, source: 'main', ask: 'yes' });
      expect(await answer.text()).toMatch(/No person is found: would be created/);
      expect(sandbox.control.requests().by_operation['oauth token']).toBe(2);
    } finally {
      await own.close();
      await sandbox.close();
    }
  });
});
