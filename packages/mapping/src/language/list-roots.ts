/** The paths there are, for the reference. */
import { type Known, ROOTS } from './roots.ts';

export interface KnownPath {
  /** `call.outcome`; with `<name>` where names are free. */
  path: string;
  does: string;
  values?: readonly (string | boolean)[];
}

/** What the names do not say by themselves. */
const DOES: Record<string, string> = {
  'call.id': 'the platform’s id of the call',
  'call.status': 'how the call ended, as the platform says it',
  'call.end_reason': 'why it ended',
  'call.status_raw': 'the status as it came',
  'call.terminal': 'false while the call may still change',
  'call.outcome': 'what the call was to a salesperson',
  'call.answered_by': 'who picked up; `completed` alone proves no human',
  'call.end_reason_raw': 'the end reason as it came',
  'call.end_reason_text': 'text of an end condition of the agent, Synthflow’s `custom_end_call_reason`',
  custom_end_call_reason: 'the same as `call.end_reason_text`, under Synthflow’s own name',
  'call.error': 'the platform’s error text',
  'call.direction': 'from the agents table, else the API; absent when neither knows',
  'call.agent.id': 'the agent’s id',
  'call.agent.name': 'from the agents table',
  'call.agent.number': 'from the agents table, +14155550100',
  'call.started_at': 'UTC, 2026-11-20T18:04:12.000Z',
  'call.ended_at': 'UTC',
  'call.received_at': 'UTC, when the webhook came',
  'call.utc_offset': 'of the payload: +02:00',
  'call.timezone': 'IANA name; often only the agent’s default',
  'call.duration': 'seconds',
  'call.from_number': '+14155550100',
  'call.to_number': '+14155550142',
  'call.transcript': 'every word, as it came',
  'call.turns[0].speaker': 'who said it',
  'call.turns[0].text': 'what was said',
  'call.turns[0].start': 'when, in seconds from the start of the call, where the source tells it',
  'call.turns[0].end': 'until when, likewise',
  'call.recording_url': 'address of the recording',
  'call.external_id': 'id that the caller of the API gave',
  'call.diversion': 'number that was diverted from',
  'call.transferred_to':
    'where the agent handed the call on to: +14155550123, a SIP address, or the name of the action that did',
  'booking.status': 'what an action of the agent did with an appointment; `failed`: it did not work',
  'booking.id': 'what the appointment is known by; of one that was moved, what it was known by before',
  'booking.starts_at': 'UTC; as it came where the answer names no offset, for `datetime` to read',
  'booking.ends_at': 'likewise',
  'booking.moved_from': 'when it was to begin before it was moved, likewise',
  'booking.title': 'as the calendar has it',
  'booking.place': 'an address, a room, or the link of a video call',
  'booking.action': 'name of the action',
  'call.notes[0].path': 'where something could not be read',
  'call.notes[0].message': 'what was done about it',
  'lead.name': 'of the person on the other end',
  'lead.first_name': 'as far as the name tells',
  'lead.last_name': 'as far as the name tells',
  'lead.email': 'small letters; a given one where there is one, else one that was said',
  'lead.email_origin':
    'given by the customer’s own list on an outbound call; said where it was collected or extracted, or stands in an inbound call',
  'lead.said_email': 'what was said beside a given address, where it is another one',
  'lead.phone': '+14155550142, only where it is a real number',
  'lead.phone_origin': 'given by the line, or by the customer’s own list on an outbound call; otherwise said',
  'lead.phone_raw': 'the number as it came',
  'lead.country': 'ISO code, from the number',
  'vars.<name>': 'collected variables, then extractor results of the same name',
  'collected.<name>.value': 'a collected variable',
  'collected.<name>.collected': 'whether the agent got it',
  'collected.<name>.agent_id': 'the agent that collected it',
  'extracted.<name>': 'result of an extractor',
  'actions.<name>.name': 'name of an action that the agent ran',
  'actions.<name>.type': 'the platform’s type of it',
  'actions.<name>.status': 'how it ended',
  'actions.<name>.error': 'why it failed',
  'actions.<name>.relevant': 'whether the platform calls it relevant',
  'actions.<name>.return_value': 'what an action of the agent answered',
  'actions.<name>.at': 'UTC, when it ran',
  'analysis.<name>':
    'a judgement: `true`, `partial`, `false`, `not_applicable`; or the remark on it. [All 35](analysis.md)',
  'prompt_variables.<name>': 'what the agent was given before the call',
  'metadata.<name>': 'metadata of the call',
  'raw.<name>': 'the payload as it came',
  'source.name': 'name of the source, as its own file has it',
  'source.client': 'name of the client in whose file the source stands',
  'my.<name>': 'a value that the mapping names under `define`',
  'person.<name>': 'a property of the matched record, by the CRM’s own name',
};

/** Every path, in the order of the roots. */
export function listRoots(): KnownPath[] {
  return Object.entries(ROOTS).flatMap(([root, known]) => list(root, known));
}

function list(path: string, known: Known): KnownPath[] {
  if (known.fields && !known.open)
    return Object.entries(known.fields).flatMap(([name, inner]) => list(`${path}.${name}`, inner));
  if (known.each) return list(isList(path) ? `${path}[0]` : `${path}.<name>`, known.each);
  const free = known.leaf || path.includes('.') ? path : `${path}.<name>`;
  return [{ path: free, does: DOES[free] ?? '', ...(known.values ? { values: known.values } : {}) }];
}

const isList = (path: string) => path === 'call.turns' || path === 'call.notes';
