/**
 * Enqueues webhooks again as they were sent: Synthflow's webhook logs hold the whole payload for a while. A payload has
 * more than the API's record of the call; but logs expire sooner than calls.
 */
import { parseJson } from '@wrapup/call';
import { type Ask, readCallId, type SynthflowApi, SynthflowApiError, type WebhookLogItem } from '@wrapup/synthflow';
import { addCounts, type CallCounts, zeroCounts } from './counts.ts';
import {
  type EnqueueOptions,
  eachAtOnce,
  enqueueCall,
  payloadBytes,
  type ScanResult,
  type TimeWindow,
} from './find-missing.ts';

const BATCH_SIZE = 50;
const MAX_PARALLEL = 4;

/** Takes the webhooks of an agent that were sent in the window, however they were answered. A call counts once. */
export async function enqueueFromLogs(agent: string, window: TimeWindow, options: EnqueueOptions): Promise<ScanResult> {
  const { api, signal, onFound } = options;
  const ask: Ask = { signal };
  const counts = zeroCounts();
  const seen = new Set<string>();
  let batch: WebhookLogItem[] = [];
  const logs = api.listWebhookLogs({ webhook_type: 'external_webhook', assistant_id: agent, ...window }, ask);
  for (;;) {
    const next = await logs.next();
    if (!next.done) batch.push(next.value);
    if (batch.length === BATCH_SIZE || (next.done && batch.length > 0)) {
      const found = await compare(batch, seen, ask, options);
      addCounts(counts, found);
      onFound?.(found);
      batch = [];
    }
    if (next.done) return { counts, complete: next.value, unread: [] };
  }
}

async function compare(
  batch: WebhookLogItem[],
  seen: Set<string>,
  ask: Ask,
  options: EnqueueOptions,
): Promise<CallCounts> {
  const { api, store, source, before, plan } = options;
  const counts = zeroCounts();
  const sent = new Map<string, unknown>();
  // Results stay in the order of the list: of a call that was sent several times the first one counts.
  const payloads = new Map<string, unknown>();
  await eachAtOnce(batch, MAX_PARALLEL, async ({ webhook_log_id }) => {
    payloads.set(webhook_log_id, await readPayload(api, webhook_log_id, ask));
  });
  for (const { webhook_log_id, at } of batch) {
    const payload = payloads.get(webhook_log_id);
    const id = payload === undefined ? undefined : readCallId(payload);
    if (id !== undefined && seen.has(id)) continue;
    counts.listed += 1;
    if (id === undefined) {
      counts.unreadable += 1;
      continue;
    }
    seen.add(id);
    if (at !== undefined && at > before) counts.young += 1;
    else sent.set(id, payload);
  }
  const known = await store.ledger.known(source.name, [...sent.keys()]);
  const missing = [...sent].filter(([id]) => !known.has(id));
  counts.known = sent.size - missing.length;
  counts.missing = missing.length;
  if (plan || missing.length === 0) return counts;
  await options.waitForCapacity?.();
  for (const [id, payload] of missing) {
    await enqueueCall(id, payloadBytes(payload, source.keep), options);
    counts.enqueued += 1;
  }
  return counts;
}

/** Undefined when the log has expired meanwhile, or is empty. */
async function readPayload(api: SynthflowApi, id: string, ask: Ask): Promise<unknown> {
  try {
    const { request_payload: payload } = await api.getWebhookLog(id, ask);
    return typeof payload === 'string' ? parseJson(payload) : payload;
  } catch (error) {
    if (error instanceof SynthflowApiError && error.code === 'unknown_log') return undefined;
    throw error;
  }
}
