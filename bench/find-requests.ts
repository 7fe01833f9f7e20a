/**
 * What it costs that calls find the record they belong to, in requests: each beside the same calls without `find:`. Counted by
 * the sandbox, the adapters on their own, their batches as full as a worker's can be. Writes bench/find-requests.md.
 *
 *   npm run bench:find               1, 100 and 1,000 calls
 *   npm run bench:find -- --out x    into another file
 *
 * Every caller is known and has an open deal or opportunity, or their company has one. Definitions and stages, which are read
 * once in ten minutes, are remembered.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { type Destination, makeMemoryCommons, makeMemoryContext } from '../packages/destination/src/index.ts';
import { hubspotKind } from '../packages/hubspot/src/index.ts';
import { compileMapping, type Dialect, type Plan } from '../packages/mapping/src/index.ts';
import { salesforceKind } from '../packages/salesforce/src/index.ts';
import { normalise } from '../packages/synthflow/src/index.ts';
import { phoneOf } from '../test/support/phone.ts';
import { makeCall } from './support/calls.ts';

const PAGE = resolve(import.meta.dirname, 'find-requests.md');
const SIZES = [1, 100, 1000];

/** Who has the open record, or how else it is found. */
const WAYS = ['without find', 'the person’s', 'their company’s', 'by a field'] as const;
type Way = (typeof WAYS)[number];

interface Crm {
  name: string;
  dialect: Dialect;
  /** The section of the record, with `find` in its place. */
  section(find: string): string;
  connect(sandbox: RunningSandbox): Promise<Destination>;
  /** Adds callers with what belongs to them. */
  seed(sandbox: RunningSandbox, way: Way, phones: string[]): void;
}

const CRMS: Crm[] = [
  {
    name: 'HubSpot',
    dialect: hubspotKind.dialect,
    section: (find) =>
      `deals: [ { name: renewal, find: ${find}, none: park, fields: { dealstage: { value: contractsent, write: overwrite } } } ]`,
    connect: ({ hubspotUrl }) =>
      hubspotKind.connect('crm', hubspotKind.settings.parse({ access_token: 'pat-na1-bench', base_url: hubspotUrl })),
    seed({ control }, way, phones) {
      const deal = { dealname: 'A deal', dealstage: 'qualifiedtobuy' };
      control.seed({
        records: {
          contacts: phones.map((phone) => ({ properties: { firstname: 'Ada', phone } })),
          companies: phones.map((_, n) => ({ properties: { name: 'Acme' }, associations: { contacts: [`#${n}`] } })),
          deals: phones.map((phone, n) => ({
            properties: { ...deal, description: phone },
            associations: way === 'their company’s' ? { companies: [`#${n}`] } : { contacts: [`#${n}`] },
          })),
        },
      });
    },
  },
  {
    name: 'Salesforce',
    dialect: salesforceKind.dialect,
    section: (find) =>
      `opportunities: [ { name: renewal, find: ${find}, none: park, fields: { StageName: { value: Qualification, write: overwrite } } } ]`,
    connect: ({ salesforceUrl }) => {
      const keys = { client_id: 'sandbox-consumer-key', client_secret: 'sandbox-consumer-secret' };
      return salesforceKind.connect('crm', salesforceKind.settings.parse({ base_url: salesforceUrl, ...keys }));
    },
    seed({ control }, way, phones) {
      const { Account = [] } = control.seed({
        salesforce: { records: { Account: phones.map(() => ({ Name: 'Acme' })) } },
      });
      const people = phones.map((Phone, n) => ({ LastName: `Known${n}`, Phone, AccountId: Account[n] }));
      const { Contact = [] } = control.seed({ salesforce: { records: { Contact: people } } });
      const Opportunity = phones.map((NextStep, n) => ({
        ...{ Name: 'One', CloseDate: '2026-12-31', StageName: 'Prospecting', NextStep },
        ...(way === 'their company’s' ? { AccountId: Account[n] } : { ContactId: Contact[n] }),
      }));
      control.seed({ salesforce: { records: { Opportunity } } });
    },
  },
];

function mappingFor({ name, dialect, section }: Crm, way: Way) {
  const field = name === 'HubSpot' ? 'description' : 'NextStep';
  const find = way === 'by a field' ? `{ by: { ${field}: lead.phone } }` : '{ open: newest }';
  const text = `extends: ${dialect.kind}/call-log\n${way === 'without find' ? '' : section(find)}\n`;
  const { mapping, findings } = compileMapping({ name: 'mapping.yaml', text, dialect, readFile: () => undefined });
  if (!mapping) throw new Error(findings.map(({ message }) => message).join('; '));
  return mapping;
}

async function measure(crm: Crm): Promise<string[]> {
  const sandbox = await startSandbox({
    port: 0,
    provisioned: true,
    settings: {
      hubspot: { search_lag: 0, limits: { ten_secondly: null, search_per_second: null } },
      salesforce: { search_lag: 0, duplicate_rules: 'off', limits: { daily: null } },
    },
  });
  const destination = await crm.connect(sandbox);
  const commons = makeMemoryCommons();
  let block = 1;
  const run = async (way: Way, size: number): Promise<number> => {
    const phones = Array.from({ length: size }, (_, n) => phoneOf(block * 10_000 + n));
    block += 1;
    crm.seed(sandbox, way, phones);
    const mapping = mappingFor(crm, way);
    const plans = phones.map(
      (phone): Plan => mapping.plan(normalise(makeCall({ phone }) as never, { source: 'main' }), 'r'),
    );
    const before = sandbox.control.requests().total;
    for (let start = 0; start < plans.length; start += destination.batch) {
      const batch = plans.slice(start, start + destination.batch);
      const outcomes = await destination.write(batch, makeMemoryContext(commons, { within: 120_000 }));
      for (const outcome of outcomes) if (!outcome.ok) throw outcome.failure;
    }
    return sandbox.control.requests().total - before;
  };
  try {
    for (const way of WAYS) await run(way, 1);
    const lines: string[] = [];
    for (const size of SIZES) {
      const [without = 0, ...found] = [
        await run(WAYS[0], size),
        await run(WAYS[1], size),
        await run(WAYS[2], size),
        await run(WAYS[3], size),
      ];
      const cells = found.map((requests) => `${requests} (+${requests - without})`);
      lines.push(`| ${[crm.name, size.toLocaleString('en'), without, ...cells].join(' | ')} |`);
      process.stderr.write(`${lines.at(-1)}\n`);
    }
    return lines;
  } finally {
    await destination.close();
    await sandbox.close();
  }
}

const { values } = parseArgs({ options: { out: { type: 'string', default: PAGE } } });
const lines = [await measure(CRMS[0] as Crm), await measure(CRMS[1] as Crm)].flat();
const page = `# Finding the record that a call belongs to, in requests

Written by \`npm run bench:find\`, counted by the sandbox; the adapters alone, in batches of 100 calls for HubSpot and 200 for Salesforce. Every caller is known, nothing is remembered of them, and the record that is found is moved on to another stage. In parentheses what finding and moving it costs beside the same calls without. Definitions and stages are read once in ten minutes, and not in these figures.

| CRM | calls | ${WAYS.join(' | ')} |
| --- | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
writeFileSync(values.out, page);
console.log(page);
process.exit(0);
