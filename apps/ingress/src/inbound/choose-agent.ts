import type { Call } from '@wrapup/call';
import type { Caller, Inbound } from '@wrapup/config';

export type AgentDecision = { do: 'keep' } | { do: 'reroute'; agent: string } | { do: 'decline' };

const KEEP: AgentDecision = { do: 'keep' };

/**
 * Chooses the agent that takes the call, by the first rule that holds.
 *
 * A rule that reads the caller is skipped while the caller is unknown. No call is declined after that: the skipped rule
 * might have sent it to an agent.
 *
 * @param caller undefined while the caller is unknown; empty when the CRM has no person of that number
 * @param hours whether the office is open now
 */
export function chooseAgent(
  rules: Inbound['agents'],
  call: Call,
  caller: Caller | undefined,
  hours: 'open' | 'closed',
): AgentDecision {
  let undecided = false;
  for (const { when, asks_caller, hours: wanted, agent, decline } of rules) {
    if (wanted !== undefined && wanted !== hours) continue;
    if (asks_caller && caller === undefined) undecided = true;
    else if (when(call, caller ?? {})) {
      if (decline) return undecided ? KEEP : { do: 'decline' };
      return agent === undefined ? KEEP : { do: 'reroute', agent };
    }
  }
  return KEEP;
}
