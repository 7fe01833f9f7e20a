import type { Config } from '@wrapup/config';
import type { Answer, Handle } from './exchange.ts';
import { findSource } from './find-source.ts';
import type { Probes } from './probe.ts';
import { Refusal } from './refusal.ts';

/**
 * Keeps the agent that the call came to. An empty `call_inbound` would disconnect the caller
 * (https://docs.synthflow.ai/inbound-webhook-api), so this is said whatever happens.
 */
export const NEUTRAL: Answer = {
  status: 200,
  body: '{"call_inbound":{"override_model_id":""}}',
  result: 'neutral',
};

/** Synthflow asks while the phone rings. Everybody gets the neutral answer, known or not, and nothing is looked up. */
export function answerInboundCalls(config: () => Config, probes: Probes): Handle {
  return (request, seen) => {
    const source = findSource(config(), request.params.source as string, request.params.token as string | undefined);
    if (source) seen.source = source.name;
    if (request.method === 'POST') return NEUTRAL;
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal('method-not-allowed');
    if (!source) throw new Refusal('unknown-source');
    return probes.answer('inbound-call', request, source.name);
  };
}
