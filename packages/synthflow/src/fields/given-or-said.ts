/**
 * The person on the other end, from wherever the shape at hand names them.
 *
 * Nothing is guessed: an address comes only from `lead` or from a variable whose name says that it is the person's, a
 * number only from a field that means the lead, or from the end of the line that the direction makes theirs.
 *
 * The origin decides what it may be used for. Given is what the line provides (the caller's number, the number dialled)
 * and, on outbound calls, what the customer's own list holds: `lead.email` and the prompt variables. Everything else was
 * said: what was collected or extracted, and on inbound calls anything in the payload beside the line's own numbers. A call whose direction is not known is read like an inbound one.
 */
import {
  type Collected,
  type Direction,
  type JsonObject,
  type Lead,
  type Origin,
  own,
  type Phone,
  parsePhone,
} from '@wrapup/call';
import { readText } from '../parse/json.ts';
import type { Find, LocatedValue } from '../parse/locate.ts';
import type { Notes } from '../parse/notes.ts';
import { namesEmail, readEmail } from './emails.ts';
import { type Name, readName } from './names.ts';

export interface LeadFacts {
  find: Find;
  notes: Notes;
  direction: Direction | undefined;
  /** E.164. */
  agent_number: string | undefined;
  agent_name: string | undefined;
  default_country: string | undefined;
  collected: { [name: string]: Collected };
  extracted: JsonObject;
  prompt_variables: JsonObject;
}

export interface LeadAndNumbers {
  lead: Lead;
  /** E.164. */
  from_number?: string;
  to_number?: string;
}

interface Numbered {
  raw: string;
  path: string;
  origin: Origin;
  /** Undefined for what cannot be read as a number. */
  phone: Phone | undefined;
}

export function readLead(facts: LeadFacts): LeadAndNumbers {
  const { find, notes, direction, agent_number, prompt_variables, default_country } = facts;
  const numbers = (found: LocatedValue[], origin: Origin): Numbered[] =>
    found.flatMap(({ value, path }) => {
      const raw = readText(value);
      if (raw === undefined || raw.length > 200) return [];
      return [{ raw, path, origin, phone: parsePhone(raw, default_country) }];
    });
  const variable = (name: string): LocatedValue[] =>
    Object.hasOwn(prompt_variables, name) ? [{ value: prompt_variables[name], path: `prompt_variables.${name}` }] : [];
  const phones = find('phones')[0];
  const ofLine = (names: string[], party: string) =>
    numbers(
      [...find(...names), ...(phones ? [{ value: own(phones.value, party), path: `${phones.path}.${party}` }] : [])],
      'given',
    );
  const lineFrom = ofLine(['phone_number_from', 'from_phone_number', 'from_number'], 'caller');
  const lineTo = ofLine(['phone_number_to', 'to_phone_number', 'to_number'], 'callee');
  // What only variables say does not decide whether variables are trusted.
  const listed = listOrigin(direction ?? sideByAgent(agent_number, firstE164(lineFrom), firstE164(lineTo)));
  const from = [...lineFrom, ...numbers(variable('from_phone_number'), listed)];
  const to = [...lineTo, ...numbers(variable('to_phone_number'), listed)];
  const fromNumber = firstE164(from);
  const toNumber = firstE164(to);

  const lead = find('lead')[0];
  const side_of_lead = direction ?? sideByAgent(agent_number, fromNumber, toNumber);
  const candidates = [
    ...numbers(lead ? [{ value: own(lead.value, 'phone_number'), path: `${lead.path}.phone_number` }] : [], 'given'),
    ...numbers(find('lead_phone_number'), 'given'),
    ...(side_of_lead === 'outbound' ? to : side_of_lead === 'inbound' ? from : []),
    // The caller of an inbound call, the callee of an outbound one: https://docs.synthflow.ai/variables
    ...numbers(variable('user_phone_number'), listed),
  ];
  const chosen = choosePhone(candidates, agent_number, notes);
  const [first] = [...from, ...to];
  if (!chosen && first && !side_of_lead) {
    notes.add(
      first.path,
      'one of the two numbers is the lead’s, but the direction is not known: neither is used; name the agent’s direction in the agents table',
    );
  }

  const name = chooseName(facts, lead);
  const email = chooseEmail(facts, lead, listed);
  const { e164, country } = chosen?.phone ?? {};
  const resolvedFrom =
    fromNumber ?? (direction === 'outbound' ? agent_number : direction === 'inbound' ? e164 : undefined);
  const resolvedTo = toNumber ?? (direction === 'outbound' ? e164 : direction === 'inbound' ? agent_number : undefined);
  return {
    lead: {
      ...name,
      ...email,
      ...(chosen === undefined || e164 === undefined ? {} : { phone: e164, phone_origin: chosen.origin }),
      ...(chosen === undefined ? {} : { phone_raw: chosen.raw }),
      ...(country === undefined ? {} : { country }),
    },
    ...(resolvedFrom === undefined ? {} : { from_number: resolvedFrom }),
    ...(resolvedTo === undefined ? {} : { to_number: resolvedTo }),
  };
}

