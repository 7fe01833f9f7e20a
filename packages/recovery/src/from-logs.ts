/**
 * Webhooks once more, as they were sent: Synthflow's webhook logs hold the whole payload for a while. Better than a
 * record of the API, which lacks what only webhooks say; but logs end sooner than calls do.
 */
import { type Ask, readCallId, type SynthflowApi, SynthflowApiError, type WebhookLogItem } from '@wrapup/synthflow';
import { type BringIn, eachAtOnce, type Found, takeIn, type Window } from './bring-in.ts';
import { bytesOf } from './bytes-of.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

const BATCH = 50;
const AT_ONCE = 4;

/** Webhooks of an agent that were sent in the window, whatever became of them. A call that was sent several times counts once. */
export async function bringInFromLogs(agent: string, window: Window, options: BringIn): Promise<Found> {
  const { api, signal, onFound } = options;
  const ask: Ask = { signal };
  const tally = emptyTally();
  const seen = new Set<string>();
  let batch: WebhookLogItem[] = [];
  const logs = api.listWebhookLogs({ webhook_type: 'external_webhook', assistant_id: agent, ...window }, ask);
  for (;;) {
    const next = await logs.next();
    if (!next.done) batch.push(next.value);
    if (batch.length === BATCH || (next.done && batch.length > 0)) {
      const found = await compare(batch, seen, ask, options);
      addTally(tally, found);
      onFound?.(found);
      batch = [];
    }
    if (next.done) return { tally, complete: next.value, unread: [] };
  }
}

async function compare(batch: WebhookLogItem[], seen: Set<string>, ask: Ask, options: BringIn): Promise<Tally> {
  const { api, store, source, before, plan } = options;
  const tally = emptyTally();
  const sent = new Map<string, unknown>();
  // What is looked at stays in the order of the list: of a call that was sent several times the first one counts.
  const payloads = new Map<string, unknown>();
  await eachAtOnce(batch, AT_ONCE, async ({ webhook_log_id }) => {
    payloads.set(webhook_log_id, await readPayload(api, webhook_log_id, ask));
  });
  for (const { webhook_log_id, at } of batch) {
    const payload = payloads.get(webhook_log_id);
    const id = payload === undefined ? undefined : readCallId(payload);
    if (id !== undefined && seen.has(id)) continue;
    tally.listed += 1;
    if (id === undefined) {
      tally.unreadable += 1;
      continue;
    }
    seen.add(id);
    if (at !== undefined && at > before) tally.young += 1;
    else sent.set(id, payload);
  }
  const known = await store.ledger.known(source.name, [...sent.keys()]);
  const missing = [...sent].filter(([id]) => !known.has(id));
  tally.known = sent.size - missing.length;
  tally.missing = missing.length;
  if (plan || missing.length === 0) return tally;
  await options.room?.();
  for (const [id, payload] of missing) {
    await takeIn(id, bytesOf(payload, source.keep), options);
    tally.enqueued += 1;
  }
  return tally;
}

/** Undefined when the log is gone meanwhile, or holds nothing. */
async function readPayload(api: SynthflowApi, id: string, ask: Ask): Promise<unknown> {
  try {
    const { request_payload: payload } = await api.getWebhookLog(id, ask);
    return typeof payload === 'string' ? parse(payload) : payload;
  } catch (error) {
    if (error instanceof SynthflowApiError && error.code === 'unknown_log') return undefined;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
