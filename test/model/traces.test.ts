/** The model holds, each of its invariants can fail, and the scripts do what it says: a small share of `npm run model`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Installation, openInstallation } from './installation.ts';
import { MODEL_PLANTS, withoutGuard } from './planted.ts';
import { checkTypes, INVARIANTS, runModel } from './quint.ts';
import { replayTrace } from './replay.ts';
import { readTrace } from './trace.ts';

const SEED = 7;
const STEPS = 60;
const TRACES = 40;

let folder: string;
let installation: Installation;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wrapup-traces-'));
  installation = await openInstallation(inject('redisServer'));
});
afterAll(async () => {
  await installation.close();
  rmSync(folder, { recursive: true, force: true });
});

it('the types of the model are right', async () => {
  expect(await checkTypes()).toBe('');
});

it('what Redis holds is what the model says, after each step of forty traces that keep every invariant', async () => {
  const made = { seed: SEED, samples: TRACES, steps: STEPS, invariants: INVARIANTS, traces: folder };
  expect(await runModel(made)).toBe('holds');
  const taken = new Set<string>();
  for (let number = 0; number < TRACES; number += 1) {
    const steps = readTrace(join(folder, `${number}.itf.json`));
    expect(await replayTrace(installation.store, steps), `trace ${number}`).toBeUndefined();
    for (const { action } of steps) taken.add(action);
  }
  // Else it proves nothing of what no trace does.
  expect([...taken].sort()).toEqual(
    'arrive begin claim crash drop endTrial expire judge note pass pause probe recheck replay resume send sweep'.split(
      ' ',
    ),
  );
});

it('a trace that is not what the scripts do is found', async () => {
  const [first, ...others] = readTrace(join(folder, '0.itf.json'));
  const arrived = { ...(first as NonNullable<typeof first>) };
  arrived.after = { ...arrived.after, callJobs: ['c1/r9'] };
  expect(await replayTrace(installation.store, [arrived, ...others])).toMatch(
    /^step 1, .*callJobs is .*, the model says \["c1\/r9"\]/,
  );
});

it.each(MODEL_PLANTS)('without its guard the model breaks $breaks: $what', async (plant) => {
  const model = join(folder, 'wrapup.qnt');
  writeFileSync(model, withoutGuard(plant));
  const tried = { model, seed: plant.seed ?? SEED, samples: 3000, steps: STEPS, invariants: [plant.breaks] };
  expect(await runModel(tried)).toBe('violated');
});
