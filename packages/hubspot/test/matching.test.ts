/** Whom HubSpot's look-ups find, and whom they only seem to find. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { deliver, failure, ids, planFor, reached, write } from '@wrapup/destination/conformance';
import { sampleField } from '@wrapup/destination/sample-plan';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

function seedContacts(...contacts: Record<string, string>[]): string[] {
  const records = contacts.map((properties) => ({ properties: { firstname: 'Someone', ...properties } }));
  return account.sandbox.control.seed({ records: { contacts: records } }).contacts ?? [];
}

async function findByPhone(value: string): Promise<string[] | string> {
  const destination = await account.connect();
  const [answer] = await destination.find([{ match: [{ by: 'phone', value }], properties: [] }], makeMemoryContext());
  if (answer?.found === 'many') return answer.candidates.map(({ id }) => id);
  return answer?.found === 'one' ? answer.person.id : 'none';
}

test.each([
  ['+1 415-555-0142', '+14155550142'],
  ['(415) 555-0142', '+14155550142'],
  ['4155550142', '+14155550142'],
  ['+44 20 7946 0142', '+442079460142'],
  ['+49 (0)30 901820', '+4930901820'],
])('a number stored as %s is found by %s', async (stored, sought) => {
  const [id] = seedContacts({ phone: stored });
  expect(await findByPhone(sought)).toBe(id);
});

test('the open deal and the open ticket of a person are read along, those that were created last', async () => {
  const [id = '', other = ''] = seedContacts({ phone: '+14155550142' }, { phone: '+14155550143' });
  const deal = (dealname: string, dealstage: string, createdate: string) => ({
    properties: { dealname, dealstage, createdate },
    associations: { contacts: [id] },
  });
  account.sandbox.control.seed({
    records: {
      deals: [
        deal('Old', 'contractsent', '2026-01-01T10:00:00Z'),
        deal('Young', 'contractsent', '2026-03-01T10:00:00Z'),
        deal('Won', 'closedwon', '2026-04-01T10:00:00Z'),
      ],
    },
  } as never);
  const destination = await account.connect();
  const question = (value: string) => ({
    match: [{ by: 'phone' as const, value }],
    properties: [],
    open: { open_deal: ['dealname', 'id'], open_ticket: ['subject'] },
  });
  const answers = await destination.find([question('+14155550142'), question('+14155550143')], makeMemoryContext());
  expect(answers).toMatchObject([
    {
      found: 'one',
      person: { id, open: { open_deal: { dealname: 'Young', id: expect.any(String) }, open_ticket: null } },
    },
    { found: 'one', person: { id: other, open: { open_deal: null, open_ticket: null } } },
  ]);
  expect(JSON.stringify(answers)).not.toMatch(/Old|Won/);
  // What could not be read is not taken for none.
  account.sandbox.control.fault({ kind: 'status', status: 503, path: 'contacts/deals', times: null });
  const [unread] = await destination.find([question('+14155550142')], makeMemoryContext());
  expect(unread).toMatchObject({ person: { id } });
  expect(unread?.found === 'one' && unread.person.open).toEqual({ open_ticket: null });
});

test('deals and companies of a person are read along: open deals first, then those that were changed last', async () => {
  const [id = ''] = seedContacts({ phone: '+14155550142' });
  const deal = (dealname: string, dealstage: string, hs_lastmodifieddate: string) => ({
    properties: { dealname, dealstage, hs_lastmodifieddate },
    associations: { contacts: [id] },
  });
  account.sandbox.control.seed({
    records: {
      deals: [
        deal('Won', 'closedwon', '2026-04-01T10:00:00Z'),
        deal('Old', 'contractsent', '2026-01-01T10:00:00Z'),
        deal('Young', 'contractsent', '2026-03-01T10:00:00Z'),
      ],
      companies: [{ properties: { name: 'Acme' }, associations: { contacts: [id] } }],
    },
  } as never);
  const related = {
    deals: { properties: ['dealname'], most: 3 },
    companies: { properties: ['name'], most: 1 },
  };
  const question = { match: [{ by: 'phone' as const, value: '+14155550142' }], properties: [], related };
  const destination = await account.connect();
  const [answer] = await destination.find([question], makeMemoryContext());
  expect(answer?.found === 'one' && answer.person.related).toEqual({
    deals: [{ dealname: 'Young' }, { dealname: 'Old' }, { dealname: 'Won' }],
    companies: [{ name: 'Acme' }],
  });
  const few = { ...related, deals: { properties: ['dealname'], most: 1 } };
  const [first] = await destination.find([{ ...question, related: few }], makeMemoryContext());
  expect(first).toMatchObject({ person: { related: { deals: [{ dealname: 'Young' }] } } });
  // What could not be read is not taken for none.
  account.sandbox.control.fault({ kind: 'status', status: 503, path: 'contacts/deals', times: null });
  const [unread] = await destination.find([question], makeMemoryContext());
  expect(unread?.found === 'one' && unread.person.related).toEqual({ companies: [{ name: 'Acme' }] });
});

test('the mobile number counts as well as the phone', async () => {
  const [id] = seedContacts({ mobilephone: '+14155550142' });
  expect(await findByPhone('+14155550142')).toBe(id);
});

test('the same local number in another country is another person', async () => {
  seedContacts({ phone: '+442079460142' });
  expect(await findByPhone('+12079460142')).toBe('none');
});

test('several contacts with a number come oldest first', async () => {
  const contacts = seedContacts({ phone: '+14155550142' }, { mobilephone: '(415) 555-0142' }, { phone: '4155550142' });
  expect(await findByPhone('+14155550142')).toEqual(contacts);
});

test('an additional address finds its contact, alone and together with a number', async () => {
  const [id] = seedContacts({ email: 'main@example.com', hs_additional_emails: 'old@example.com;older@example.com' });
  const destination = await account.connect();
  const questions = [
    { match: [{ by: 'email' as const, value: 'Old@example.com' }], properties: ['email'] },
    {
      match: [
        { by: 'email' as const, value: 'older@example.com' },
        { by: 'phone' as const, value: '+14155550142' },
      ],
      properties: [],
    },
  ];
  const answers = await destination.find(questions, makeMemoryContext());
  expect(answers).toMatchObject([
    { found: 'one', by: 'email', person: { id, properties: { email: 'main@example.com' } } },
    { found: 'one', by: 'email', person: { id } },
  ]);
});

test('an id that is no HubSpot id is passed over, and spoils no other look-up', async () => {
  const [id] = seedContacts({ phone: '+14155550142' });
  const destination = await account.connect();
  const answers = await destination.find(
    [
      {
        match: [
          { by: 'id', value: 'not-an-id' },
          { by: 'phone', value: '+14155550142' },
        ],
        properties: [],
      },
      { match: [{ by: 'id', value: id ?? '' }], properties: [] },
    ],
    makeMemoryContext(),
  );
  expect(answers).toMatchObject([
    { found: 'one', by: 'phone' },
    { found: 'one', by: 'id' },
  ]);
});

test('an unknown caller whose address belongs to a contact after all is that contact', async () => {
  // Search and read see nothing of it; only the creation finds out.
  const destination = await account.connect();
  const [id] = seedContacts({ email: 'ada@example.com' });
  const plan = planFor(hubspotHarness, { id: 'c1', phone: '+14155550142', email: 'ada@example.com' });
  const unaware = {
    ...plan,
    person: plan.person && { ...plan.person, match: plan.person.match.filter(({ by }) => by === 'phone') },
  };
  const [outcome] = await write(destination, [unaware]);
  expect(ids(outcome).person).toBe(id);
  const effects = await account.effects();
  expect(effects.people).toHaveLength(1);
  expect(effects.call_logs).toMatchObject([{ people: [id] }]);
});

test('a contact made for a number is not overwritten when its number was corrected by hand', async () => {
  const destination = await account.connect();
  const call = { id: 'c1', phone: '+14155550142' };
  const fill = (name: string) => [sampleField('firstname', name, 'if_empty')];
  const [first] = await write(destination, [planFor(hubspotHarness, { ...call, person_fields: fill('Typo') })]);
  const id = ids(first).person ?? '';
  const response = await fetch(`${account.sandbox.hubspotUrl}/crm/v3/objects/contacts/${id}`, {
    method: 'PATCH',
    headers: { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' },
    body: JSON.stringify({ properties: { firstname: 'Corrected', phone: '+14155550999' } }),
  });
  expect(response.ok).toBe(true);
  const later = planFor(hubspotHarness, { ...call, id: 'c2', person_fields: fill('Typo') });
  const [second] = await write(destination, [later], makeMemoryCommons());
  expect(ids(second).person).toBe(id);
  const { people } = await account.effects();
  expect(people).toMatchObject([{ properties: { firstname: 'Corrected', phone: '+14155550999' } }]);
});

test('an address that another contact holds is left out with a note, or parks the call', async () => {
  const [mine, other] = seedContacts({ phone: '+14155550142' }, { email: 'taken@example.com' });
  const plan = (id: string) =>
    planFor(hubspotHarness, {
      id,
      phone: '+14155550142',
      person_fields: [sampleField('email', 'taken@example.com'), sampleField('city', 'Berlin')],
    });
  const [dropped] = await write(await account.connect({ drop_refused_fields: true }), [plan('c1')]);
  expect(ids(dropped).person).toBe(mine);
  expect(dropped).toMatchObject({
    receipt: { notes: [{ code: 'taken_value', field: 'email', reason: expect.stringContaining(`contact ${other}`) }] },
  });
  expect((await account.effects()).people[0]?.properties).toMatchObject({ city: 'Berlin' });
  const [parked] = await write(await account.connect({ drop_refused_fields: false }), [plan('c2')]);
  expect(failure(parked)).toMatchObject({ code: 'conflict', next: 'park', details: { candidates: [mine, other] } });
});

test('a caller known by number only gets a name, and keeps a given one', async () => {
  const destination = await account.connect();
  await write(destination, [
    planFor(hubspotHarness, { id: 'c1', phone: '+14155550142' }),
    planFor(hubspotHarness, { id: 'c2', phone: '+14155550143', first_name: 'Ada' }),
    planFor(hubspotHarness, { id: 'c3', email: 'ada@example.com' }),
  ]);
  const { people } = await account.effects();
  const named = Object.fromEntries(people.map(({ properties: p }) => [p.phone ?? p.email, p.firstname]));
  expect(named).toEqual({
    '+14155550142': 'Caller +14155550142',
    '+14155550143': 'Ada',
    'ada@example.com': undefined,
  });
});

test('calls of one unknown person, known by number, by address and by both, make one contact', async () => {
  const outcomes = await write(await account.connect(), [
    planFor(hubspotHarness, { id: 'c1', email: 'ada@example.com' }),
    planFor(hubspotHarness, { id: 'c2', phone: '+14155550142' }),
    planFor(hubspotHarness, { id: 'c3', phone: '+14155550142', email: 'ada@example.com' }),
  ]);
  expect(new Set(outcomes.map((outcome) => ids(outcome).person)).size).toBe(1);
  expect((await account.effects()).people).toMatchObject([
    { properties: { email: 'ada@example.com', phone: '+14155550142' } },
  ]);
});

test('a remembered person is kept by hashes: no number or address is in a key', async () => {
  const commons = makeMemoryCommons();
  const keys: string[] = [];
  const memory = {
    get: (key: string) => commons.memory.get(key),
    set: (key: string, value: string, ttl: number) => {
      keys.push(key, value);
      return commons.memory.set(key, value, ttl);
    },
    delete: (key: string) => commons.memory.delete(key),
    digester: () => commons.memory.digester(),
  };
  const plan = planFor(hubspotHarness, { id: 'c1', phone: '+14155550142', email: 'ada@example.com' });
  ids((await write(await account.connect(), [plan], { ...commons, memory }))[0]);
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.join(' ')).not.toMatch(/4155550142|ada@/);
});

test('a contested address whose owner HubSpot does not name parks the call instead of trying for ever', async () => {
  account.sandbox.control.fault({
    kind: 'status',
    object: 'contacts',
    path: '/batch/(?:create|upsert)$',
    times: null,
    status: 409,
    body: { status: 'error', category: 'CONFLICT', message: 'Contact already exists.' },
  });
  const plan = planFor(hubspotHarness, { id: 'c1', phone: '+14155550142', email: 'ada@example.com' });
  const [outcome] = await write(await account.connect(), [plan]);
  expect(failure(outcome)).toMatchObject({ code: 'conflict', next: 'park' });
  expect((await account.effects()).call_logs).toEqual([]);
});

test('contacts that were merged are one, under whichever address or id of either', async () => {
  const { contacts = [] } = account.sandbox.control.seed({
    records: {
      contacts: [
        {
          properties: { email: 'ada@example.com' },
          merged: [{ properties: { email: 'ada@other.example', phone: '+14155550142' } }],
        },
      ],
    },
  });
  const [winner] = contacts;
  const loser = account.sandbox.records('contacts')[0]?.properties.hs_merged_object_ids ?? '';
  const destination = await account.connect();
  const questions = (['ada@other.example', 'ada@example.com'] as const).map((value) => ({
    match: [{ by: 'email' as const, value }],
    properties: [],
  }));
  const byId = {
    match: [
      { by: 'id' as const, value: loser },
      { by: 'phone' as const, value: '+14155550142' },
    ],
    properties: [],
  };
  for (const answer of await destination.find([...questions, byId], makeMemoryContext()))
    expect(answer).toMatchObject({ found: 'one', person: { id: winner } });
});

test('a contact that was archived is not found: the call finds who has its number now, or creates a contact', async () => {
  const phone = '+14155550142';
  const { contacts = [] } = account.sandbox.control.seed({
    records: {
      contacts: [
        { properties: { phone, firstname: 'Gone' }, archived: true },
        { properties: { phone, firstname: 'There' } },
      ],
    },
  });
  const [gone = '', there] = contacts;
  const destination = await account.connect();
  const [outcome] = await write(destination, [planFor(hubspotHarness, { id: 'c1', person: gone, phone })]);
  expect(ids(outcome).person).toBe(there);
  const [made] = await write(destination, [planFor(hubspotHarness, { id: 'c2', person: gone, phone: '+14155550143' })]);
  expect([gone, there]).not.toContain(ids(made).person);
});

const TOKEN = { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' };

async function merge(winner: string, loser: string): Promise<void> {
  const response = await fetch(`${account.sandbox.hubspotUrl}/crm/v3/objects/contacts/merge`, {
    ...{ method: 'POST', headers: TOKEN },
    body: JSON.stringify({ primaryObjectId: winner, objectIdToMerge: loser }),
  });
  if (!response.ok) throw new Error(`could not merge ${loser}: ${await response.text()}`);
}

async function expectLoggedWith(person: string | undefined): Promise<void> {
  const { call_logs, tasks } = await account.effects();
  expect([call_logs, tasks].map((all) => all.map(({ people }) => people))).toEqual([[[person]], [[person]]]);
}

describe('a contact that changes while it is written to, its call log being there', () => {
  const PHONE = '+14155550142';
  const plan = () => planFor(hubspotHarness, { id: 'c1', phone: PHONE, first_name: 'Ada', email: 'ada@example.com' });

  /** Writes the call, and does something after its records are there and before the contact is. */
  async function meanwhile(act: () => Promise<void>) {
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    account.trouble('held', 'update-person');
    const writing = deliver(destination, plan(), commons);
    await reached(async () => {
      const { call_logs, tasks } = await account.effects();
      return call_logs.length + tasks.length === 2;
    });
    await act();
    account.calm();
    return ids(await writing).person;
  }

  test('merged: the log is with the contact that it has become', async () => {
    const [contact = '', winner = ''] = seedContacts({ phone: PHONE }, {});
    expect(await meanwhile(() => merge(winner, contact))).toBe(winner);
    await expectLoggedWith(winner);
    expect((await account.effects()).people).toMatchObject([{ id: winner, properties: { email: 'ada@example.com' } }]);
  });

  test('given an address that another contact holds: where nothing is left out it waits, and the log stays one', async () => {
    const [contact = '', holder = ''] = seedContacts({ phone: PHONE }, { email: 'ada@example.com' });
    const destination = await account.connect({ drop_refused_fields: false });
    const commons = makeMemoryCommons();
    const called = planFor(hubspotHarness, { id: 'c1', phone: PHONE });
    const person = called.person && {
      ...called.person,
      fields: [...called.person.fields, sampleField('email', 'ada@example.com')],
    };
    const [parked] = await write(destination, [{ ...called, person }], commons);
    expect(failure(parked)).toMatchObject({ code: 'conflict', next: 'park' });
    await expectLoggedWith(contact);
    await merge(holder, contact);
    const replayed = await deliver(destination, { ...called, person, resume: { attempts: 1, records: {} } }, commons);
    expect(ids(replayed).person).toBe(holder);
    await expectLoggedWith(holder);
  });
});
