/** What calls cost in requests to HubSpot on the whole way: ingress, Redis and a worker as they ship. */
import { type Installation, openInstallation } from '../installation.ts';
import type { Payload } from '../support/calls.ts';
import {
  callsFor,
  checkOnce,
  count,
  quotaIsBack,
  type RequestFigures,
  SCENARIOS,
  type Scenario,
} from '../support/requests.ts';

/** Webhooks in flight. */
const AT_ONCE = 50;

/**
 * @param sizes calls of each run
 * @param checkout of another version
 */
export async function measureThroughIngress(sizes: number[], checkout?: string): Promise<RequestFigures[]> {
  const installation = await openInstallation(checkout ? { checkout } : {});
  const figures: RequestFigures[] = [];
  try {
    // Code that runs for the first time is slow: one call that is not counted.
    const [warm] = callsFor(installation.sandbox, 1, 0).new;
    await run(installation, 'new', warm ? [warm] : []);
    for (const [index, size] of sizes.entries()) {
      const calls = callsFor(installation.sandbox, size, index + 1);
      for (const scenario of SCENARIOS) {
        await quotaIsBack();
        figures.push(await run(installation, scenario, calls[scenario]));
        process.stderr.write(`through ingress, ${size} ${scenario}\n`);
      }
    }
    checkOnce(installation.sandbox);
    return figures;
  } finally {
    await installation.close();
  }
}

async function run(at: Installation, scenario: Scenario, calls: Payload[]): Promise<RequestFigures> {
  const before = count(at.sandbox);
  let memory = 0;
  const watch = setInterval(() => {
    at.memory().then(
      (now) => {
        memory = Math.max(memory, now);
      },
      () => {},
    );
  }, 250);
  const began = performance.now();
  const send = scenario === 'repeat' ? (one: Payload) => replay(at, one) : at.post;
  const waiting = [...calls];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await send(next);
    }),
  );
  await at.written(calls.map((one) => one.call.call_id));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  memory = Math.max(memory, await at.memory());
  const after = count(at.sandbox);
  return {
    calls: calls.length,
    scenario,
    requests: after.requests - before.requests,
    searches: after.searches - before.searches,
    seconds,
    memory,
  };
}

async function replay({ store }: Installation, { call: { call_id } }: Payload): Promise<void> {
  const done = await store.operations.replay('main', call_id, 'sales-calls', { attempts: 10, from: ['written'] });
  if (done !== 'replayed') throw new Error(`call ${call_id} could not be replayed: ${done}`);
}
