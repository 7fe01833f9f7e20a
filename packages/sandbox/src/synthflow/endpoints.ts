/**
 * What the API answers. Parameters that it does not know it ignores without a word, as the vendor does, and dates may be
 * epoch milliseconds, ISO times or days. https://docs.synthflow.ai/api-reference
 */
import { randomUUID } from 'node:crypto';
import type { SynthflowSettings } from '../settings.ts';
import type { VoiceCall } from './call.ts';
import { listedOf, singleOf } from './shapes.ts';
import type { WebhookLog, Workspace } from './workspace.ts';

export interface SynthflowRequest {
  workspace: Workspace;
  settings: SynthflowSettings;
  params: Record<string, string>;
  query: URLSearchParams;
}

export interface SynthflowAnswer {
  status: number;
  body: unknown;
}

export interface SynthflowEndpoint {
  path: string;
  operation: string;
  answer(asked: SynthflowRequest): SynthflowAnswer;
}

const ok = (response: unknown): SynthflowAnswer => ({ status: 200, body: { status: 'ok', response } });

/** How calls and agents say no. */
export function refuse(status: number, category: string, description: string): SynthflowAnswer {
  return { status, body: { detail: { status: 'error', description, request_id: randomUUID(), category } } };
}

/** How logs say no. */
function refuseLog(status: number, error: string, message: string): SynthflowAnswer {
  return { status, body: { error, message } };
}

export const ENDPOINTS: SynthflowEndpoint[] = [
  { path: '/calls', operation: 'calls list', answer: listCalls },
  { path: '/calls/:id', operation: 'calls read', answer: readCall },
  { path: '/assistants', operation: 'agents list', answer: listAgents },
  { path: '/assistants/:id', operation: 'agents read', answer: readAgent },
  { path: '/logs', operation: 'logs list', answer: listLogs },
  { path: '/logs/:id', operation: 'logs read', answer: readLog },
];

function listCalls({ workspace, query }: SynthflowRequest): SynthflowAnswer {
  const modelId = query.get('model_id');
  if (!modelId) return refuse(400, 'validation_error', 'model_id is required');
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    return refuse(400, 'validation_error', 'limit must be between 1 and 100');
  }
  const offset = Number(query.get('offset') ?? 0);
  if (!Number.isInteger(offset) || offset < 0) return refuse(400, 'validation_error', 'offset must not be negative');
  const calls = workspace.callsOf(modelId).filter((call) => isAskedFor(call, query));
  return ok({
    pagination: { total_records: calls.length, limit, offset },
    calls: calls.slice(offset, offset + limit).map(listedOf),
  });
}

function isAskedFor(call: VoiceCall, query: URLSearchParams): boolean {
  const from = dateOf(query.get('from_date'));
  const to = dateOf(query.get('to_date'));
  const phone = query.get('lead_phone_number');
  const status = query.get('call_status');
  return (
    (from === undefined || call.started >= from) &&
    (to === undefined || call.started < to) &&
    (status === null || call.status === status) &&
    (phone === null || call.lead.phone === phone) &&
    call.duration >= Number(query.get('duration_min') ?? 0) &&
    call.duration <= Number(query.get('duration_max') ?? Number.POSITIVE_INFINITY)
  );
}

function dateOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function readCall({ workspace, params }: SynthflowRequest): SynthflowAnswer {
  const call = workspace.call(params.id ?? '');
  if (!call) return refuse(404, 'not_found', 'Call not found');
  return ok({ pagination: { total_records: 1, limit: 20, offset: 0 }, calls: [singleOf(call)] });
}

function listAgents({ workspace, query }: SynthflowRequest): SynthflowAnswer {
  const limit = Number(query.get('limit') ?? 20);
  const offset = Number(query.get('offset') ?? 0);
  const agents = [...workspace.agents.values()];
  return ok({
    pagination: { total_records: agents.length, limit, offset },
    assistants: agents.slice(offset, offset + limit),
  });
}

function readAgent({ workspace, params }: SynthflowRequest): SynthflowAnswer {
  const agent = workspace.agents.get(params.id ?? '');
  return agent ? ok({ assistants: [agent] }) : refuse(400, 'validation_error', 'Assistant not found');
}

function listLogs({ workspace, settings, query }: SynthflowRequest): SynthflowAnswer {
  const refused = refuseWorkspace(settings, query);
  if (refused) return refused;
  const number = Math.max(1, Number(query.get('page_number') ?? 1));
  const size = Math.min(100, Math.max(1, Number(query.get('page_size') ?? 20)));
  const from = dateOf(query.get('from_date'));
  const to = dateOf(query.get('to_date'));
  const logs = workspace.logs.filter((log) => {
    const at = Date.parse(log.request_timestamp);
    return (
      (from === undefined || at >= from) &&
      (to === undefined || at < to) &&
      LOG_FILTERS.every(([name, key]) => !query.has(name) || query.get(name) === log[key])
    );
  });
  return ok({
    items: logs.slice((number - 1) * size, number * size).map((log) => ({
      request_timestamp: log.request_timestamp,
      webhook_log_id: log.webhook_log_id,
      model_id: log.model_id,
      status: log.status,
      webhook_url: log.webhook_url,
      response_status_code: log.response_status_code,
      http_method: 'post',
    })),
    total: logs.length,
    page_size: size,
    page_number: number,
  });
}

const LOG_FILTERS: [string, keyof WebhookLog][] = [
  ['webhook_type', 'webhook_type'],
  ['status', 'status'],
  ['assistant_id', 'model_id'],
  ['call_id', 'call_id'],
];

function readLog({ workspace, settings, params, query }: SynthflowRequest): SynthflowAnswer {
  const refused = refuseWorkspace(settings, query);
  if (refused) return refused;
  const log = workspace.logOf(params.id ?? '');
  if (!log) return refuseLog(404, 'not_found', 'Webhook log not found');
  return ok({ ...log, workspace_id: settings.workspace_id, action_id: null, request_query_params: {} });
}

function refuseWorkspace(settings: SynthflowSettings, query: URLSearchParams): SynthflowAnswer | undefined {
  const id = query.get('workspace_id');
  if (!id) return refuseLog(422, 'validation_error', 'workspace_id: field required');
  if (id !== settings.workspace_id) return refuseLog(403, 'forbidden', 'Access denied to workspace');
  return undefined;
}
