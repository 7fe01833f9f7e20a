/** docs/guide/operating.md lists every metric that the processes have, and none that they have not. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startDashboard } from '../apps/dashboard/test/support/harness.ts';
import { startInbound } from '../apps/ingress/test/support/inbound.ts';
import { openWorkerSystem } from '../apps/worker/test/support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

it('the table of metrics is the registry’s, by process, type and name', async () => {
  const [dashboard, ingress, system] = await Promise.all([startDashboard(), startInbound(), openWorkerSystem()]);
  closers.push(
    () => dashboard.close(),
    () => ingress.close(),
    () => system.close(),
  );
  const worker = await system.startWorker();
  const texts = {
    ingress: await ingress.metrics.text(),
    worker: await worker.metrics.text(),
    dashboard: await (await dashboard.get('/metrics')).text(),
  };
  const registered = Object.entries(texts).flatMap(([process, text]) =>
    [...text.matchAll(/^# TYPE (wrapup_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type} ${process}`),
  );
  const guide = readFileSync(resolve(import.meta.dirname, '../docs/guide/operating.md'), 'utf8');
  const listed = [...guide.matchAll(/^\| `(wrapup_\w+)` \| (\w+) \| (\w+(?:, \w+)*) \|/gm)].flatMap(
    ([, name, type, processes = '']) => processes.split(', ').map((process) => `${name} ${type} ${process}`),
  );
  expect(listed.sort()).toEqual(registered.sort());
}, 60_000);
