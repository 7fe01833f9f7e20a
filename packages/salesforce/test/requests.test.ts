/** What calls cost, counted by the sandbox, and how requests give way to what the org can take. */
import { type Memory, makeMemoryCommons } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { SAMPLE_PLACE, sampleField } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
import { afterEach, expect, test } from 'vitest';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const phone = (n: number) => `+1415555${String(1000 + n)}`;
const plans = (count: number, prefix = 'c') =>
  Array.from({ length: count }, (_, n) =>
    planFor(salesforceHarness, { id: `${prefix}${n}`, phone: phone(n), first_name: `Caller${n}` }),
  );

/** Requests to the API, without those for tokens. */

async function knowEverybody(count: number): Promise<void> {
  account.sandbox.control.seed({
    salesforce: {
      records: {
        Contact: Array.from({ length: count }, (_, n) => ({ LastName: `Known${n}`, Phone: phone(n) })),
      },
    },
  });
}

test('200 known callers with one follow-up each cost at most 0.04 requests a call, definitions included', async () => {
  account = await openAccount();
  await knowEverybody(200);
  const destination = await account.connect();
  account.operations();
  const outcomes = await write(destination, plans(200));
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  const requests = account.operations();
  expect(requests).toEqual([
    'composite',
    'search',
    'search',
    'collections/update',
    'collections/create',
    'collections/create',
  ]);
  expect(requests.length / 200).toBeLessThanOrEqual(0.04);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(400);
  const counted = outcomes.reduce((sum, outcome) => sum + (outcome.ok ? outcome.receipt.requests : 0), 0);
  expect(counted).toBeCloseTo(requests.length, 5);
});

test('a single call costs at most four requests, with nothing known of the org', async () => {
  account = await openAccount();
  await knowEverybody(1);
  account.operations();
  await write(await account.connect(), plans(1));
  expect(account.operations().toSorted()).toEqual(['collections/create', 'collections/update', 'composite', 'search']);
  const stranger = planFor(salesforceHarness, { id: 's1', phone: '+14155550142', first_name: 'Ada' });
  await write(await account.connect(), [stranger]);
  expect(account.operations()).toEqual(['composite', 'search', 'collections/create', 'collections/create']);
});

test('and three once the org is known, one when the person is remembered and has nothing new', async () => {
  account = await openAccount();
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  await write(destination, [planFor(salesforceHarness, { id: 's1', phone: phone(1) })], commons);
  account.operations();
  await write(destination, [planFor(salesforceHarness, { id: 's2', phone: phone(2) })], commons);
  expect(account.operations()).toEqual(['search', 'collections/create', 'collections/create']);
  await write(destination, [planFor(salesforceHarness, { id: 's3', phone: phone(2) })], commons);
  expect(account.operations()).toEqual(['collections/create']);
});

test('e-mail addresses and ids share one request, whatever object they belong to', async () => {
  account = await openAccount();
  const { Contact = [], Lead = [] } = account.sandbox.control.seed({
    salesforce: {
      records: {
        Contact: [{ LastName: 'A', Email: 'a@example.com' }, { LastName: 'B' }],
        Lead: [{ LastName: 'C', Company: 'C', Email: 'c@example.com' }],
      },
    },
  });
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  await write(destination, [planFor(salesforceHarness, { id: 'w', phone: phone(9), task: false })], commons);
  account.operations();
  const outcomes = await write(
    destination,
    [
      planFor(salesforceHarness, { id: '1', email: 'A@example.com', phone: phone(1) }),
      planFor(salesforceHarness, { id: '2', person: Contact[1] as string }),
      planFor(salesforceHarness, { id: '3', email: 'c@example.com' }),
    ],
    commons,
  );
  expect(outcomes.map((outcome) => ids(outcome).person)).toEqual([Contact[0], Contact[1], Lead[0]]);
  expect(account.operations().toSorted()).toEqual(['collections/create', 'collections/update', 'composite']);
});

test('an org whose automation breaks under many rows gets fewer at once, and then more again', async () => {
  account = await openAccount({ automation_rows: { Task: 60 } });
  await knowEverybody(100);
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  const first = await write(destination, plans(100), commons);
  expect(first.filter(({ ok }) => !ok)).toEqual([]);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(200);
  account.operations();
  const sizes = () =>
    account.sandbox.control
      .requests()
      .requests.filter(({ operation, inputs }) => operation === 'collections/create' && inputs !== undefined)
      .map(({ inputs }) => inputs ?? 0);
  const before = sizes().length;
  expect((await write(destination, plans(100, 'd'), commons)).every(({ ok }) => ok)).toBe(true);
  // What was learnt is kept: the first request of the second batch is small already.
  expect(sizes()[before]).toBeLessThanOrEqual(100);
  account.sandbox.control.settings({ salesforce: { automation_rows: {} } });
  for (const prefix of ['e', 'f', 'g']) await write(destination, plans(100, prefix), commons);
  expect(sizes().at(-1)).toBe(200);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(1_000);
});

