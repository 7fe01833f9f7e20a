/** What writing costs, counted by the sandbox. */
import { makeMemoryCommons } from '@wrapup/destination';
import { ids, planFor, write } from '@wrapup/destination/conformance';
import { SAMPLE_PLACE, sampleField } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
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

describe('a lone call', () => {
  test('of an unknown number with a task costs four requests', async () => {
    const destination = await account.connect();
    await write(destination, [planFor(hubspotHarness, { id: 'c1', phone: phone(1) })]);
    expect(account.operations().toSorted()).toEqual([
      'calls batch/create',
      'contacts batch/create',
      'contacts search',
      'tasks batch/create',
    ]);
  });

  test('of an unknown number and address with a task costs five', async () => {
    const destination = await account.connect();
    await write(destination, [planFor(hubspotHarness, { id: 'c1', phone: phone(1), email: 'ada@example.com' })]);
    expect(account.operations().toSorted()).toEqual([
      'calls batch/create',
      'contacts batch/create',
      'contacts batch/read',
      'contacts search',
      'tasks batch/create',
    ]);
  });

  test('of a remembered caller costs two, and three when a write mode must read first', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    await write(destination, [planFor(hubspotHarness, { id: 'c1', phone: phone(1), task: false })], commons);
    account.operations();
    const known = planFor(hubspotHarness, { id: 'c2', phone: phone(1), task: false });
    const overwriting = {
      ...known,
      person: known.person && { ...known.person, fields: [sampleField('city', 'Berlin')] },
    };
    await write(destination, [overwriting], commons);
    expect(account.operations().toSorted()).toEqual(['calls batch/create', 'contacts batch/update']);
    await write(
      destination,
      [planFor(hubspotHarness, { id: 'c3', phone: phone(1), first_name: 'Ada', task: false })],
      commons,
    );
    expect(account.operations().toSorted()).toEqual([
      'calls batch/create',
      'contacts batch/read',
      'contacts batch/update',
    ]);
  });

  test('that is retried is read, and created where it is not there', async () => {
    const destination = await account.connect();
    const plan = planFor(hubspotHarness, { id: 'c1', phone: phone(1), task: false });
    await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }]);
    const asked = account.operations();
    expect(asked.toSorted()).toEqual([
      'calls batch/create',
      'calls batch/read',
      'contacts batch/create',
      'contacts batch/read',
      'contacts search',
    ]);
    expect(asked.slice(-2)).toEqual(['contacts batch/create', 'calls batch/create']);
  });
});

/** The same, everything of it given to one owner, who is named by address. */
function owned(plan: Plan, ofPerson = true): Plan {
  return givenTo(plan, [{ by: 'email', value: 'ada.owner@example.com' }], ofPerson);
}

describe('a call with an owner', () => {
  test('costs one request more until the owners are read, then none', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    await write(destination, [owned(planFor(hubspotHarness, { id: 'c1', phone: phone(1) }))], commons);
    const usual = ['calls batch/create', 'contacts batch/create', 'contacts search', 'tasks batch/create'];
    expect(account.operations().toSorted()).toEqual([...usual, 'undefined owners']);
    await write(destination, [owned(planFor(hubspotHarness, { id: 'c2', phone: phone(2) }))], commons);
    expect(account.operations().toSorted()).toEqual(usual);
  });

  test('of a remembered caller costs none more on the records, and a read where the contact is given an owner', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const plan = (id: string, city: string) => {
      const known = planFor(hubspotHarness, { id, phone: phone(1), task: false });
      return { ...known, person: known.person && { ...known.person, fields: [sampleField('city', city)] } };
    };
    await write(destination, [owned(planFor(hubspotHarness, { id: 'c1', phone: phone(1) }))], commons);
    account.operations();
    await write(destination, [owned(plan('c2', 'Berlin'), false)], commons);
    expect(account.operations().toSorted()).toEqual(['calls batch/create', 'contacts batch/update']);
    // No contact changes its owner: it is known of this one that it has one, of the other it has to be read.
    await write(destination, [owned(plan('c3', 'Bonn'))], commons);
    expect(account.operations().toSorted()).toEqual(['calls batch/create', 'contacts batch/update']);
    await write(destination, [planFor(hubspotHarness, { id: 'c4', phone: phone(2), task: false })], commons);
    account.operations();
    const other = owned(planFor(hubspotHarness, { id: 'c5', phone: phone(2), task: false }));
    await write(destination, [other], commons);
    expect(account.operations().toSorted()).toEqual([
      'calls batch/create',
      'contacts batch/read',
      'contacts batch/update',
    ]);
  });

  test('is one of a hundred that cost at most eight requests, the owners among them', async () => {
    await account.addPeople(Array.from({ length: 100 }, (_, n) => ({ phone: phone(n) })));
    const plans = Array.from({ length: 100 }, (_, n) =>
      owned(planFor(hubspotHarness, { id: `c${n}`, phone: phone(n), first_name: `Name ${n}` })),
    );
    const outcomes = await write(await account.connect(), plans);
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    expect(account.operations().length).toBeLessThanOrEqual(8);
    const { call_logs } = await account.effects();
    expect(new Set(call_logs.map(({ properties }) => properties.hubspot_owner_id))).toEqual(new Set(['71000001']));
  });
});

