/** A caller whom the CRM does not have, where the mapping waits for a person to say what is to be done. */
import { expect, it, onTestFinished } from 'vitest';
import { openWorkerSystem, until } from './support/worker-system.ts';

const MAPPING = `
person: { match: [phone], unmatched: park, fields: { firstname: lead.first_name } }
call_log: { title: "Call: {{ call.outcome }}" }
`;

it('is created once an operator says so, once for a call that is replayed, and no other call goes by it', async () => {
  const system = await openWorkerSystem({ mapping: MAPPING });
  onTestFinished(() => system.close());
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  await system.startWorker();
  const { store } = system;
  const { call_id } = await system.arrive({ phone: '+14155550142' });
  const other = await system.arrive({ phone: '+14155550143' });
  for (const id of [call_id, other.call_id]) await until(async () => (await system.delivery(id))?.state === 'parked');
  const choice = { person: 'new', by: { name: 'ada', via: 'API' as const }, remember: false };
  const choose = () => store.operations.choose('main', call_id, 'sales-calls', choice, { attempts: 3 });
  expect(await choose()).toBe('replayed');
  await until(async () => (await system.delivery(call_id))?.state === 'written');
  const written = await system.delivery(call_id);
  expect(written).toMatchObject({ chosen: { person: 'new', by: 'ada' } });
  const person = written?.records.find(({ name }) => name === 'person');
  expect(person).toMatchObject({ did: 'created' });
  expect(await choose()).toBe('moved');
  await store.operations.replay('main', call_id, 'sales-calls', { attempts: 3, from: ['written'] });
  await until(async () => {
    const delivery = await system.delivery(call_id);
    return delivery?.state === 'written' && delivery.replays === 2;
  });
  expect((await system.delivery(call_id))?.records.find(({ name }) => name === 'person')?.id).toBe(person?.id);
  expect((await system.delivery(other.call_id))?.state).toBe('parked');
  const { entries } = await store.audit.page({ action: 'choose' });
  expect(entries).toMatchObject([{ call_id, record: 'new', was: { state: 'parked', code: 'unmatched_person' } }]);
});
