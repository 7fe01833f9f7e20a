import type { Call } from '@wrapup/call';
import type { Inbound } from '@wrapup/config';
import { withDeadline } from '@wrapup/destination';
import type { Answer } from '../exchange.ts';
import { type Callers, tooLate } from './callers.ts';
import { decide } from './decide.ts';
import { callerOf, tellVariables } from './tell.ts';

/**
 * Keeps the agent that the call came to. An empty `call_inbound` would disconnect the caller
 * (https://docs.synthflow.ai/inbound-webhook-api), so this is said whatever happens.
 */
export const NEUTRAL: Answer = {
  status: 200,
  body: '{"call_inbound":{"override_model_id":""}}',
  result: 'neutral',
};

/** Said only by a rule that says `decline`. */
const DECLINED: Answer = { status: 200, body: '{"call_inbound":{}}', result: 'declined' };

export interface RingingParts {
  inbound: Inbound;
  callers: Callers | undefined;
  /** Hears why a caller could not be looked up; the answer goes on without. */
  onFailure(error: unknown): void;
}

/**
 * What Synthflow is told of a call that rings. Never rejects for a look-up that failed.
 * @param within milliseconds that the look-up may take
 */
export async function answerRinging(call: Call, within: number, parts: RingingParts): Promise<Answer> {
  const { inbound } = parts;
  const found = await lookUp(call, within, parts);
  const person = found?.found === 'one' ? found.person : undefined;
  // Several people, or a look-up that failed: who is calling is not known, which is not the same as nobody.
  const caller = person ? callerOf(person) : found?.found === 'none' ? {} : undefined;
  const decision = decide(inbound.agents, call, caller);
  if (decision.do === 'decline') return DECLINED;
  // The id comes back with the finished call, which is then written to this person without looking again.
  const identity = person && { crm_person_id: person.id, crm_connection: inbound.look_up };
  const { personal } = inbound;
  // The number is all that names the caller, and a number can be forged: personal data waits for the second fact.
  const confirmed = person && personal?.when(call, caller ?? {}) ? personal.variables : {};
  const variables = { ...tellVariables({ ...inbound.variables, ...confirmed }, call, caller), ...identity };
  const rerouted = decision.do === 'reroute';
  if (!rerouted && Object.keys(variables).length === 0) return NEUTRAL;
  return {
    status: 200,
    body: JSON.stringify({
      call_inbound: {
        override_model_id: rerouted ? decision.agent : '',
        ...(Object.keys(variables).length > 0 && { custom_variables: variables }),
        ...(identity && { metadata: identity }),
      },
    }),
    result: rerouted ? 'rerouted' : 'told',
  };
}

/** What is left of the time for everything after the look-up, in ms. */
const SPARE = 25;

/** Undefined when it failed or took too long. A caller who withholds the number is nobody's record. */
async function lookUp(call: Call, within: number, { inbound, callers, onFailure }: RingingParts) {
  const { phone, phone_origin } = call.lead;
  // Only the line's own number names anybody.
  if (phone === undefined || phone_origin === 'said') return { found: 'none' as const };
  if (!callers) return undefined;
  try {
    return await withDeadline(callers.find(inbound, phone, within - SPARE), within - SPARE, tooLate);
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}
