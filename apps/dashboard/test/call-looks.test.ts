import { hubspotKind } from '@wrapup/hubspot';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import { revisionOf } from '@wrapup/queue';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginAttempt, makeArrival } from '../../../test/support/store.ts';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

const TEXT = `
person: { match: [phone], unmatched: create, fields: { firstname: lead.first_name } }
call_log: { title: "Call: {{ call.outcome }}" }
`;
let sandbox: RunningSandbox;
let dashboard: Harness;

beforeAll(async () => {
  sandbox = await startSandbox({ port: 0, provisioned: true });
  const { mapping } = compileMapping({
    ...{ name: 'mappings/hubspot.yaml', text: TEXT, dialect: hubspotKind.dialect },
    readFile: () => undefined,
  });
  const settings = hubspotKind.settings.parse({ access_token: 'pat-na1-looks', base_url: sandbox.hubspotUrl });
  const base = configOf();
  const config = configOf({
    connections: { sales: { name: 'sales', kind: 'hubspot', settings } },
    routes: base.routes.slice(0, 1).map((route) => ({ ...route, mapping: mapping as CompiledMapping })),
  });
  dashboard = await startDashboard({ config: () => config });
});
afterAll(async () => {
  await dashboard.close();
  await sandbox.close();
});

/** A call that was written. */
async function writtenCall(): Promise<string> {
  const payload = samplePayload('connected');
  const { call_id } = payload.call as { call_id: string };
  const body = Buffer.from(JSON.stringify(payload));
  await dashboard.store.accept(makeArrival(call_id, body), 90);
  const revision = revisionOf(body);
  const wanted = [{ route: 'sales-calls', connection: 'sales' }];
  const facts = { outcome: 'connected', duration: 84, ended_at: Date.now() - 2_000, notes: [] };
  await dashboard.store.ledger.route({ source: 'main', call_id, revision }, { effect: 'applied', facts, wanted });
  const ref = { source: 'main', call_id, revision, route: 'sales-calls', replays: 0 };
  await beginAttempt(dashboard.store, ref, 'abc');
  const records = [{ name: 'call_log', object: 'calls', id: '11', did: 'created' as const }];
  await dashboard.store.ledger.recordOutcome(ref, { state: 'written', records, requests: 2, result: 'booked' });
  return call_id;
}

it('the page of a call says in order what happened to it, and nothing that was said', async () => {
  const id = await writtenCall();
  const text = await (await dashboard.get(`/calls/${id}?source=main`)).text();
  expect(text).toMatch(
    /The call ended<\/b> after 1 min 24 s.*Received<\/b> by webhook.*Written<\/b> on sales-calls to sales/s,
  );
  expect(text).toContain('<dt>Result</dt><dd>booked</dd>');
  expect(text).toContain('What was written, field by field');
  expect(text).not.toContain('Dana');
});

it('its way has each stage, what it waited for, and every request with its trip', async () => {
  const id = await writtenCall();
  const { received_at } = (await dashboard.store.ledger.read('main', id)) ?? { received_at: 0 };
  const at = (ms: number) => received_at + ms;
  const sent = { ...{ source: 'main', call_id: id, route: 'sales-calls', received_at }, queued: at(40) };
  const ok = { status: 200, result: 'ok' as const, took: 80 };
  await dashboard.store.timings.note(
    [
      { ...sent, taken: at(60), planned: at(63) },
      { ...sent, call_id: 'another', taken: at(60), planned: at(63) },
    ],
    {
      sent: at(120),
      requests: [
        { name: 'search 2 people', at: at(121), waited: 0, ...ok },
        { name: 'read 2 calls', at: at(122), waited: 4, ...ok },
        {
          name: 'create 2 calls',
          at: at(230),
          waited: 0,
          took: 30,
          status: 429,
          result: 'throttled',
          retry_after: 2_000,
        },
      ],
    },
    () => 7,
  );
  const text = (await (await dashboard.get(`/calls/${id}?source=main`)).text()).replace(/<[^>]+>/g, '');
  for (const step of [
    'Received by webhook, kept and acknowledged',
    'Queued on sales-calls, read and routed in 40 ms',
    'Taken by a worker, after 20 ms in the queue',
    'Plan made in 3 ms',
    'Sent, with 1 other delivery, after 57 ms',
    'Request search 2 people trip 1, answered 200, took 80 ms',
    'Request read 2 calls trip 1, answered 200, took 80 ms, waited 4 ms for its share of the quota',
    'Request create 2 calls: throttled trip 2, answered 429, took 30 ms, asks to wait 2.0 s',
  ])
    expect(text).toContain(step);
});

it('what was said is shown to the one who asks, and the audit has it', async () => {
  const id = await writtenCall();
  const answer = await dashboard.post(`/calls/${id}/transcript`, { source: 'main' });
  expect(await answer.text()).toMatch(/<dt>Agent<\/dt>.*<dt>Caller<\/dt>/s);
  expect(answer.headers.get('content-security-policy')).toContain("script-src 'none'");
  const { entries } = await dashboard.store.audit.page({});
  expect(entries[0]).toMatchObject({ action: 'read payload', source: 'main', call_id: id });
  expect((await dashboard.get(`/calls/${id}/transcript`)).status).toBe(404);
  expect((await dashboard.post(`/calls/${id}/transcript`, { source: 'other' })).status).toBe(404);
});

it('what a replay of a written call would change is read from the CRM, and nothing is written', async () => {
  const id = await writtenCall();
  const before = sandbox.journal().length;
  const answer = await dashboard.post(`/calls/${id}/preview`, { source: 'main', route: 'sales-calls' });
  const text = await answer.text();
  expect(answer.status).toBe(200);
  expect(text).toContain('Nothing was written.');
  expect(text).toMatch(/<code>firstname<\/code>/);
  expect(text).toContain('Call: connected');
  expect(sandbox.journal()).toHaveLength(before);
  expect((await dashboard.store.audit.page({})).entries[0]).toMatchObject({ action: 'look up', connection: 'sales' });
});

it('says so where the payload is gone', async () => {
  const id = await dashboard.seed({ deliveries: [{ route: 'sales-calls', connection: 'sales' }] });
  const [name = ''] = await dashboard.store.redis.keys(`*payload:main:${id}:*`);
  await dashboard.store.redis.del(name);
  const answer = await dashboard.post(`/calls/${id}/transcript`, { source: 'main' });
  expect([
    answer.status,
    (await answer.text()).includes('The payload of this call has expired or was removed'),
  ]).toEqual([410, true]);
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
