/** The adapter against a real org: provisions, writes, writes again, asks what is not documented, deletes what it made. */
import { randomBytes } from 'node:crypto';
import {
  type Context,
  type Destination,
  makeMemoryCommons,
  makeMemoryContext,
  type WriteOutcome,
} from '@wrapup/destination';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { samplePlan } from '@wrapup/destination/sample-plan';
import type { LiveAnswer } from '@wrapup/sandbox';
import { SalesforceTransport } from '../src/client/transport.ts';
import { salesforceKind } from '../src/index.ts';
import { isForTrying, QUESTIONS } from './questions.ts';
import { Raw } from './raw.ts';
import { SALESFORCE_NAMES } from './sample-names.ts';

export interface LiveStep {
  step: string;
  ok: boolean;
  detail: string;
}

export interface LiveReport {
  account: string;
  steps: LiveStep[];
  answers: LiveAnswer[];
}

export interface LiveOptions {
  connection: Record<string, unknown>;
  any_org: boolean;
  /** Deploy the fields that are missing. */
  deploy: boolean;
  /** Called with each exchange. */
  observe?: Context['observe'];
  /** Called after each step. */
  tell?(step: LiveStep): void;
}

/** Ms that one step may take. */
const WITHIN = 5 * 60_000;

/** @throws when the credentials do not work, or the org is not for trying */
export async function runLive(options: LiveOptions): Promise<LiveReport> {
  const settings = salesforceKind.settings.parse(options.connection);
  const destination = await salesforceKind.connect('live', settings);
  const transport = await SalesforceTransport.open(settings);
  const raw = new Raw(transport, options.observe);
  const context = contexts(options.observe);
  const run = randomBytes(4).toString('hex');
  const steps: LiveStep[] = [];
  const answers: LiveAnswer[] = [];
  const step = async (name: string, work: () => Promise<string>) => {
    const done = await work().then(
      (detail) => ({ step: name, ok: true, detail }),
      (thrown: unknown) => ({
        step: name,
        ok: false,
        detail: thrown instanceof Error ? thrown.message : String(thrown),
      }),
    );
    steps.push(done);
    options.tell?.(done);
  };
  try {
    const { account, notes } = await destination.probe(context());
    const { ok, type } = await isForTrying(raw);
    if (!ok && !options.any_org)
      throw new Error(
        `org ${account} is ${type}, neither a Developer Edition nor a sandbox: nothing was done. SALESFORCE_LIVE_ANY_ORG=1 runs it all the same.`,
      );
    await step('provision', () => provision(destination, options.deploy, context));
    await step('write, and write again', () => writeTwice(destination, raw, run, context));
    await step('people and their records in one request', () => writeTogether(options.connection, raw, run, context));
    for (const [index, { asks, sandbox, answer }] of QUESTIONS.entries())
      await step(`${index + 1}. ${asks}`, async () => {
        const said = await answer(raw, run);
        answers.push({ question: asks, answer: said, confirms: sandbox.test(said) });
        return said;
      });
    await step('clean up', async () => `deleted ${await raw.cleanUp()} records; the fields stay`);
    return { account: `${account} (${type}); ${notes.join(' ')}`, steps, answers };
  } finally {
    transport.close();
    await destination.close();
  }
}

/** A context of its own for each call, without shared memory. */
function contexts(observe: Context['observe']): () => Context {
  return () => makeMemoryContext(makeMemoryCommons(), { within: WITHIN, observe });
}

async function provision(destination: Destination, deploy: boolean, context: () => Context): Promise<string> {
  const made = await destination.provision({ mappings: [], plan: !deploy, deploy }, context());
  const open = made.filter(({ state }) => state === 'missing' || state === 'refused');
  const said = made.map(({ what, state }) => `${what} ${state}`).join(', ');
  if (open.length > 0) throw new Error(`${said}. ${open[0]?.hint ?? 'SALESFORCE_LIVE_DEPLOY=1 deploys them.'}`);
  return said;
}

