/** What belongs to contacts and accounts: in one request, the open ones, each of them accounted for. */
import { Failure, makeMemoryContext } from '@wrapup/destination';
import { askedFor, type RelatedQuestion, type RelatedRecords } from '@wrapup/destination/engine';
import { afterEach, expect, test } from 'vitest';
import { SalesforceSession, SalesforceTransport } from '../src/client/transport.ts';
import { readRelated } from '../src/records/related.ts';
import { openAccount, type SalesforceAccount } from './salesforce-harness.ts';

let account: SalesforceAccount;
let transport: SalesforceTransport;
afterEach(async () => {
  transport.close();
  await account.close();
});

async function open() {
  account = await openAccount();
  transport = await SalesforceTransport.open(account.settings());
}
const ask = (questions: RelatedQuestion[]) =>
  readRelated(new SalesforceSession(transport, makeMemoryContext()), questions);
const about = (of: string, ids: string[], object: string, properties: string[] = []): RelatedQuestion => ({
  ...{ of, object, properties },
  ids: askedFor(ids.map((id, plan): [string, number[]] => [id, [plan]])),
});
const idsOf = (answer: RelatedRecords | undefined, id: string) => {
  const records = answer?.get(id) ?? [];
  return records instanceof Failure ? records.code : records.map((one) => one.id);
};
const seed = (records: Record<string, object[]>) =>
  account.sandbox.control.seed({ salesforce: { records } } as never) as Record<string, string[]>;
const opportunity = (StageName: string, more: object) => ({ Name: 'One', CloseDate: '2026-12-31', StageName, ...more });

test('open opportunities, open cases and the account of 200 contacts cost one request, and one for definitions', async () => {
  await open();
  const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
  const { Contact: people = [] } = seed({
    Contact: Array.from({ length: 200 }, (_, n) => ({
      LastName: `Known${n}`,
      ...(n === 0 ? { AccountId: acme } : {}),
    })),
  });
  const [first = '', second = ''] = people;
  const made = seed({
    Opportunity: [
      opportunity('Prospecting', { AccountId: acme }),
      opportunity('Closed Won', { AccountId: acme }),
      opportunity('Qualification', { ContactId: second }),
    ],
    Case: [
      { ContactId: first, Status: 'New' },
      { ContactId: first, Status: 'Closed' },
    ],
  });
  account.operations();
  const [accounts, ofAccount, ofContact, cases] = await ask([
    about('Contact', people, 'Account', ['Name']),
    about('Account', [acme], 'Opportunity', ['StageName']),
    about('Contact', people, 'Opportunity'),
    about('Contact', people, 'Case'),
  ]);
  expect(account.operations()).toEqual(['composite', 'composite']);
  expect(accounts?.get(first)).toEqual([{ id: acme, properties: { Id: acme, Name: 'Acme' } }]);
  expect(idsOf(accounts, second)).toEqual([]);
  expect(ofAccount?.get(acme)).toMatchObject([{ id: made.Opportunity?.[0], properties: { StageName: 'Prospecting' } }]);
  expect([idsOf(ofContact, first), idsOf(ofContact, second)]).toEqual([[], [made.Opportunity?.[2]]]);
  expect(idsOf(cases, first)).toEqual([made.Case?.[0]]);
});

test('leads have none, and a look-up that failed is a failure', async () => {
  await open();
  const { Lead: [lead = ''] = [], Contact: [contact = ''] = [] } = seed({
    Lead: [{ LastName: 'Lead', Company: 'Acme' }],
    Contact: [{ LastName: 'Known' }],
  });
  const [none] = await ask([about('Lead', [lead], 'Opportunity')]);
  expect(idsOf(none, lead)).toEqual([]);
  account.sandbox.control.fault({ kind: 'status', status: 503, path: '/composite$', times: null });
  const [failed] = await ask([about('Contact', [contact], 'Case')]);
  expect(idsOf(failed, contact)).toBe('unavailable');
});

test('what one of them has too many of, and an object that the org does not have, fail no other question', async () => {
  await open();
  const { Contact: [busy = '', other = ''] = [] } = seed({ Contact: [{ LastName: 'Busy' }, { LastName: 'Other' }] });
  const made = seed({
    Case: [...Array.from({ length: 2001 }, () => ({ ContactId: busy, Status: 'New' })), { ContactId: other }],
    Opportunity: [opportunity('Prospecting', { ContactId: busy })],
  });
  const all = (question: RelatedQuestion) => ({ ...question, all: true });
  const [cases, opportunities, visits] = await ask([
    all(about('Contact', [busy, other], 'Case')),
    all(about('Contact', [busy], 'Opportunity')),
    all(about('Contact', [busy], 'Visit__c')),
  ]);
  expect([idsOf(cases, busy), idsOf(cases, other)]).toEqual(['refused', [made.Case?.[2001]]]);
  expect(idsOf(opportunities, busy)).toEqual(made.Opportunity);
  expect(visits?.get(busy)).toMatchObject({ code: 'refused', message: expect.stringContaining('Visit__c') });
});
