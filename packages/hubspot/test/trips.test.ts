/** In how few trips a call is written: what waits for nothing of another request is sent beside it. */
import { makeMemoryCommons } from '@wrapup/destination';
import { ids, planFor, reached, write } from '@wrapup/destination/conformance';
import type { SampleCall } from '@wrapup/destination/sample-plan';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { givenTo, hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const phone = (n: number) => `+1415555${String(1000 + n)}`;

describe('one trip', () => {
  /** Holds a request until the others are there, too: they do not wait for its answer. */
  async function besides(held: string, others: string[], run: () => Promise<unknown>): Promise<void> {
    const [object = '', operation = ''] = held.split(' ');
    account.operations();
    const before = account.requests();
    account.sandbox.control.fault({ kind: 'held', object, path: `/${operation}$` });
    const writing = run();
    const asked = () =>
      account.sandbox.control
        .requests()
        .requests.slice(before)
        .map((one) => `${one.object} ${one.operation}`);
    await reached(async () => [held, ...others].every((one) => asked().includes(one)));
    account.sandbox.control.clearFaults();
    await writing;
  }
  const plan = (more: Partial<SampleCall> = {}) => planFor(hubspotHarness, { id: 'c1', phone: phone(1), ...more });

  test('writes the log and the task of a new caller', async () => {
    const destination = await account.connect();
    await besides('calls batch/create', ['tasks batch/create'], () => write(destination, [plan()]));
    expect(account.operations()).toHaveLength(4);
  });

  test('writes a known caller, the log and the task', async () => {
    await account.addPeople([{ phone: phone(1) }]);
    const destination = await account.connect();
    const others = ['calls batch/create', 'tasks batch/create'];
    await besides('contacts batch/update', others, () => write(destination, [plan({ first_name: 'Ada' })]));
    expect(account.operations()).toHaveLength(4);
  });

  test('is all that a remembered caller takes whose fields are filled', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    await write(destination, [plan()], commons);
    const others = ['tasks batch/create'];
    await besides('calls batch/create', others, () => write(destination, [plan({ id: 'c2' })], commons));
    expect(account.operations()).toHaveLength(2);
  });

  test('reads all that may be there of a call that comes again, and one more writes all of it', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [plan({ first_name: 'Ada' })], commons);
    const again = (title: string, first_name: string) => {
      const revised = plan({ title, first_name, resume: { attempts: 1, records: ids(first) } });
      const records = revised.records.map((record) => ({
        ...record,
        fields: record.fields.map((field) => (field.name === 'hs_task_subject' ? { ...field, value: title } : field)),
      }));
      return write(destination, [{ ...revised, records }], commons);
    };
    const reads = ['calls batch/read', 'tasks batch/read'];
    await besides('contacts batch/read', reads, () => again('Once more', 'Ada'));
    const updates = ['calls batch/update', 'tasks batch/update'];
    await besides('contacts batch/update', updates, () => again('And again', 'Bea'));
    expect(account.operations()).toHaveLength(6);
    const { people, call_logs, tasks } = await account.effects();
    expect(people).toMatchObject([{ properties: { firstname: 'Bea' } }]);
    expect(call_logs).toMatchObject([{ properties: { hs_call_title: 'And again' }, people: [people[0]?.id] }]);
    expect(tasks).toMatchObject([{ properties: { hs_task_subject: 'And again' }, people: [people[0]?.id] }]);
  });
});

test('what a write is sure to ask of memory it asks at once, before the first request', async () => {
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const owned = (id: string, n: number) =>
    givenTo(planFor(hubspotHarness, { id, phone: phone(n) }), [{ by: 'email', value: 'ada.owner@example.com' }]);
  // The account's owners are known by now.
  await write(destination, [owned('c0', 2)], commons);
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  // Account, owners, the person, the log and the task, and the keys of three objects.
  const sure = 8;
  const get = async (name: string) => {
    asked += 1;
    if (asked === sure) resolve();
    await all;
    return commons.memory.get(name);
  };
  const { memory } = commons;
  const held = {
    get,
    set: memory.set.bind(memory),
    delete: memory.delete.bind(memory),
    digester: memory.digester.bind(memory),
  };
  const [outcome] = await write(destination, [owned('c1', 1)], { ...commons, memory: held });
  expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
  // After the lease: who is remembered now, and whether the person is being created.
  expect(asked).toBe(sure + 2);
});

describe('ten calls', () => {
  const batch = (prefix: string, more: Partial<SampleCall> = {}) =>
    Array.from({ length: 10 }, (_, n) => planFor(hubspotHarness, { id: `${prefix}${n}`, phone: phone(n), ...more }));

  test('cost four requests of new callers, two of remembered ones, three when they come again', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const first = await write(destination, batch('a'), commons);
    expect(account.operations()).toHaveLength(4);
    await write(destination, batch('b'), commons);
    expect(account.operations()).toHaveLength(2);
    const again = batch('a').map((one, n) => ({ ...one, resume: { attempts: 1, records: ids(first[n]) } }));
    await write(destination, again, commons);
    expect(account.operations()).toHaveLength(3);
  });

  test('cost four requests of known callers', async () => {
    await account.addPeople(Array.from({ length: 10 }, (_, n) => ({ phone: phone(n) })));
    await write(await account.connect(), batch('a', { first_name: 'Ada' }));
    expect(account.operations()).toHaveLength(4);
  });
});