test('automation that breaks on a single row parks that call alone', async () => {
  account = await openAccount();
  account.sandbox.control.fault({
    api: 'salesforce',
    kind: 'row_error',
    row: '"Subject":"Call c3"',
    code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    message: 'OnTask: System.LimitException: Apex CPU time limit exceeded',
    times: null,
  });
  const outcomes = await write(await account.connect(), plans(8));
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, false, true, true, true, true]);
  expect(failure(outcomes[3])).toMatchObject({ code: 'refused', next: 'park' });
});

test('a row that meets a lock is sent again, and waits without an attempt when the lock stays', async () => {
  account = await openAccount();
  const lock = (times: number | null) =>
    account.sandbox.control.fault({ api: 'salesforce', kind: 'row_error', row: '"Subject":"Call c1"', times });
  lock(2);
  const outcomes = await write(await account.connect(), plans(3));
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  lock(null);
  const [, stuck] = await write(
    await account.connect(),
    plans(3).map((plan) => ({
      ...plan,
      key: `${plan.key}x`,
      records: plan.records.map((record) => ({ ...record, key: `${record.key}x` })),
    })),
  );
  expect(failure(stuck)).toMatchObject({ code: 'locked', next: 'throttle' });
});

test('a lock that one row meets leaves the size of requests as it is', async () => {
  account = await openAccount();
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  await knowEverybody(60);
  account.sandbox.control.fault({ api: 'salesforce', kind: 'row_error', row: '"Subject":"Call c7"', times: null });
  const outcomes = await write(destination, plans(60), commons);
  expect(outcomes.filter(({ ok }) => !ok)).toHaveLength(1);
  account.sandbox.control.clearFaults();
  account.operations();
  await write(destination, plans(60, 'd'), commons);
  expect(account.operations().filter((operation) => operation === 'collections/create')).toHaveLength(1);
});

test('rows of one parent go together: no lock is met among the calls of one batch', async () => {
  account = await openAccount({ locks: 'fail' });
  const destination = await account.connect();
  const calls = Array.from({ length: 130 }, (_, n) => planFor(salesforceHarness, { id: `p${n}`, phone: phone(n % 3) }));
  const outcomes = await write(destination, calls);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(account.sandbox.salesforce.records('Lead')).toHaveLength(3);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(260);
});

test('what calls say of people is written before their records: no lock is met, and requests stay full', async () => {
  account = await openAccount({ locks: 'fail', race_window: 100 });
  account.sandbox.control.seed({
    salesforce: { records: { Lead: plans(60).map((_, n) => ({ LastName: 'L', Company: 'C', Phone: phone(n) })) } },
  });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  for (const batch of ['a', 'b']) {
    const calls = plans(60, batch).map((plan) => ({
      ...plan,
      ended_at: `2026-11-2${batch === 'a' ? 1 : 2}T10:00:00.000Z`,
    }));
    expect((await write(destination, calls, commons)).every(({ ok }) => ok)).toBe(true);
    expect(account.operations().filter((operation) => operation.startsWith('collections/'))).toEqual([
      'collections/update',
      'collections/create',
    ]);
  }
  for (const object of ['Lead', 'Task']) expect(await commons.memory.get(`row-limit:${object}`)).toBeUndefined();
});

test('a memory that does not tell how many rows an object takes, or take it, costs no call', async () => {
  account = await openAccount();
  const commons = makeMemoryCommons();
  const { memory } = commons;
  const guard = (key: string) => {
    if (key.startsWith('row-limit:')) throw new Error('READONLY');
  };
  const broken: Memory = {
    digester: () => memory.digester(),
    async get(key) {
      guard(key);
      return memory.get(key);
    },
    async set(key, value, ttl) {
      guard(key);
      await memory.set(key, value, ttl);
    },
    async delete(key) {
      guard(key);
      await memory.delete(key);
    },
  };
  const destination = await account.connect();
  expect((await write(destination, plans(3), { ...commons, memory: broken })).every(({ ok }) => ok)).toBe(true);
  // Too many at once: their size is not remembered, and they are written.
  account.sandbox.control.fault({ api: 'salesforce', kind: 'row_error', row: '"Subject":"Call', times: 2 });
  const others = await write(destination, plans(4, 'd'), { ...commons, memory: broken });
  expect(others.every(({ ok }) => ok)).toBe(true);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(14);
});

test('a row that nothing is said of is looked for before it is written again', async () => {
  account = await openAccount();
  account.sandbox.control.fault({ api: 'salesforce', kind: 'drop_rows', object: 'Task', rows: 2, times: 1 });
  const outcomes = await write(await account.connect(), plans(5));
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  expect(account.sandbox.salesforce.records('Task')).toHaveLength(10);
});

