import { afterEach, beforeEach } from 'vitest';
import type { Harness, LowerStep, TestAccount } from './harness.ts';

/** A fresh account for each test of the enclosing block. */
export function useAccount(harness: Harness, step?: LowerStep): () => TestAccount {
  let current: TestAccount | undefined;
  beforeEach(async () => {
    current = await harness.open(step);
  });
  afterEach(async () => {
    await current?.close();
  });
  return () => {
    if (!current) throw new Error('no account outside of a test');
    return current;
  };
}
