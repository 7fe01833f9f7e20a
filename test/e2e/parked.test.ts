import { userInfo } from 'node:os';
import { samplePayload } from '@wrapup/synthflow';
import { expect, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { openSystem } from '../support/system.ts';

type Payload = { call: { call_id: string } };

async function openBusiness() {
  const system = await openSystem();
  onTestFinished(() => system.close());
  await Promise.all([system.startIngress(), system.startWorker()]);
  const env = { ...system.env, INGRESS_PORT: String(system.ingress?.port) };
  expect((await wrapup(['provision'], env)).code).toBe(0);
  return { system, env };
}

test('an ambiguous caller is parked, shown with its candidates, and written once a person has decided', async () => {
  const { system, env } = await openBusiness();
  const twin = { properties: { phone: '+14155550142' } };
  const [first, second] = system.sandbox.control.seed({ records: { contacts: [twin, twin] } }).contacts ?? [];
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });

  const sent = await wrapup(['send', 'samples/connected.json', '--call-id', 'twins-1'], env);
  expect(sent.code).toBe(0);
  await system.settled('twins-1');
  const list = await wrapup(['parked', 'list', '--json'], env);
  expect(list.json()).toMatchObject([
    {
      call_id: 'twins-1',
      route: 'sales-calls',
      connection: 'sales',
      code: 'ambiguous_person',
      reason: expect.stringMatching(new RegExp(`${first}.*${second}|${second}.*${first}`)),
      hint: expect.stringMatching(/./),
      attempts: 1,
    },
  ]);
  expect((await wrapup(['plan', 'twins-1'], env)).code).toBe(1);

  // A colleague removes one of the two.
  const removed = await fetch(`${system.sandbox.hubspotUrl}/crm/v3/objects/contacts/${second}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${env.HUBSPOT_ACCESS_TOKEN}` },
  });
  expect(removed.status).toBe(204);
  expect((await wrapup(['plan', 'twins-1'], env)).stdout).toContain(`contacts ${first}, found by phone`);
  expect((await wrapup(['parked', 'replay', 'twins-1'], env)).stdout).toContain('1 of 1 replayed');
  await system.settled('twins-1');

  const shown = await wrapup(['calls', 'show', 'twins-1'], env);
  expect(shown.stdout).toMatch(/route sales-calls to sales: written/);
  expect(shown.stdout).toMatch(new RegExp(`record {4}person: contacts ${first} updated`));
  expect(shown.stdout).toMatch(/1 replay/);
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
  expect(await system.crm('calls')).toHaveLength(1);
});

test('an ambiguous caller is decided for one call, or for all of the number, and the decision is taken back', async () => {
  const { system, env } = await openBusiness();
  const twin = { properties: { phone: '+14155550142' } };
  const seeded = system.sandbox.control.seed({ records: { contacts: [twin, twin] } }).contacts ?? [];
  const [first = '', second = ''] = seeded;
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  const call = async (id: string) => {
    expect((await wrapup(['send', 'samples/connected.json', '--call-id', id], env)).code).toBe(0);
    return (await system.settled(id)).deliveries[0];
  };
  expect(await call('couple-1')).toMatchObject({ state: 'parked' });
  const before = await wrapup(['calls', 'show', 'couple-1'], env);
  for (const id of [first, second]) expect(before.stdout).toContain(`could be  ${id}`);
  expect(before.stdout).toContain('wrapup parked choose couple-1 --route sales-calls --person <id>');

  // Anyone else is refused, with the candidates.
  const stranger = await wrapup(['parked', 'choose', 'couple-1', '--person', '999'], env);
  expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining(first)]);
  expect(await system.crm('calls')).toHaveLength(0);

  const chosen = await wrapup(['parked', 'choose', 'couple-1', '--person', second, '--json'], env);
  expect(chosen.json()).toMatchObject({ call_id: 'couple-1', route: 'sales-calls', person: second, remembered: false });
  const written = (await system.settled('couple-1')).deliveries[0];
  expect(written).toMatchObject({ state: 'written', chosen: { person: second, by: userInfo().username } });
  expect(written?.records.find(({ name }) => name === 'person')?.id).toBe(second);
  // It stays decided when the call is replayed.
  expect((await wrapup(['plan', 'couple-1'], env)).stdout).toContain('one was chosen by an operator');
  await wrapup(['replay', '--route', 'sales-calls', '--since', '1h', '--yes'], env);
  expect((await system.settled('couple-1')).deliveries[0]).toMatchObject({ state: 'written' });

  expect(await call('couple-2')).toMatchObject({ state: 'parked' });
  const kept = await wrapup(['parked', 'choose', 'couple-2', '--person', first, '--remember'], env);
  expect([kept.code, kept.stderr]).toEqual([0, '']);
  await system.settled('couple-2');
  const third = await call('couple-3');
  expect(third).toMatchObject({ state: 'written' });
  expect(third?.records.find(({ name }) => name === 'person')?.id).toBe(first);
  const list = (await wrapup(['choices', 'list', '--json'], env)).json() as { choice: string }[];
  expect(list).toMatchObject([{ connection: 'sales', of: 'phone', person: first, call_id: 'couple-2' }]);
  expect((await wrapup(['choices', 'remove', list[0]?.choice ?? ''], env)).stdout).toContain('Removed');
  expect((await wrapup(['choices', 'list', '--json'], env)).json()).toEqual([]);
  expect(await call('couple-4')).toMatchObject({ state: 'parked' });

  // Forgetting the person takes the choice along.
  await wrapup(['parked', 'choose', 'couple-4', '--person', first, '--remember'], env);
  await system.settled('couple-4');
  expect((await wrapup(['forget', '+14155550142'], env)).code).toBe(0);
  expect((await wrapup(['choices', 'list', '--json'], env)).json()).toEqual([]);
  expect(await system.crm('contacts')).toHaveLength(2);
});

test('a contradicting revision is parked; replaying it writes the newer content over the older', async () => {
  const { system, env } = await openBusiness();
  const payload = (budget: string) =>
    JSON.stringify(
      samplePayload('connected', { call_id: 'rev-1', duration: budget === 'low' ? 100 : 200 }) as Payload & object,
    );
  await wrapup(['send', '-'], env, payload('low'));
  await system.settled('rev-1');
  expect((await system.crm('calls'))[0]?.properties.hs_call_duration).toBe('100000');

  await wrapup(['send', '-'], env, payload('high'));
  await system.settled('rev-1');
  const parked = await wrapup(['parked', 'list', '--json'], env);
  expect(parked.json()).toMatchObject([
    { call_id: 'rev-1', code: 'contradiction', reason: expect.stringContaining('duration') },
  ]);
  expect((await wrapup(['calls', 'show', 'rev-1'], env)).stdout).toContain('waits for a person');

  // The plan is of what a replay would write.
  const plan = await wrapup(['plan', 'rev-1'], env);
  expect(plan.stdout).toMatch(/hs_call_duration \(Call duration\): .*100000.* -> .*200000/);
  await wrapup(['parked', 'replay', '--reason', 'contradicts'], env);
  await system.settled('rev-1');
  expect((await system.crm('calls')).map(({ properties }) => properties.hs_call_duration)).toEqual(['200000']);
});
