/** A few power cuts: `npm run test:power` makes many more. */
import { expect, it } from 'vitest';
import { runPower } from './power-run.ts';
import { buildShim } from './shim.ts';

const built = buildShim();
const shim = typeof built === 'string' ? built : '';
// Loud: what is skipped here is the only proof that "acknowledged" outlives a power cut.
if (typeof built !== 'string') console.warn(`SKIPPED: power cannot be cut on this machine: ${built.missing}`);

it.skipIf(!shim)('no acknowledged call is lost to a power cut, however the end of the file is left', async () => {
  const run = await runPower({ seed: 1, appendfsync: 'always', calls: 3_000, cuts: 8, shim });
  expect(run.examples).toEqual([]);
  expect(run.lost).toBe(0);
  expect(run.acknowledged).toBeGreaterThanOrEqual(3_000);
});

it.skipIf(!shim)('with everysec calls are lost: the cuts do cut', async () => {
  const run = await runPower({ seed: 1, appendfsync: 'everysec', calls: 3_000, cuts: 8, shim });
  expect(run.lost).toBeGreaterThan(0);
});
