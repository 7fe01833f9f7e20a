/**
 * The adapter against a real HubSpot account: provisions, writes, writes again, races, asks what is not documented, and
 * takes everything off again but the properties that `provision` made.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Context, type Destination, Failure } from '@wrapup/destination';
import {
  contextsFor,
  type LiveObserver,
  type LiveReport,
  LiveSteps,
  type NoteMade,
  recordsOf,
  writeTwice,
} from '@wrapup/destination/live';
import { formatFinding } from '@wrapup/findings';
import { compileMapping, type Plan } from '@wrapup/mapping';
import type { LiveAnswer } from '@wrapup/sandbox';
import { hubspotKind } from '../src/index.ts';
import { QUESTIONS } from './questions.ts';
import { Raw, type Target } from './raw.ts';
import { samplePayloadCall } from './sample.ts';

export interface LiveOptions extends Target, LiveObserver {
  /** Also in an account that says it is neither a developer test account nor a sandbox. */
  any_account?: boolean;
}

/** Ms that one write may take, and that search is given to show a contact. */
const WITHIN = 60_000;
const SEARCH = 90_000;
const RACERS = 8;

/** @throws when the key does not work, or the account is not for tests */
export async function runLive(options: LiveOptions): Promise<LiveReport<LiveAnswer>> {
  const { token, base_url, version, any_account, observe } = options;
  const context = contextsFor(options, WITHIN, hubspotKind.pools);
  const raw = new Raw({ token, base_url, version }, observe);
  const settings = hubspotKind.settings.parse({ access_token: token, base_url, api_version: version, timeout: 20_000 });
  const destination = await hubspotKind.connect('live', settings);
  const run = randomBytes(4).toString('hex');
  const made = new Map<string, Set<string>>();
  const note = (object: string, id: string | undefined) => {
    if (id !== undefined) made.set(object, (made.get(object) ?? new Set()).add(id));
  };
  const account = await checkAccount(destination, raw, any_account ?? false, context);
  const steps = new LiveSteps(options);
  const answers: LiveAnswer[] = [];
  try {
    await steps.do('provision', () => provision(destination, context));
    await steps.do('write, and write again', () => writeTwice(destination, planOf(run, 'write'), note, context));
    await steps.do('race without shared memory', () => race(destination, run, note, context));
    await steps.do('search shows what was written', () => waitForSearch(destination, run, context));
    for (const [index, { asks, sandbox, answer }] of QUESTIONS.entries())
      await steps.do(`${index + 1}. ${asks}`, async () => {
        const said = await answer(raw, run, note);
        answers.push({ question: asks, answer: said, confirms: sandbox.test(said) });
        return said;
      });
  } finally {
    await steps.do('clean up', () => cleanUp(raw, made));
    await destination.close();
  }
  return { account, steps: steps.done, answers };
}

async function checkAccount(destination: Destination, raw: Raw, any: boolean, context: () => Context): Promise<string> {
  const { account, notes } = await destination.probe(context());
  const { body } = await raw.ask('GET', '/account-info/{v}/details');
  const type = String(body.accountType ?? 'of unknown type');
  if (!any && !['DEVELOPER_TEST', 'SANDBOX'].includes(type))
    throw new Error(
      `account ${account} is ${type}, not a test account: nothing was done. HUBSPOT_LIVE_ANY_ACCOUNT=1 runs it all the same.`,
    );
  return `${account} (${type}); ${notes.join(' ')}`;
}

function mapping() {
  const { mapping: compiled, findings } = compileMapping({
    name: 'live.yaml',
    text: 'extends: hubspot/call-log\n',
    dialect: hubspotKind.dialect,
    readFile: () => undefined,
  });
  if (!compiled) throw new Error(findings.map(formatFinding).join('\n'));
  return compiled;
}

async function provision(destination: Destination, context: () => Context): Promise<string> {
  const steps = await destination.provision({ mappings: [mapping()], plan: false }, context());
  const refused = steps.filter(({ state }) => state === 'refused');
  if (refused.length > 0) throw new Error(refused.map(({ what, hint }) => `${what}: ${hint ?? 'refused'}`).join(' '));
  return steps.map(({ what, state }) => `${what} ${state}`).join(', ');
}

function planOf(run: string, name: string): Plan {
  return mapping().plan(samplePayloadCall(run, name), 'live');
}

async function race(destination: Destination, run: string, note: NoteMade, context: () => Context): Promise<string> {
  const plan = planOf(run, 'race');
  const deliver = async () => {
    for (let attempts = 0; ; attempts += 1) {
      const attempt = attempts === 0 ? plan : { ...plan, resume: { attempts, records: {} } };
      const [outcome] = await destination.write([attempt], context());
      if (outcome?.ok || attempts === 5) return recordsOf(outcome, note);
      await pause(1000);
    }
  };
  const all = new Set(await Promise.all(Array.from({ length: RACERS }, deliver)));
  if (all.size > 1) throw new Error(`${RACERS} deliveries made ${all.size}: ${[...all].join(' | ')}`);
  return `${RACERS} deliveries, one effect: ${[...all].join()}`;
}

async function waitForSearch(destination: Destination, run: string, context: () => Context): Promise<string> {
  const match = planOf(run, 'write').person?.match.filter(({ by }) => by === 'phone') ?? [];
  const began = Date.now();
  while (Date.now() - began < SEARCH) {
    // The race may have used up the searches of this second.
    const [answer] = await destination.find([{ match, properties: [] }], context()).catch((thrown: unknown) => {
      if (thrown instanceof Failure && thrown.next === 'throttle') return [];
      throw thrown;
    });
    if (answer?.found === 'one') return `found by number ${Math.round((Date.now() - began) / 1000)} s after the race`;
    if (answer?.found === 'many') throw new Error(`${answer.candidates.length} contacts have the number of this run`);
    await pause(2000);
  }
  throw new Error(`not found by number within ${SEARCH / 1000} s`);
}

async function cleanUp(raw: Raw, made: Map<string, Set<string>>): Promise<string> {
  const left: string[] = [];
  let count = 0;
  for (const [object, ids] of made)
    for (const id of ids) {
      if (await raw.archive(object, id)) count += 1;
      else left.push(`${object} ${id}`);
    }
  if (left.length > 0) throw new Error(`archived ${count}; still there: ${left.join(', ')}`);
  return `archived ${count} records; the properties of provision stay`;
}
