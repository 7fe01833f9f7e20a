import { deliveryLease, forgetCall, RedisLease, recordOf } from '@wrapup/queue';
import { expect, test } from 'vitest';
import { operator } from '../src/connect/operator.ts';
import { AMBIGUOUS, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const DANA = { phone: '+14155550142', email: 'dana@example.com' };
const DANAS = { phone: DANA.phone };

test('forgets every call of a person, in any state, and no other person', async () => {
  const { env, store, settle, route, receive } = await openInstallation();
  const written = await settle(
    { call_id: 'w-1', ...DANAS },
    { state: 'written', records: [{ name: 'call_log', object: 'calls', id: '17', did: 'created' }], notes: [] },
  );
  await settle({ call_id: 'p-1', ...DANAS }, AMBIGUOUS);
  await route('connected', { call_id: 'q-1', ...DANAS });
  await receive('connected', { call_id: 'r-1', ...DANAS });
  const other = await settle({ call_id: 'o-1', phone: '+14155550199' }, AMBIGUOUS);

  const plan = await wrapup(['forget', '(415) 555-0142', '--plan', '--json'], env);
  expect(plan.json()).toMatchObject({ by: 'phone', plan: true });
  expect((plan.json() as { calls: { call_id: string }[] }).calls.map((call) => call.call_id).sort()).toEqual([
    'p-1',
    'q-1',
    'r-1',
    'w-1',
  ]);
  expect(await store.payloads.read('main', 'w-1', written.revision)).toBeDefined();

  const done = await wrapup(['forget', '+14155550142'], env);
  expect(done.code).toBe(0);
  expect(done.stdout).toContain('stays in the CRM: calls 17');
  expect(done.stdout).toMatch(/4 calls forgotten\n$/);
  for (const id of ['w-1', 'p-1', 'q-1', 'r-1']) {
    const entry = await store.ledger.read('main', id);
    expect(entry?.forgotten).toBeGreaterThan(0);
    for (const { hash } of entry?.revisions ?? []) expect(await store.payloads.read('main', id, hash)).toBeUndefined();
    expect(entry?.deliveries.map(({ state }) => state)).toEqual(
      id === 'r-1' ? [] : [id === 'w-1' ? 'written' : 'dropped'],
    );
  }
  expect(await store.payloads.read('main', 'o-1', other.revision)).toBeDefined();
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toMatchObject([{ call_id: 'o-1' }]);
  expect((await wrapup(['calls', 'show', 'p-1'], env)).stdout).toMatch(
    new RegExp(`forgotten .* by ${operator().name}: .*nothing of it is stored again`),
  );
  expect(await wrapup(['forget', DANA.phone], env)).toMatchObject({ code: 1, stdout: '0 calls forgotten\n' });
  // The address stands in the other call, which has another number.
  expect((await wrapup(['forget', DANA.email.toUpperCase(), '--json'], env)).json()).toMatchObject({
    by: 'email',
    calls: [{ call_id: 'o-1', payloads: 1, dropped: 1 }],
  });
});

test('a call is found when its payload is gone, and others of the same record are named', async () => {
  const { env, store, settle } = await openInstallation();
  const person = { name: 'person', object: 'contacts', id: '501', did: 'unchanged' as const };
  const written = { state: 'written' as const, records: [person], notes: [] };
  const mine = await settle({ call_id: 'm-1', ...DANAS }, written);
  const other = await settle({ call_id: 'o-1', phone: '+14155550199' }, written);
  // As the worker does.
  const index = (call: typeof mine, number: string) =>
    store.people.add(call, call.revision, [{ by: 'number', value: number }, recordOf('sales', 'contacts', '501')], 90);
  await index(mine, '14155550142');
  await index(other, '14155550199');
  await store.payloads.remove('main', 'm-1', [mine.revision]);

  const plan = await wrapup(['forget', DANA.phone, '--plan', '--json'], env);
  expect(plan.json()).toMatchObject({ calls: [{ call_id: 'm-1' }], linked: [{ call_id: 'o-1' }] });
  const done = await wrapup(['forget', DANA.phone], env);
  expect(done.stdout).toContain("o-1 stays: written to the same person's record");
  expect(done.stdout).toContain('stays in the CRM: contacts 501');
  expect(done.stdout).toMatch(/not reached from here:\n[\s\S]*backups of Redis[\s\S]*1 call forgotten\n$/);
  expect((await store.ledger.read('main', 'm-1'))?.deliveries).toMatchObject([{ records: [], state: 'written' }]);

  const linked = await wrapup(['forget', '+14155550199', '--linked', '--json'], env);
  // The first one is out of the index.
  expect(linked.json()).toMatchObject({ calls: [{ call_id: 'o-1' }], linked: [] });
});

test('choices are removed, also those for a connection that is configured no more', async () => {
  const { env, store } = await openInstallation();
  const digest = await store.choices.digestOf('phone', DANA.phone);
  const choice = { digest, of: 'phone' as const, person: '101', by: 'Olga', at: Date.now(), source: 'main' };
  for (const connection of ['sales', 'former', 'acme.former'])
    await store.choices.keep({ ...choice, connection, call_id: 'c-1' });
  const other = await store.choices.digestOf('phone', '+14155550199');
  await store.choices.keep({ ...choice, digest: other, connection: 'former', call_id: 'c-2' });
  const done = await wrapup(['forget', DANA.phone, '--json'], env);
  expect(done.json()).toMatchObject({ memories: 3 });
  expect(await store.choices.list()).toMatchObject([{ connection: 'former', digest: other }]);
});

test('a delivery that is being written is waited for', async () => {
  const { env, store, route } = await openInstallation();
  await route('connected', { call_id: 'q-1', ...DANAS });
  const lease = new RedisLease(store.redis, store.keys);
  const held = await lease.take([deliveryLease('main', 'q-1', 'sales-calls')], 60_000);
  const forgetting = wrapup(['forget', 'q-1', '--json'], env);
  const until = performance.now() + 500;
  while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await store.ledger.read('main', 'q-1'))?.forgotten).toBeUndefined();
  await held?.release();
  expect((await forgetting).json()).toMatchObject({ calls: [{ call_id: 'q-1', dropped: 1, writing: [] }] });

  await route('connected', { call_id: 'q-2', ...DANAS });
  await lease.take([deliveryLease('main', 'q-2', 'sales-calls')], 60_000);
  const stuck = await forgetCall(store, { source: 'main', call_id: 'q-2' }, { wait: 50 });
  expect(stuck).toMatchObject({ writing: ['sales-calls'], payloads: 1 });
});

test('nothing of a forgotten call is stored again, from any sender', async () => {
  const { env, store, receive } = await openInstallation();
  await receive('connected', { call_id: 'c-1', ...DANAS });
  const forgot = await wrapup(['forget', 'c-1', '--json'], env);
  expect(forgot.json()).toMatchObject({ by: 'call id', calls: [{ call_id: 'c-1', payloads: 1, dropped: 0 }] });
  const again = await receive('connected', { call_id: 'c-1', ...DANAS, collected: { budget: '40' } });
  expect(await store.payloads.read('main', 'c-1', again.revision)).toBeUndefined();
  expect((await store.ledger.read('main', 'c-1'))?.revisions).toHaveLength(1);
});

test('what is neither a call nor a person is refused', async () => {
  const { env } = await openInstallation();
  const answer = await wrapup(['forget', 'nonsense'], env);
  expect(answer.code).toBe(2);
  expect(answer.stderr).toContain('no telephone number');
});
