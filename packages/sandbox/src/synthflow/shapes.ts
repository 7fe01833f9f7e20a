/**
 * The three ways in which the platform tells of one call. They differ in names, in types and in what they leave out:
 * https://docs.synthflow.ai/post-call-webhook, https://docs.synthflow.ai/api-reference (`GET /calls`, `GET /calls/{id}`).
 */
import { isOver, type VoiceCall, type VoiceValue } from './call.ts';

type Json = { [key: string]: unknown };

/** What is posted to the agent's webhook when the call has ended. */
export function webhookOf(call: VoiceCall): Json {
  return {
    status: call.status,
    error_message: '',
    lead: {
      ...(call.lead.name === undefined ? {} : { name: call.lead.name }),
      phone_number: call.lead.phone,
      prompt_variables: call.prompt_variables,
    },
    call: {
      status: call.status,
      end_call_reason: call.end_call_reason,
      ...(call.custom_end_call_reason === null ? {} : { custom_end_call_reason: call.custom_end_call_reason }),
      model_id: call.agent.model_id,
      timezone: 'America/Los_Angeles',
      call_id: call.id,
      duration: call.duration,
      start_time: withOffset(call.started, -8),
      transcript: transcriptOf(call),
      recording_url: recordingOf(call),
    },
    executed_actions: actionsOf(call, (value) => value),
    ...(call.analysis ? { analysis: call.analysis } : {}),
    collected_variables: Object.keys(call.collected).length > 0 ? leaves(call.collected) : null,
    ...(call.metadata ? { metadata: call.metadata } : {}),
  };
}

/** An item of the list: numbers as text, analysis as `judge_results`, no prompt variables. */
export function listedOf(call: VoiceCall): Json {
  return {
    agent_phone_number: call.agent.phone_number,
    agents_used: [call.agent.model_id],
    assistant_version: 1,
    call_id: call.id,
    call_status: call.status,
    campaign_type: null,
    ...variables(call),
    deployment_type: 'phone',
    duration: isOver(call) ? String(call.duration) : null,
    end_call_reason: call.end_call_reason,
    error_message: null,
    executed_actions: actionsOf(call, JSON.stringify),
    judge_results: isOver(call) ? call.analysis : null,
    labels: [],
    lead_name: call.lead.name ?? null,
    lead_phone_number: call.lead.phone,
    model_id: call.agent.model_id,
    name: call.lead.name ?? null,
    ...numbers(call),
    recording_duration: isOver(call) ? call.duration : null,
    recording_url: recordingOf(call),
    start_time: String(call.started),
    telephony_disconnect_reason: isOver(call) ? 'callee_hangup' : null,
    telephony_duration: isOver(call) ? call.duration * 1000 + call.ringing : null,
    telephony_end: isOver(call) ? naive(call.started + call.duration * 1000) : null,
    telephony_hangup: isOver(call) ? 'callee' : null,
    telephony_ringing_duration: call.ringing,
    telephony_sip_headers: {},
    telephony_start: naive(call.started - call.ringing),
    timezone: 'America/Los_Angeles',
    transcript: transcriptOf(call),
    type_of_call: call.agent.type,
  };
}

/** The answer for one call: `status`, prompt variables and the custom reason, but neither analysis nor lead. */
export function singleOf(call: VoiceCall): Json {
  return {
    call_id: call.id,
    status: call.status,
    model_id: call.agent.model_id,
    name: call.lead.name ?? null,
    ...numbers(call),
    type_of_call: call.agent.type,
    start_time: String(call.started),
    duration: isOver(call) ? call.duration : null,
    end_call_reason: call.end_call_reason,
    custom_end_call_reason: call.custom_end_call_reason,
    prompt_variables: call.prompt_variables,
    ...variables(call),
    executed_actions: actionsOf(call, JSON.stringify),
    recording_url: recordingOf(call),
    telephony_duration: isOver(call) ? call.duration * 1000 + call.ringing : null,
    telephony_ringing_duration: call.ringing,
    telephony_start: naive(call.started - call.ringing),
    timezone: 'America/Los_Angeles',
    transcript: transcriptOf(call),
  };
}

function numbers({ agent, lead }: VoiceCall): Json {
  return agent.type === 'outbound'
    ? { phone_number_from: agent.phone_number, phone_number_to: lead.phone }
    : { phone_number_from: lead.phone, phone_number_to: agent.phone_number };
}

/** Keyed by agent in the API, flat in the webhook. */
function variables(call: VoiceCall): Json {
  const any = isOver(call) && Object.keys(call.collected).length > 0;
  return { collected_variables: any ? { [call.agent.model_id]: leaves(call.collected) } : null };
}

function leaves(collected: Record<string, VoiceValue>): Json {
  return Object.fromEntries(
    Object.entries(collected).map(([name, value]) => [name, { value, collected: value !== null }]),
  );
}

/** @param encode the webhook gives return values as objects, the API as JSON text */
function actionsOf(call: VoiceCall, encode: (value: object) => unknown): Json {
  if (!isOver(call)) return {};
  const at = call.started + call.duration * 1000;
  return Object.fromEntries(
    Object.entries(call.extracted).map(([identifier, value]) => [
      `info_extractor_${identifier}`,
      {
        name: `info_extractor_${identifier}`,
        action_type: 'extract_info_action_type',
        description: '',
        parameters_hard_coded: { identifier, condition: `What is the ${identifier}?`, choices: null, examples: null },
        parameters_from_llm: '{}',
        error_message: null,
        return_value: encode({ [identifier]: value }),
        return_value_status: '',
        is_relevant_action: 'true',
        timestamp_datetime: naive(at),
        timestamp: String(at / 1000),
      },
    ]),
  );
}

function transcriptOf(call: VoiceCall): string {
  if (!isOver(call) || call.turns.length === 0) return '';
  return `\n${call.turns.map(([who, text]) => `${who}: ${text}`).join('\n')}`;
}

function recordingOf(call: VoiceCall): string | null {
  return isOver(call) && call.duration > 0 ? `https://recordings.example.com/calls/${call.id}.mp3` : null;
}

/** A time without a zone, which is UTC. */
function naive(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1);
}

/** @param hours of the zone from UTC */
function withOffset(ms: number, hours: number): string {
  const local = new Date(ms + hours * 3600_000).toISOString().slice(0, 19);
  return `${local}${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:00`;
}
