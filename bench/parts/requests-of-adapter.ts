/** What calls cost in requests to HubSpot when batches are as full as a worker's can be: the adapter on its own. */
import { startSandbox } from '@wrapup/sandbox';
import { makeMemoryCommons, makeMemoryContext, type WriteOutcome } from '../../packages/destination/src/index.ts';
import { hubspotKind } from '../../packages/hubspot/src/index.ts';
import { type CompiledMapping, compileMapping, type Plan } from '../../packages/mapping/src/index.ts';
import { normalise } from '../../packages/synthflow/src/index.ts';
import { MAPPING } from '../installation.ts';
import type { Payload } from '../support/calls.ts';
import { callsFor, checkOnce, count, quotaIsBack, type RequestFigures, SCENARIOS } from '../support/requests.ts';

/** @param sizes calls of each run, written in batches one after the other */
export async function measureAdapter(sizes: number[]): Promise<RequestFigures[]> {
  const sandbox = await startSandbox({ port: 0, provisioned: true, settings: { hubspot: { latency: 40 } } });
  const settings = hubspotKind.settings.parse({ access_token: 'pat-na1-bench', base_url: sandbox.hubspotUrl });
  const destination = await hubspotKind.connect('sales', settings);
  const mapping = compiled();
  const commons = makeMemoryCommons(hubspotKind.pools ?? {});
  /** What each call has become, as the ledger knows it when it is replayed. */
  const written = new Map<string, Record<string, string>>();

  const planOf = (payload: Payload): Plan => {
    const plan = mapping.plan(normalise(payload as never, { source: 'main' }), 'sales-calls');
    const records = written.get(plan.key);
    return records ? { ...plan, resume: { attempts: 1, records } } : plan;
  };
  const write = async (plans: Plan[]) => {
    for (let start = 0; start < plans.length; start += destination.batch) {
      const batch = plans.slice(start, start + destination.batch);
      const outcomes = await destination.write(batch, makeMemoryContext(commons, { within: 120_000 }));
      for (const [index, plan] of batch.entries()) written.set(plan.key, idsOf(outcomes[index]));
    }
  };

  const figures: RequestFigures[] = [];
  try {
    await write(callsFor(sandbox, 1, 0).new.map(planOf));
    for (const [index, size] of sizes.entries()) {
      const calls = callsFor(sandbox, size, index + 1);
      for (const scenario of SCENARIOS) {
        await quotaIsBack();
        const plans = calls[scenario].map(planOf);
        const before = count(sandbox);
        const began = performance.now();
        await write(plans);
        const seconds = (performance.now() - began) / 1000;
        const after = count(sandbox);
        const requests = after.requests - before.requests;
        figures.push({ calls: size, scenario, requests, searches: after.searches - before.searches, seconds });
        process.stderr.write(`the adapter alone, ${size} ${scenario}\n`);
      }
    }
    checkOnce(sandbox);
    return figures;
  } finally {
    await destination.close();
    await sandbox.close();
  }
}

function idsOf(outcome: WriteOutcome | undefined): Record<string, string> {
  if (!outcome?.ok) throw outcome?.failure ?? new Error('a plan without an outcome');
  return Object.fromEntries(outcome.receipt.records.map(({ name, id }) => [name, id]));
}

function compiled(): CompiledMapping {
  const { mapping } = compileMapping({
    name: 'mapping.yaml',
    text: MAPPING,
    dialect: hubspotKind.dialect,
    readFile: () => undefined,
  });
  if (!mapping) throw new Error('the mapping does not compile');
  return mapping;
}
