/** A few runs of the fault matrix, small: `npm run test:faults` has all of them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FAULTS } from './faults.ts';
import { JournalCheck } from './journal.ts';
import type { Fault } from './kinds/scene.ts';
import { runFault } from './run-fault.ts';
import { USUAL } from './setup.ts';
import { FaultSystem } from './system.ts';

const CALLS = 30;

let system: FaultSystem;
let journal: JournalCheck;
beforeAll(async () => {
  system = await FaultSystem.open(USUAL);
  journal = new JournalCheck(system);
});
afterAll(() => system.close());

it.each(['redis-killed', 'crm-commit-then-reset', 'ingress-killed', 'late-revisions'])(
  'every acknowledged call ends in one call log, or where a person sees it: %s',
  async (name) => {
    const fault = FAULTS.find((one) => one.name === name) as Fault;
    const run = await runFault(system, fault, {
      seed: 1 + FAULTS.indexOf(fault),
      calls: CALLS,
      within: 1_500,
      journal,
    });
    const { acknowledged, written, parked, dead, broken } = run;
    expect(broken).toEqual([]);
    expect(written + parked + dead).toBe(acknowledged);
    // The model was asked about each of them, and about each step: a call arrives, is routed, begun and settled.
    expect(run.journal?.calls).toBeGreaterThanOrEqual(acknowledged);
    expect(run.journal?.states).toBeGreaterThanOrEqual(4 * acknowledged);
    // How many get through beside a fault depends on the machine; that some do shows that there was something to lose.
    expect(acknowledged).toBeGreaterThan(0);
  },
);
