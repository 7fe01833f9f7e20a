/** Records that point at their person by a field, of which one value stands at a time. */
import { makeMemoryCommons } from '@wrapup/destination';
import { planFor, write } from '@wrapup/destination/conformance';
import { afterEach, expect, test } from 'vitest';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const OTHER = '+14155550143';

test('a call log that moved to another person moves back with the number, and with what that person has', async () => {
  account = await openAccount();
  const seed = (records: Record<string, object[]>) =>
    account.sandbox.control.seed({ salesforce: { records } } as never);
  const { Contact: [ada = '', ben = ''] = [] } = seed({
    Contact: [
      { LastName: 'Lovelace', Phone: PHONE },
      { LastName: 'Babbage', Phone: OTHER },
    ],
  });
  const { Case: [hers = ''] = [] } = seed({ Case: [{ ContactId: ada, Subject: 'A case', Status: 'New' }] });
  const give = async (to: string, from: string) => {
    await account.change('Contact', from, { Phone: OTHER });
    await account.change('Contact', to, { Phone: PHONE });
  };
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const plan = planFor(salesforceHarness, { id: 'c1', phone: PHONE, first_name: 'Ada', task: false });
  const records = plan.records.map((record) => ({
    ...record,
    associate: ['person', 'open_cases'],
    related: { open_cases: { object: 'Case' } },
  }));
  const log = () => account.sandbox.salesforce.records('Task').map(({ fields: { WhoId, WhatId } }) => [WhoId, WhatId]);
  await write(destination, [{ ...plan, records }], commons);
  expect(log()).toEqual([[ada, hers]]);
  // It comes again, as if nothing of it were done yet.
  const again = { ...plan, records, resume: { attempts: 1, records: {}, done: [] } };
  await give(ben, ada);
  await write(destination, [again], commons);
  expect(log()).toEqual([[ben, undefined]]);
  await give(ada, ben);
  const [outcome] = await write(destination, [again], commons);
  expect(outcome?.ok).toBe(true);
  expect(log()).toEqual([[ada, hers]]);
});
