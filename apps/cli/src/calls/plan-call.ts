import { existsSync } from 'node:fs';
import { fullName } from '@wrapup/call';
import type { Config, Route } from '@wrapup/config';
import type { Plan } from '@wrapup/mapping';
import {
  type CallToPlan,
  normaliseFor,
  readStanding,
  whyUnreadable,
  withChoices,
} from '@wrapup/recovery/standing-call';
import { readCallId, trimPayload } from '@wrapup/synthflow/payload';
import { operator } from '../connect/operator.ts';
import { chooseSource } from '../connect/sources.ts';
import { withStore } from '../connect/store.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { parseJson, readInput } from '../terminal/input.ts';
import { type CallPlace, findCall } from './find-call.ts';

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
      `the payload of call ${id} ${whyUnreadable(entry)}`,
      entry.stopped?.hint ?? 'retention.delivered and retention.stopped say how long payloads are kept',
    );
  });
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
