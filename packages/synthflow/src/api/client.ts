/** What Wrapup asks Synthflow. It reads only: nothing at Synthflow is ever changed. */
import { type JsonObject, own } from '@wrapup/call';
import { readText } from '../parse/json.ts';
import { readCallId } from '../parse/locate.ts';
import { SynthflowApiError } from './failure.ts';
import { type Page, readPage, walkPages } from './pages.ts';
import { mergeRecords, readSingle, timesOf } from './records.ts';
import { type ApiOptions, ApiTransport, type Ask } from './transport.ts';

export interface SynthflowApiOptions extends ApiOptions {
  /** For webhook logs; another thing than the key. */
  workspace_id?: string | undefined;
}

export interface CallQuery {
  /** The agent: there is no list over all of them. */
  model_id: string;
  /** Epoch ms, both about the beginning of the call; `to` is not in it. */
  from: number;
  to: number;
}

export interface AgentRecord {
  model_id: string;
  name?: string;
  /** `inbound`, `outbound`, `widget`, … */
  type?: string;
  /** Where it sends its post-call webhook; absent when nowhere. */
  external_webhook_url?: string;
  inbound_call_webhook_url?: string;
  phone_number?: string;
}

export interface LogQuery {
  webhook_type?: 'external_webhook' | 'inbound_webhook' | 'custom_action';
  status?: 'pending' | 'success' | 'failed';
  assistant_id?: string;
  call_id?: string;
  /** Epoch ms. */
  from?: number;
  to?: number;
}

export interface WebhookLogItem {
  webhook_log_id: string;
  model_id?: string;
  status?: string;
  webhook_url?: string;
  response_status_code?: number;
  /** Epoch ms. */
  at?: number;
}

export interface WebhookLogRecord {
  webhook_log_id: string;
  call_id?: string;
  model_id?: string;
  webhook_type?: string;
  webhook_url?: string;
  status?: string;
  attempt_number?: number;
  response_status_code?: number;
  duration_ms?: number;
  error_message?: string;
  request_headers: JsonObject;
  request_payload: unknown;
  response_payload?: unknown;
}

/** The most that the list of calls gives at once. */
const PAGE_SIZE = 100;
/**
 * `to_date` is about the end of a call by the API's description and leaves it out when equal: asked for this much later,
 * ms, so that no call falls between two windows, and cut to the window here. Longer calls than this are not known.
 */
const OVERLAP_MS = 6 * 3600_000;
/** Where one call is looked for in the list, ms around its beginning: the second when the API rounds to days. */
const AROUND_MS = [60_000, 12 * 3600_000] as const;
/** Pages read at most to find one call in the list. */
const MAX_PAGES_FOR_ONE = 10;

export class SynthflowApi {
  readonly #transport: ApiTransport;
  readonly #workspace: string | undefined;

  constructor({ workspace_id, ...options }: SynthflowApiOptions) {
    this.#transport = new ApiTransport(options);
    this.#workspace = workspace_id;
  }

  /** One page of an agent's calls, as the API gives it: 100 at most, in no promised order. */
  async listCalls(
    { model_id, from, to, offset = 0, limit = PAGE_SIZE }: CallQuery & { offset?: number; limit?: number },
    ask: Ask,
  ): Promise<Page<JsonObject>> {
    const what = 'the list of calls';
    const query = { model_id, limit, offset, from_date: Math.floor(from), to_date: Math.ceil(to) };
    const answer = await this.#transport.get('/calls', query, { what, missing: 'refused', ask });
    return readPage(answer, 'calls', what) as Page<JsonObject>;
  }

