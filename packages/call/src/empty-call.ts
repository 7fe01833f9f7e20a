import type { Call } from './model.ts';

/**
 * A call of which nothing is known but these facts: every root of its data is there and empty. What the facts leave open of
 * how it went, is a conversation that took place.
 */
export function emptyCall(facts: Pick<Call, 'id' | 'source'> & Partial<Call>): Call {
  return {
    status: 'completed',
    terminal: true,
    outcome: 'connected',
    answered_by: 'human',
    end_reason: 'human_ended',
    agent: {},
    turns: [],
    booking: {},
    lead: {},
    vars: {},
    collected: {},
    extracted: {},
    actions: {},
    analysis: {},
    prompt_variables: {},
    metadata: {},
    raw: {},
    notes: [],
    ...facts,
  };
}
