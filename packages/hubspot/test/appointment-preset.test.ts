/** Appointments that calls make, move and cancel, in an account. */
import type { Call } from '@wrapup/call';
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import type { Plan } from '@wrapup/mapping';
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

const preset = compileSample(hubspotDialect, 'extends: hubspot/appointment\n');
const PHONE = '+14155550142';

function said(id: string, hour: number, changes: Partial<Call>, phone = PHONE): Plan {
  const ended_at = `2026-11-20T${hour}:00:00.000Z`;
  const { call } = planFor(hubspotHarness, { id, phone, ended_at });
  return preset.plan({ ...call, ended_at, vars: {}, ...changes }, 'sample');
}

const meetings = () => account.sandbox.records('meetings').map(({ properties }) => properties);

test('fits an account that was provisioned', async () => {
  expect(await (await account.connect()).check([preset], makeMemoryContext())).toEqual([]);
});

test('one that was moved, and cancelled after that, changes the meeting that is there', async () => {
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const id = 'evt-77';
  const calls: Partial<Call>[] = [
    { booking: { status: 'booked', id, starts_at: '2026-12-01T09:00:00.000Z' } },
    { booking: { status: 'moved', id, starts_at: '2026-12-02T09:00:00.000Z' } },
    { booking: { status: 'canceled', id, starts_at: '2026-12-02T09:00:00.000Z' } },
  ];
  const seen: unknown[] = [];
  const written = new Set<string | undefined>();
  for (const [index, changes] of calls.entries()) {
    const [outcome] = await write(destination, [said(`c${index}`, 10 + index, changes)], commons);
    written.add(ids(outcome).appointment);
    const [meeting] = meetings();
    seen.push([meeting?.hs_meeting_start_time, meeting?.hs_meeting_end_time, meeting?.hs_meeting_outcome]);
  }
  expect(written.size).toBe(1);
  expect(seen).toEqual([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:30:00Z', 'SCHEDULED'],
    ['2026-12-02T09:00:00Z', '2026-12-02T09:30:00Z', 'SCHEDULED'],
    ['2026-12-02T09:00:00Z', '2026-12-02T09:30:00Z', 'CANCELED'],
  ]);
  // The first call, come again, takes nothing back.
  await write(destination, [said('c0', 10, calls[0] as Partial<Call>)], commons);
  expect(meetings()).toMatchObject([{ hs_meeting_outcome: 'CANCELED', hs_meeting_start_time: '2026-12-02T09:00:00Z' }]);
});

test('without an id it is found by the time that it had; another one of the same person is another meeting', async () => {
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const first = { appointment_at: '2026-12-01T09:00:00Z', appointment_booked: 'yes' };
  const other = { appointment_at: '2027-03-01T09:00:00Z', appointment_booked: 'yes' };
  const moved = { appointment_at: '2026-12-03T15:00:00Z', appointment_moved_from: '2026-12-01T10:00:00+01:00' };
  const plans = [said('c1', 10, { vars: first }), said('c2', 11, { vars: other }), said('c3', 12, { vars: moved })];
  for (const plan of plans) await write(destination, [plan], commons);
  expect(meetings().map(({ hs_meeting_start_time }) => hs_meeting_start_time)).toEqual([
    '2026-12-03T15:00:00Z',
    '2027-03-01T09:00:00Z',
  ]);
  // The same time, agreed on with someone else.
  await write(destination, [said('c4', 13, { vars: first }, '+14155550143')], commons);
  expect(meetings()).toHaveLength(3);
});

test('what a colleague wrote of it stays', async () => {
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const vars = { appointment_at: '2026-12-01T09:00:00Z' };
  const [outcome] = await write(destination, [said('c1', 10, { vars })], commons);
  await account.change('meetings', ids(outcome).appointment ?? '', { hs_meeting_outcome: 'COMPLETED' });
  const canceled = { ...vars, appointment_canceled: 'yes' };
  await write(destination, [said('c2', 11, { vars: canceled })], commons);
  expect(meetings()).toMatchObject([{ hs_meeting_outcome: 'COMPLETED' }]);
});
