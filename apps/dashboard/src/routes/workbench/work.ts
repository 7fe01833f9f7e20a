/** What is on the workbench, evaluated: findings, plans, what the CRM says, a test. */
import { basename } from 'node:path';
import { chooseRoutes, compileEdited, type Source } from '@wrapup/config';
import { asReplay, type Plan } from '@wrapup/mapping';
import type { DeliveryEntry } from '@wrapup/queue';
import { type CallToPlan, planOn } from '@wrapup/recovery/standing-call';
import type { Request, Response } from 'express';
import type { WorkbenchResult } from '../../pages/workbench/result.ts';
import { askCrm } from '../../queries/ask-crm.ts';
import { ask } from '../../queries/ask-redis.ts';
import type { Evaluation, EvaluationRequest } from '../../workbench/evaluate.ts';
import { type Evaluator, NotEvaluated, TookTooMuch } from '../../workbench/evaluator.ts';
import { richTextOf } from '../../workbench/rich-text.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteLook } from '../operator.ts';
import { type Bench, type OpenedCall, ownerOf } from './read-request.ts';

export interface OnBench {
  bench: Bench;
  source: Source;
  call: { text: string } | OpenedCall;
  /** Of the mapping, as edited. Absent where its file cannot be read. */
  text?: string | undefined;
}

interface Wanted {
  /** Read from the CRM what the plan would change there. */
  ask?: boolean;
  /** Name of a test to write. */
  test?: string;
}

export interface Worked {
  /** HTTP status. */
  status: number;
  result: WorkbenchResult;
  /** Of the mapping as edited, where it has no errors. */
  hash?: string;
}

/** An evaluation that takes more CPU is not done a second time on the thread that answers requests, as asking a CRM needs. */
const QUICK_MS = 1_000;

/** @throws Unavailable */
export async function work(
  { store, log, evaluator }: HandlerParts & { evaluator: Evaluator },
  request: Request,
  response: Response,
  on: OnBench,
  wanted: Wanted = {},
): Promise<Worked> {
  const { bench, source, call, text } = on;
  const { route, place, config } = bench;
  const evaluated = await evaluateOnce(evaluator, ownerOf(request, response), questionOf(on, wanted));
  if ('status' in evaluated) return evaluated;
  const { plan, took: _, test, hash, ...evaluation } = evaluated;
  const problems = evaluation.problems.some(({ severity }) => severity === 'error');
  const result: WorkbenchResult = { evaluation };
  if (place && text !== undefined) result.mapping = { path: place.path, text };
  const done = (status: number): Worked => ({ status, result, ...(hash === undefined ? {} : { hash }) });
  if (evaluation.call) result.chosen = chooseRoutes(config, evaluation.call).map(({ name }) => name);
  if (!evaluation.call || !evaluation.proved || !route) return done(problems ? 422 : 200);
  const standing: CallToPlan =
    'standing' in call ? call.standing : { call: evaluation.call, proved: evaluation.proved, left_out: [] };
  const richText = richTextOf(config.connections[route.to]?.kind);
  Object.assign(result, { route: route.name, connection: route.to, richText });
  const inForce = planOn(route, standing).plan;
  // A mapping with errors plans nothing: what is in force stands in until they are gone.
  if (plan) Object.assign(result, { plan, installed: inForce });
  else result.plan = inForce;
  if (test !== undefined && place && wanted.test !== undefined)
    result.test = { file: testFile(place.path, wanted.test), text: test, isRedacted: !isCase(call) };
  const shown = result.plan;
  const connection = config.connections[route.to];
  if (!wanted.ask || !shown || !connection) return done(200);
  if (text !== undefined && !plan) {
    result.problem = 'The mapping has errors: the CRM is asked once they are gone.';
    return done(422);
  }
  if (evaluated.took > QUICK_MS) {
    result.problem =
      'The mapping takes too long for this call to be compared with the CRM here: `wrapup plan` does it.';
    return done(422);
  }
  // The address that is looked up stays out of the log.
  const what = { source: source.name, route: route.name, connection: connection.name };
  await noteLook({ store, log }, request, response, what);
  const entry = 'entry' in call ? call.entry : await ask(store, () => store.ledger.read(source.name, standing.call.id));
  const delivery = entry?.deliveries.find((one) => one.route === route.name);
  result.answer = await askCrm(store, connection, wholePlan(on, standing, delivery) ?? inForce, delivery);
  return done(200);
}

function questionOf({ bench, source, call, text }: OnBench, { test }: Wanted): EvaluationRequest {
  const { route, place } = bench;
  const mapping =
    place && route && text !== undefined ? { place, text, route: { name: route.name, to: route.to } } : undefined;
  const { name, key_prefix, default_country, agents } = source;
  const given =
    'standing' in call
      ? {
          ...callsOf(call.standing),
          written: (route && call.standing.written?.(route.name))?.map(({ name: one }) => one) ?? [],
        }
      : { text: call.text, received_at: Date.now() };
  return {
    ...(mapping ? { mapping } : {}),
    source: { name, key_prefix, default_country, agents },
    given,
    ...(test === undefined || !place ? {} : { test: { name: test, mapping: basename(place.path) } }),
  };
}

function callsOf({ call, proved }: CallToPlan): Pick<CallToPlan, 'call' | 'proved'> {
  return { call, proved };
}

async function evaluateOnce(
  evaluator: Evaluator,
  owner: string,
  question: EvaluationRequest,
): Promise<Evaluation | Worked> {
  try {
    return await evaluator.evaluate(owner, question);
  } catch (error) {
    if (error instanceof TookTooMuch)
      return {
        status: 422,
        result: { problem: `The mapping was stopped, as it took too much for this call: ${error.message}.` },
      };
    if (error instanceof NotEvaluated)
      return error.why === 'newer'
        ? { status: 409, result: { problem: 'A newer version of this page was sent meanwhile.' } }
        : { status: 503, result: { problem: 'Many mappings are looked at now: try again in a moment.' } };
    throw error;
  }
}

/** With what a destination needs of a plan, which does not go from thread to thread. */
function wholePlan(
  { bench, text, call }: OnBench,
  standing: CallToPlan,
  delivery: DeliveryEntry | undefined,
): Plan | undefined {
  const { place, route } = bench;
  if (!place || !route || text === undefined) return undefined;
  const { mapping } = compileEdited(place, text);
  if (!mapping) return undefined;
  const { plan } = planOn({ ...route, mapping }, standing);
  return 'standing' in call ? plan : asReplay(plan, delivery?.records ?? []);
}

/** Whether the call comes from the text of a case, which holds what its writer put there. */
function isCase(call: OnBench['call']): boolean {
  return 'text' in call && !call.text.trimStart().startsWith('{');
}

/** Beside the mapping, by a name that says what the test shows. */
function testFile(path: string, name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  return `${path.replace(/\.ya?ml$/, '')}${words ? `-${words.replace(/-$/, '')}` : ''}.test.yaml`;
}