  /**
   * Every call of an agent that began in the window, once. What the API gives beyond it, and calls of other agents, are
   * left out: parameters that it does not know it ignores without a word.
   * @returns false when it counts more calls than it gave
   */
  async *eachCall({ model_id, from, to }: CallQuery, ask: Ask): AsyncGenerator<JsonObject, boolean> {
    let limit = PAGE_SIZE;
    const pages = walkPages<JsonObject>({
      page: async (offset) => {
        for (;;) {
          try {
            return await this.listCalls({ model_id, from, to: to + OVERLAP_MS, offset, limit }, ask);
          } catch (error) {
            if (!(error instanceof SynthflowApiError) || error.code !== 'too_large' || limit === 1) throw error;
            limit = Math.ceil(limit / 5);
          }
        }
      },
      key: readCallId,
    });
    for (;;) {
      const next = await pages.next();
      if (next.done) return next.value;
      const { started } = timesOf(next.value);
      const outside = started !== undefined && (started < from || started >= to);
      const others = readText(own(next.value, 'model_id'));
      if (!outside && (others === undefined || others === model_id)) yield next.value;
    }
  }

  /** How many calls of an agent the API counts in a window; undefined when it does not say. */
  async countCalls(query: CallQuery, ask: Ask): Promise<number | undefined> {
    return (await this.listCalls({ ...query, limit: 1 }, ask)).total;
  }

  /**
   * The record of one call. It has no analysis and no lead: see `readCall`.
   * @throws SynthflowApiError `unknown_call` when the API does not know it, or not yet
   */
  async getCall(callId: string, ask: Ask): Promise<JsonObject> {
    const what = 'a call';
    const path = `/calls/${encodeURIComponent(callId)}`;
    const answer = await this.#transport.get(path, {}, { what, missing: 'unknown_call', ask });
    const record = readSingle(answer);
    if (record && readCallId(record) === callId) return record;
    const list = own(own(answer, 'response'), 'calls');
    // An empty list is how a wrapper of a list says that there is none; another call's record is no answer at all.
    const code = Array.isArray(list) && list.length === 0 ? 'unknown_call' : 'unreadable';
    throw new SynthflowApiError(code, `Synthflow's answer to ${what} does not hold that call.`, { status: 200 });
  }

  /** Everything that the API has of one call: its own record, and what only the list holds, analysis above all. */
  async readCall(callId: string, ask: Ask): Promise<JsonObject> {
    const single = await this.getCall(callId, ask);
    return mergeRecords(single, await this.#findListed(callId, single, ask));
  }

  /** The same, for a call that comes from the list. One that the API lists and does not know by itself stays as it is. */
  async completeCall(listed: JsonObject, ask: Ask): Promise<JsonObject> {
    const callId = readCallId(listed);
    if (callId === undefined) return listed;
    try {
      return mergeRecords(await this.getCall(callId, ask), listed);
    } catch (error) {
      const unknown = error instanceof SynthflowApiError && ['unknown_call', 'refused'].includes(error.code);
      if (unknown) return listed;
      throw error;
    }
  }

  async #findListed(callId: string, single: JsonObject, ask: Ask): Promise<JsonObject | undefined> {
    const model_id = readText(own(single, 'model_id'));
    const { started, ended } = timesOf(single);
    if (model_id === undefined || started === undefined) return undefined;
    for (const around of AROUND_MS) {
      const window = { model_id, from: started - around, to: (ended ?? started) + around };
      for (let page = 0, offset = 0; page < MAX_PAGES_FOR_ONE; page++) {
        const { items, total } = await this.listCalls({ ...window, offset }, ask);
        const found = items.find((item) => readCallId(item) === callId);
        if (found) return found;
        offset += items.length;
        if (items.length === 0 || (total !== undefined && offset >= total)) break;
      }
    }
    return undefined;
  }

  /** Every agent of the workspace, once. */
  async *listAgents(ask: Ask): AsyncGenerator<AgentRecord, boolean> {
    const what = 'the list of agents';
    const pages = walkPages<{ [key: string]: unknown }>({
      page: async (offset) => {
        const query = { limit: PAGE_SIZE, offset };
        return readPage(
          await this.#transport.get('/assistants/', query, { what, missing: 'refused', ask }),
          'assistants',
          what,
        );
      },
      key: (item) => readText(own(item, 'model_id')),
    });
    for (;;) {
      const next = await pages.next();
      if (next.done) return next.value;
      yield textsOf(next.value, AGENT_TEXTS) as unknown as AgentRecord;
    }
  }

