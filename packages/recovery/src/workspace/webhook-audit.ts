/**
 * How Synthflow's post-call webhooks were answered, from its own logs: what was refused, by whom, and under which header
 * the signature came. Counts only, nothing of what a call says.
 */
import type { Source } from '@wrapup/config';
import {
  type Ask,
  readCallId,
  readSignature,
  type SynthflowApi,
  verifySignature,
  type WebhookLogItem,
  type WebhookLogRecord,
} from '@wrapup/synthflow';

export interface SignatureHeader {
  /** As Synthflow spells it. */
  name: string;
  /** Webhooks that had it. */
  seen: number;
  /** Of which the value was the signature under a secret of the source. */
  verified: number;
  /** Whether ingress looks under this name. */
  understood: boolean;
}

export interface WebhookAudit {
  /** Webhooks counted, newest first, and those of them that were read whole. */
  counted: number;
  read: number;
  /** There are more than were counted. */
  more: boolean;
  /** Epoch ms of the oldest that was counted. */
  oldest?: number;
  /** Webhooks by the status of their answer; `none` without an answer. */
  answers: Record<string, number>;
  /** Failed webhooks by who answered. */
  refused_by: { wrapup: number; proxy: number; no_answer: number };
  headers: SignatureHeader[];
  unsigned: number;
}

export interface WebhookAuditOptions {
  api: SynthflowApi;
  source: Source;
  ask: Ask;
  /** Epoch ms: older webhooks are left out. */
  since: number;
}

const MAX_COUNTED = 500;
/** Webhooks read whole, and failed ones among them. */
const MAX_READ = 30;
const MAX_FAILED_READ = 15;

/** @throws SynthflowApiError */
export async function auditWebhooks({ api, source, ask, since }: WebhookAuditOptions): Promise<WebhookAudit> {
  const audit: WebhookAudit = {
    ...{ counted: 0, read: 0, more: false, answers: {}, headers: [], unsigned: 0 },
    refused_by: { wrapup: 0, proxy: 0, no_answer: 0 },
  };
  const items: WebhookLogItem[] = [];
  for await (const item of api.listWebhookLogs({ webhook_type: 'external_webhook', from: since }, ask)) {
    if (items.length === MAX_COUNTED) {
      audit.more = true;
      break;
    }
    items.push(item);
    const answer = String(item.response_status_code ?? 'none');
    audit.answers[answer] = (audit.answers[answer] ?? 0) + 1;
    if (item.at !== undefined) audit.oldest = Math.min(audit.oldest ?? item.at, item.at);
  }
  audit.counted = items.length;
  const failed = items.filter(({ status }) => status === 'failed').slice(0, MAX_FAILED_READ);
  for (const { webhook_log_id } of [...new Set([...failed, ...items])].slice(0, MAX_READ)) {
    const log = await api.getWebhookLog(webhook_log_id, ask);
    audit.read += 1;
    if (log.status === 'failed') audit.refused_by[answeredBy(log)] += 1;
    countSignatures(audit, log, source);
  }
  return audit;
}

function countSignatures(
  audit: WebhookAudit,
  { request_headers, request_payload, call_id }: WebhookLogRecord,
  source: Source,
) {
  const callId = call_id ?? readCallId(request_payload) ?? '';
  let signed = false;
  for (const [name, value] of Object.entries(request_headers)) {
    const header = Array.isArray(value) ? value.join(', ') : String(value ?? '');
    const verified = verifySignature({ callId, secrets: source.webhook_secrets, header });
    if (!verified && !/signature/i.test(name)) continue;
    signed = true;
    let known = audit.headers.find((one) => one.name === name);
    if (!known) {
      known = { name, seen: 0, verified: 0, understood: readSignature({ [name]: 'x' }) !== undefined };
      audit.headers.push(known);
    }
    known.seen += 1;
    if (verified) known.verified += 1;
  }
  if (!signed) audit.unsigned += 1;
}

/** Wrapup's own refusals are problems with a type of its own. */
function answeredBy({ response_status_code, response_payload }: WebhookLogRecord): keyof WebhookAudit['refused_by'] {
  if (response_status_code === undefined) return 'no_answer';
  const text = typeof response_payload === 'string' ? response_payload : JSON.stringify(response_payload ?? '');
  return text.includes('urn:wrapup:problem:') ? 'wrapup' : 'proxy';
}