function firstE164(numbers: Numbered[]): string | undefined {
  return numbers.find(({ phone }) => phone)?.phone?.e164;
}

/** The origin of what the customer's own list holds: only outbound calls are made from a list. */
function listOrigin(direction: Direction | undefined): Origin {
  return direction === 'outbound' ? 'given' : 'said';
}

/** The direction as far as the agent's number shows it: the lead's number is the other one. */
function sideByAgent(agent?: string, from?: string, to?: string): Direction | undefined {
  if (agent === undefined || from === to) return undefined;
  return from === agent ? 'outbound' : to === agent ? 'inbound' : undefined;
}

/** The first given number, else the first that was said, else the first text that stood in a number's place. */
function choosePhone(candidates: Numbered[], agentNumber: string | undefined, notes: Notes): Numbered | undefined {
  let unreadable: Numbered | undefined;
  for (const candidate of givenFirst(candidates)) {
    if (candidate.phone === undefined) {
      notes.add(
        candidate.path,
        'is no telephone number (withheld, redacted, or without its country): kept as lead.phone_raw',
      );
      unreadable ??= candidate;
    } else if (candidate.phone.e164 === agentNumber) {
      notes.add(candidate.path, 'is the agent’s own number: not taken for the lead’s');
    } else return candidate;
  }
  return unreadable;
}

function chooseName({ find, notes, agent_name }: LeadFacts, lead: LocatedValue | undefined): Partial<Name> {
  const given = [
    ...(lead ? [{ value: own(lead.value, 'name'), path: `${lead.path}.name` }] : []),
    // In REST records `name` is the lead's too; around a webhook's `call` it names no person.
    ...find('lead_name', ...(lead ? [] : ['name'])),
  ];
  for (const { value, path } of given) {
    const text = readText(value);
    if (text === undefined || text === agent_name) continue;
    const name = readName(text);
    if (name) return name;
    notes.add(path, 'is a placeholder or redacted, not a name: left out');
  }
  return {};
}

type Emails = Pick<Lead, 'email' | 'email_origin' | 'said_email'>;

/** @param listed origin of what the customer's own list holds */
function chooseEmail(
  { find, notes, collected, extracted, prompt_variables }: LeadFacts,
  lead: LocatedValue | undefined,
  listed: Origin,
): Emails {
  const fromSpeech = Object.entries(collected).flatMap(([name, { collected: isCollected, value }]) =>
    isCollected ? [{ name, value, path: `collected_variables.${name}`, origin: 'said' as const }] : [],
  );
  const members = (values: JsonObject, path: string, origin: Origin) =>
    Object.entries(values).map(([name, value]) => ({ name, value, path: `${path}.${name}`, origin }));
  const variables = [
    ...fromSpeech,
    ...members(extracted, 'executed_actions', 'said'),
    ...members(prompt_variables, 'prompt_variables', listed),
  ];
  const ofLead = [
    ...(lead ? [{ value: own(lead.value, 'email'), path: `${lead.path}.email` }] : []),
    ...find('lead_email'),
  ];
  const candidates = [
    ...ofLead.map((found) => ({ ...found, origin: listed })),
    ...variables.filter(({ name }) => namesEmail(name)),
  ];
  const chosen: Emails = {};
  for (const { value, path, origin } of givenFirst(candidates)) {
    if (typeof value !== 'string' || value.trim() === '') continue;
    const email = readEmail(value);
    if (email === undefined) notes.add(path, 'is named like an e-mail address and is none: not used as lead.email');
    else if (chosen.email === undefined) Object.assign(chosen, { email, email_origin: origin });
    else if (chosen.email !== email) {
      notes.add(path, 'is another e-mail address than the one used as lead.email');
      if (origin === 'said' && chosen.email_origin === 'given') chosen.said_email ??= email;
    }
  }
  return chosen;
}

/** Those that are given, then those that were said, each in their own order. */
function givenFirst<One extends { origin: Origin }>(all: One[]): One[] {
  return [...all.filter(({ origin }) => origin === 'given'), ...all.filter(({ origin }) => origin === 'said')];
}