/** What the bench measures is written with the person alone. */
const related = (plan: Plan): Plan => ({
  ...plan,
  records: plan.records.map((record) => ({
    ...record,
    associate: ['person', 'company', 'open_deals'],
    related: { company: { object: 'companies' }, open_deals: { object: 'deals' } },
  })),
});

describe('associate: [person, company, open_deals]', () => {
  test.each([
    [1, 3],
    [100, 3],
    [1000, 30],
  ])('costs %i calls of known callers %i requests more, for any number of records', async (calls, more) => {
    const all = Array.from({ length: calls }, (_, n) => n);
    account.sandbox.control.seed({
      records: {
        companies: all.map((n) => ({ properties: { domain: `c${n}.example` } })),
        contacts: all.map((n) => ({
          properties: { firstname: `Name ${n}`, phone: phone(n) },
          associations: { companies: [`#${n}`] },
        })),
        deals: all.map((n) => ({
          properties: { dealname: `Deal ${n}`, dealstage: 'contractsent' },
          associations: { contacts: [`#${n}`] },
        })),
      },
    });
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const cost = async (prefix: string, map: (plan: Plan) => Plan) => {
      account.operations();
      for (let start = 0; start < calls; start += destination.batch) {
        const part = all.slice(start, start + destination.batch);
        const plans = part.map((n) => map(planFor(hubspotHarness, { id: `${prefix}${n}`, phone: phone(n) })));
        expect((await write(destination, plans, commons)).every(({ ok }) => ok)).toBe(true);
      }
      return account.operations().length;
    };
    await cost('first', (plan) => plan);
    const without = await cost('plain', (plan) => plan);
    expect((await cost('related', related)) - without).toBe(more);
    const logs = account.sandbox.records('calls').slice(-calls);
    expect(logs.every(({ associations: { companies, deals } }) => companies?.length === 1 && deals?.length === 1)).toBe(
      true,
    );
  });
});

