/** Sends what a call was to the agent's webhook, once, signed as the platform signs: HMAC-SHA256 over the call id, base64. */
import { createHmac } from 'node:crypto';
import type { VoiceCall } from '../synthflow/call.ts';
import { webhookOf } from '../synthflow/shapes.ts';
import type { WebhookLog, Workspace } from '../synthflow/workspace.ts';

export interface WebhookAddress {
  webhook: string;
  secret?: string | undefined;
  header: string;
}

/** Milliseconds for an answer. */
const PATIENCE = 10_000;

/** @returns the status that was answered, undefined when nothing was */
export async function fireWebhook(
  workspace: Workspace,
  call: VoiceCall,
  target: WebhookAddress,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { webhook, secret, header } = target;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'python-httpx/0.27 (sandbox)',
    ...(secret === undefined ? {} : { [header]: createHmac('sha256', secret).update(call.id).digest('base64') }),
  };
  const payload = webhookOf(call);
  const began = Date.now();
  let status: number | undefined;
  let error: string | undefined;
  let body: unknown = null;
  try {
    const answer = await fetch(webhook, {
      method: 'POST',
      headers,
      body: JSON.stringify(payload),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    status = answer.status;
    body = (await answer.text()).slice(0, 2_000);
  } catch (thrown) {
    const { name, cause } = thrown as Error & { cause?: { code?: string } };
    error = cause?.code ?? name;
  }
  const good = status !== undefined && status >= 200 && status < 300;
  workspace.log({
    ...common(call, webhook, headers, began),
    request_payload: payload,
    status: good ? 'success' : 'failed',
    response_status_code: status ?? null,
    response_timestamp: status === undefined ? null : new Date().toISOString(),
    response_payload: body,
    duration_ms: Date.now() - began,
    error_message: error ?? null,
  });
  return status;
}

/** A webhook that the platform believes to have sent and that never arrived. */
export function loseWebhook(workspace: Workspace, call: VoiceCall, { webhook }: WebhookAddress): void {
  workspace.log({
    ...common(call, webhook, { 'content-type': 'application/json' }, Date.now()),
    request_payload: webhookOf(call),
    status: 'failed',
    response_status_code: null,
    response_timestamp: null,
    response_payload: null,
    duration_ms: null,
    error_message: 'connection timed out',
  });
}

function common(call: VoiceCall, webhook: string, request_headers: Record<string, string>, at: number) {
  return {
    webhook_type: 'external_webhook',
    webhook_url: webhook,
    call_id: call.id,
    model_id: call.agent.model_id,
    request_timestamp: new Date(at).toISOString(),
    attempt_number: 1,
    request_headers,
  } satisfies Partial<WebhookLog>;
}
