/** Records of an org that a call belongs to: through roles and accounts, by fields of every type, and checked at load. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import type { Plan } from '@wrapup/mapping';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { salesforceDialect } from '../src/index.ts';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const phone = (n: number) => `+1415555${String(1000 + n)}`;
const STAGE =
  'stage: { value: Qualification, write: forward, order: [Prospecting, Qualification, Proposal/Price Quote, Negotiation/Review, Closed Won, Closed Lost] }, title: { value: R, write: if_empty }, fields: { CloseDate: { value: "2026-12-31", write: if_empty } }';
const compiled = (find: string) =>
  compileSample(
    salesforceDialect,
    `person: { unmatched: create, create_as: contact }\ncall_log: { title: A call }\nopportunities: [ { name: renewal, find: ${find}, ${STAGE} } ]\n`,
  );
function mapped(find: string, n: number, prompt_variables: Record<string, string> = {}, id = `c${n}`): Plan {
  const { call } = planFor(salesforceHarness, { id, phone: phone(n) });
  return compiled(find).plan({ ...call, direction: 'outbound', prompt_variables }, 'sample');
}
const seed = (records: Record<string, object[]>) =>
  account.sandbox.control.seed({ salesforce: { records } } as never) as Record<string, string[]>;
const opportunity = (more: object) => ({ Name: 'One', CloseDate: '2026-12-31', StageName: 'Prospecting', ...more });

test('an open opportunity is one in which the contact has a role, else the account’s, and it keeps what it points at', async () => {
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Contact: [ada = '', ben = '', eve = ''] = [] } = seed({
    Contact: [0, 1, 2].map((n) => ({ LastName: `N${n}`, Phone: phone(n), ...(n < 2 ? { AccountId: acme } : {}) })),
  });
  const { Opportunity: [theirs = '', shared = ''] = [] } = seed({
    Opportunity: [opportunity({ AccountId: acme }), opportunity({ ContactId: eve })],
  });
  // A second role: its own field names the primary contact only.
  seed({ OpportunityContactRole: [{ OpportunityId: shared, ContactId: ben }] });
  const plans = [0, 1].map((n) => mapped('{ open: only }', n));
  const [first, second] = await write(await account.connect(), plans);
  expect([ids(first).person, ids(first).renewal]).toEqual([ada, theirs]);
  expect([ids(second).person, ids(second).renewal]).toEqual([ben, shared]);
  const records = account.sandbox.salesforce.records('Opportunity');
  expect(records.map(({ fields }) => [fields.StageName, fields.AccountId ?? null, fields.ContactId ?? null])).toEqual([
    ['Qualification', acme, null],
    ['Qualification', acme, eve],
  ]);
});

test('a preview says which opportunity it is, and what the call will cost', async () => {
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Contact: [ada = ''] = [] } = seed({
    Contact: [0, 1, 2].map((n) => ({ LastName: `N${n}`, Phone: phone(n), ...(n === 1 ? { AccountId: acme } : {}) })),
  });
  seed({ Opportunity: [opportunity({ ContactId: ada }), opportunity({ AccountId: acme })] });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  // The org's definitions are read once.
  await destination.preview([mapped('{ open: newest }', 9)], makeMemoryContext(commons));
  for (const [n, did] of (['update', 'update', 'create'] as const).entries()) {
    const plan = mapped('{ open: newest }', n);
    const [preview] = await destination.preview([plan], makeMemoryContext(commons));
    const shown = preview?.records.find(({ name }) => name === 'renewal');
    account.operations();
    const [outcome] = await write(destination, [plan], commons);
    expect([n, shown?.did, shown?.id]).toEqual([n, did, did === 'update' ? ids(outcome).renewal : undefined]);
    expect([n, preview?.requests]).toEqual([n, account.operations().length]);
  }
});

test('a lead has none: one is made, once for the person', async () => {
  const text = (id: string) => {
    const plan = mapped('{ open: newest }', 7, {}, id);
    return { ...plan, person: plan.person && { ...plan.person, create_as: 'lead' } };
  };
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  const [first] = await write(destination, [text('c1')], commons);
  const [second] = await write(destination, [text('c2')], commons);
  expect(ids(second).renewal).toBe(ids(first).renewal);
  expect(account.sandbox.salesforce.records('Opportunity')).toHaveLength(1);
});

test('two hundred calls that each find their open opportunity cost two requests more', async () => {
  const contacts = Array.from({ length: 200 }, (_, n) => ({ LastName: `N${n}`, Phone: phone(n) }));
  const { Contact: people = [] } = seed({ Contact: contacts });
  const made = seed({ Opportunity: people.map((ContactId) => opportunity({ ContactId })) });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const plans = (prefix: string) =>
    Array.from({ length: 200 }, (_, n) => mapped('{ open: newest }, none: park', n, {}, `${prefix}${n}`));
  const plain = plans('a').map((plan) => ({ ...plan, records: plan.records.slice(0, 1) }));
  // The org's definitions are read once.
  await write(destination, plans('w').slice(0, 1), commons);
  account.operations();
  await write(destination, plain, commons);
  const without = account.operations();
  const outcomes = await write(destination, plans('c'), commons);
  expect(outcomes.map((outcome) => ids(outcome).renewal)).toEqual(made.Opportunity);
  const more = account.operations();
  expect(without).toEqual(['search', 'search', 'collections/create']);
  expect(more).toEqual(['search', 'search', 'composite', 'collections/update', 'collections/create']);
});

test('values are compared as their fields are: texts, numbers, references and check boxes', async () => {
  account.sandbox.control.seed({
    salesforce: {
      fields: {
        Opportunity: [
          { name: 'Seats__c', type: 'double' },
          { name: 'Hot__c', type: 'boolean' },
        ],
      },
    },
  });
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Opportunity: [one = ''] = [] } = seed({
    Opportunity: [
      opportunity({ NextStep: "Ada's \\ way", Seats__c: 12, Hot__c: true, AccountId: acme }),
      opportunity({ NextStep: 'Other', Seats__c: 13 }),
    ],
  });
  const by =
    '{ by: { NextStep: prompt_variables.step, Seats__c: prompt_variables.seats, Hot__c: { value: true }, AccountId: prompt_variables.account } }, none: skip';
  const values = { step: "ADA'S \\ WAY", seats: '12.0', account: acme.slice(0, 15) };
  const outcomes = await write(await account.connect(), [
    mapped(by, 1, values),
    mapped(by, 2, { ...values, seats: '13' }),
    mapped(by, 3, { ...values, seats: 'a dozen' }),
    mapped('{ by: { CloseDate: prompt_variables.day } }', 4, { day: '2026-12-31' }),
  ]);
  expect([ids(outcomes[0]).renewal, ids(outcomes[1]).renewal]).toEqual([one, undefined]);
  expect(failure(outcomes[2])).toMatchObject({ code: 'mapping', message: expect.stringContaining('Seats__c') });
  expect(failure(outcomes[3])).toMatchObject({ code: 'mapping', message: expect.stringContaining('type date') });
});

test('what it is found by is checked against the org', async () => {
  const destination = await account.connect();
  const findings = async (find: string) => destination.check([compiled(find)], makeMemoryContext());
  expect(await findings('{ by: { NextStep: prompt_variables.step } }')).toEqual([]);
  expect(await findings('{ open: newest }')).toEqual([]);
  expect(await findings('{ by: { NextStp: prompt_variables.step } }')).toMatchObject([
    { code: 'missing-property', hint: expect.stringContaining('NextStep'), at: { line: 3 } },
  ]);
  for (const field of ['Description', 'CloseDate'])
    expect(await findings(`{ by: { ${field}: prompt_variables.step } }`)).toMatchObject([
      { code: 'not-found-by', message: expect.stringContaining(field), at: { line: 3 } },
    ]);
});

test('a member of a campaign, of whom Salesforce has one for each person, is that one whatever it says', async () => {
  const { Campaign: [spring = ''] = [] } = seed({ Campaign: [{ Name: 'Spring' }] });
  const { Contact: [ada = ''] = [] } = seed({ Contact: [{ LastName: 'Lovelace', Phone: phone(1) }] });
  const { CampaignMember: [member = ''] = [] } = seed({
    CampaignMember: [{ CampaignId: spring, ContactId: ada, Status: 'Responded' }],
  });
  const text = `person: { unmatched: create, create_as: contact }
objects:
  - name: member
    object: CampaignMember
    find: { by: { CampaignId: { value: ${spring} }, ContactId: person.Id, Status: { value: Sent } } }
    fields: { CampaignId: { value: ${spring}, write: if_empty }, Status: { value: Sent, write: if_empty } }
`;
  const { call } = planFor(salesforceHarness, { id: 'c1', phone: phone(1) });
  const [outcome] = await write(await account.connect(), [compileSample(salesforceDialect, text).plan(call, 'sample')]);
  expect(ids(outcome).member).toBe(member);
  expect(account.sandbox.salesforce.records('CampaignMember')).toHaveLength(1);
});
