/** What recipes make of calls in an account. */
import { readFileSync } from 'node:fs';
import type { Call } from '@wrapup/call';
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const recipe = (name: string) =>
  compileSample(hubspotDialect, readFileSync(new URL(`../../../docs/recipes/${name}.yaml`, import.meta.url), 'utf8'));
const PHONE = '+14155550142';

test('do-not-call marks who asked, keeps the first date, and leaves those alone who were only judged', async () => {
  const text = (name: string) => ({ name, type: 'string', fieldType: 'text' });
  account.sandbox.control.seed({
    properties: {
      contacts: [
        {
          ...{ name: 'do_not_call', type: 'bool', fieldType: 'booleancheckbox' },
          options: [
            { label: 'Yes', value: 'true' },
            { label: 'No', value: 'false' },
          ],
        },
        text('do_not_call_reason'),
        { name: 'do_not_call_since', type: 'datetime', fieldType: 'date' },
        text('do_not_call_channel'),
      ],
    },
  });
  const mapping = recipe('do-not-call');
  const destination = await account.connect();
  expect(await destination.check([mapping], makeMemoryContext())).toEqual([]);
  const commons = makeMemoryCommons();
  const said = (id: string, hour: number, changes: Partial<Call>, phone = PHONE) => {
    const ended_at = `2026-11-20T${hour}:00:00.000Z`;
    return mapping.plan({ ...planFor(hubspotHarness, { id, phone }).call, ended_at, vars: {}, ...changes }, 'sample');
  };
  const marks = () =>
    account.sandbox
      .records('contacts')
      .map(({ properties: { do_not_call: flag, do_not_call_since: since, do_not_call_channel: channel } }) => [
        flag,
        since,
        channel,
      ]);
  const asked = { vars: { do_not_call: 'yes' } };
  const [outcome] = await write(destination, [said('c1', 10, asked)], commons);
  expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log']);
  const marked = ['true', '2026-11-20T10:00:00Z', 'Phone'];
  expect(marks()).toEqual([marked]);
  await write(destination, [said('c2', 11, { vars: { wants_callback: false } }), said('c3', 12, asked)], commons);
  expect(marks()).toEqual([marked]);
  const judged = said('c4', 13, { analysis: { no_opt_out: 'false' } }, '+14155550143');
  const [second] = await write(destination, [judged], commons);
  expect(Object.keys(ids(second))).toEqual(['person', 'call_log', 'check-opt-out']);
  expect(marks()).toEqual([marked, [undefined, undefined, undefined]]);
});

test('transfers: where a call was handed on to stands on call and contact', async () => {
  const text = (name: string) => ({ name, type: 'string', fieldType: 'text' });
  account.sandbox.control.seed({
    properties: { contacts: [text('last_transferred_to')], calls: [text('transferred_to')] },
  });
  const mapping = recipe('transfers');
  const { call } = planFor(hubspotHarness, { id: 'c1', phone: PHONE });
  await write(await account.connect(), [mapping.plan({ ...call, vars: {}, transferred_to: '+14155550123' }, 'sample')]);
  expect(account.sandbox.records('contacts')).toMatchObject([{ properties: { last_transferred_to: '+14155550123' } }]);
  expect(account.sandbox.records('calls')).toMatchObject([{ properties: { transferred_to: '+14155550123' } }]);
});
