/** Owners of the account: read once for many, never a reason to fail. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import type { SampleCall } from '@wrapup/destination/sample-plan';
import { compileMapping, type OwnerStep, type Plan } from '@wrapup/mapping';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { givenTo, hubspotHarness, mapped, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const ADA = '71000001';
const BEN = '71000002';
const GONE = '71000003';
const PHONE = '+14155550142';
const asked = (operation: string) =>
  account.sandbox.control.requests().requests.filter((request) => request.operation === operation).length;

function given(call: SampleCall, ...steps: OwnerStep[]): Plan {
  return givenTo(planFor(hubspotHarness, call), steps);
}

test('owners are asked for once, by many calls and by the calls after them', async () => {
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const plan = (id: string) => given({ id, phone: PHONE }, { by: 'email', value: 'ada.owner@example.com' });
  await write(destination, [plan('c1'), plan('c2')], commons);
  await write(destination, [plan('c3')], commons);
  expect(asked('owners')).toBe(1);
  await write(destination, [planFor(hubspotHarness, { id: 'c4', phone: PHONE })], makeMemoryCommons());
  expect(asked('owners')).toBe(1);
});

test('a follow-up goes to the owner of the contact, without one request more than the look-up', async () => {
  const [person] =
    account.sandbox.control.seed({
      records: { contacts: [{ properties: { firstname: 'Dana', phone: PHONE, hubspot_owner_id: BEN } }] },
    }).contacts ?? [];
  const text = 'person: {}\ntasks:\n  - { name: ring, subject: x, due_in: 1 hour, owner: contact_owner }\n';
  const [outcome] = await write(await account.connect(), [mapped(text, { id: 'c1', phone: PHONE })]);
  expect(ids(outcome).person).toBe(person);
  expect((await account.effects()).tasks).toMatchObject([{ properties: { hubspot_owner_id: BEN } }]);
  expect(account.sandbox.control.requests().requests.map(({ operation }) => operation)).toEqual([
    'owners',
    'search',
    'batch/create',
  ]);
});

test('a contact whose owner has left: the follow-up goes to the next in the order', async () => {
  account.sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Dana', phone: PHONE, hubspot_owner_id: ADA } }] },
  });
  account.sandbox.control.seed({ owners: [{ id: ADA, archived: true }] });
  const text = `person: {}
tasks:
  - { name: ring, subject: x, due_in: 1 hour, owner: [contact_owner, { fallback: ${BEN} }] }
`;
  const [outcome] = await write(await account.connect(), [mapped(text, { id: 'c1', phone: PHONE })]);
  expect(outcome).toMatchObject({
    ok: true,
    receipt: { notes: [expect.stringMatching(/^ring\.hubspot_owner_id: choice 2/)] },
  });
  expect((await account.effects()).tasks).toMatchObject([{ properties: { hubspot_owner_id: BEN } }]);
});

test('who left since owners were read is refused by HubSpot, left out in the same write, and asked for anew', async () => {
  const destination = await account.connect({ drop_refused_fields: false });
  const commons = makeMemoryCommons();
  const plan = (id: string) => given({ id, phone: PHONE }, { by: 'id', value: ADA });
  await write(destination, [plan('c1')], commons);
  account.sandbox.control.seed({ owners: [{ id: ADA, archived: true }] });
  const [outcome] = await write(destination, [plan('c2')], commons);
  expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
  await write(destination, [plan('c3')], commons);
  expect(asked('owners')).toBe(2);
});

test('without the scope to read owners, ids are taken as they are and addresses passed over', async () => {
  account.sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.owners.read'] } });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const outcomes = [
    ...(await write(destination, [given({ id: 'c1', phone: PHONE }, { by: 'id', value: ADA })], commons)),
    ...(await write(
      destination,
      [given({ id: 'c2', phone: PHONE }, { by: 'email', value: 'ada.owner@example.com' })],
      commons,
    )),
    ...(await write(destination, [given({ id: 'c3', phone: PHONE }, { by: 'id', value: GONE })], commons)),
  ];
  for (const outcome of outcomes) expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
  expect(asked('owners')).toBe(1);
  const { tasks } = await account.effects();
  expect(tasks.map(({ properties }) => properties.hubspot_owner_id)).toEqual([ADA, undefined, undefined]);
  expect(outcomes[1]).toMatchObject({
    receipt: { notes: [{ code: 'unknown_owner', reason: expect.stringContaining('crm.objects.owners.read') }, {}] },
  });
});

test('while HubSpot does not tell owners the delivery waits, but not for ever', async () => {
  account.sandbox.control.fault({ kind: 'status', path: '/owners', times: null });
  const destination = await account.connect();
  const plan = given({ id: 'c1', phone: PHONE }, { by: 'id', value: ADA });
  const [waiting] = await write(destination, [plan]);
  expect(failure(waiting)).toMatchObject({ code: 'unavailable', next: 'retry' });
  const [patient] = await write(destination, [{ ...plan, resume: { attempts: 3, records: {} } }]);
  expect(Object.keys(ids(patient))).toEqual(['person', 'call_log', 'call-back']);
});

test('check tells of owners who are not there, and of a key that may not read them', async () => {
  const text = `person: { owner: { by_agent: { a: ada.owner@example.com, b: gone.seller@example.com }, fallback: ${GONE} } }\n`;
  const { mapping } = compileMapping({ name: 'm.yaml', text, dialect: hubspotDialect, readFile: () => undefined });
  if (!mapping) throw new Error('no mapping');
  const destination = await account.connect();
  const codes = async () =>
    (await destination.check([mapping], makeMemoryContext())).map(({ code, severity }) => `${severity} ${code}`);
  expect(await codes()).toEqual(['warning unknown-owner', 'warning unknown-owner']);
  account.sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.owners.read'] } });
  expect(await codes()).toEqual(['warning owners-unreadable']);
});
