import type { Config, Source } from '@wrapup/config';
import { type ReconcileRun, RunStore } from '@wrapup/recovery';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configOf, type Harness, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  const config: Config = configOf();
  (config.sources.main as Source).reconcile = { every: 600_000, look_back: 21_600_000, grace: 1_500_000 };
  dashboard = await startDashboard({ config: () => config });
});
afterAll(() => dashboard.close());

const page = async () => (await dashboard.get('/')).text();
const RUN: ReconcileRun = {
  ...{ source: 'main', by: 'schedule', began: Date.now() - 2_000, ended: Date.now(), result: 'complete', agents: 2 },
  counts: { listed: 1240, known: 1231, missing: 7, enqueued: 7, young: 2, unfinished: 0, unreadable: 0 },
  ...{ troubles: [], resumed: false },
};

it('a source that has not looked yet says so; one that never looks is left out', async () => {
  const text = await page();
  expect(text).toMatch(/Missed webhooks: main waits for its first run/);
  expect(text).toContain('none yet, every 10m');
  expect(text).not.toContain('<td>other</td>');
});

it('the last run of a source is shown with its numbers', async () => {
  await new RunStore(dashboard.store, 'main').end(RUN);
  const text = await page();
  expect(text).toMatch(/main 7 calls missing, 7 enqueued/);
  for (const number of ['1,240', '1,231', '7']) expect(text).toContain(`<td>${number}</td>`);
  expect(text).toMatch(/<details class="reconciled">/);
});

it('one that failed stands open, with what to do', async () => {
  const troubles = [{ code: 'unauthorized', message: 'Synthflow answered <401>', hint: 'Compare api_key and region.' }];
  await new RunStore(dashboard.store, 'main').end({ ...RUN, result: 'failed', troubles });
  const text = await page();
  expect(text).toMatch(/<details class="reconciled" open>/);
  expect(text).toContain('Synthflow answered &lt;401&gt;');
  expect(text).toContain('Compare api_key and region.');
});