  /** Webhooks that Synthflow sent, once each, without their content. @throws SynthflowApiError */
  async *listWebhookLogs(query: LogQuery, ask: Ask): AsyncGenerator<WebhookLogItem, boolean> {
    const pages = walkPages<{ [key: string]: unknown }>({
      page: (_done, page_number) => this.#pageOfLogs(query, page_number, PAGE_SIZE, ask),
      key: (item) => readText(own(item, 'webhook_log_id')),
    });
    for (;;) {
      const next = await pages.next();
      if (next.done) return next.value;
      const at = Date.parse(readText(own(next.value, 'request_timestamp')) ?? '');
      yield {
        ...textsOf(next.value, LOG_TEXTS),
        ...numbersOf(next.value, ['response_status_code']),
        ...(Number.isNaN(at) ? {} : { at }),
      } as unknown as WebhookLogItem;
    }
  }

  /** How many webhooks the API counts; undefined when it does not say. */
  async countWebhookLogs(query: LogQuery, ask: Ask): Promise<number | undefined> {
    return (await this.#pageOfLogs(query, 1, 1, ask)).total;
  }

  async #pageOfLogs({ from, to, ...filter }: LogQuery, page_number: number, page_size: number, ask: Ask) {
    const what = 'the webhook logs';
    const query = {
      workspace_id: this.#requireWorkspace(),
      page_number,
      page_size,
      ...filter,
      ...(from === undefined ? {} : { from_date: new Date(from).toISOString() }),
      ...(to === undefined ? {} : { to_date: new Date(to).toISOString() }),
    };
    return readPage(await this.#transport.get('/logs', query, { what, missing: 'refused', ask }), 'items', what);
  }

  /** One webhook with all that was sent. @throws SynthflowApiError `unknown_log` */
  async getWebhookLog(id: string, ask: Ask): Promise<WebhookLogRecord> {
    const what = 'a webhook log';
    const path = `/logs/${encodeURIComponent(id)}`;
    const query = { workspace_id: this.#requireWorkspace() };
    const log = own(await this.#transport.get(path, query, { what, missing: 'unknown_log', ask }), 'response');
    return {
      ...textsOf(log, [...LOG_TEXTS, 'call_id', 'webhook_type', 'error_message']),
      ...numbersOf(log, ['attempt_number', 'response_status_code', 'duration_ms']),
      webhook_log_id: id,
      request_headers: (own(log, 'request_headers') ?? {}) as JsonObject,
      request_payload: own(log, 'request_payload'),
      response_payload: own(log, 'response_payload'),
    };
  }

  close(): void {
    this.#transport.close();
  }

  #requireWorkspace(): string {
    if (this.#workspace !== undefined) return this.#workspace;
    throw new SynthflowApiError('refused', 'The webhook logs need workspace_id of the source.');
  }
}

const AGENT_TEXTS = [
  ...['model_id', 'name', 'type', 'phone_number'],
  ...['external_webhook_url', 'inbound_call_webhook_url'],
] as const;
const LOG_TEXTS = ['webhook_log_id', 'model_id', 'status', 'webhook_url'] as const;

function textsOf(record: unknown, keys: readonly string[]): { [key: string]: string } {
  const texts = keys.flatMap((key) => {
    const text = readText(own(record, key));
    return text === undefined ? [] : [[key, text] as const];
  });
  return Object.fromEntries(texts);
}

function numbersOf(record: unknown, keys: readonly string[]): { [key: string]: number } {
  const numbers = keys.flatMap((key) => {
    const value = own(record, key);
    return typeof value === 'number' ? [[key, value] as const] : [];
  });
  return Object.fromEntries(numbers);
}
