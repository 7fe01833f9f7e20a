/**
 * Asks, while the phone rings, who is calling, as https://docs.synthflow.ai/inbound-webhook-api tells: an empty answer
 * hangs up, variables are for the agent, metadata come back with the call.
 */
import type { VoiceCall, VoiceValue } from '../synthflow/call.ts';
import type { Workspace } from '../synthflow/workspace.ts';

export type InboundAnswer = 'kept' | 'variables' | 'rerouted' | 'hung_up' | 'no_answer';

/** Milliseconds for an answer. */
const PATIENCE = 8_000;

/** Changes the call by what is answered. */
export async function askInbound(
  workspace: Workspace,
  call: VoiceCall,
  webhook_url: string,
  signal: AbortSignal,
): Promise<InboundAnswer> {
  const { agent, lead } = call;
  const call_inbound = { model_id: agent.model_id, from_number: lead.phone, to_number: agent.phone_number };
  const request_payload = { event: 'call_inbound', call_inbound };
  const request_headers = { 'content-type': 'application/json' };
  const began = Date.now();
  let status: number | null = null;
  let body: unknown = null;
  let error: string | null = null;
  try {
    const answer = await fetch(webhook_url, {
      method: 'POST',
      headers: request_headers,
      body: JSON.stringify(request_payload),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    status = answer.status;
    body = await answer.json();
  } catch (thrown) {
    error = (thrown as Error).name;
  }
  const good = status !== null && status < 300 && error === null;
  workspace.log({
    ...{ webhook_type: 'inbound_webhook', webhook_url, call_id: null, model_id: agent.model_id, attempt_number: 1 },
    ...{ request_headers, request_payload, status: good ? 'success' : 'failed', response_status_code: status },
    ...{ request_timestamp: new Date(began).toISOString(), response_timestamp: new Date().toISOString() },
    ...{ response_payload: body, duration_ms: Date.now() - began, error_message: error },
  });
  return good ? applyAnswer(workspace, call, body) : 'no_answer';
}

function applyAnswer(workspace: Workspace, call: VoiceCall, body: unknown): InboundAnswer {
  const answer = (body as { call_inbound?: Answered } | null)?.call_inbound;
  if (!answer) return 'no_answer';
  if (Object.keys(answer).length === 0) return 'hung_up';
  const { override_model_id, custom_variables, metadata } = answer;
  call.prompt_variables = { ...call.prompt_variables, ...custom_variables };
  if (metadata) call.metadata = metadata;
  const other = override_model_id ? workspace.agents.get(override_model_id) : undefined;
  if (other) {
    call.agent = other;
    return 'rerouted';
  }
  return custom_variables || metadata ? 'variables' : 'kept';
}

interface Answered {
  override_model_id?: string;
  custom_variables?: Record<string, VoiceValue>;
  metadata?: Record<string, VoiceValue>;
}
