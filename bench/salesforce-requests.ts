/**
 * What writing calls to Salesforce costs in API requests, counted by the sandbox: the adapter on its own, with batches as
 * full as a worker's can be, people first and records after them, and both in one request (`composite: true`). An org counts
 * requests by the day, so this is the price of a call. Writes bench/salesforce-requests.md.
 *
 *   npm run bench:salesforce                          all sizes: a minute
 *   npm run bench:salesforce -- --sizes 1,10 --out x  only these, into another file: the published page has all sizes
 *
 * Every call has one follow-up task. Each line begins with what the org is like remembered, as a running worker has it.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSandbox } from '@wrapup/sandbox';
import { makeMemoryCommons, makeMemoryContext } from '../packages/destination/src/index.ts';
import { compileMapping, type Plan } from '../packages/mapping/src/index.ts';
import { salesforceKind } from '../packages/salesforce/src/index.ts';
import { normalise } from '../packages/synthflow/src/index.ts';
import { phoneOf } from '../test/support/phone.ts';
import { makeCall } from './support/calls.ts';
import { describeMachine } from './support/machine.ts';

const PAGE = resolve(import.meta.dirname, 'salesforce-requests.md');

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,10,100,200,333,1000' },
    out: { type: 'string', default: PAGE },
  },
});

const sizes = values.sizes.split(',').map(Number);
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
  console.error('--sizes takes numbers of calls, separated by commas: 1,10,100');
  process.exit(2);
}

const { mapping } = compileMapping({
  name: 'mapping.yaml',
  text: 'extends: salesforce/call-log\ntasks: [ { name: call-back, when: { path: call.outcome, exists: true } } ]\n',
  dialect: salesforceKind.dialect,
  readFile: () => undefined,
});
if (!mapping) throw new Error('the mapping does not compile');

interface Row {
  calls: number;
  people: string;
  requests: number;
}

const planOf = (phone: string): Plan => mapping.plan(normalise(makeCall({ phone }) as never, { source: 'main' }), 'r');
const apart = await measureAll(false);
const together = await measureAll(true);
const page = await render();
writeFileSync(values.out, page);
console.log(page);

/** Every size and kind of people, in an org of its own. */
async function measureAll(composite: boolean): Promise<Row[]> {
  const sandbox = await startSandbox({
    port: 0,
    provisioned: true,
    settings: { salesforce: { search_lag: 0, duplicate_rules: 'off', limits: { daily: null } } },
  });
  const settings = salesforceKind.settings.parse({
    base_url: sandbox.salesforceUrl,
    client_id: 'sandbox-consumer-key',
    client_secret: 'sandbox-consumer-secret',
    composite,
  });
  const destination = await salesforceKind.connect('service', settings);
  const commons = makeMemoryCommons();
  const rows: Row[] = [];
  const write = async (plans: Plan[]) => {
    for (let start = 0; start < plans.length; start += destination.batch) {
      const batch = plans.slice(start, start + destination.batch);
      const outcomes = await destination.write(batch, makeMemoryContext(commons, { within: 120_000 }));
      for (const outcome of outcomes) if (!outcome.ok) throw outcome.failure;
    }
  };
  const measure = async (people: string, plans: Plan[]) => {
    const before = sandbox.control.requests().total;
    await write(plans);
    rows.push({ calls: plans.length, people, requests: sandbox.control.requests().total - before });
  };
  try {
    await write([planOf(phoneOf(0))]);
    let block = 1;
    for (const size of sizes) {
      const phones = (start: number) => Array.from({ length: size }, (_, n) => phoneOf(start * 10_000 + n));
      const [unknown, known, others] = [phones(block), phones(block + 1), phones(block + 2)];
      block += 3;
      const third = (of: string[], from: number) => of.filter((_, n) => n % 3 === from);
      const contacts = [...known, ...third(others, 1)].map((number, n) => ({ LastName: `Known${n}`, Phone: number }));
      sandbox.control.seed({ salesforce: { records: { Contact: contacts } } });
      const calls = unknown.map(planOf);
      await measure('new', calls);
      await measure('known', known.map(planOf));
      await measure('remembered', unknown.map(planOf));
      await measure(
        'repeat',
        calls.map((plan) => ({ ...plan, resume: { attempts: 1, records: {} } })),
      );
      const each = [third(others, 0), third(others, 1), third(unknown, 2)];
      if (size > 1) await measure('mixed', each.flat().map(planOf));
    }
    for (const object of ['Task', 'Lead', 'Contact']) {
      const records = sandbox.salesforce.records(object);
      const keys = new Set(records.map(({ id, fields }) => fields.Wrapup_Call_Id__c ?? fields.Wrapup_Key__c ?? id));
      if (keys.size < records.length) throw new Error(`${records.length} ${object}, ${keys.size} distinct keys`);
      const unlinked = records.filter(({ fields }) => object === 'Task' && !fields.WhoId);
      if (unlinked.length > 0) throw new Error(`${unlinked.length} ${object} without a person`);
    }
  } finally {
    await destination.close();
    await sandbox.close();
  }
  return rows;
}

async function render(): Promise<string> {
  const each = ({ requests, calls }: Row) => (requests / calls).toFixed(calls === 1 ? 0 : 3);
  const lines = apart.map((row, index) => {
    const other = together[index] ?? row;
    const size = row.calls.toLocaleString('en');
    return `| ${size} | ${row.people} | ${row.requests} | ${each(row)} | ${other.requests} | ${each(other)} |`;
  });
  return `# Salesforce, requests a call

Written by \`npm run bench:salesforce\`, counted by the sandbox: the adapter alone, its batches as full as they can be. Every call leaves a call log and a task, and no person calls twice. \`new\`: no person has the number. \`known\`: a contact has it, and Wrapup has not written to it of late. \`remembered\`: Wrapup has written to it within the last quarter of an hour. \`repeat\`: the same calls once more, as a replay does; nothing is there twice afterwards, and no task is without its person. \`mixed\`: a third each of the first three.

\`people, then records\` is the default, in batches of 200; \`one request\` is \`composite: true\`, in batches of 333. To both come one request for the org’s definitions in ten minutes, and those for tokens, which Salesforce does not count.

Measured on ${new Date().toISOString().slice(0, 10)}: ${await describeMachine(['jsforce'])}.

| calls | people | people, then records | per call | one request | per call |
| ---: | --- | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
}
