/**
 * Invented post-call payloads in the documented shape, for tests, for the sandbox and for `wrapup send`. Numbers are from
 * the range that is set aside for fiction (555-0100 to 555-0199), addresses from example.com.
 */
import type { Json, JsonObject } from '@wrapup/call';

export const SAMPLE_KINDS = ['connected', 'voicemail', 'unknown-caller', 'no-answer'] as const;
export type SampleKind = (typeof SAMPLE_KINDS)[number];

/** What to change in a sample; everything else stays as it is, so the same overrides give the same bytes. */
export interface SampleOverrides {
  call_id?: string;
  /** Id of the agent. */
  model_id?: string;
  /** The lead's number and name; `name: null` leaves the name out. */
  phone?: string;
  name?: string | null;
  /** ISO 8601 with offset. */
  start_time?: string;
  /** Seconds. */
  duration?: number;
  status?: string;
  end_call_reason?: string;
  transcript?: string;
  /** Collected variables added to the sample's own, or replaced; null removes one. */
  collected?: { [name: string]: string | number | boolean | null };
  prompt_variables?: JsonObject;
  metadata?: JsonObject;
}

/** The agents that the samples name: one calls out, one takes calls. */
export const SAMPLE_AGENTS = {
  outbound: '3f0c6a52-7d1e-4b8a-9c44-1a2b3c4d5e6f',
  inbound: '8b9d7e10-2c3f-4a56-b7d8-6f5e4d3c2b1a',
} as const;

export function samplePayload(kind: SampleKind, overrides: SampleOverrides = {}): JsonObject {
  const base = SAMPLES[kind]();
  const call = base.call as JsonObject;
  const lead = base.lead as JsonObject;
  for (const key of [
    'call_id',
    'model_id',
    'start_time',
    'duration',
    'status',
    'end_call_reason',
    'transcript',
  ] as const) {
    const value = overrides[key];
    if (value !== undefined) call[key] = value;
  }
  if (overrides.status !== undefined) base.status = overrides.status;
  if (overrides.phone !== undefined) lead.phone_number = overrides.phone;
  if (overrides.name === null) delete lead.name;
  else if (overrides.name !== undefined) lead.name = overrides.name;
  if (overrides.prompt_variables) lead.prompt_variables = overrides.prompt_variables;
  if (overrides.metadata) base.metadata = overrides.metadata;
  if (overrides.collected) base.collected_variables = collect(base.collected_variables, overrides.collected);
  return base;
}

function collect(before: Json | undefined, more: { [name: string]: Json }): JsonObject {
  const collected: JsonObject = { ...(before as JsonObject | null | undefined) };
  for (const [name, value] of Object.entries(more)) {
    if (value === null) delete collected[name];
    else collected[name] = { value, collected: true };
  }
  return collected;
}

/** An information extractor's entry, as Synthflow reports it after the call. */
function extractor(
  identifier: string,
  value: Json,
  at: string,
  condition: string,
  choices: string[] | null,
): JsonObject {
  return {
    name: `info_extractor_${identifier}`,
    action_type: 'extract_info_action_type',
    description: '',
    parameters_hard_coded: { identifier, condition, choices, examples: null },
    parameters_from_llm: '{}',
    error_message: null,
    return_value: { [identifier]: value },
    return_value_status: '',
    is_relevant_action: 'true',
    timestamp_datetime: at,
    timestamp: String(Date.parse(`${at}Z`) / 1000),
  };
}

/** Judgements of a call that went well, but for what is given. */
function judged(differences: JsonObject): JsonObject {
  return {
    persona: 'true',
    style: 'true',
    steps: 'true',
    no_repetition: 'true',
    objections: 'not_applicable',
    objection_not_defined: 'not_applicable',
    knowledge: 'true',
    goal: 'true',
    goal_feedback: '',
    appointment: 'not_applicable',
    user_sentiment: 'true',
    agent_sentiment: 'true',
    call_completion: 'true',
    answered_by_human: 'True',
    answered_by_human_feedback: '',
    opted_in: 'not_applicable',
    no_opt_out: 'true',
    call_summary: 'true',
    judge_found_partial_or_error: 'false',
    judge_found_full_error: 'false',
    all_feedback: '',
    ...differences,
  };
}

