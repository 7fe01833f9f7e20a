/** A workspace of the voice platform: its agents, its calls, and the webhooks that it sent. */
import { randomUUID } from 'node:crypto';
import type { SynthflowSettings } from '../settings.ts';
import { isOver, type VoiceAgent, type VoiceCall } from './call.ts';

/** A webhook that was sent, or was to be sent. */
export interface WebhookLog {
  webhook_log_id: string;
  webhook_type: 'external_webhook' | 'inbound_webhook';
  webhook_url: string;
  /** Null before there is a call. */
  call_id: string | null;
  model_id: string;
  request_timestamp: string;
  attempt_number: number;
  request_headers: Record<string, string>;
  request_payload: unknown;
  status: 'pending' | 'success' | 'failed';
  response_status_code: number | null;
  response_timestamp: string | null;
  response_payload: unknown;
  duration_ms: number | null;
  error_message: string | null;
}

/** Webhooks that are remembered. */
const LOGS_KEPT = 20_000;

export class Workspace {
  readonly agents = new Map<string, VoiceAgent>();
  readonly #settings: () => SynthflowSettings;
  readonly #calls = new Map<string, VoiceCall>();
  readonly #logs = new Map<string, WebhookLog>();

  constructor(settings: () => SynthflowSettings) {
    this.#settings = settings;
    for (const agent of AGENTS) this.agents.set(agent.model_id, { ...agent });
  }

  place(call: VoiceCall): VoiceCall {
    this.#calls.set(call.id, call);
    return call;
  }

  /** A call that the API knows by now. */
  call(id: string): VoiceCall | undefined {
    const call = this.#calls.get(id);
    return call && this.#isKnown(call) ? call : undefined;
  }

  /** Calls of an agent that the API knows by now, in an order that means nothing and that newer calls disturb. */
  callsOf(modelId: string): VoiceCall[] {
    const calls = [...this.#calls.values()].filter((call) => call.agent.model_id === modelId && this.#isKnown(call));
    return calls.sort((a, b) => (reversed(a.id) < reversed(b.id) ? -1 : 1));
  }

  get calls(): VoiceCall[] {
    return [...this.#calls.values()];
  }

  log(entry: Omit<WebhookLog, 'webhook_log_id'>): WebhookLog {
    const log = { webhook_log_id: randomUUID(), ...entry };
    this.#logs.set(log.webhook_log_id, log);
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > LOGS_KEPT && oldest !== undefined) this.#logs.delete(oldest);
    return log;
  }

  logOf(id: string): WebhookLog | undefined {
    return this.#logs.get(id);
  }

  /** Latest first. */
  get logs(): WebhookLog[] {
    return [...this.#logs.values()].reverse();
  }

  #isKnown(call: VoiceCall): boolean {
    const delay = this.#settings().record_delay;
    return delay === 0 || (isOver(call) && Date.now() >= (call.over as number) + delay);
  }
}

function reversed(id: string): string {
  return [...id].reverse().join('');
}

/** The ids are those that samples and examples name. */
const AGENTS: VoiceAgent[] = [
  {
    model_id: '3f0c6a52-7d1e-4b8a-9c44-1a2b3c4d5e6f',
    name: 'Alice (renewals)',
    type: 'outbound',
    phone_number: '+14155550100',
    external_webhook_url: null,
    inbound_call_webhook_url: null,
  },
  {
    model_id: '8b9d7e10-2c3f-4a56-b7d8-6f5e4d3c2b1a',
    name: 'Bruno (front desk)',
    type: 'inbound',
    phone_number: '+14155550101',
    external_webhook_url: null,
    inbound_call_webhook_url: null,
  },
];
