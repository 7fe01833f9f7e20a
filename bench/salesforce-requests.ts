/**
 * What writing calls to Salesforce costs in API requests, counted by the sandbox: the adapter on its own, with batches as
 * full as a worker's can be. An org counts requests by the day, so this is the price of a call.
 *
 *   npm run bench:salesforce              all sizes
 *   npm run bench:salesforce -- 1 10      only these
 *
 * Every call has one follow-up task. Each line begins with what the org is like remembered, as a running worker has it.
 *
 *   new         no person has the number: search, create the lead, create call and task
 *   known       a contact has the number: search, update it, create call and task
 *   remembered  Wrapup has written to the person within the last quarter of an hour: no search
 *   repeat      the same calls once more, as a replay does: nothing may be there twice
 */
import { startSandbox } from '@wrapup/sandbox';
import { makeMemoryCommons, makeMemoryContext } from '../packages/destination/src/index.ts';
import { compileMapping, type Plan } from '../packages/mapping/src/index.ts';
import { salesforceKind } from '../packages/salesforce/src/index.ts';
import { normalise } from '../packages/synthflow/src/index.ts';
import { phoneOf } from '../test/support/phone.ts';
import { makeCall } from './support/calls.ts';

const SIZES = process.argv.slice(2).map(Number);

const sandbox = await startSandbox({
  port: 0,
  provisioned: true,
  settings: { salesforce: { search_lag: 0, duplicate_rules: 'off', limits: { daily: null } } },
});
const settings = salesforceKind.settings.parse({
  base_url: sandbox.salesforceUrl,
  client_id: 'sandbox-consumer-key',
  client_secret: 'sandbox-consumer-secret',
});
const destination = await salesforceKind.connect('service', settings);
const { mapping } = compileMapping({
  name: 'mapping.yaml',
  text: 'extends: salesforce/call-log\ntasks: [ { name: call-back, when: { path: call.outcome, exists: true } } ]\n',
  dialect: salesforceKind.dialect,
  readFile: () => undefined,
});
if (!mapping) throw new Error('the mapping does not compile');

const commons = makeMemoryCommons();
const planOf = (phone: string): Plan => mapping.plan(normalise(makeCall({ phone }) as never, { source: 'main' }), 'r');
const lines: string[] = [];
try {
  await write([planOf(phoneOf(0))]);
  let block = 1;
  for (const size of SIZES.length > 0 ? SIZES : [1, 10, 200, 1000]) {
    const phones = (start: number) => Array.from({ length: size }, (_, n) => phoneOf(start * 10_000 + n));
    const [unknown, known] = [phones(block), phones(block + 1)];
    block += 2;
    sandbox.control.seed({
      salesforce: { records: { Contact: known.map((number, n) => ({ LastName: `Known${n}`, Phone: number })) } },
    });
    const calls = unknown.map(planOf);
    await measure('new', calls);
    await measure('known', known.map(planOf));
    await measure('remembered', unknown.map(planOf));
    await measure(
      'repeat',
      calls.map((plan) => ({ ...plan, resume: { attempts: 1, records: {} } })),
    );
  }
  console.log('| calls | people | requests | per call | ms per call |\n| ---: | --- | ---: | ---: | ---: |');
  for (const line of lines) console.log(line);
  for (const object of ['Task', 'Lead', 'Contact']) {
    const records = sandbox.salesforce.records(object);
    const keys = new Set(records.map(({ id, fields }) => fields.Wrapup_Call_Id__c ?? fields.Wrapup_Key__c ?? id));
    process.stderr.write(`${records.length} ${object}, ${keys.size} distinct keys\n`);
  }
} finally {
  await destination.close();
  await sandbox.close();
}

async function measure(people: string, plans: Plan[]): Promise<void> {
  const before = sandbox.control.requests().total;
  const began = performance.now();
  await write(plans);
  const ms = (performance.now() - began) / plans.length;
  const requests = sandbox.control.requests().total - before;
  const perCall = (requests / plans.length).toFixed(plans.length === 1 ? 0 : 3);
  lines.push(`| ${plans.length} | ${people} | ${requests} | ${perCall} | ${ms.toFixed(1)} |`);
}

async function write(plans: Plan[]): Promise<void> {
  for (let start = 0; start < plans.length; start += destination.batch) {
    const batch = plans.slice(start, start + destination.batch);
    const outcomes = await destination.write(batch, makeMemoryContext(commons, { within: 120_000 }));
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.failure;
  }
}
