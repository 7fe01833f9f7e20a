import { existsSync } from 'node:fs';
import { type Call, fullName } from '@wrapup/call';
import { type Config, planStanding, type Route, type Source } from '@wrapup/config';
import type { RecordReceipt } from '@wrapup/destination';
import { asReplay, type Plan } from '@wrapup/mapping';
import type { LedgerEntry, OperatorChoice, Store } from '@wrapup/queue';
import { combineRevisions, normalise, readCallId, type StandingCall, trimPayload } from '@wrapup/synthflow/payload';
import { operator } from '../connect/operator.ts';
import { chooseSource } from '../connect/sources.ts';
import { withStore } from '../connect/store.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { parseJson, readInput } from '../terminal/input.ts';
import { type CallPlace, findCall } from './find-call.ts';

export interface CallToPlan extends StandingCall {
  /** Records that the call has on a route already. Absent: nothing is known of it. */
  written?(route: string): RecordReceipt[];
  /** Whom an operator chose for the call on a route. */
  chosen?(route: string): OperatorChoice | undefined;
}

/** The call to plan, from a payload file, standard input, or the ledger. */
export async function readCall(input: string, config: Config, place: CallPlace): Promise<CallToPlan> {
  if (input !== '-' && !existsSync(input)) return fromLedger(input, config, place);
  const source = chooseSource(config, place.source, fullName(place.client, 'main'));
  const payload = parseJson(await readInput(input), input);
  if (readCallId(payload) === undefined) {
    throw new CliError(
      EXIT.usage,
      'the payload has no call id',
      'it belongs at call.call_id; ingress would answer 400',
    );
  }
  // Ingress drops what the source must not keep before it stores the payload: the plan must not promise more.
  const call = normaliseFor(source, trimPayload(payload, source.keep), Date.now());
  return { call, proved: call, left_out: [] };
}

function normaliseFor(source: Source, payload: unknown, receivedAt: number): Call {
  return normalise(payload, {
    source: source.name,
    key_prefix: source.key_prefix,
    agents: source.agents,
    received_at: receivedAt,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  });
}

async function fromLedger(id: string, config: Config, place: CallPlace): Promise<CallToPlan> {
  return withStore(async (store) => {
    const entry = await findCall(store, id, place).catch((error: unknown) => {
      if (!(error instanceof CliError) || error.exit !== EXIT.failed) throw error;
      throw new CliError(EXIT.failed, `"${id}" is neither a file nor a call in the ledger`, error.hint);
    });
    const source = chooseSource(config, entry.source);
    await store.audit.note(operator(), { action: 'look up', source: entry.source, call_id: entry.call_id });
    const standing = await readStanding(store, entry, source);
    if (standing) return standing;
    throw new CliError(
      EXIT.failed,
      `the payload of call ${id} has expired or was removed`,
      'retention.delivered and retention.stopped say how long payloads are kept',
    );
  });
}

/**
 * The call as a replay would deliver it: the last revision that replaced what came before, or waits for a decision, and
 * what later ones added.
 */
export async function readStanding(store: Store, entry: LedgerEntry, source: Source): Promise<CallToPlan | undefined> {
  const waiting = new Set(entry.deliveries.filter(({ state }) => state === 'parked').map(({ revision }) => revision));
  const standing = entry.revisions.filter(
    ({ hash, effect }) =>
      effect !== 'equal' &&
      effect !== 'hint' &&
      (effect !== 'parked' || waiting.has(hash)) &&
      // One that is not judged yet is not what a replay of the deliveries writes.
      (effect !== undefined || !entry.routed),
  );
  const from = standing.findLastIndex(({ effect }) => effect !== 'added');
  const revisions: { call: Call; proved: boolean }[] = [];
  for (const { hash, verified } of standing.slice(Math.max(0, from))) {
    const body = await store.payloads.read(entry.source, entry.call_id, hash);
    if (!body) return undefined;
    const call = normaliseFor(source, parseJson(body, 'the stored payload'), entry.received_at);
    revisions.push({ call, proved: verified === 'api' });
  }
  const [first, ...added] = revisions;
  if (!first) return undefined;
  const on = (route: string) => entry.deliveries.find((delivery) => delivery.route === route);
  return {
    ...combineRevisions(first.call, added),
    written: (route) => on(route)?.records ?? [],
    chosen: (route) => on(route)?.chosen,
  };
}

/** The plan of a call of the ledger with what operators chose. */
export function withChoices(store: Store, plan: Plan, route: Route, { chosen }: CallToPlan): Promise<Plan> {
  const own = chosen?.(route.name);
  return store.choices.applyTo(plan, { connection: route.to, ...(own ? { chosen: own } : {}) });
}

/**
 * The plans of a call with what operators chose, in the order of the routes. Of a call that is not from the ledger the choices
 * for its number and address count, where Redis answers: such a plan must work without it.
 * @param remark called when they could not be asked for
 */
export async function chooseForPlans(
  made: readonly { route: Route; plan: Plan }[],
  standing: CallToPlan,
  remark: (line: string) => void,
): Promise<Plan[]> {
  const choose = () =>
    withStore((store) => Promise.all(made.map(({ route, plan }) => withChoices(store, plan, route, standing))));
  if (standing.written) return choose();
  const plans = made.map(({ plan }) => plan);
  const { readVariable } = await import('@wrapup/config');
  if (!readVariable('REDIS_URL') || !plans.some(({ person }) => person)) return plans;
  try {
    return await choose();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    remark(`${error.message}: whom operators chose for a number or address is not known here`);
    return plans;
  }
}

/** What a route would make of the call now, and what is withheld since only a signature vouches for it. */
export function planOn(route: Route, standing: CallToPlan): { plan: Plan; withheld: string[] } {
  const written = standing.written?.(route.name) ?? [];
  const { plan, withheld } = planStanding(
    route,
    standing,
    written.map(({ name }) => name),
  );
  return { plan: asReplay(plan, written), withheld };
}
