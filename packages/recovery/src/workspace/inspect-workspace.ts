/** What the workspace of a source looks like from here. Reads only: a change of an agent would make a new version of it. */
import type { Source } from '@wrapup/config';
import { type Ask, type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import type { RunProblem } from '../runs.ts';
import { auditWebhooks, type WebhookAudit } from './webhook-audit.ts';
import { findWebhookTarget, type WebhookTarget } from './webhook-target.ts';

export interface AgentWebhooks {
  id: string;
  name?: string;
  type?: string;
  post_call: WebhookTarget;
  inbound_call: WebhookTarget;
}

export interface WorkspaceReport {
  source: string;
  agents: AgentWebhooks[];
  /** Absent without `workspace_id`, or when the logs could not be read. */
  webhooks?: WebhookAudit;
  troubles: RunProblem[];
}

export interface InspectWorkspaceOptions {
  api: SynthflowApi;
  source: Source;
  /** Names of all sources of the installation. */
  sources: string[];
  /** How far back webhook logs are looked at, ms. */
  look_back: number;
  signal: AbortSignal;
  onProgress?(what: string): void;
}

/** @throws SynthflowApiError when not even the agents can be listed */
export async function inspectWorkspace({
  api,
  source,
  sources,
  look_back,
  signal,
  onProgress,
}: InspectWorkspaceOptions): Promise<WorkspaceReport> {
  const ask: Ask = { signal };
  const agents: AgentWebhooks[] = [];
  onProgress?.('agents');
  for await (const { model_id, name, type, external_webhook_url, inbound_call_webhook_url } of api.listAgents(ask)) {
    agents.push({
      id: model_id,
      ...(name && { name }),
      ...(type && { type }),
      post_call: findWebhookTarget(external_webhook_url, 'post-call', source, sources),
      inbound_call: findWebhookTarget(inbound_call_webhook_url, 'inbound-call', source, sources),
    });
  }
  const found: WorkspaceReport = { source: source.name, agents, troubles: [] };
  if (source.workspace_id === undefined) {
    const message = 'Without workspace_id the webhook logs cannot be read.';
    const hint = 'Synthflow shows it in the address of the workspace; give it to workspace_id of the source.';
    found.troubles.push({ code: 'no-workspace', message, hint });
    return found;
  }
  onProgress?.('webhook logs');
  try {
    const since = Date.now() - look_back;
    found.webhooks = await auditWebhooks({ api, source, ask, since });
  } catch (error) {
    if (!(error instanceof SynthflowApiError)) throw error;
    const { code, message, hint } = error;
    found.troubles.push({ code, message, ...(hint ? { hint } : {}) });
  }
  return found;
}
