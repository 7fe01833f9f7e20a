/** What was written of a call, field by field, and what has become of it: by a real worker, with the digests that it left. */
import { expect, it, onTestFinished } from 'vitest';
import { openWorkerSystem, until } from '../../worker/test/support/worker-system.ts';
import { askApi, tokenFor } from './support/api.ts';
import { startDashboard } from './support/harness.ts';

const MAPPING = `
person:
  match: [phone]
  unmatched: create
  fields: { firstname: lead.first_name, lastname: lead.last_name, jobtitle: { value: Buyer } }
call_log: { title: "Call: {{ call.outcome }}" }
`;

it('says which field got which value, whose it is now, and by which mapping it was written', async () => {
  const system = await openWorkerSystem({ mapping: MAPPING });
  onTestFinished(() => system.close());
  const dashboard = await startDashboard({ prefix: system.prefix, config: () => system.config });
  onTestFinished(() => dashboard.close());
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  await system.startWorker();
  const { call_id } = await system.arrive({ phone: '+14155550142' });
  await until(async () => (await system.delivery(call_id))?.state === 'written');
  await until(async () => {
    const entry = await system.store.ledger.read('main', call_id);
    return entry !== undefined && (await system.store.timings.read(entry, ['sales-calls'])).size === 1;
  });
  const call = await (await dashboard.get(`/calls/${call_id}?source=main`)).text();
  expect(call).toContain('What was written, field by field');
  expect(call).toMatch(/Request <b>.*calls.*answered 201/);
  expect(call).not.toContain('Dana');

  const token = await tokenFor(dashboard, 'viewer');
  const read = async (path: string) => (await askApi(dashboard, token, path)).body;
  const { timing } = (await read(`/calls/main/${call_id}`)).deliveries[0];
  expect(timing).toMatchObject({
    ...{ batch_size: 1, more_requests: 0, queued: expect.any(String), sent: expect.any(String) },
    requests: expect.arrayContaining([
      {
        at: expect.any(String),
        name: expect.stringContaining('calls'),
        result: 'ok',
        waited: expect.any(Number),
        took: expect.any(Number),
        status: 201,
      },
    ]),
  });
  expect((await read(`/deliveries/main/${call_id}/sales-calls`)).timing).toEqual(timing);
  // A list reads no more than the ledger.
  expect((await read('/calls')).items[0].deliveries[0]).not.toHaveProperty('timing');

  const look = async () => {
    const answer = await dashboard.post(`/calls/${call_id}/preview`, { source: 'main', route: 'sales-calls' });
    return answer.text();
  };
  const row = (page: string, field: string) =>
    new RegExp(`<tr[^>]*><td>(?:[^<]*<br>)?<code>${field}</code></td>.*?</tr>`, 's').exec(page)?.[0] ?? '';
  const person = (await system.delivery(call_id))?.records.find(({ name }) => name === 'person')?.id ?? '';
  const change = await fetch(`${system.sandbox.hubspotUrl}/crm/v3/objects/contacts/${person}`, {
    method: 'PATCH',
    headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
    body: JSON.stringify({ properties: { jobtitle: 'Owner' } }),
  });
  expect(change.status).toBe(200);
  const page = await look();
  expect(page).toContain('by this very mapping');
  expect(row(page, 'firstname')).toMatch(/Dana.*unchanged since Wrapup wrote it/s);
  expect(row(page, 'jobtitle')).toMatch(/Owner.*Buyer.*a colleague changed it since/s);
  expect(row(page, 'hs_call_title')).toMatch(/Call: connected.*unchanged since Wrapup wrote it/s);
  expect((await dashboard.store.audit.page({})).entries[0]).toMatchObject({ action: 'look up', call_id });

  await system.configure(undefined, MAPPING.replace('Buyer', 'Customer'));
  const other = await look();
  expect(other).toContain('by another version of the mapping');
  expect(row(other, 'jobtitle')).toMatch(/Owner.*Customer.*a colleague changed it since/s);
});
