/** Requests of the connection setting `composite` that fail in part: what is sent again, and in which size. */
import { planFor, write } from '@wrapup/destination/conformance';
import { sampleField } from '@wrapup/destination/sample-plan';
import type { FaultSpec } from '@wrapup/sandbox';
import { afterEach, expect, test } from 'vitest';
import { openComposite, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const open = async (options: Parameters<typeof openComposite>[1] = {}) => {
  const opened = await openComposite({}, options);
  account = opened.account;
  return opened;
};

const phone = (n: number) => `+1415555${String(1000 + n)}`;
const fault = (spec: Omit<FaultSpec, 'api'>) => account.sandbox.control.fault({ api: 'salesforce', ...spec });

test('one of several requests that may have been done is not sent again as refused rows are', async () => {
  const { commons, destination } = await open({ provisioned: false });
  await account.addPeople(Array.from({ length: 4 }, (_, n) => ({ phone: phone(n) })));
  const before = account.sandbox.salesforce.records('Task').length;
  // The text that looks like a reference is sent apart, so that the rows of one step take two requests.
  const calls = Array.from({ length: 4 }, (_, n) =>
    planFor(salesforceHarness, {
      id: `c${n}`,
      phone: phone(n),
      title: n === 3 ? 'says @{x} here' : `Call ${n}`,
      task: false,
    }),
  );
  fault({ kind: 'commit_then_500', method: 'POST', object: 'Task' });
  const outcomes = await write(destination, calls, commons);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(before + 4);
});

test('an org that is not there gets no smaller requests for it, and keeps the size that it takes', async () => {
  const { commons, destination } = await open();
  const calls = Array.from({ length: 100 }, (_, n) =>
    planFor(salesforceHarness, { id: `c${n}`, phone: phone(n), first_name: n === 7 ? 'says @{x}' : `Caller${n}` }),
  );
  fault({ kind: 'status', status: 503, object: 'Lead', times: null });
  const outcomes = await write(destination, calls, commons);
  expect(outcomes.filter(({ ok }) => ok)).toEqual([]);
  // As many as without the setting: once, a look whether the people are there after all, and once more.
  expect(account.operations()).toEqual([
    'search',
    'composite',
    'collections/create',
    'composite',
    'composite',
    'collections/create',
  ]);
  expect(await commons.memory.get('row-limit:Lead')).toBeUndefined();
});

test('long texts of many calls take further requests, whether they go along with people or not', async () => {
  const { commons, destination } = await open();
  // Three bytes each: fewer characters than the limit has bytes.
  const notes = sampleField('Description', '話'.repeat(31_000), 'overwrite');
  const calls = (prefix: string) =>
    Array.from({ length: 250 }, (_, n) => {
      const plan = planFor(salesforceHarness, { id: `${prefix}${n}`, phone: phone(n), task: false });
      const records = plan.records.map((record) => ({ ...record, fields: [...record.fields, notes] }));
      return { ...plan, records };
    });
  for (const prefix of ['new', 'known']) {
    const outcomes = await write(destination, calls(prefix), commons);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    const bodies = account.sandbox.control
      .requests({ bodies: true })
      .requests.map(({ request_body = '' }) => Buffer.byteLength(request_body));
    expect(Math.max(...bodies)).toBeLessThan(21_000_000);
  }
  expect(account.sandbox.salesforce.records('Task').filter(({ fields }) => fields.Description)).toHaveLength(500);
});
