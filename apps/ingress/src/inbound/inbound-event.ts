import { type Call, emptyCall, own, parsePhone } from '@wrapup/call';
import type { Source } from '@wrapup/config';

/** Characters of a number or id. */
const MAX_LENGTH = 256;

/**
 * Reads the inbound event, `{event: "call_inbound", call_inbound: {model_id, from_number, to_number}}`, as a call record of
 * which little is known yet. https://docs.synthflow.ai/inbound-webhook-api
 *
 * @returns undefined when the payload is no such event
 */
export function readInboundEvent(payload: unknown, source: Source): Call | undefined {
  const event = own(payload, 'event');
  const inbound = own(payload, 'call_inbound');
  if (inbound === undefined || (event !== undefined && event !== 'call_inbound')) return undefined;
  const from = text(own(inbound, 'from_number'));
  const to = text(own(inbound, 'to_number'));
  const agent = text(own(inbound, 'model_id'));
  const caller = parsePhone(from, source.default_country);
  const called = parsePhone(to, source.default_country)?.e164 ?? to;
  return emptyCall({
    id: '',
    source: source.name,
    status: 'ringing',
    terminal: false,
    outcome: 'in_progress',
    answered_by: 'unknown',
    end_reason: 'unknown',
    direction: 'inbound',
    agent: { ...(agent && { id: agent }), ...(called && { number: called }) },
    ...(from && { from_number: caller?.e164 ?? from }),
    ...(called && { to_number: called }),
    lead: {
      ...(from && { phone_raw: from }),
      ...(caller && { phone: caller.e164, phone_origin: 'given' as const }),
      ...(caller?.country && { country: caller.country }),
    },
    raw: null,
  });
}

function text(value: unknown): string | undefined {
  const found = typeof value === 'number' ? String(value) : value;
  return typeof found === 'string' && found.length <= MAX_LENGTH && found.trim() !== '' ? found.trim() : undefined;
}
