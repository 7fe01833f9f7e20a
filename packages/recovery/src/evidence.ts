/**
 * What a workspace's own webhooks and calls tell of how Synthflow behaves. Only counts and names that Synthflow gives to
 * things: nothing of what a call says, no number, no name.
 */
import type { Source } from '@wrapup/config';
import {
  type Ask,
  normalise,
  readCallId,
  readSignature,
  type SynthflowApi,
  verifySignature,
  type WebhookLog,
  type WebhookLogItem,
} from '@wrapup/synthflow';

export interface Header {
  /** As Synthflow spells it. */
  name: string;
  /** Webhooks that had it. */
  seen: number;
  /** Of which the value was the signature under a secret of the source. */
  verified: number;
  /** Whether ingress looks under this name. */
  understood: boolean;
}

export interface Evidence {
  /** Post-call webhooks counted, newest first, and those of them that were read whole. */
  webhooks: number;
  read: number;
  /** More are there than were counted. */
  more: boolean;
  /** Epoch ms of the oldest that was counted. */
  oldest?: number;
  /** Answers by status; `none` for no answer. */
  answers: Record<string, number>;
  /** Failures by who answered: `wrapup`, `something in front`, `nobody`. */
  refusedBy: Record<string, number>;
  headers: Header[];
  unsigned: number;
  /** Webhooks by how many attempts Synthflow had made. */
  attempts: Record<string, number>;
  /** Calls with several webhooks, and those whose payloads were the same each time. */
  repeated: number;
  repeatedAlike: number;
  /** Statuses of calls in webhooks, and in the list of calls. */
  statuses: Record<string, number>;
  listed: Record<string, number>;
  parts: { analysis: number; recording: number; metadata: number; prompt_variables: number };
  returnValues: Record<string, number>;
  actionTypes: Record<string, number>;
  /** Criteria of the analysis that were `partial`. */
  partial: Record<string, number>;
  inbound: { webhooks: number; signed: number; signs: Record<string, number> };
}

export interface GatherOptions {
  api: SynthflowApi;
  source: Source;
  /** Agents whose calls are looked at. */
  agents: string[];
  ask: Ask;
  /** Epoch ms: nothing older is looked at. */
  since: number;
}

/** Webhooks counted, webhooks read whole, failed ones among them, and calls listed an agent. */
const MOST = { counted: 500, read: 30, failed: 15, inbound: 10, agents: 10, calls: 100 };

/** @throws SynthflowApiError */
export async function gatherEvidence(options: GatherOptions): Promise<Evidence> {
  const evidence = empty();
  const { api, ask, since } = options;
  const items: WebhookLogItem[] = [];
  for await (const item of api.listWebhookLogs({ webhook_type: 'external_webhook', from: since }, ask)) {
    if (items.length === MOST.counted) {
      evidence.more = true;
      break;
    }
    items.push(item);
    add(evidence.answers, item.response_status_code === undefined ? 'none' : String(item.response_status_code));
    if (item.at !== undefined) evidence.oldest = Math.min(evidence.oldest ?? item.at, item.at);
  }
  evidence.webhooks = items.length;
  const failed = items.filter(({ status }) => status === 'failed').slice(0, MOST.failed);
  const sample = [...new Set([...failed, ...items])].slice(0, MOST.read);
  const payloads = new Map<string, Set<string>>();
  for (const { webhook_log_id } of sample) {
    const log = await api.getWebhookLog(webhook_log_id, ask);
    evidence.read += 1;
    noteDelivery(evidence, log, options.source);
    const payload = typeof log.request_payload === 'string' ? parse(log.request_payload) : log.request_payload;
    notePayload(evidence, payload);
    const id = log.call_id ?? readCallId(payload);
    if (id === undefined) continue;
    const told = payloads.get(id);
    if (told) told.add(JSON.stringify(payload));
    else payloads.set(id, new Set([JSON.stringify(payload)]));
    if (told) evidence.repeated += 1;
  }
  evidence.repeatedAlike = evidence.repeated - [...payloads.values()].filter(({ size }) => size > 1).length;
  await lookAtInbound(evidence, options);
  await lookAtCalls(evidence, options);
  return evidence;
}

