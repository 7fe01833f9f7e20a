/** Records of an account that a call belongs to: found through links, by unique and other properties, and checked at load. */
import { type Context, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import type { Plan } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

const PHONE = '+14155550142';
const phone = (n: number) => `+1415555${String(1000 + n)}`;

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const STAGE =
  'stage: { value: contractsent, write: forward, order: [appointmentscheduled, qualifiedtobuy, presentationscheduled, decisionmakerboughtin, contractsent, closedwon, closedlost] }, title: { value: Renewal, write: if_empty }';
const text = (find: string) =>
  `person: { unmatched: create }\ncall_log: { title: A call }\ndeals: [ { name: renewal, find: ${find}, ${STAGE} } ]\n`;
const compiled = (find: string) => compileSample(hubspotDialect, text(find));
function mapped(find: string, id: string, number = PHONE, prompt_variables: Record<string, string> = {}): Plan {
  const { call } = planFor(hubspotHarness, { id, phone: number });
  return compiled(find).plan({ ...call, direction: 'outbound', prompt_variables }, 'sample');
}
const seed = (records: object) => account.sandbox.control.seed({ records } as never) as Record<string, string[]>;
const deal = (properties: object, associations: object) => ({
  properties: { dealname: 'A deal', dealstage: 'qualifiedtobuy', pipeline: 'default', ...properties },
  associations,
});
const ticket = (contact: string) => ({
  properties: { subject: 'A ticket', hs_pipeline_stage: '1' },
  associations: { contacts: [contact] },
});
describe('an open deal', () => {
  test('is the contact’s own, else that of the primary company, and the contact is linked to it', async () => {
    const made = seed({
      contacts: [0, 1].map((n) => ({ properties: { firstname: 'Ada', phone: phone(n) } })),
      companies: [{ properties: { domain: 'acme.example' }, associations: { contacts: ['#0', '#1'] } }],
      deals: [deal({}, { companies: ['#0'] }), deal({}, { companies: ['#0'], contacts: ['#1'] })],
    });
    const [theirs = '', own = ''] = made.deals ?? [];
    // Of the company both deals are open: the second contact has one of their own.
    const plans = [0, 1].map((n) => mapped('{ open: only }, several: newest', `c${n}`, phone(n)));
    const [first, second] = await write(await account.connect(), plans);
    expect([ids(first).renewal, ids(second).renewal]).toEqual([own, own]);
    const { dealstage } = await account.record('deals', own);
    expect([dealstage, (await account.record('deals', theirs)).dealstage]).toEqual(['contractsent', 'qualifiedtobuy']);
    const linked = account.sandbox.records('deals').find(({ id }) => id === own)?.associations.contacts;
    expect([...(linked ?? [])].sort()).toEqual([...(made.contacts ?? [])].sort());
  });

  test('of another pipeline is left alone where the mapping names one', async () => {
    const stages = (prefix: string) => [
      { id: `${prefix}qualifiedtobuy` },
      { id: `${prefix}contractsent` },
      { id: `${prefix}closedwon`, closed: true },
    ];
    account.sandbox.control.seed({
      pipelines: {
        deals: [
          { id: 'default', stages: stages('') },
          { id: 'partners', stages: stages('p-') },
        ],
      },
    });
    const { deals: [other = '', mine = ''] = [] } = seed({
      contacts: [{ properties: { firstname: 'Ada', phone: PHONE } }],
      deals: [
        deal({ pipeline: 'partners', dealstage: 'p-qualifiedtobuy' }, { contacts: ['#0'] }),
        deal({}, { contacts: ['#0'] }),
      ],
    });
    const destination = await account.connect();
    const find = '{ open: only }, pipeline: { value: default, write: if_empty }';
    const [found] = await write(destination, [mapped(find, 'c1')]);
    expect(ids(found).renewal).toBe(mine);
    await account.change('deals', mine, { dealstage: 'closedwon' });
    const [made] = await write(destination, [mapped(find, 'c2')]);
    expect([mine, other]).not.toContain(ids(made).renewal);
  });

  test('that is closed is not written because memory failed while its key was to be read', async () => {
    seed({ contacts: [{ properties: { firstname: 'Ada', phone: PHONE } }] });
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const [made] = await write(destination, [mapped('{ open: newest }', 'c1')], commons);
    await account.change('deals', ids(made).renewal ?? '', { dealstage: 'closedlost', dealname: 'By hand' });
    let times = 1;
    const memory: Context['memory'] = {
      get: (key) =>
        key === 'key-step:deals' && times-- > 0 ? Promise.reject(new Error('Redis is away')) : commons.memory.get(key),
      set: (...args) => commons.memory.set(...args),
      delete: (key) => commons.memory.delete(key),
      digester: () => commons.memory.digester(),
    };
    const plan = mapped('{ open: newest }', 'c2');
    const [failed] = await write(destination, [plan], commons, { memory });
    expect(failure(failed).next).toBe('retry');
    times = 1;
    await expect(destination.preview([plan], makeMemoryContext(commons, { memory }))).rejects.toThrow('Redis is away');
    expect(await account.record('deals', ids(made).renewal ?? '')).toMatchObject({ dealstage: 'closedlost' });
    const [next] = await write(destination, [plan], commons, { memory });
    expect(ids(next).renewal).not.toBe(ids(made).renewal);
  });

  test('is taken off the contact whom the call linked it to when that is another one, and off no contact whom a colleague did', async () => {
    const { contacts: [wrong = ''] = [], deals: [own = '', theirs = ''] = [] } = seed({
      contacts: [{ properties: { firstname: 'Ada', phone: PHONE } }],
      companies: [{ properties: { domain: 'acme.example' }, associations: { contacts: ['#0'] } }],
      deals: [deal({}, { contacts: ['#0'] }), deal({ dealname: 'Of the company' }, { companies: ['#0'] })],
    });
    const contactsOf = (deal: string) =>
      account.sandbox.records('deals').find(({ id }) => id === deal)?.associations.contacts ?? [];
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const deliver = async (plan: Plan, records?: Record<string, string>) => {
      const [outcome] = await write(
        destination,
        [records ? { ...plan, resume: { attempts: 1, records } } : plan],
        commons,
      );
      return ids(outcome);
    };
    const open = '{ open: newest }';
    const named = '{ by: { dealname: prompt_variables.deal } }';
    const [first, second] = [
      await deliver(mapped(open, 'c1')),
      await deliver(mapped(named, 'c2', PHONE, { deal: 'Of the company' })),
    ];
    expect([first.renewal, second.renewal]).toEqual([own, theirs]);
    expect([contactsOf(own), contactsOf(theirs)]).toEqual([[wrong], [wrong]]);
    const [right = ''] = await account.addPeople([{ phone: phone(1) }]);
    await deliver(mapped(open, 'c1', phone(1)), first);
    await deliver(mapped(named, 'c2', phone(1), { deal: 'Of the company' }), second);
    expect([contactsOf(own).toSorted(), contactsOf(theirs)]).toEqual([[wrong, right].toSorted(), [right]]);
  });

  for (const made of ['a call made', 'a colleague linked'])
    test(`that ${made} is linked by a replay to nothing that the person has had since, nor to what a colleague took off`, async () => {
      const { contacts: [ada = ''] = [], tickets: [first = ''] = [] } = seed({
        contacts: [{ properties: { firstname: 'Ada', phone: PHONE } }],
        tickets: [ticket('#0')],
        ...(made === 'a call made' ? {} : { deals: [deal({}, { contacts: ['#0'] })] }),
      });
      const related = { open_tickets: { object: 'tickets' } };
      const plan = mapped('{ open: newest }', 'c1');
      const records = plan.records.map((record) =>
        record.name === 'renewal' ? { ...record, associate: [...record.associate, 'open_tickets'], related } : record,
      );
      const destination = await account.connect();
      const commons = makeMemoryCommons();
      const [outcome] = await write(destination, [{ ...plan, records }], commons);
      const linked = () =>
        account.sandbox.records('deals').find(({ id }) => id === ids(outcome).renewal)?.associations ?? {};
      expect(linked()).toMatchObject({ contacts: [ada], tickets: [first] });
      seed({ tickets: [ticket(ada)] });
      await account.unlink({ object: 'deals', id: ids(outcome).renewal ?? '' }, { object: 'contacts', id: ada });
      const resume = { attempts: 1, records: ids(outcome) };
      await write(destination, [{ ...plan, records, resume }], commons);
      expect([linked().contacts ?? [], linked().tickets]).toEqual([[], [first]]);
    });

  test('is found in two requests for a hundred calls, and linked to in none', async () => {
    const contacts = Array.from({ length: 100 }, (_, n) => ({ properties: { firstname: `N${n}`, phone: phone(n) } }));
    seed({ contacts, deals: contacts.map((_, n) => deal({}, { contacts: [`#${n}`] })) });
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const plans = (prefix: string) =>
      Array.from({ length: 100 }, (_, n) => mapped('{ open: newest }, none: park', `${prefix}${n}`, phone(n)));
    await write(destination, plans('a'), commons);
    account.operations();
    await write(destination, plans('b'), commons);
    expect(account.operations()).toEqual([
      ...['contacts search', 'contacts associations batch/read', 'deals batch/read'],
      'calls batch/create',
    ]);
  });
});

test('a preview says which deal it is, and what the call will cost', async () => {
  seed({
    contacts: [0, 1, 2].map((n) => ({ properties: { firstname: 'Ada', phone: phone(n) } })),
    companies: [{ properties: { domain: 'acme.example' }, associations: { contacts: ['#1'] } }],
    deals: [deal({}, { contacts: ['#0'] }), deal({}, { companies: ['#0'] })],
  });
  const destination = await account.connect();
  for (const [n, did] of (['update', 'update', 'create'] as const).entries()) {
    const plan = mapped('{ open: newest }', `c${n}`, phone(n));
    const [preview] = await destination.preview([plan], makeMemoryContext());
    const shown = preview?.records.find(({ name }) => name === 'renewal');
    account.operations();
    const [outcome] = await write(destination, [plan]);
    expect([n, shown?.did, shown?.id]).toEqual([n, did, did === 'update' ? ids(outcome).renewal : undefined]);
    expect([n, preview?.requests]).toEqual([n, account.operations().length]);
  }
});

describe('a deal by a property', () => {
  test('that is unique is read by it, one that is not is searched for and read again', async () => {
    account.sandbox.control.seed({
      properties: {
        deals: [{ name: 'order_no', type: 'string', fieldType: 'text', hasUniqueValue: true }, { name: 'region' }],
      },
    });
    const { deals: [made = ''] = [] } = seed({ deals: [deal({ order_no: 'A-7', region: 'North' }, {})] });
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const ask = async (id: string, find: string) => {
      account.operations();
      const [outcome] = await write(destination, [mapped(find, id, PHONE, { order: 'A-7', region: 'NORTH' })], commons);
      return [ids(outcome).renewal, account.operations().filter((one) => one.startsWith('deals'))];
    };
    // Search sees nothing of what is new; a unique property is no search.
    account.searchSees(false);
    const unique = '{ by: { order_no: prompt_variables.order } }, none: skip';
    expect(await ask('c1', unique)).toEqual([
      made,
      ['deals properties read', 'deals batch/read', 'deals batch/update', 'deals associations batch/associate/default'],
    ]);
    account.searchSees(true);
    const both = '{ by: { region: prompt_variables.region, dealname: { value: a deal } } }, none: skip';
    const [found, requests] = await ask('c2', both);
    expect(found).toBe(made);
    // It is linked since the first call.
    expect(requests).toEqual(['deals properties read', 'deals properties read', 'deals search', 'deals batch/read']);
  });

  test('that could not be read fails its own call, and no other', async () => {
    account.sandbox.control.seed({
      properties: { deals: [{ name: 'order_no', type: 'string', fieldType: 'text', hasUniqueValue: true }] },
    });
    const { deals: [first = ''] = [] } = seed({
      deals: [deal({ order_no: 'A-7' }, {}), deal({ order_no: 'A-8' }, {})],
    });
    const properties = { order_no: 'A-7', dealstage: 'qualifiedtobuy', createdate: '2026-11-01T10:00:00Z' };
    const body = {
      status: 'COMPLETE',
      results: [{ id: first, properties }],
      errors: [{ status: 'error', category: 'VALIDATION_ERROR', message: 'Not now: A-8.', context: { ids: ['A-8'] } }],
      numErrors: 1,
    };
    account.sandbox.control.fault({ kind: 'status', status: 207, body, path: '/deals/batch/read$' });
    const find = '{ by: { order_no: prompt_variables.order } }, none: skip';
    const outcomes = await write(await account.connect(), [
      mapped(find, 'c1', phone(1), { order: 'A-7' }),
      mapped(find, 'c2', phone(2), { order: 'A-8' }),
    ]);
    expect(ids(outcomes[0]).renewal).toBe(first);
    expect(failure(outcomes[1]).code).toBe('refused');
  });

  test('of leads, which have a property of their own for when they were created, is the newest one', async () => {
    account.sandbox.control.seed({ properties: { leads: [{ name: 'region' }] } });
    const day = (n: number) => ({ hs_lead_name: 'A lead', region: 'North', hs_createdate: `2026-11-0${n}T10:00:00Z` });
    const { leads = [] } = seed({
      contacts: [{ properties: { firstname: 'Ada' } }],
      leads: [2, 1].map((n) => ({ properties: day(n), associations: { contacts: ['#0'] } })),
    });
    const compiledLead = compileSample(
      hubspotDialect,
      'person: { unmatched: create }\ncall_log: { title: A call }\nobjects:\n  - { object: leads, name: lead, find: { by: { region: { value: North } } }, several: newest, none: skip, fields: { hs_lead_label: { value: HOT, write: if_empty } } }\n',
    );
    const { call } = planFor(hubspotHarness, { id: 'c1', phone: PHONE });
    const [outcome] = await write(await account.connect(), [
      compiledLead.plan({ ...call, direction: 'outbound' }, 'sample'),
    ]);
    expect(ids(outcome).lead).toBe(leads[0]);
  });

  test('that is no number, or a time, parks the call and no other', async () => {
    account.sandbox.control.seed({ properties: { deals: [{ name: 'seats', type: 'number', fieldType: 'number' }] } });
    const { deals: [made = ''] = [] } = seed({ deals: [deal({ seats: '12' }, {})] });
    const find = '{ by: { seats: prompt_variables.seats } }, none: skip';
    const outcomes = await write(await account.connect(), [
      mapped(find, 'c1', phone(1), { seats: 'a dozen' }),
      mapped(find, 'c2', phone(2), { seats: '12.0' }),
      mapped('{ by: { closedate: prompt_variables.day } }', 'c3', phone(3), { day: '2026-12-01' }),
    ]);
    expect(failure(outcomes[0])).toMatchObject({ code: 'mapping', details: { at: { line: 3 } } });
    expect(ids(outcomes[1]).renewal).toBe(made);
    expect(failure(outcomes[2])).toMatchObject({ code: 'mapping', message: expect.stringContaining('closedate') });
  });

  test('is checked against the account: the property has to be there, and be no time', async () => {
    const destination = await account.connect();
    const findings = async (find: string) => destination.check([compiled(find)], makeMemoryContext());
    expect(await findings('{ by: { dealname: prompt_variables.deal } }')).toEqual([]);
    expect(await findings('{ by: { dealnam: prompt_variables.deal } }')).toMatchObject([
      { code: 'missing-property', hint: 'Did you mean dealname?', at: { line: 3 } },
    ]);
    expect(await findings('{ by: { closedate: prompt_variables.day } }')).toMatchObject([
      { code: 'not-found-by', message: expect.stringContaining('datetime'), at: { line: 3 } },
    ]);
  });
});
