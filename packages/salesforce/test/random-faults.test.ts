/**
 * Batches of calls while requests fail in every way, tried again until all are written: whatever came in between, each call
 * has one log and one task that belong to its person, and no one is there twice.
 */
import { makeMemoryCommons } from '@wrapup/destination';
import { ids, planFor, write } from '@wrapup/destination/conformance';
import type { Plan } from '@wrapup/mapping';
import type { FaultSpec } from '@wrapup/sandbox';
import { afterEach, expect, test } from 'vitest';
import { makeRandom, pick, type Random, upTo } from '../../../test/support/random.ts';
import { openAccount, type SalesforceAccount, salesforceHarness } from './salesforce-harness.ts';

let account: SalesforceAccount;
afterEach(async () => {
  await account.close();
});

const PEOPLE = 24;
const CALLS = 70;
/** After so many rounds nothing fails any more. */
const ROUNDS_WITH_FAULTS = 8;

const KINDS: FaultSpec[] = [
  { kind: 'commit_then_reset' },
  { kind: 'reset' },
  { kind: 'cut' },
  { kind: 'status', status: 503 },
  { kind: 'commit_then_500' },
  { kind: 'html' },
  { kind: 'drop_rows', rows: 2 },
  { kind: 'drop_rows', rows: 1, commit: false },
  { kind: 'row_error', rows: 2 },
  { kind: 'row_error', rows: 1, code: 'UNKNOWN_EXCEPTION', message: 'An unexpected error occurred' },
  { kind: 'unauthorized' },
  // Only of writes: a search that answers falsely that there is no one cannot be distinguished from one that is right.
  { kind: 'empty_success', object: 'Lead' },
  { kind: 'empty_success', object: 'Task' },
  { kind: 'empty_success', object: 'Task', commit: true },
];

/** Of any request, of one that writes, or of a part that is about people or tasks. */
const ABOUT: Partial<FaultSpec>[] = [
  {},
  { method: 'POST' },
  { object: 'Lead' },
  { object: 'Task' },
  { object: 'Contact', method: 'PATCH' },
];

function disturb(random: Random): void {
  for (let more = upTo(random, 3); more > 0; more -= 1)
    account.sandbox.control.fault({
      api: 'salesforce',
      ...pick(random, ABOUT),
      ...pick(random, KINDS),
      times: 1 + upTo(random, 2),
      after: upTo(random, 3),
    });
}

const phone = (n: number) => `+1415555${String(1000 + n)}`;

type Org = Parameters<typeof openAccount>[0];
const RUNS: [seed: number, composite: boolean, org: Org][] = [
  ...[1, 2, 3, 4, 5, 6].map((seed): [number, boolean, Org] => [seed, true, {}]),
  [7, true, { failed_references: 'null' }],
  [8, true, { automation_rows: { Task: 20, Lead: 9 } }],
  [1, false, {}],
  [2, false, { automation_rows: { Task: 20 } }],
];

test.each(RUNS)('seed %i, composite %s, %j', async (seed, composite, org) => {
  account = await openAccount(org, { connection: { composite } });
  const random = makeRandom(seed);
  const known = Array.from({ length: PEOPLE / 2 }, (_, n) => ({ LastName: `Known${2 * n}`, Phone: phone(2 * n) }));
  account.sandbox.control.seed({ salesforce: { records: { Contact: known } } });
  const destination = await account.connect();
  const commons = makeMemoryCommons();
  const plans = Array.from({ length: CALLS }, (_, n): Plan => {
    const caller = upTo(random, PEOPLE);
    return planFor(salesforceHarness, { id: `c${n}`, phone: phone(caller), first_name: `Caller${caller}` });
  });
  const written = new Map<string, Record<string, string>>();
  let open = plans;
  for (let round = 1; open.length > 0 && round < 3 * ROUNDS_WITH_FAULTS; round += 1) {
    if (round > ROUNDS_WITH_FAULTS) account.calm();
    const again: Plan[] = [];
    while (open.length > 0) {
      const batch = open.splice(0, 1 + upTo(random, 30));
      if (round <= ROUNDS_WITH_FAULTS) disturb(random);
      for (const [index, outcome] of (await write(destination, batch, commons)).entries()) {
        const plan = batch[index] as Plan;
        if (outcome.ok) written.set(plan.key, ids(outcome));
        else {
          expect(outcome.failure.next, outcome.failure.message).not.toMatch(/park|die/);
          const records = outcome.failure.details.done ?? {};
          again.push({ ...plan, resume: { attempts: round, records, done: Object.keys(records) } });
        }
      }
    }
    open = again;
  }
  expect(written.size).toBe(CALLS);
  const { records } = account.sandbox.salesforce;
  const tasks = records('Task');
  expect(tasks).toHaveLength(2 * CALLS);
  expect(new Set(tasks.map(({ fields }) => fields.Wrapup_Call_Id__c)).size).toBe(2 * CALLS);
  const people = [...records('Contact'), ...records('Lead')];
  const owners = new Map(people.map(({ id, fields }) => [id, String(fields.Phone)]));
  expect(new Set(owners.values()).size).toBe(people.length);
  for (const plan of plans) {
    const { person = '', call_log, 'call-back': task } = written.get(plan.key) ?? {};
    expect(owners.get(person)).toBe(plan.person?.fallback.phone);
    const named = tasks.filter(({ id }) => id === call_log || id === task).map(({ fields }) => fields.WhoId);
    expect(named).toEqual([person, person]);
  }
});