/** Functions, so that a change to one payload does not reach the next. */
const SAMPLES: { [kind in SampleKind]: () => JsonObject } = {
  connected: () => ({
    status: 'completed',
    error_message: '',
    lead: {
      name: 'Dana Example',
      phone_number: '+14155550142',
      prompt_variables: { campaign: 'autumn-renewals', plan: 'Team' },
    },
    call: {
      status: 'completed',
      end_call_reason: 'human_goodbye',
      model_id: SAMPLE_AGENTS.outbound,
      timezone: 'America/Los_Angeles',
      call_id: '0d3e1f6a-5b27-4c1e-8f3d-2a9b7c5d1e01',
      duration: 134,
      start_time: '2026-11-20T10:04:12-08:00',
      transcript: [
        '',
        'bot: Hello, this is Alice from Example Software. Am I speaking with Dana?',
        'human: Yes, that is me.',
        'bot: I am calling about your plan, which ends next month. Do you have two minutes?',
        'human: Sure. We would like more seats, to be honest.',
        'human: About twenty.',
        'bot: Happy to help with that. Do you have a budget in mind?',
        'human: Around twelve thousand for the year.',
        'bot: And where may I send the offer?',
        'human: To dana at example dot com. And please have somebody call me back, I have questions on security.',
        'bot: I will see to it. Thank you, Dana, and have a good day.',
        'human: Thanks, bye.',
      ].join('\n'),
      recording_url: 'https://recordings.example.com/calls/0d3e1f6a.mp3',
    },
    executed_actions: {
      info_extractor_topic: extractor('topic', 'upgrade', '2026-11-20T18:05:31.204000', 'What is the call about?', [
        'renewal',
        'upgrade',
        'complaint',
      ]),
      info_extractor_seats: extractor('seats', 20, '2026-11-20T18:05:02.118000', 'How many seats are wanted?', null),
    },
    analysis: judged({ goal: 'partial', goal_feedback: 'The offer was promised, the renewal was not agreed on.' }),
    collected_variables: {
      user_name: { value: 'Dana', collected: true },
      email: { value: 'dana@example.com', collected: true },
      budget: { value: '12000', collected: true },
      wants_callback: { value: true, collected: true },
    },
  }),
  voicemail: () => ({
    status: 'completed',
    error_message: '',
    lead: { name: 'Robin Sample', phone_number: '+14155550177', prompt_variables: { campaign: 'autumn-renewals' } },
    call: {
      // Completed, although no person answered: the end reason shows it.
      status: 'completed',
      end_call_reason: 'voicemail',
      model_id: SAMPLE_AGENTS.outbound,
      timezone: 'America/Los_Angeles',
      call_id: '0d3e1f6a-5b27-4c1e-8f3d-2a9b7c5d1e02',
      duration: 21,
      start_time: '2026-11-20T10:11:40-08:00',
      transcript: '\nhuman: You have reached Robin. Please leave a message after the tone.',
      recording_url: 'https://recordings.example.com/calls/0d3e1f6b.mp3',
    },
    executed_actions: {},
    analysis: judged({
      goal: 'false',
      goal_feedback: 'Nobody was reached.',
      answered_by_human: 'False',
      answered_by_human_feedback: 'A mailbox answered.',
      judge_found_partial_or_error: 'true',
    }),
    collected_variables: null,
  }),
  'unknown-caller': () => ({
    status: 'completed',
    error_message: '',
    lead: { phone_number: '+14155550119', prompt_variables: {} },
    call: {
      status: 'completed',
      end_call_reason: 'human_goodbye',
      model_id: SAMPLE_AGENTS.inbound,
      timezone: 'Europe/Berlin',
      call_id: '0d3e1f6a-5b27-4c1e-8f3d-2a9b7c5d1e03',
      duration: 58,
      start_time: '2026-11-20T19:26:03+01:00',
      transcript: [
        '',
        'bot: Example Software, good evening. How can I help you?',
        'human: Hi. Do you also sell to schools?',
        'bot: We do, and there is a discount. May somebody call you about it tomorrow?',
        'human: Yes please, on this number.',
        'bot: I have noted that. Goodbye!',
      ].join('\n'),
      recording_url: 'https://recordings.example.com/calls/0d3e1f6c.mp3',
    },
    executed_actions: {
      info_extractor_topic: extractor(
        'topic',
        'pricing',
        '2026-11-20T18:26:59.517000',
        'What is the call about?',
        null,
      ),
      info_extractor_wants_callback: extractor(
        'wants_callback',
        true,
        '2026-11-20T18:26:59.903000',
        'Does the caller want to be called back?',
        null,
      ),
    },
    analysis: judged({}),
    collected_variables: null,
  }),
  'no-answer': () => ({
    status: 'no-answer',
    error_message: '',
    lead: { name: 'Kim Placeholder', phone_number: '+14155550163', prompt_variables: { campaign: 'autumn-renewals' } },
    call: {
      status: 'no-answer',
      end_call_reason: 'undefined',
      model_id: SAMPLE_AGENTS.outbound,
      timezone: 'America/Los_Angeles',
      call_id: '0d3e1f6a-5b27-4c1e-8f3d-2a9b7c5d1e04',
      duration: 0,
      start_time: '2026-11-20T10:19:55-08:00',
      transcript: '',
      recording_url: null,
    },
    executed_actions: {},
    analysis: {},
    collected_variables: null,
  }),
};
