/** An account as it was before a test began: anything that an account can hold, read back through the vendor's client. */
import { expect, test } from 'vitest';
import { clientOf, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const client = clientOf(sandbox);

async function seed(body: unknown) {
  const response = await fetch(`${sandbox.url}/_sandbox/seed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: ids by object, or an error
  return (await response.json()) as any;
}

test('objects of every kind are linked to each other within one seed', async () => {
  const made = await seed({
    custom_objects: [{ id: '2-4711', name: 'visits' }],
    properties: { '2-4711': [{ name: 'wrapup_topic' }] },
    records: {
      contacts: [{ properties: { firstname: 'Ada' } }, { properties: { firstname: 'Ben' } }],
      companies: [{ properties: { domain: 'acme.example' }, associations: { contacts: ['#0', '#1'] } }],
      deals: [
        {
          properties: { dealname: 'Renewal', dealstage: 'contractsent' },
          associations: { contacts: [{ id: '#1', label: 'Decision maker' }], companies: ['#0'] },
        },
      ],
      '2-4711': [{ properties: { wrapup_topic: 'Renewal' }, associations: { contacts: ['#0'], deals: ['#0'] } }],
    },
  });
  const linked = async (from: string, to: string, id: string) =>
    (await client.crm.associations.v4.basicApi.getPage(from, id, to)).results.map(
      ({ toObjectId, associationTypes }) => [
        String(toObjectId),
        associationTypes.map(({ label }) => label ?? null).sort(),
      ],
    );
  expect(made.error).toBeUndefined();
  expect(await linked('companies', 'contacts', made.companies[0])).toEqual(
    made.contacts.map((id: string) => [id, [null]]),
  );
  expect(await linked('deals', 'contacts', made.deals[0])).toEqual([[made.contacts[1], ['Decision maker', null]]]);
  expect(await linked('2-4711', 'deals', made['2-4711'][0])).toEqual([[made.deals[0], [null]]]);
  expect(
    (await seed({ records: { calls: [{ properties: {}, associations: { contacts: ['#7'] } }] } })).error,
  ).toContain('no contact #7');
});

test('contacts that were archived or merged are gone as at the vendor, and further addresses lead to their owner', async () => {
  const { contacts } = await seed({
    records: {
      contacts: [
        { properties: { email: 'gone@example.com' }, archived: true },
        {
          properties: { email: 'ada@example.com', hs_additional_emails: 'ada@old.example', createdate: '2025-03-01' },
          merged: [{ properties: { email: 'ada@other.example', phone: '+14155550123', firstname: 'Ada' } }],
        },
      ],
    },
  });
  const { basicApi, batchApi } = client.crm.contacts;
  await expect(basicApi.getById(contacts[0])).rejects.toMatchObject({ code: 404 });
  expect((await basicApi.getById(contacts[0], undefined, undefined, undefined, true)).archived).toBe(true);
  const byEmail = async (...emails: string[]) => {
    const properties = ['firstname', 'phone', 'hs_additional_emails', 'hs_merged_object_ids', 'createdate'];
    const inputs = emails.map((id) => ({ id }));
    return (await batchApi.read({ idProperty: 'email', inputs, properties, propertiesWithHistory: [] })).results;
  };
  expect((await byEmail('gone@example.com', 'ada@old.example')).map(({ id }) => id)).toEqual([contacts[1]]);
  const results = await byEmail('ada@other.example');
  expect(results.map(({ id }) => id)).toEqual([contacts[1]]);
  expect(results[0]?.properties).toMatchObject({
    firstname: 'Ada',
    phone: '+14155550123',
    hs_additional_emails: 'ada@old.example;ada@other.example',
    createdate: '2025-03-01T00:00:00Z',
  });
  const loser = results[0]?.properties.hs_merged_object_ids ?? '';
  await expect(basicApi.getById(loser)).rejects.toMatchObject({ code: 404 });
});

test('stages belong to their pipelines', async () => {
  await seed({
    pipelines: {
      deals: [
        { id: 'sales', label: 'Sales', stages: [{ id: 'new' }, { id: 'won' }] },
        { id: 'renewals', stages: [{ id: 'due' }] },
      ],
    },
  });
  const { basicApi } = client.crm.deals;
  const deal = (properties: Record<string, string>) =>
    basicApi.create({ properties: { dealname: 'A deal', ...properties }, associations: [] });
  const { id } = await deal({ pipeline: 'renewals', dealstage: 'due' });
  await deal({ dealstage: 'won' });
  const refusal = {
    code: 400,
    body: { errors: [{ code: 'INVALID_OPTION', context: { propertyName: ['dealstage'] } }] },
  };
  await expect(deal({ dealstage: 'due' })).rejects.toMatchObject(refusal);
  await expect(deal({ pipeline: 'sales', dealstage: 'due' })).rejects.toMatchObject(refusal);
  await expect(basicApi.update(id, { properties: { dealstage: 'won' } })).rejects.toMatchObject(refusal);
  const { options } = await client.crm.properties.coreApi.getByName('deals', 'pipeline');
  expect(options.map(({ value, label }) => [value, label])).toEqual([
    ['sales', 'Sales'],
    ['renewals', 'renewals'],
  ]);
  expect((await seed({ pipelines: { contacts: [] } })).error).toContain('have no pipelines');
});

test('pipelines tell which of their stages are an end', async () => {
  const stages = async (object: 'deals' | 'tickets') =>
    (await client.crm.pipelines.pipelinesApi.getAll(object)).results.flatMap((pipeline) =>
      pipeline.stages.map(({ id, metadata }) => [id, metadata?.isClosed ?? metadata?.ticketState]),
    );
  expect(await stages('tickets')).toEqual([...['1', '2', '3'].map((id) => [id, 'OPEN']), ['4', 'CLOSED']]);
  expect((await stages('deals')).filter(([, closed]) => closed === 'true')).toEqual([
    ['closedwon', 'true'],
    ['closedlost', 'true'],
  ]);
  const { deals } = await seed({
    pipelines: { deals: [{ id: 'own', stages: [{ id: 'due' }, { id: 'paid', closed: true }] }] },
    records: { deals: ['due', 'paid'].map((dealstage) => ({ properties: { dealname: 'A deal', dealstage } })) },
  });
  expect(await stages('deals')).toEqual([
    ['due', 'false'],
    ['paid', 'true'],
  ]);
  const closed = async (id: string) => (await client.crm.deals.basicApi.getById(id, ['hs_is_closed'])).properties;
  expect((await closed(deals[0])).hs_is_closed).toBe('false');
  expect((await closed(deals[1])).hs_is_closed).toBe('true');
});

test('objects that HubSpot has are there once they are switched on, and a lead is made with whom it is about', async () => {
  const lead = { properties: { hs_lead_name: 'A lead' } };
  await expect(client.crm.objects.basicApi.create('leads', { ...lead, associations: [] })).rejects.toMatchObject({
    code: 400,
    body: { message: 'Unable to infer object type from: leads' },
  });
  const { contacts } = await seed({
    objects: ['leads', '0-420'],
    records: { contacts: [{ properties: { firstname: 'Ada' } }] },
  });
  const to = (associationTypeId: number) => [
    { to: { id: contacts[0] }, types: [{ associationCategory: 'HUBSPOT_DEFINED' as never, associationTypeId }] },
  ];
  await expect(client.crm.objects.basicApi.create('leads', { ...lead, associations: [] })).rejects.toMatchObject({
    code: 400,
    body: { category: 'VALIDATION_ERROR', message: expect.stringContaining('must be associated') },
  });
  const { id } = await client.crm.objects.basicApi.create('0-136', { ...lead, associations: to(578) });
  const linked = await client.crm.associations.v4.basicApi.getPage('leads', id, 'contacts');
  expect(linked.results.map(({ associationTypes }) => associationTypes.map(({ typeId }) => typeId))).toEqual([
    [608, 578],
  ]);
  const listing = { properties: { hs_name: 'Loft', hs_price: '250000' }, associations: [] };
  expect((await client.crm.objects.basicApi.create('listings', listing)).properties.hs_price).toBe('250000');
  expect((await seed({ objects: ['boats'] })).error).toContain('no object "boats"');
});

test('owners come and go', async () => {
  await seed({
    owners: [
      { id: '71000009', email: 'Cy@Example.com', first_name: 'Cy', last_name: 'Ng' },
      { id: '71000001', archived: true },
    ],
  });
  const { results } = await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, false);
  expect(results.map(({ id, email, firstName }) => [id, email, firstName])).toEqual([
    ['71000002', 'ben.seller@example.com', 'Ben'],
    ['71000009', 'cy@example.com', 'Cy'],
  ]);
});

test('a seed is read to the letter', async () => {
  expect((await seed({ records: { contacts: [{ properties: {}, links: {} }] } })).error).toContain('no "links"');
  expect((await seed({ pipes: {} })).error).toContain('pipelines, owners');
});