function noteDelivery(evidence: Evidence, log: WebhookLog, source: Source): void {
  const { attempt_number, request_headers, call_id, status } = log;
  add(evidence.attempts, attempt_number === undefined ? 'not said' : String(attempt_number));
  if (status === 'failed') add(evidence.refusedBy, answeredBy(log));
  const id = call_id ?? readCallId(log.request_payload) ?? '';
  let signed = false;
  for (const [name, value] of Object.entries(request_headers)) {
    const header = Array.isArray(value) ? value.join(', ') : String(value ?? '');
    const verified = verifySignature({ callId: id, secrets: source.webhook_secrets, header });
    if (!verified && !/signature/i.test(name)) continue;
    signed = true;
    let known = evidence.headers.find((one) => one.name === name);
    if (!known) {
      known = { name, seen: 0, verified: 0, understood: readSignature({ [name]: 'x' }) !== undefined };
      evidence.headers.push(known);
    }
    known.seen += 1;
    if (verified) known.verified += 1;
  }
  if (!signed) evidence.unsigned += 1;
}

/** Wrapup's own refusals are problems with a type of its own. */
function answeredBy({ response_status_code, response_payload }: WebhookLog): string {
  if (response_status_code === undefined) return 'nobody';
  const text = typeof response_payload === 'string' ? response_payload : JSON.stringify(response_payload ?? '');
  return text.includes('urn:wrapup:problem:') ? 'wrapup' : 'something in front';
}

function notePayload(evidence: Evidence, payload: unknown): void {
  if (readCallId(payload) === undefined) return;
  const call = normalise(payload, { source: 'doctor' });
  add(evidence.statuses, call.status);
  const { parts } = evidence;
  if (Object.keys(call.analysis).length > 0) parts.analysis += 1;
  if (call.recording_url !== undefined) parts.recording += 1;
  if (Object.keys(call.metadata).length > 0) parts.metadata += 1;
  if (Object.keys(call.prompt_variables).length > 0) parts.prompt_variables += 1;
  const actions = member(payload, 'executed_actions');
  for (const action of Object.values(isObject(actions) ? actions : {})) {
    const type = member(action, 'action_type');
    if (typeof type === 'string') add(evidence.actionTypes, type.slice(0, 60));
    const value = member(action, 'return_value');
    add(evidence.returnValues, value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);
  }
  notePartial(evidence, call.analysis);
}

function notePartial(evidence: Evidence, analysis: object): void {
  for (const [name, value] of Object.entries(analysis)) {
    if (typeof value === 'string' && value.toLowerCase() === 'partial') add(evidence.partial, name);
  }
}

async function lookAtInbound(evidence: Evidence, { api, source, ask, since }: GatherOptions): Promise<void> {
  const { inbound } = evidence;
  for await (const { webhook_log_id } of api.listWebhookLogs({ webhook_type: 'inbound_webhook', from: since }, ask)) {
    if (inbound.webhooks === MOST.inbound) return;
    const { request_headers, request_payload, call_id, model_id } = await api.getWebhookLog(webhook_log_id, ask);
    inbound.webhooks += 1;
    const event = member(request_payload, 'call_inbound');
    const candidates = {
      'the call id': call_id,
      'the agent': model_id,
      'the caller’s number': member(event, 'from_number'),
      'the called number': member(event, 'to_number'),
      'the body': typeof request_payload === 'string' ? request_payload : JSON.stringify(request_payload),
    };
    const header = readSignature(request_headers as never);
    if (header === undefined) continue;
    inbound.signed += 1;
    const signs = Object.entries(candidates).find(
      ([, callId]) =>
        typeof callId === 'string' && verifySignature({ callId, secrets: source.webhook_secrets, header }),
    );
    add(inbound.signs, signs?.[0] ?? 'something else, or under another secret');
  }
}

async function lookAtCalls(evidence: Evidence, { api, agents, ask, since }: GatherOptions): Promise<void> {
  for (const model_id of agents.slice(0, MOST.agents)) {
    const { items } = await api.listCalls({ model_id, from: since, to: Date.now(), limit: MOST.calls }, ask);
    for (const record of items) {
      if (readCallId(record) === undefined) continue;
      const { status, terminal, analysis } = normalise(record, { source: 'doctor' });
      if (terminal) add(evidence.listed, status);
      notePartial(evidence, analysis);
    }
  }
}

function empty(): Evidence {
  return {
    ...{ webhooks: 0, read: 0, more: false, unsigned: 0, repeated: 0, repeatedAlike: 0, headers: [] },
    ...{ answers: {}, refusedBy: {}, attempts: {}, statuses: {}, listed: {} },
    ...{ returnValues: {}, actionTypes: {}, partial: {} },
    parts: { analysis: 0, recording: 0, metadata: 0, prompt_variables: 0 },
    inbound: { webhooks: 0, signed: 0, signs: {} },
  };
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (Object.hasOwn(counts, name) ? (counts[name] as number) : 0) + 1;
}

function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
