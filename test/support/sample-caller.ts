import { randomUUID } from 'node:crypto';
import type { VoiceCall } from '@wrapup/sandbox';
import type { JsonObject } from '../../packages/call/src/index.ts';
import { type SampleKind, samplePayload } from '../../packages/synthflow/src/index.ts';

/** A sample of a caller of its own: people are matched by e-mail too. @param phone E.164 */
export function sampleOf(kind: SampleKind, phone: string, collected = {}) {
  const email = `caller${phone.slice(-3)}@example.com`;
  return samplePayload(kind, { call_id: randomUUID(), phone, collected: { email, ...collected } }) as JsonObject & {
    call: { call_id: string };
  };
}

/** A call of the sandbox's inbound agent that is over. @param phone E.164, of the caller */
export function inboundCall(model_id: string, phone: string): VoiceCall {
  return {
    id: randomUUID(),
    agent: {
      ...{ model_id, name: 'Robert', type: 'inbound', phone_number: '+14155550101' },
      ...{ external_webhook_url: null, inbound_call_webhook_url: null },
    },
    lead: { phone },
    prompt_variables: {},
    started: Date.now() - 60_000,
    duration: 40,
    ringing: 4_000,
    status: 'completed',
    end_call_reason: 'human_goodbye',
    custom_end_call_reason: null,
    turns: [['human', 'Hello.']],
    collected: {},
    extracted: {},
    analysis: null,
    over: Date.now(),
  };
}