/** A call of a number that belongs to no subscriber: 555-0100 to 555-0199 are kept for fiction. */
async function writeTwice(destination: Destination, raw: Raw, run: string, context: () => Context): Promise<string> {
  const phone = `+1415555${String(100 + (Number.parseInt(run, 16) % 100)).padStart(4, '0')}`;
  const plan = samplePlan(SALESFORCE_NAMES, {
    id: run,
    phone,
    email: `wrapup-${run}@example.com`,
    first_name: 'Wrapup',
    last_name: `Live ${run}`,
  });
  const [first] = await destination.write([plan], context());
  const written = idsOf(first, raw);
  const [again] = await destination.write([{ ...plan, resume: { attempts: 1, records: {} } }], context());
  if (idsOf(again, raw) !== written) throw new Error(`first ${written}; then ${idsOf(again, raw)}`);
  const { requests = 0, notes = [] } = first?.ok ? first.receipt : {};
  return [written, `${requests} requests`, ...notes].join('; ');
}

/**
 * As `composite: true` writes: three callers with their records, one of whom has an address that no org takes. The others are
 * to be written and linked, and that one as well once the address is right.
 */
async function writeTogether(
  connection: Record<string, unknown>,
  raw: Raw,
  run: string,
  context: () => Context,
): Promise<string> {
  const settings = salesforceKind.settings.parse({ ...connection, composite: true, on_refused_field: 'park' });
  const destination = await salesforceKind.connect('live', settings);
  const base = Number.parseInt(run, 16);
  const planOf = (n: number, email: string) =>
    samplePlan(SALESFORCE_NAMES, {
      id: `${run}-${n}`,
      phone: `+1415555${String(100 + ((base + n) % 100)).padStart(4, '0')}`,
      email,
      first_name: 'Wrapup',
      last_name: `Live ${run} ${n}`,
    });
  const good = (n: number) => planOf(n, `wrapup-${run}-${n}@example.com`);
  try {
    const [first, refused, last] = await destination.write([good(1), planOf(2, 'no address'), good(3)], context());
    const written = [idsOf(first, raw), idsOf(last, raw)];
    if (refused?.ok) throw new Error(`${idsOf(refused, raw)} although the address is none`);
    const [repaired] = await destination.write([{ ...good(2), resume: { attempts: 1, records: {} } }], context());
    written.push(idsOf(repaired, raw));
    const linked = await Promise.all([first, repaired, last].map((outcome) => isLinked(raw, outcome)));
    if (linked.includes(false)) throw new Error(`not linked to their person: ${written.join('; ')}`);
    const requests = first?.ok && last?.ok ? first.receipt.requests + last.receipt.requests : 0;
    return `${written.join('; ')}; all linked; refused first: ${refused?.failure.code}; ${requests.toFixed(1)} requests for the others`;
  } finally {
    await destination.close();
  }
}

/** Whether each record of the call names its person. */
async function isLinked(raw: Raw, outcome: WriteOutcome | undefined): Promise<boolean> {
  const records = outcome?.ok ? outcome.receipt.records : [];
  const [person, ...rest] = records;
  const soql = encodeURIComponent(`SELECT WhoId FROM Task WHERE Id IN ('${rest.map(({ id }) => id).join("','")}')`);
  const { body } = await raw.ask('GET', `/query?q=${soql}`);
  const named = asList(asObject(body).records).map((row) => asText(asObject(row).WhoId));
  return rest.length > 0 && named.length === rest.length && named.every((id) => id === person?.id);
}

function idsOf(outcome: WriteOutcome | undefined, raw: Raw): string {
  if (!outcome?.ok) throw outcome?.failure ?? new Error('no outcome');
  for (const { id } of outcome.receipt.records) raw.note(id);
  return outcome.receipt.records.map(({ name, id }) => `${name} ${id}`).join(', ');
}
