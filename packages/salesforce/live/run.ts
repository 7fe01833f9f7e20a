/** The adapter against a real org: provisions, writes, writes again, asks what is not documented, deletes what it made. */
import { randomBytes } from 'node:crypto';
import type { Context, Destination, WriteOutcome } from '@wrapup/destination';
import { asList, asObject, asText } from '@wrapup/destination/http';
import {
  contextsFor,
  type LiveObserver,
  type LiveReport,
  LiveSteps,
  type NoteMade,
  recordsOf,
  writeTwice,
} from '@wrapup/destination/live';
import { samplePlan } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
import type { LiveAnswer } from '@wrapup/sandbox';
import { SalesforceTransport } from '../src/client/transport.ts';
import { salesforceKind } from '../src/index.ts';
import { isForTrying, QUESTIONS } from './questions.ts';
import { Raw } from './raw.ts';
import { SALESFORCE_NAMES } from './sample-names.ts';

export interface LiveOptions extends LiveObserver {
  connection: Record<string, unknown>;
  any_org: boolean;
  /** Deploy the fields that are missing. */
  deploy: boolean;
}

/** Ms that one step may take. */
const WITHIN = 5 * 60_000;

/** @throws when the credentials do not work, or the org is not for trying */
export async function runLive(options: LiveOptions): Promise<LiveReport<LiveAnswer>> {
  const settings = salesforceKind.settings.parse(options.connection);
  const destination = await salesforceKind.connect('live', settings);
  const transport = await SalesforceTransport.open(settings);
  const raw = new Raw(transport, options.observe);
  const note: NoteMade = (_object, id) => raw.note(id);
  const context = contextsFor(options, WITHIN);
  const run = randomBytes(4).toString('hex');
  const steps = new LiveSteps(options);
  const answers: LiveAnswer[] = [];
  try {
    const { account, notes } = await destination.probe(context());
    const { ok, type } = await isForTrying(raw);
    if (!ok && !options.any_org)
      throw new Error(
        `org ${account} is ${type}, neither a Developer Edition nor a sandbox: nothing was done. SALESFORCE_LIVE_ANY_ORG=1 runs it all the same.`,
      );
    await steps.do('provision', () => provision(destination, options.deploy, context));
    await steps.do('write, and write again', () => writeTwice(destination, planOf(run), note, context));
    await steps.do('people and their records in one request', () =>
      writeTogether(options.connection, raw, run, note, context),
    );
    for (const [index, { asks, sandbox, answer }] of QUESTIONS.entries())
      await steps.do(`${index + 1}. ${asks}`, async () => {
        const said = await answer(raw, run);
        answers.push({ question: asks, answer: said, confirms: sandbox.test(said) });
        return said;
      });
    await steps.do('clean up', async () => `deleted ${await raw.cleanUp()} records; the fields stay`);
    return { account: `${account} (${type}); ${notes.join(' ')}`, steps: steps.done, answers };
  } finally {
    transport.close();
    await destination.close();
  }
}

async function provision(destination: Destination, deploy: boolean, context: () => Context): Promise<string> {
  const made = await destination.provision({ mappings: [], plan: !deploy, deploy }, context());
  const open = made.filter(({ state }) => state === 'missing' || state === 'refused');
  const said = made.map(({ what, state }) => `${what} ${state}`).join(', ');
  if (open.length > 0) throw new Error(`${said}. ${open[0]?.hint ?? 'SALESFORCE_LIVE_DEPLOY=1 deploys them.'}`);
  return said;
}

/** A call of a number that belongs to no subscriber: 555-0100 to 555-0199 are kept for fiction. */
function planOf(run: string): Plan {
  return samplePlan(SALESFORCE_NAMES, {
    id: run,
    phone: `+1415555${String(100 + (Number.parseInt(run, 16) % 100)).padStart(4, '0')}`,
    email: `wrapup-${run}@example.com`,
    first_name: 'Wrapup',
    last_name: `Live ${run}`,
  });
}

/**
 * As `composite: true` writes: three callers with their records, one of whom has an address that no org takes. The others are
 * to be written and linked, and that one as well once the address is right.
 */
async function writeTogether(
  connection: Record<string, unknown>,
  raw: Raw,
  run: string,
  note: NoteMade,
  context: () => Context,
): Promise<string> {
  const settings = salesforceKind.settings.parse({ ...connection, composite: true, on_refused_field: 'park' });
  const destination = await salesforceKind.connect('live', settings);
  const base = Number.parseInt(run, 16);
  const planFor = (n: number, email: string) =>
    samplePlan(SALESFORCE_NAMES, {
      id: `${run}-${n}`,
      phone: `+1415555${String(100 + ((base + n) % 100)).padStart(4, '0')}`,
      email,
      first_name: 'Wrapup',
      last_name: `Live ${run} ${n}`,
    });
  const good = (n: number) => planFor(n, `wrapup-${run}-${n}@example.com`);
  try {
    const [first, refused, last] = await destination.write([good(1), planFor(2, 'no address'), good(3)], context());
    const written = [recordsOf(first, note), recordsOf(last, note)];
    if (refused?.ok) throw new Error(`${recordsOf(refused, note)} although the address is none`);
    const [repaired] = await destination.write([{ ...good(2), resume: { attempts: 1, records: {} } }], context());
    written.push(recordsOf(repaired, note));
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
