/** What takes the unique key's place where an account refuses it; the conformance suite runs on each step as well. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { sampleField } from '@wrapup/destination/sample-plan';
import type { FieldWrite, Plan } from '@wrapup/mapping';
import { afterEach, expect, test } from 'vitest';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const call = (id: string, more = {}) => planFor(hubspotHarness, { id, phone: PHONE, task: false, ...more });
const operations = () =>
  account.sandbox.control
    .requests()
    .requests.map(({ object, operation, status }) => `${object} ${operation} ${status}`);

test('the refusal of upserts is found out once, and remembered', async () => {
  account = await openAccount('read');
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  // What is written whatever stands there needs no reading first.
  const retried = (id: string): Plan => {
    const plan = call(id);
    const fields = (plan.records[0]?.fields ?? []).map((field): FieldWrite => ({ ...field, write: 'overwrite' }));
    const records = plan.records.map((record) => ({ ...record, fields }));
    return { ...plan, records, resume: { attempts: 1, records: {} } };
  };
  await write(destination, [retried('c1')], commons);
  expect(operations()).toContain('calls batch/upsert 400');
  const before = operations().length;
  await write(destination, [retried('c2')], commons);
  expect(operations().slice(before).toSorted()).toEqual([
    'calls batch/create 201',
    'calls batch/read 207',
    'contacts batch/read 200',
  ]);
});

test('without a key each record carries its key as the last line of its text', async () => {
  account = await openAccount('map');
  const plan = call('c1', { call_fields: [sampleField('hs_call_body', 'Said & done')], task: true });
  await write(await account.connect(), [plan]);
  const { call_logs, tasks } = await account.effects();
  expect(call_logs[0]?.properties.hs_call_body).toBe('Said & done<br><br>Wrapup key: main:c1');
  expect(tasks[0]?.properties.hs_task_body).toBe('Wrapup key: main:c1:call-back');
});

test('a log that was written by an installation whose memory is lost is found among the records of its contact', async () => {
  account = await openAccount('map');
  const plan = (title: string) => call('c1', { title, call_fields: [sampleField('hs_call_body', title)] });
  const destination = await account.connect();
  for (const other of ['c0', 'c11']) await write(destination, [call(other)]);
  const [first] = await write(destination, [plan('Old')]);
  const [again] = await write(
    destination,
    [{ ...plan('New'), resume: { attempts: 1, records: {} } }],
    makeMemoryCommons(),
  );
  expect(ids(again).call_log).toBe(ids(first).call_log);
  const logs = (await account.effects()).call_logs;
  expect(logs).toHaveLength(3);
  expect(logs.find(({ id }) => id === ids(first).call_log)?.properties).toMatchObject({
    // Nothing is known of what was written there.
    hs_call_title: 'Old',
    hs_call_body: 'New<br><br>Wrapup key: main:c1',
  });
});

test('a log is found among more logs than one page of links holds, and a look that failed is no reason to write it again', async () => {
  account = await openAccount('map');
  const logs = Array.from({ length: 500 }, () => ({
    properties: { hs_timestamp: '2026-11-01T10:00:00Z' },
    associations: { contacts: ['#0'] },
  }));
  account.sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Ada', phone: PHONE } }], calls: logs },
  } as never);
  const destination = await account.connect();
  const [first] = await write(destination, [call('c1')]);
  const repeat = { ...call('c1'), resume: { attempts: 1, records: {} } };
  const path = '/contacts/calls/batch/read$';
  const errors = [{ status: 'error', category: 'VALIDATION_ERROR', message: 'Not now.' }];
  account.sandbox.control.fault({
    kind: 'status',
    status: 207,
    body: { status: 'COMPLETE', results: [], errors },
    path,
  });
  account.sandbox.control.fault({ kind: 'empty_success', path, times: null });
  for (const code of ['refused', 'unaccounted']) {
    const [failed] = await write(destination, [repeat], makeMemoryCommons());
    expect(failure(failed).code).toBe(code);
  }
  account.calm();
  const [again] = await write(destination, [repeat], makeMemoryCommons());
  expect(ids(again).call_log).toBe(ids(first).call_log);
  expect((await account.effects()).call_logs).toHaveLength(501);
});

test('a log without a contact is found by its time', async () => {
  account = await openAccount('map');
  const plan = call('c1', { unmatched: 'log_only' });
  const destination = await account.connect();
  await write(destination, [call('c2', { unmatched: 'log_only' })]);
  const [first] = await write(destination, [plan]);
  const [again] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }], makeMemoryCommons());
  expect(ids(again)).toEqual(ids(first));
});

test('who may have been created a moment ago is waited for, not created again', async () => {
  account = await openAccount('map');
  account.searchSees(false);
  const destination = await account.connect({ timeout: 300 });
  const commons = makeMemoryCommons();
  // Both the creation with the key, which is refused, and the one without are attempted.
  account.sandbox.control.fault({ kind: 'commit_then_reset', object: 'contacts', path: 'batch/create', after: 1 });
  const [lost] = await write(destination, [call('c1')], commons);
  expect(failure(lost).next).toBe('retry');
  const [waiting] = await write(destination, [{ ...call('c1'), resume: { attempts: 1, records: {} } }], commons);
  expect(failure(waiting)).toMatchObject({ code: 'busy', next: 'throttle' });
  expect(failure(waiting).details.retry_after).toBeGreaterThan(1000);
  account.searchSees(true);
  const [found] = await write(destination, [{ ...call('c1'), resume: { attempts: 2, records: {} } }], commons);
  const { people } = await account.effects();
  expect(people.map(({ id }) => id)).toEqual([ids(found).person]);
});

test('a property of that name whose values are not unique counts as a line, not as a key', async () => {
  account = await openAccount('map');
  account.sandbox.control.seed({ properties: { calls: [{ name: 'wrapup_call_id' }] } });
  const destination = await account.connect();
  const [first] = await write(destination, [call('c1')]);
  const [again] = await write(
    destination,
    [{ ...call('c1'), resume: { attempts: 1, records: {} } }],
    makeMemoryCommons(),
  );
  expect(ids(again).call_log).toBe(ids(first).call_log);
  const { notes } = await destination.probe(makeMemoryContext());
  expect(notes[0]).toMatch(/step 3 of 3: wrapup_call_id exists but is not unique/);
});

test('a missing key parks unless the connection says otherwise', async () => {
  account = await openAccount();
  account.sandbox.control.reset({ provisioned: false });
  const [outcome] = await write(await account.connect(), [call('c1')]);
  expect(failure(outcome)).toMatchObject({ code: 'missing_property', next: 'park' });
  expect(failure(outcome).hint).toMatch(/wrapup provision.*without_key: id_map/);
});
