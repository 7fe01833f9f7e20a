/**
 * Calls that go to HubSpot, Salesforce and an HTTP endpoint at once, with one of the three down for a while.
 *
 *   npm run bench:mixed                      500 calls for each of the three, a minute down
 *   npm run bench:mixed -- service 100 10    Salesforce only, 100 calls, 10 s
 *
 * Ingress, worker and Redis (synced on every write) are processes of their own; the sandbox keeps the limits of both CRMs.
 * A connection that is down takes three more requests and breaks their answers, and then answers 503, or nothing. What
 * each of the three holds in the end is counted there. Ends with 1 when anything is lost or doubled.
 *
 * Measured on 2026-11-24, on two cores that much else was using, 500 calls each, the first 500 with no CRM down in 24 to 42 s:
 *
 *   down 60 s    the others written     all written    events received, webhook-ids    lost or doubled
 *   Salesforce   14.7 s and 11.5 s      109.4 s        500, 500                        nothing
 *   HubSpot      21.4 s and 14.9 s      87.3 s         500, 500                        nothing
 *   endpoint     16.9 s and 19.7 s      90.7 s         503, 500                        nothing
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../scripts/local-redis.mjs';
import {
  bringDown,
  bringUp,
  CONNECTIONS,
  type Connection,
  judge,
  type MixedSystem,
  openMixedSystem,
  planMixedCalls,
  send,
  states,
  written,
} from '../test/mixed/mixed-run.ts';

const [only, count = '500', seconds = '60'] = process.argv.slice(2);
const CALLS = Number(count);
const DOWN = Number(seconds) * 1_000;

const folder = mkdtempSync(join(tmpdir(), 'wrapup-mixed-'));
const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly: true });
const system = await openMixedSystem(redis.url);
try {
  const chosen = only === undefined ? CONNECTIONS : CONNECTIONS.filter((one) => one === only);
  await compare(system);
  for (const [at, down] of chosen.entries()) await run(system, down, at + 1);
} finally {
  await system.close();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** How long each takes while all three are well, to compare with. */
async function compare(system: MixedSystem): Promise<void> {
  // Code that runs for the first time is slow: a few calls that are not counted.
  const first = await planMixedCalls(system, 'first', 8, 5);
  await send(system, first);
  await written(system, first, CONNECTIONS);
  const planned = await planMixedCalls(system, 'well', 9, CALLS);
  const began = performance.now();
  await send(system, planned);
  const done = await Promise.all(
    CONNECTIONS.map(async (one) => {
      await written(system, planned, [one]);
      return `${one} ${Math.round((performance.now() - began) / 100) / 10} s`;
    }),
  );
  process.stdout.write(`no CRM down, ${CALLS} calls on three routes\n  written               ${done.join(', ')}\n`);
}

async function run(system: MixedSystem, down: Connection, block: number): Promise<void> {
  const others = CONNECTIONS.filter((one) => one !== down);
  const planned = await planMixedCalls(system, `mixed-${down}`, block, CALLS);
  const began = performance.now();
  const since = () => Math.round((performance.now() - began) / 100) / 10;
  const before = system.sandbox.control.requests().by_status;
  bringDown(system, down);
  await send(system, planned);
  const accepted = since();
  const done = await Promise.all(
    others.map(async (one) => {
      await written(system, planned, [one]);
      return `${one} ${since()} s`;
    }),
  );
  while (performance.now() - began < DOWN) await new Promise((resolve) => setTimeout(resolve, 100));
  const waiting = await states(system, planned, down);
  bringUp(system);
  const up = since();
  await written(system, planned, [down], 900_000);
  const { hubspot, salesforce, endpoint, broken } = await judge(system, planned);
  const after = system.sandbox.control.requests().by_status;
  const failed = Object.keys(after)
    .filter((status) => Number(status) === 0 || Number(status) >= 400)
    .map((status) => `${(after[status] ?? 0) - (before[status] ?? 0)} of ${status}`);
  process.stdout.write(`${down} down for ${up} s, ${CALLS} calls on three routes
  accepted by ingress   ${accepted} s
  the others written    ${done.join(', ')}
  waiting when it rose  ${JSON.stringify(waiting)}
  all written           ${since()} s
  HubSpot               ${hubspot.logs} calls, ${hubspot.tasks} tasks, ${hubspot.people} contacts
  Salesforce            ${salesforce.logs} calls, ${salesforce.tasks} tasks, ${salesforce.people} people
  endpoint              ${endpoint.received} received, ${endpoint.distinct} webhook-ids
  failed at the CRMs    ${failed.join(', ') || 'none'}
  lost or doubled       ${broken.length === 0 ? 'nothing' : broken.join('; ')}
`);
  if (broken.length > 0) process.exitCode = 1;
}
