/**
 * What is left out of calls, from the webhook to the page: counted by line and reason, in metrics and in the log, named where no
 * call brings it, and written once its cause is fixed.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { PATIENCE } from '../support/patience.ts';
import type { Process } from '../support/process.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const MAPPING = `extends: hubspot/call-log
person:
  fields:
    hs_lead_status: vars.temperature
    annualrevenue: { from: vars.revenue, transform: number }
    city: vars.citty
    nowhere: vars.temperature
    wrapup_timeline: vars.temperature
tasks:
  - { name: call-back, remove: true }
`;
const CALLS = 20;
const PHONE = '+14155550142';

let system: TestSystem;
let worker: Process;
let env: Record<string, string>;
beforeAll(async () => {
  system = await openSystem({ mapping: MAPPING });
  [, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
  system.sandbox.control.settings({ hubspot: { search_lag: 0 } });
  env = { ...system.env, INGRESS_PORT: String(system.ingress?.port) };
  for (let n = 0; n < CALLS; n += 1) {
    const collected = { temperature: 'WARM', revenue: '65.000', city: 'Berlin', email: `caller${n}@example.com` };
    await system.post(call(`call-${n}`, { collected, phone: `+1415555${1000 + n}` }));
  }
  for (let n = 0; n < CALLS; n += 1)
    expect((await system.settled(`call-${n}`)).deliveries.map(({ state }) => state)).toEqual(['written']);
});
afterAll(() => system.close());

const call = (call_id: string, more: object) =>
  samplePayload('connected', { call_id, ...more }) as { call: { call_id: string } };

interface Listed {
  lines: {
    id: string;
    field: string;
    code: string;
    calls: number;
    open: number;
    hint?: string;
    at: { line: number };
  }[];
  never: { path: string; meant?: string }[];
  fields: { property: string; filled: number; absent: number; lost: number }[];
}
const listed = async () => (await wrapup(['omissions', '--fields', '--json'], env)).json() as Listed;

test('each field that was left out is counted once a call, by its line and why, with its own advice', async () => {
  const { lines } = await listed();
  const byField = Object.fromEntries(lines.map((line) => [line.field, line]));
  expect(byField).toMatchObject({
    hs_lead_status: { code: 'unknown_option', calls: CALLS, open: CALLS, at: { line: 4 } },
    annualrevenue: { code: 'ambiguous_number', calls: CALLS, at: { line: 5 } },
    nowhere: { code: 'missing_property', calls: CALLS, hint: expect.stringContaining('creates none of this name') },
    wrapup_timeline: { code: 'missing_property', hint: expect.stringContaining('which creates it') },
  });
  expect(lines).toHaveLength(4);
  // A worker counts a delivery a moment after its ledger has it.
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${worker.port}/metrics`)).text();
    for (const [code, number] of [
      ['unknown_option', CALLS],
      ['ambiguous_number', CALLS],
      ['missing_property', 2 * CALLS],
    ])
      expect(metrics).toContain(`wrapup_omissions_total{connection="sales",code="${code}"} ${number}`);
  }, PATIENCE);
  const delivered = worker.lines.filter(({ msg }) => msg === 'delivered');
  expect(delivered[0]).toMatchObject({
    connection: 'sales',
    omissions: expect.arrayContaining(['ambiguous_number', 'unknown_option']),
  });
});

test('a variable that a mapping names and no call brings is named, with the one that was meant', async () => {
  // The worker writes what it has added up every two seconds.
  await expect
    .poll(async () => (await listed()).fields.find(({ property }) => property === 'city')?.absent)
    .toBe(CALLS);
  const { never, fields } = await listed();
  expect(never).toEqual([expect.objectContaining({ path: 'vars.citty', meant: 'vars.city', absent: CALLS })]);
  const counts = (property: string) => fields.find((field) => field.property === property);
  expect(counts('city')).toMatchObject({ filled: 0, absent: CALLS, lost: 0 });
  expect(counts('hs_lead_status')).toMatchObject({ filled: 0, absent: 0, lost: CALLS });
  expect(counts('hs_call_title')).toMatchObject({ filled: CALLS, absent: 0, lost: 0 });
});

test('once the cause is fixed the calls of the line are replayed, and lack it no longer', async () => {
  const line = (await listed()).lines.find(({ field }) => field === 'hs_lead_status');
  const id = line?.id ?? '';
  system.sandbox.control.seed({ options: { contacts: { hs_lead_status: ['NEW', 'WARM'] } } });
  const plan = await wrapup(['omissions', 'replay', id, '--plan'], env);
  expect(plan.stdout).toMatch(/call-0 on sales-calls: would be replayed and write \d+ fields?/);
  expect((await system.crm('contacts')).some(({ properties }) => properties.hs_lead_status === 'WARM')).toBe(false);

  const replay = await wrapup(['omissions', 'replay', id], env);
  expect(replay).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${CALLS} of ${CALLS} deliveries replayed`),
  });
  for (let n = 0; n < CALLS; n += 1) await system.settled(`call-${n}`);
  const contacts = await system.crm('contacts');
  expect(contacts).toHaveLength(CALLS);
  expect(contacts.every(({ properties }) => properties.hs_lead_status === 'WARM')).toBe(true);
  const after = Object.fromEntries((await listed()).lines.map((one) => [one.field, one]));
  expect(after).toMatchObject({
    hs_lead_status: { calls: CALLS, open: 0 },
    annualrevenue: { calls: CALLS, open: CALLS },
  });
});

test('the log line of a parked delivery says why and what to do, and nothing of the caller', async () => {
  const twice = { phone: PHONE, firstname: 'Dana' };
  system.sandbox.control.seed({ records: { contacts: [{ properties: twice }, { properties: twice }] } });
  await system.post(call('unclear', { phone: PHONE }));
  expect((await system.settled('unclear')).deliveries[0]).toMatchObject({ state: 'parked' });
  // The ledger has it before the log.
  const lineOf = () => worker.lines.find(({ msg, call_id }) => msg === 'not delivered' && call_id === 'unclear');
  const line = await vi.waitUntil(lineOf, PATIENCE);
  expect(line).toMatchObject({
    ...{ result: 'parked', connection: 'sales', route: 'sales-calls', code: 'ambiguous_person' },
    ...{ reason: expect.stringMatching(/./), hint: expect.stringMatching(/./) },
  });
  expect(JSON.stringify(line)).not.toContain(PHONE.slice(1));
});
