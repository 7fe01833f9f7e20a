/** What recipes make of calls in an org. */
import { readFileSync } from 'node:fs';
import { write } from '@wrapup/destination/conformance';
import { afterEach, expect, test } from 'vitest';
import { mapped, openAccount, type SalesforceAccount } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const PHONE = '+14155550142';
const all = (object: string) => account.sandbox.salesforce.records(object).map(({ fields }) => fields);

const CONNECTED = { id: 'c1', phone: PHONE, first_name: 'Ada' };

test('the recipe do-not-call-salesforce marks who asked, and asks a person about who was only judged', async () => {
  const field = (name: string, type: 'string' | 'datetime') => ({ name, label: name, type });
  account = await openAccount();
  const own = [
    field('Do_Not_Call_Reason__c', 'string'),
    field('Do_Not_Call_Since__c', 'datetime'),
    field('Do_Not_Call_Channel__c', 'string'),
  ];
  account.sandbox.control.seed({ salesforce: { fields: { Lead: own, Contact: own } } });
  const text = readFileSync(new URL('../../../docs/recipes/do-not-call-salesforce.yaml', import.meta.url), 'utf8');
  const destination = await account.connect();
  const ended_at = '2026-11-20T10:00:00.000Z';
  const asked = mapped(text, CONNECTED, { ended_at, vars: { do_not_call: 'yes' } });
  const judged = mapped(text, { id: 'c2', phone: '+14155550143' }, { vars: {}, analysis: { no_opt_out: 'false' } });
  await write(destination, [asked, judged]);
  expect(all('Lead').map(({ DoNotCall, Do_Not_Call_Channel__c: channel }) => [DoNotCall, channel])).toEqual([
    [true, 'Phone'],
    [false, undefined],
  ]);
  expect(all('Task').filter(({ TaskSubtype }) => TaskSubtype !== 'Call')).toMatchObject([{ Priority: 'High' }]);
});