test('the day’s requests are used up: the connection waits, keeps its attempts, and asks nothing more', async () => {
  account = await openAccount({ limits: { daily: 3, used: 0 } });
  const destination = await account.connect();
  const outcomes = await write(destination, plans(2));
  for (const outcome of outcomes)
    expect(failure(outcome)).toMatchObject({ next: 'throttle', details: { retry_after: expect.any(Number) } });
  expect(account.operations().length).toBeLessThanOrEqual(4);
});

test.each([
  [1, 1],
  [100, 1],
  [1000, 5],
])(
  'associate with account, open opportunities and cases costs %i calls of known callers %i requests more',
  async (calls, more) => {
    account = await openAccount();
    const seed = (records: Record<string, object[]>) =>
      account.sandbox.control.seed({ salesforce: { records } } as never) as Record<string, string[]>;
    const numbers = Array.from({ length: calls }, (_, n) => n);
    const { Account: accounts = [] } = seed({ Account: numbers.map((n) => ({ Name: `Acme ${n}` })) });
    const { Contact: contacts = [] } = seed({
      Contact: numbers.map((n) => ({ LastName: `Known${n}`, Phone: phone(n), AccountId: accounts[n] })),
    });
    seed({ Case: contacts.map((ContactId) => ({ ContactId, Subject: 'A case', Status: 'New' })) });
    const destination = await account.connect();
    const related = {
      account: { object: 'Account' },
      open_opportunities: { object: 'Opportunity', through: 'Account' },
      open_cases: { object: 'Case' },
    };
    const cost = async (prefix: string, words: typeof related | undefined) => {
      account.operations();
      const associate = ['person', ...(words ? ['open_opportunities', 'open_cases', 'account'] : [])];
      for (let start = 0; start < calls; start += destination.batch) {
        const part = numbers.slice(start, start + destination.batch).map((n) => {
          const plan = planFor(salesforceHarness, { id: `${prefix}${n}`, phone: phone(n), task: false });
          const records = plan.records.map((record) => ({
            ...record,
            associate,
            ...(words ? { related: words } : {}),
          }));
          return { ...plan, records };
        });
        expect((await write(destination, part, commons)).every(({ ok }) => ok)).toBe(true);
      }
      return account.operations().length;
    };
    const commons = makeMemoryCommons();
    await cost('first', related);
    const without = await cost('plain', undefined);
    const extra = (await cost('related', related)) - without;
    // Callers who are remembered are known by their id alone: what they belong to is asked first.
    expect(extra).toBeGreaterThanOrEqual(more);
    expect(extra).toBeLessThanOrEqual(2 * more);
    const tasks = account.sandbox.salesforce.records('Task').slice(-calls);
    expect(tasks.every(({ fields }) => String(fields.WhatId).startsWith('500'))).toBe(true);
  },
);

test.each([1, 100, 1000])(
  '%i calls that each find their open opportunity cost at most four requests more a batch',
  async (size) => {
    account = await openAccount();
    const contacts = Array.from({ length: size }, (_, n) => ({ LastName: `Known${n}`, Phone: phone(n) }));
    const { Contact: people = [] } = account.sandbox.control.seed({ salesforce: { records: { Contact: contacts } } });
    const open = { Name: 'One', CloseDate: '2026-12-31', StageName: 'Prospecting' };
    const opportunities = people.map((ContactId) => ({ ...open, ContactId }));
    const made = account.sandbox.control.seed({ salesforce: { records: { Opportunity: opportunities } } });
    const destination = await account.connect();
    const find = { open: true as const, none: 'park' as const, several: 'park' as const, why: '', at: SAMPLE_PLACE };
    const costs = async (prefix: string, finds: boolean) => {
      const found: (string | undefined)[] = [];
      account.operations();
      for (let start = 0; start < size; start += destination.batch) {
        const plans = people.slice(start, start + destination.batch).map((_, n): Plan => {
          const plan = planFor(salesforceHarness, {
            id: `${prefix}${start + n}`,
            phone: phone(start + n),
            task: false,
          });
          const key = `${plan.key}:renewal`;
          const record = {
            type: 'opportunity',
            object: 'Opportunity',
            name: 'renewal',
            key,
            associate: ['person'],
            find,
          };
          const fields = [sampleField('StageName', 'Qualification')];
          return finds ? { ...plan, records: [...plan.records, { ...record, fields }] } : plan;
        });
        found.push(...(await write(destination, plans)).map((outcome) => ids(outcome).renewal));
      }
      return { found, requests: account.operations().length };
    };
    const without = await costs('a', false);
    const finding = await costs('b', true);
    expect(finding.found).toEqual(made.Opportunity);
    expect(finding.requests).toBeLessThanOrEqual(without.requests + 4 * Math.ceil(size / destination.batch));
  },
);
