import type { Call } from '@wrapup/call';
import type { Inbound } from '@wrapup/config';
import { withDeadline } from '@wrapup/destination';
import { isOfficeOpen } from '@wrapup/mapping';
import type { IngressAnswer } from '../http/request-handler.ts';
import { type CallerLookup, tooLate } from './caller-lookup.ts';
import { chooseAgent } from './choose-agent.ts';
import { callerOf, customVariables } from './custom-variables.ts';

/**
 * Keeps the agent that received the call. An empty `call_inbound` would disconnect the caller
 * (https://docs.synthflow.ai/inbound-webhook-api), so every failure is answered with this.
 */
export const NEUTRAL: IngressAnswer = {
  status: 200,
  body: '{"call_inbound":{"override_model_id":""}}',
  result: 'neutral',
};

/** Sent only for a rule with `decline: true`. */
const DECLINED: IngressAnswer = { status: 200, body: '{"call_inbound":{}}', result: 'declined' };

export interface InboundAnswerParts {
  inbound: Inbound;
  callers: CallerLookup | undefined;
  /** Called when a caller could not be looked up; the event is then answered without the caller. */
  onFailure(error: unknown): void;
}

/**
 * Returns the answer to an inbound event. Never rejects for a look-up that failed.
 * @param within milliseconds that the look-up may take
 */
export async function answerInbound(call: Call, within: number, parts: InboundAnswerParts): Promise<IngressAnswer> {
  const { inbound } = parts;
  const found = await lookUp(call, within, parts);
  const person = found?.found === 'one' ? found.person : undefined;
  // Several people, or a failed look-up: the caller is unknown, which is not the same as a number without a person.
  const caller = person ? callerOf(person) : found?.found === 'none' ? {} : undefined;
  const hours = inbound.office_hours && !isOfficeOpen(inbound.office_hours, Date.now()) ? 'closed' : 'open';
  const decision = chooseAgent(inbound.agents, call, caller, hours);
  if (decision.do === 'decline') return DECLINED;
  // The id returns with the finished call, which is then written to this person without another look-up.
  const identity = person && { crm_person_id: person.id, crm_connection: inbound.look_up };
  const { personal } = inbound;
  // Only the number identifies the caller, and a number can be forged: personal data needs the second fact.
  const confirmed = person && personal?.when(call, caller ?? {}) ? personal.variables : {};
  const variables = { ...customVariables({ ...inbound.variables, ...confirmed }, call, caller), ...identity };
  const metadata = { ...customVariables(inbound.metadata, call, caller), ...identity };
  const rerouted = decision.do === 'reroute';
  const [hasVariables, hasMetadata] = [variables, metadata].map((one) => Object.keys(one).length > 0);
  if (!rerouted && !hasVariables && !hasMetadata) return NEUTRAL;
  return {
    status: 200,
    body: JSON.stringify({
      call_inbound: {
        override_model_id: rerouted ? decision.agent : '',
        ...(hasVariables && { custom_variables: variables }),
        ...(hasMetadata && { metadata }),
      },
    }),
    result: rerouted ? 'rerouted' : 'variables',
  };
}

/** Time reserved for everything after the look-up. */
const RESERVED_MS = 25;

/** Undefined when it failed or took too long. A caller who withholds the number counts as not found. */
async function lookUp(call: Call, within: number, { inbound, callers, onFailure }: InboundAnswerParts) {
  const { phone, phone_origin } = call.lead;
  // Only the line's own number identifies a person.
  if (phone === undefined || phone_origin === 'said') return { found: 'none' as const };
  if (!callers) return undefined;
  try {
    return await withDeadline(callers.find(inbound, phone, within - RESERVED_MS), within - RESERVED_MS, tooLate);
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}
