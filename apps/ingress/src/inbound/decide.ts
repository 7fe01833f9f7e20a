import type { Call } from '@wrapup/call';
import type { Caller, Inbound } from '@wrapup/config';

export type Decision = { do: 'keep' } | { do: 'reroute'; agent: string } | { do: 'decline' };

const KEEP: Decision = { do: 'keep' };

/**
 * Which agent takes the call, by the first rule that holds.
 *
 * A rule that asks who is calling cannot be decided while nobody knows, and is passed over. Nobody is hung up on after
 * that: an earlier rule might have sent them somewhere.
 *
 * @param caller undefined while it is not known who is calling; empty when the CRM knows nobody
 */
export function decide(rules: Inbound['agents'], call: Call, caller: Caller | undefined): Decision {
  let undecided = false;
  for (const { when, asks_caller, agent, decline } of rules) {
    if (asks_caller && caller === undefined) undecided = true;
    else if (when(call, caller ?? {})) {
      if (decline) return undecided ? KEEP : { do: 'decline' };
      return agent === undefined ? KEEP : { do: 'reroute', agent };
    }
  }
  return KEEP;
}
