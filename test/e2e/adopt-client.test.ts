/**
 * A source of wrapup.yaml becomes a client's while the processes run: its calls come along, its keys in the CRM stay, and
 * what comes afterwards, at the old address or the new one, makes nothing twice.
 */
import { expect, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem } from '../support/system.ts';

test('calls that are written, parked and on their way are those of the client afterwards, each once', async () => {
  const system = await openSystem();
  onTestFinished(() => system.close());
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  await Promise.all([system.startIngress(), system.startWorker()]);
  const env = { ...system.env, INGRESS_PORT: String(system.ingress?.port) };
  const twin = { properties: { phone: '+14155550150' } };
  const [, second] = system.sandbox.control.seed({ records: { contacts: [twin, twin] } }).contacts ?? [];

  const written = sampleOf('connected', '+14155550151');
  const parked = sampleOf('connected', '+14155550150');
  await system.post(written);
  await system.post(parked);
  expect((await system.settled(written.call.call_id)).deliveries).toMatchObject([{ state: 'written' }]);
  expect((await system.settled(parked.call.call_id)).deliveries).toMatchObject([{ state: 'parked' }]);
  // The CRM is away, so that these are on their way when the names change.
  system.sandbox.control.fault({ kind: 'status', api: 'hubspot', status: 503, times: 10_000 });
  const waiting = [1, 2, 3].map((n) => sampleOf('connected', `+1415555016${n}`));
  for (const payload of waiting) await system.post(payload);

  const adopted = await wrapup(['client', 'adopt', 'main', '--as', 'acme', '--json'], env);
  expect(adopted).toMatchObject({ code: 0, stderr: '' });
  expect(adopted.json()).toMatchObject({ client: 'acme', source: 'acme.main', calls: 5 });
  system.sandbox.control.clearFaults();
  const stateOf = async ({ call: { call_id } }: { call: { call_id: string } }) =>
    (await system.store.ledger.read('acme.main', call_id))?.deliveries.map(({ state, route }) => `${route}: ${state}`);
  for (const payload of [written, ...waiting])
    await expect.poll(() => stateOf(payload)).toEqual(['acme.sales-calls: written']);
  for (const payload of [written, parked, ...waiting])
    expect(await system.store.ledger.read('main', payload.call.call_id)).toBeUndefined();

  // A person decides, and a repeat, a revision and a replay of a call that was written before come.
  await fetch(`${system.sandbox.hubspotUrl}/crm/v3/objects/contacts/${second}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${env.HUBSPOT_ACCESS_TOKEN}` },
  });
  expect((await wrapup(['parked', 'replay', parked.call.call_id], env)).stdout).toContain('1 of 1 replayed');
  await expect.poll(() => stateOf(parked)).toEqual(['acme.sales-calls: written']);
  expect(await system.post(written, 'main')).toMatchObject({ status: 200, body: { status: 'duplicate' } });
  expect(await system.post(written, 'acme.main')).toMatchObject({ status: 200, body: { status: 'duplicate' } });
  const replayed = await wrapup(['replay', written.call.call_id], env);
  expect(replayed.code).toBe(0);
  await expect.poll(() => stateOf(written)).toEqual(['acme.sales-calls: written']);

  const keys = (await system.crm('calls')).map(({ properties }) => properties.wrapup_call_id).sort();
  expect(keys).toEqual([written, parked, ...waiting].map(({ call }) => `main:${call.call_id}`).sort());
  // Once more, as after an interruption.
  expect((await wrapup(['client', 'adopt', 'main', '--as', 'acme', '--json'], env)).json()).toMatchObject({ calls: 0 });
});
