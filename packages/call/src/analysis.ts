/**
 * What a call is judged by: sixteen criteria, each with a remark under its name plus `_feedback`, and three aggregates.
 * https://docs.synthflow.ai/post-call-webhook
 */

export interface Criterion {
  /** As mappings read it: `analysis.goal`. */
  name: string;
  /** As people read it, before yes, partly or no. */
  label: string;
  /** What `true` says. */
  says: string;
  /** The label asks for the opposite of the name. */
  inverted?: true;
  /** It says something of the person, which is worth reading also where all is well. */
  of_person?: true;
  /** `partial` was seen of it; no page says which may be. */
  partial?: true;
}

export const CRITERIA: readonly Criterion[] = [
  { name: 'persona', label: 'Agent kept its role', says: 'the agent stayed who it is meant to be' },
  { name: 'style', label: 'Agent kept its style', says: 'it spoke in the way that its instructions ask for' },
  { name: 'steps', label: 'Agent followed its steps', says: 'it went through the steps of its instructions' },
  { name: 'no_repetition', label: 'Agent did not repeat itself', says: 'it did not say or ask the same again' },
  { name: 'objections', label: 'Objections answered', says: 'objections were answered as the instructions say' },
  {
    name: 'objection_not_defined',
    label: 'Unforeseen objections answered',
    says: 'objections that the instructions do not foresee were answered well',
  },
  { name: 'knowledge', label: 'Agent knew what it said', says: 'what the agent said agrees with what it was given' },
  { name: 'goal', label: 'Goal reached', says: 'the call reached its goal', of_person: true, partial: true },
  {
    name: 'appointment',
    label: 'Appointment settled',
    says: 'an appointment was dealt with as it should be. Whether there is one: `booking.status`',
    of_person: true,
  },
  {
    name: 'user_sentiment',
    label: 'Caller content',
    says: 'the person was well-disposed',
    of_person: true,
    partial: true,
  },
  { name: 'agent_sentiment', label: 'Agent friendly', says: 'the agent’s tone was right' },
  { name: 'call_completion', label: 'Call came to an end', says: 'the conversation was not broken off' },
  {
    name: 'answered_by_human',
    label: 'Answered by a person',
    says: 'a person picked up. See `call.answered_by` first',
  },
  { name: 'opted_in', label: 'Caller opted in', says: 'the person agreed to what was asked', of_person: true },
  {
    name: 'no_opt_out',
    label: 'Asked not to be called again',
    says: 'the person did not ask to be left alone: **false** means that they did',
    inverted: true,
    of_person: true,
  },
  { name: 'call_summary', label: 'Summary in order', says: 'a judgement like the others: it is no summary' },
];

/** What goes for all criteria together. */
export const AGGREGATES: readonly { name: string; says: string; text?: true }[] = [
  { name: 'judge_found_partial_or_error', says: 'at least one criterion is met in part or not at all' },
  { name: 'judge_found_full_error', says: 'at least one criterion is not met at all' },
  { name: 'all_feedback', says: 'all remarks in one text', text: true },
];

/** Under the name of a criterion and this, its remark. */
export const REMARK = '_feedback';

/** All 35 names under `analysis`. */
export const ANALYSIS_KEYS: readonly string[] = [
  ...CRITERIA.flatMap(({ name }) => [name, `${name}${REMARK}`]),
  ...AGGREGATES.map(({ name }) => name),
];