describe('a hundred calls', () => {
  test('of callers known by number with one task each cost at most eight requests, search bodies within the limit', async () => {
    await account.addPeople(Array.from({ length: 100 }, (_, n) => ({ phone: phone(n) })));
    const destination = await account.connect();
    const plans = Array.from({ length: 100 }, (_, n) =>
      planFor(hubspotHarness, { id: `c${n}`, phone: phone(n), first_name: `Name ${n}` }),
    );
    const outcomes = await write(destination, plans);
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    expect(account.operations().length).toBeLessThanOrEqual(8);
    const searches = account.sandbox.control
      .requests({ bodies: true })
      .requests.filter(({ operation }) => operation === 'search');
    expect(Math.max(...searches.map((entry) => entry.request_body?.length ?? 0))).toBeLessThanOrEqual(3000);
    const effects = await account.effects();
    expect([effects.people.length, effects.call_logs.length, effects.tasks.length]).toEqual([100, 100, 100]);
    expect(new Set(effects.call_logs.flatMap(({ people }) => people)).size).toBe(100);
  });

  test('of unknown callers find no contact, and are created in one batch', async () => {
    const destination = await account.connect();
    const plans = Array.from({ length: 100 }, (_, n) => planFor(hubspotHarness, { id: `c${n}`, phone: phone(n) }));
    await write(destination, plans);
    const creations = account.operations().filter((operation) => operation.includes('batch/create'));
    expect(creations.toSorted()).toEqual(['calls batch/create', 'contacts batch/create', 'tasks batch/create']);
    expect((await account.effects()).people).toHaveLength(100);
  });

  test('that are repeated, as a replay does, cost at most a tenth of a request each, and add nothing', async () => {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const plans = Array.from({ length: 100 }, (_, n) => planFor(hubspotHarness, { id: `c${n}`, phone: phone(n) }));
    const first = await write(destination, plans, commons);
    account.operations();
    const replays = plans.map((plan, n) => ({ ...plan, resume: { attempts: 1, records: ids(first[n]) } }));
    const again = await write(destination, replays, commons);
    expect(again.map(ids)).toEqual(first.map(ids));
    // Links that were made are not made again.
    expect(account.operations().toSorted()).toEqual(['calls batch/read', 'contacts batch/read', 'tasks batch/read']);
    const effects = await account.effects();
    expect([effects.people.length, effects.call_logs.length, effects.tasks.length]).toEqual([100, 100, 100]);
  });

  test('of one caller are one write of that person, in the order in which they ended', async () => {
    const destination = await account.connect();
    const plans = Array.from({ length: 100 }, (_, n) =>
      planFor(hubspotHarness, {
        id: `c${n}`,
        phone: phone(1),
        first_name: `Name ${n}`,
        ended_at: new Date(Date.UTC(2026, 10, 20, 10, (n * 37) % 100)).toISOString(),
      }),
    );
    const outcomes = await write(destination, plans);
    expect(new Set(outcomes.map((outcome) => ids(outcome).person)).size).toBe(1);
    expect(account.operations().toSorted()).toEqual([
      'calls batch/create',
      'contacts batch/create',
      'contacts search',
      'tasks batch/create',
    ]);
    const last = plans.reduce((a, b) => (a.ended_at > b.ended_at ? a : b));
    const name = last.person?.fields.find((field) => field.name === 'firstname')?.value;
    expect((await account.effects()).people).toMatchObject([{ properties: { firstname: name } }]);
  });
});

test.each([1, 100, 1000])(
  '%i calls that each find their open deal cost at most four requests more a batch',
  async (size) => {
    const contacts = Array.from({ length: size }, (_, n) => ({ properties: { firstname: `N${n}`, phone: phone(n) } }));
    const deals = contacts.map((_, n) => ({
      properties: { dealname: 'A deal', dealstage: 'qualifiedtobuy' },
      associations: { contacts: [`#${n}`] },
    }));
    const made = account.sandbox.control.seed({ records: { contacts, deals } });
    const destination = await account.connect();
    const find = { open: true as const, none: 'park' as const, several: 'park' as const, why: '', at: SAMPLE_PLACE };
    const costs = async (prefix: string, finds: boolean) => {
      const found: (string | undefined)[] = [];
      account.operations();
      for (let start = 0; start < size; start += destination.batch) {
        const plans = contacts.slice(start, start + destination.batch).map((_, n): Plan => {
          const plan = planFor(hubspotHarness, { id: `${prefix}${start + n}`, phone: phone(start + n), task: false });
          const deal = {
            type: 'deal',
            object: 'deals',
            name: 'deal',
            key: `${plan.key}:deal`,
            associate: ['person'],
            find,
          };
          const fields = [sampleField('dealstage', 'contractsent')];
          return finds ? { ...plan, records: [...plan.records, { ...deal, fields }] } : plan;
        });
        found.push(...(await write(destination, plans)).map((outcome) => ids(outcome).deal));
      }
      return { found, requests: account.operations().length };
    };
    const without = await costs('a', false);
    const finding = await costs('b', true);
    expect(finding.found).toEqual(made.deals);
    expect(finding.requests).toBeLessThanOrEqual(without.requests + 4 * Math.ceil(size / destination.batch));
  },
);
