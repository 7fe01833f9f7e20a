import type { Plan } from '@wrapup/mapping';
import { afterEach, beforeEach } from 'vitest';
import type { SampleCall, SampleNames } from '../sample-plan.ts';
import { type Harness, type LowerStep, planFor, type TestAccount } from './harness.ts';

/** What the cases of one block work with: a fresh account for each of them. */
export interface CaseTools {
  harness: Harness;
  names: SampleNames;
  account(): TestAccount;
  connect: TestAccount['connect'];
  effects: TestAccount['effects'];
  makePlan(call: SampleCall): Plan;
}

/** Opens and closes the account of each test of the enclosing block. */
export function useAccount(harness: Harness, step?: LowerStep): CaseTools {
  let current: TestAccount | undefined;
  beforeEach(async () => {
    current = await harness.open(step);
  });
  afterEach(async () => {
    await current?.close();
  });
  const account = () => {
    if (!current) throw new Error('no account outside of a test');
    return current;
  };
  return {
    harness,
    names: harness.names,
    account,
    connect: (options) => account().connect(options),
    effects: () => account().effects(),
    makePlan: (call) => planFor(harness, call),
  };
}
