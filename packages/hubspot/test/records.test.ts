/** Call logs, tasks and the like: linked to whom they belong, whatever happened to the contact meanwhile. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { sampleField } from '@wrapup/destination/sample-plan';
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const phone = (n: number) => `+1415555${String(1000 + n)}`;

function withRecord(plan: Plan, record: Partial<RecordPlan> & Pick<RecordPlan, 'object' | 'name'>): Plan {
  const whole = { type: record.name, key: `${plan.key}:${record.name}`, fields: [], associate: ['person'], ...record };
  return { ...plan, records: [...plan.records, whole] };
}

function withoutPersonFields(plan: Plan): Plan {
  return { ...plan, person: plan.person && { ...plan.person, fields: [] } };
}

describe('a contact that is remembered and was deleted', () => {
  for (const resumed of [false, true]) {
    test(`is found out when the call is linked to it ${resumed ? 'apart' : 'inline'}, and the next attempt finds the right one`, async () => {
      const destination = await account.connect();
      const commons = makeMemoryCommons();
      const call = (id: string) => withoutPersonFields(planFor(hubspotHarness, { id, phone: PHONE, task: false }));
      const [first] = await write(destination, [call('c1')], commons);
      await account.deletePerson(ids(first).person ?? '');
      const plan = call('c2');
      if (resumed) plan.resume = { attempts: 1, records: {} };
      const [gone] = await write(destination, [plan], commons);
      expect(failure(gone)).toMatchObject({ code: 'gone', next: 'retry', details: { record: 'call_log' } });
      expect(failure(gone).details.done).toBeUndefined();
      const [again] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }], commons);
      const { people, call_logs } = await account.effects();
      expect(people.map(({ id }) => id)).toEqual([ids(again).person]);
      expect(call_logs.find(({ id }) => id === ids(again).call_log)?.people).toEqual([ids(again).person]);
    });
  }

  test('spoils no other link', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const plansFor = (prefix: string) =>
      Array.from({ length: 9 }, (_, n) =>
        withoutPersonFields(planFor(hubspotHarness, { id: `${prefix}${n}`, phone: phone(n), task: false })),
      );
    // Logged before their callers were known: a replay links them.
    const plans = plansFor('c');
    const unknown = plans.map((plan) => ({
      ...plan,
      person: plan.person && { ...plan.person, unmatched: 'log_only' as const },
    }));
    const logged = await write(destination, unknown, commons);
    const first = await write(destination, plansFor('d'), commons);
    await account.deletePerson(ids(first[4]).person ?? '');
    const again = plans.map((plan, n) => ({ ...plan, resume: { attempts: 1, records: ids(logged[n]) } }));
    const outcomes = await write(destination, again, commons);
    expect(outcomes.map(({ ok }) => ok)).toEqual(plans.map((_, n) => n !== 4));
    expect(failure(outcomes[4]).code).toBe('gone');
  });
});

test('rows that a success leaves out are healed in the same write, one log a call', async () => {
  const destination = await account.connect();
  account.sandbox.control.fault(
    { kind: 'drop_rows', object: 'contacts', path: 'batch/create', rows: 3 },
    { kind: 'drop_rows', object: 'calls', path: 'batch/create', rows: 5 },
    { kind: 'drop_rows', object: 'tasks', path: 'batch/create', rows: 20 },
  );
  const outcomes = await write(
    destination,
    Array.from({ length: 20 }, (_, n) => planFor(hubspotHarness, { id: `c${n}`, phone: phone(n) })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  const { people, call_logs, tasks } = await account.effects();
  expect([people.length, call_logs.length, tasks.length]).toEqual([20, 20, 20]);
  expect(call_logs.every((log) => log.people.length === 1)).toBe(true);
  expect(tasks.every((task) => task.people.length === 1)).toBe(true);
});

describe('a replay that finds another contact', () => {
  const EMAIL = 'right@example.com';
  const replay = (records: Record<string, string>) =>
    planFor(hubspotHarness, { id: 'c1', email: EMAIL, task: false, resume: { attempts: 1, records } });

  for (const between of ['', ', and the next one finds no contact'])
    test(`remembers whom to take the log off even when the first attempt fails halfway${between}`, async () => {
      const [wrong, right] = await account.addPeople([{ phone: PHONE }, { email: EMAIL }]);
      const destination = await account.connect();
      const commons = makeMemoryCommons();
      const [first] = await write(
        destination,
        [planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false })],
        commons,
      );
      account.sandbox.control.fault({ kind: 'status', path: '/batch/archive' });
      const [failed] = await write(destination, [replay(ids(first))], commons);
      expect(failure(failed)).toMatchObject({ next: 'retry', details: { record: 'call_log' } });
      if (between !== '') {
        const { person, ...plan } = planFor(hubspotHarness, { id: 'c1', email: 'no.contact@example.com', task: false });
        const alone = { ...plan, person: person && { ...person, unmatched: 'log_only' as const } };
        const [logged] = await write(
          destination,
          [{ ...alone, resume: { attempts: 2, records: ids(first) } }],
          commons,
        );
        expect(ids(logged)).toEqual({ call_log: ids(first).call_log });
      }
      // The next attempt knows the person found by then.
      const records = { ...ids(first), person: right ?? '' };
      const [again] = await write(destination, [replay(records)], commons);
      expect(again).toMatchObject({ ok: true, receipt: { notes: [expect.stringContaining(`contact ${wrong}`)] } });
      expect((await account.effects()).call_logs).toMatchObject([{ people: [right] }]);
    });

  test('leaves the link that a colleague makes once the log has moved', async () => {
    const [wrong = '', right = ''] = await account.addPeople([{ phone: PHONE }, { email: EMAIL }]);
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const first = planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false });
    const [logged] = await write(destination, [first], commons);
    const [moved] = await write(destination, [replay(ids(logged))], commons);
    await account.link({ object: 'calls', id: ids(moved).call_log ?? '' }, { object: 'contacts', id: wrong });
    const [again] = await write(destination, [replay(ids(moved))], commons);
    expect(ids(again).person).toBe(right);
    expect((await account.effects()).call_logs[0]?.people.toSorted()).toEqual([wrong, right].toSorted());
  });

  test('leaves the link to a contact that was merged into the one found', async () => {
    const [wrong, right] = await account.addPeople([{ phone: PHONE }, { email: EMAIL }]);
    const destination = await account.connect();
    const [first] = await write(destination, [planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false })]);
    const merged = await fetch(`${account.sandbox.hubspotUrl}/crm/v3/objects/contacts/merge`, {
      method: 'POST',
      headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
      body: JSON.stringify({ primaryObjectId: right, objectIdToMerge: wrong }),
    });
    expect(merged.ok).toBe(true);
    const [outcome] = await write(destination, [replay(ids(first))]);
    expect(ids(outcome).person).toBe(right);
    expect((await account.effects()).call_logs).toMatchObject([{ people: [right] }]);
  });
});

test('a record that is linked to another of the same call follows it', async () => {
  const destination = await account.connect();
  const base = planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false });
  const plan = withRecord(
    withRecord(base, {
      name: 'minutes',
      object: 'notes',
      associate: ['person', 'visit'],
      fields: [sampleField('hs_note_body', 'What was said')],
    }),
    {
      name: 'visit',
      object: 'deals',
      fields: [
        sampleField('dealname', 'Visit'),
        sampleField('dealstage', 'appointmentscheduled'),
        sampleField('pipeline', 'default'),
      ],
    },
  );
  const [outcome] = await write(destination, [plan]);
  const written = ids(outcome);
  expect(Object.keys(written)).toEqual(['person', 'call_log', 'minutes', 'visit']);
  const [note] = account.sandbox.records('notes');
  expect(note?.associations).toEqual({ contacts: [written.person], deals: [written.visit] });
});

test('a record linked to one that the plan does not write is a mistake of the mapping', async () => {
  const plan = withRecord(planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false }), {
    name: 'minutes',
    object: 'notes',
    associate: ['nowhere'],
  });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(failure(outcome)).toMatchObject({ code: 'mapping', next: 'park', details: { record: 'minutes' } });
});

test('an activity without a time of its own stands where the call ended', async () => {
  const ended_at = '2026-11-20T10:00:00.000Z';
  await write(await account.connect(), [planFor(hubspotHarness, { id: 'c1', phone: PHONE, ended_at })]);
  expect((await account.effects()).call_logs[0]?.properties.hs_timestamp).toBe('2026-11-20T10:00:00Z');
});

test('a repeat keeps what people have written where the mapping says if_empty', async () => {
  const destination = await account.connect();
  const plan = (body: string) =>
    planFor(hubspotHarness, {
      id: 'c1',
      phone: PHONE,
      task: false,
      call_fields: [
        sampleField('hs_call_body', body, 'if_empty'),
        sampleField('hs_call_status', 'COMPLETED', 'if_newer'),
      ],
    });
  await write(destination, [plan('First')]);
  await write(destination, [{ ...plan('Second'), resume: { attempts: 1, records: {} } }]);
  const [log] = (await account.effects()).call_logs;
  expect(log?.properties).toMatchObject({ hs_call_body: 'First', hs_call_status: 'COMPLETED' });
});

test('two routes that write the same call log differently write one', async () => {
  const destination = await account.connect();
  const one = planFor(hubspotHarness, { id: 'c1', phone: PHONE, title: 'One', task: false });
  const other = { ...planFor(hubspotHarness, { id: 'c1', phone: PHONE, title: 'Other', task: false }), route: 'other' };
  const outcomes = await write(destination, [one, other]);
  expect(ids(outcomes[0]).call_log).toBe(ids(outcomes[1]).call_log);
  expect((await account.effects()).call_logs).toMatchObject([{ properties: { hs_call_title: 'Other' } }]);
});

test('a preview foretells the requests of the write that follows', async () => {
  await account.addPeople([{ phone: phone(1), first_name: 'Known' }, { email: 'known@example.com' }]);
  const destination = await account.connect();
  const calls = [
    { id: 'c1', phone: phone(1), first_name: 'New' },
    { id: 'c2', phone: phone(2) },
    { id: 'c3', phone: phone(3), email: 'unknown@example.com', task: false },
    { id: 'c4', email: 'known@example.com', task: false },
    { id: 'c5', phone: phone(5), unmatched: 'log_only' as const },
    { id: 'c6', phone: phone(6), unmatched: 'skip' as const },
    { id: 'c7', first_name: 'Anonymous' },
  ];
  for (const call of calls) {
    const plan = planFor(hubspotHarness, call);
    const [preview] = await destination.preview([plan], makeMemoryContext());
    const before = account.requests();
    await write(destination, [plan]);
    expect({ call: call.id, requests: preview?.requests }).toEqual({
      call: call.id,
      requests: account.requests() - before,
    });
  }
});

test('a deal that a colleague took off stays off, of however many a call is linked to', async () => {
  const deals = Array.from({ length: 60 }, () => ({
    properties: { dealname: 'A deal', dealstage: 'contractsent' },
    associations: { contacts: ['#0'] },
  }));
  const contacts = [{ properties: { firstname: 'Ada', phone: PHONE } }];
  account.sandbox.control.seed({ records: { contacts, deals } });
  const base = planFor(hubspotHarness, { id: 'c1', phone: PHONE, task: false });
  const related = { open_deals: { object: 'deals' } };
  const associate = ['person', 'open_deals'];
  const plan = { ...base, records: base.records.map((record) => ({ ...record, associate, related })) };
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const [first] = await write(destination, [plan], commons);
  const log = ids(first).call_log ?? '';
  const linked = () => hubspotHarness.related?.linked(account, log) ?? Promise.resolve([]);
  const [taken = '', ...others] = await linked();
  expect(others).toHaveLength(59);
  await hubspotHarness.related?.unlink(account, log, taken);
  await write(destination, [{ ...plan, resume: { attempts: 1, records: ids(first) } }], commons);
  expect(await linked()).toEqual(others);
});
