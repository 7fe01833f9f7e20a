import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { ids, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { afterEach, expect, test } from 'vitest';
import { salesforceDialect } from '../src/index.ts';
import { mapped, openAccount, type SalesforceAccount } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const seed = (records: Record<string, Record<string, unknown>[]>) =>
  account.sandbox.control.seed({ salesforce: { records } });
const all = (object: string) => account.sandbox.salesforce.records(object).map(({ fields }) => fields);

test('a member of a campaign is one for each person, also where a colleague made it, and needs no key', async () => {
  account = await openAccount();
  const { Campaign: [spring = ''] = [] } = seed({ Campaign: [{ Name: 'Spring' }] });
  const { Contact: [known = '', met = ''] = [] } = seed({
    Contact: [
      { LastName: 'Known', Phone: PHONE },
      { LastName: 'Met', Phone: '+14155550143' },
    ],
  });
  // Of one of them a colleague made it.
  const { CampaignMember: [colleagues = ''] = [] } = seed({
    CampaignMember: [{ CampaignId: spring, ContactId: met, Status: 'Sent' }],
  });
  const text = (status: string) => `person: { unmatched: create }
objects:
  - name: member
    object: CampaignMember
    fields: { CampaignId: { value: ${spring} }, Status: { value: ${status} } }
`;
  const destination = await account.connect();
  const mapping = compileSample(salesforceDialect, text('Sent'));
  const findings = await destination.check([mapping], makeMemoryContext());
  expect(findings).toEqual([]);
  const { files } = (await destination.package?.({ mappings: [mapping], stand_in: false })) ?? { files: {} };
  expect(Object.keys(files)).not.toContain('objects/CampaignMember.object');
  const commons = makeMemoryCommons();
  const phones = [PHONE, '+14155550143', '+14155550144'];
  const calls = phones.map((phone, n) => mapped(text('Sent'), { id: `c${n}`, phone }));
  const first = await write(destination, calls, commons);
  expect(first.map((outcome) => ids(outcome).member)[1]).toBe(colleagues);
  expect(all('CampaignMember')).toMatchObject([
    { ContactId: met },
    { ContactId: known, CampaignId: spring, Status: 'Sent' },
    { LeadId: ids(first[2]).person },
  ]);
  // Later calls of the same people mean the same members; a colleague's word stays.
  const later = phones.map((phone, n) =>
    mapped(text('Responded'), { id: `d${n}`, phone }, { ended_at: '2026-11-21T10:00:00.000Z' }),
  );
  const second = await write(destination, later, commons);
  expect(second.map((outcome) => ids(outcome).member)).toEqual(first.map((outcome) => ids(outcome).member));
  expect(all('CampaignMember').map(({ Status }) => Status)).toEqual(['Sent', 'Responded', 'Responded']);
  // Processes that share nothing, at once.
  await Promise.all(
    ['e', 'f', 'g'].map(async (id) => write(await account.connect(), [mapped(text('Sent'), { id, phone: PHONE })])),
  );
  expect(all('CampaignMember')).toHaveLength(3);
});

test('a refusal that names no member is looked up, and what is not there is made', async () => {
  account = await openAccount();
  const { Campaign: [spring = ''] = [] } = seed({ Campaign: [{ Name: 'Spring' }] });
  const { Contact: [contact = ''] = [] } = seed({ Contact: [{ LastName: 'Known', Phone: PHONE }] });
  const text = `person: {}
objects: [ { name: member, object: CampaignMember, fields: { CampaignId: { value: ${spring} } } } ]
`;
  account.sandbox.control.fault({
    ...{ api: 'salesforce', kind: 'row_error', row: spring, times: 1 },
    ...{ code: 'DUPLICATE_VALUE', message: 'Already a campaign member.' },
  });
  const [outcome] = await write(await account.connect(), [mapped(text, { id: 'c1', phone: PHONE })]);
  expect(ids(outcome)).toHaveProperty('member');
  expect(all('CampaignMember')).toMatchObject([{ CampaignId: spring, ContactId: contact }]);
});

test('standard objects of the org are written by name, and checked against its definitions', async () => {
  account = await openAccount();
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  seed({ Contact: [{ LastName: 'Known', Phone: PHONE, AccountId: acme }] });
  account.sandbox.control.seed({
    salesforce: {
      fields: { Order: [{ name: 'Wrapup_Key__c', type: 'string', length: 255, unique: true, external_id: true }] },
    },
  });
  const text = `person: {}
objects:
  - { name: machine, object: Asset, title: vars.machine, fields: { Status: { value: Installed } }, associate: [person, account] }
  - name: order
    object: Order
    associate: [account]
    fields: { EffectiveDate: { value: "2026-12-01" }, Status: { value: Draft } }
`;
  const destination = await account.connect();
  expect(await destination.check([compileSample(salesforceDialect, text)], makeMemoryContext())).toEqual([]);
  const plan = mapped(text, { id: 'c1', phone: PHONE }, { vars: { machine: 'Press' } });
  const [outcome] = await write(destination, [plan]);
  expect(Object.keys(ids(outcome))).toEqual(['person', 'machine', 'order']);
  expect(all('Asset')).toMatchObject([{ Name: 'Press', ContactId: ids(outcome).person, AccountId: acme }]);
  expect(all('Order')).toMatchObject([{ AccountId: acme, Status: 'Draft', Wrapup_Key__c: 'main:c1:order' }]);
  const wrong = `person: {}
objects:
  - { name: machine, object: Asset, fields: { Stauts: { value: Installed } } }
  - { name: member, object: CampaignMember, fields: { HasResponded: { value: true } } }
  - { name: nothing, object: Nothing, fields: { Name: vars.x } }
`;
  const findings = await destination.check([compileSample(salesforceDialect, wrong)], makeMemoryContext());
  expect(findings.map(({ code, message, at }) => [code, at?.line, message.split(/[:.]/)[0]])).toEqual([
    ['missing-object', undefined, 'The org has no object Nothing, or the integration user may not see it'],
    ['required-not-mapped', 3, 'machine'],
    ['required-not-mapped', 4, 'member'],
    ['missing-property', 3, 'Asset has no field Stauts that the user sees'],
    ['read-only', 4, 'CampaignMember'],
  ]);
});
