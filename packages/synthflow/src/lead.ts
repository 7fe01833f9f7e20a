/**
 * The person on the other end, from wherever the shape at hand names them.
 *
 * Nothing is guessed: an address comes only from `lead` or from a variable whose name says that it is the person's, a
 * number only from a field that means the lead, or from the end of the line that the direction makes theirs.
 */
import { type Collected, type Direction, type JsonObject, type Lead, parsePhone } from '@wrapup/call';
import { namesEmail, readEmail } from './emails.ts';
import type { Find, Found } from './finder.ts';
import { own, readText } from './json.ts';
import { type Name, readName } from './names.ts';
import type { Notes } from './notes.ts';

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
  e164?: string;
  country?: string;
}

export function readLead(facts: LeadFacts): LeadAndNumbers {
  const { find, notes, direction, agent_number, prompt_variables, default_country } = facts;
  const number = ({ value, path }: Found): Numbered | undefined => {
    const raw = readText(value);
    if (raw === undefined || raw.length > 200) return undefined;
    const phone = parsePhone(raw, default_country);
    return { raw, path, ...(phone ? { e164: phone.e164 } : {}), ...(phone?.country ? { country: phone.country } : {}) };
  };
  const numbers = (found: Found[]) => found.map(number).filter((one) => one !== undefined);
  const variable = (name: string): Found[] =>
    Object.hasOwn(prompt_variables, name) ? [{ value: prompt_variables[name], path: `prompt_variables.${name}` }] : [];
  const phones = find('phones')[0];
  const side = (names: string[], party: string, prompt: string) =>
    numbers([
      ...find(...names),
      ...(phones ? [{ value: own(phones.value, party), path: `${phones.path}.${party}` }] : []),
      ...variable(prompt),
    ]);
  const from = side(['phone_number_from', 'from_phone_number', 'from_number'], 'caller', 'from_phone_number');
  const to = side(['phone_number_to', 'to_phone_number', 'to_number'], 'callee', 'to_phone_number');
  const fromNumber = firstE164(from);
  const toNumber = firstE164(to);

  const lead = find('lead')[0];
  const side_of_lead = direction ?? sideByAgent(agent_number, fromNumber, toNumber);
  const candidates = [
    ...numbers(lead ? [{ value: own(lead.value, 'phone_number'), path: `${lead.path}.phone_number` }] : []),
    ...numbers(find('lead_phone_number')),
    ...(side_of_lead === 'outbound' ? to : side_of_lead === 'inbound' ? from : []),
    // The caller of an inbound call, the callee of an outbound one: https://docs.synthflow.ai/variables
    ...numbers(variable('user_phone_number')),
  ];
  const phone = choosePhone(candidates, agent_number, notes);
  if (!phone && from.length + to.length > 0 && !side_of_lead) {
    notes.add(
      from[0]?.path ?? to[0]?.path ?? '',
      'one of the two numbers is the lead’s, but the direction is not known: neither is used; name the agent’s direction in the agents table',
    );
  }

  const name = chooseName(facts, lead);
  const email = chooseEmail(facts, lead);
  const e164 = phone?.e164;
  const resolvedFrom =
    fromNumber ?? (direction === 'outbound' ? agent_number : direction === 'inbound' ? e164 : undefined);
  const resolvedTo = toNumber ?? (direction === 'outbound' ? e164 : direction === 'inbound' ? agent_number : undefined);
  return {
    lead: {
      ...name,
      ...(email === undefined ? {} : { email }),
      ...(e164 === undefined ? {} : { phone: e164 }),
      ...(phone === undefined ? {} : { phone_raw: phone.raw }),
      ...(phone?.country === undefined ? {} : { country: phone.country }),
    },
    ...(resolvedFrom === undefined ? {} : { from_number: resolvedFrom }),
    ...(resolvedTo === undefined ? {} : { to_number: resolvedTo }),
  };
}

function firstE164(numbers: Numbered[]): string | undefined {
  return numbers.find(({ e164 }) => e164 !== undefined)?.e164;
}

/** Which way the call went, as far as that tells which number is the lead's: the one that is not the agent's. */
function sideByAgent(agent?: string, from?: string, to?: string): Direction | undefined {
  if (agent === undefined || from === to) return undefined;
  return from === agent ? 'outbound' : to === agent ? 'inbound' : undefined;
}

/** The first that is a number, else the first text that stood in a number's place. */
function choosePhone(candidates: Numbered[], agentNumber: string | undefined, notes: Notes): Numbered | undefined {
  let unreadable: Numbered | undefined;
  for (const candidate of candidates) {
    if (candidate.e164 === undefined) {
      notes.add(
        candidate.path,
        'is no telephone number (withheld, redacted, or without its country): kept as lead.phone_raw',
      );
      unreadable ??= candidate;
    } else if (candidate.e164 === agentNumber) {
      notes.add(candidate.path, 'is the agent’s own number: not taken for the lead’s');
    } else return candidate;
  }
  return unreadable;
}

function chooseName({ find, notes, agent_name }: LeadFacts, lead: Found | undefined): Partial<Name> {
  const given = [
    ...(lead ? [{ value: own(lead.value, 'name'), path: `${lead.path}.name` }] : []),
    // In REST records `name` is the lead's too; around a webhook's `call` it is nobody's.
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

function chooseEmail({ find, notes, collected, extracted, prompt_variables }: LeadFacts, lead: Found | undefined) {
  const said = Object.entries(collected).flatMap(([name, entry]) =>
    entry.collected ? [[`collected_variables.${name}`, name, entry.value] as const] : [],
  );
  const rest = (values: JsonObject, path: string) =>
    Object.entries(values).map(([name, value]) => [`${path}.${name}`, name, value] as const);
  const variables = [...said, ...rest(extracted, 'executed_actions'), ...rest(prompt_variables, 'prompt_variables')];
  const candidates = [
    ...(lead ? [{ value: own(lead.value, 'email'), path: `${lead.path}.email` }] : []),
    ...find('lead_email'),
    ...variables.flatMap(([path, name, value]) => (namesEmail(name) ? [{ value, path }] : [])),
  ];
  let chosen: string | undefined;
  for (const { value, path } of candidates) {
    if (typeof value !== 'string' || value.trim() === '') continue;
    const email = readEmail(value);
    if (email === undefined) notes.add(path, 'is named like an e-mail address and is none: not used as lead.email');
    else if (chosen === undefined) chosen = email;
    else if (chosen !== email) notes.add(path, 'is another e-mail address than the one used as lead.email');
  }
  return chosen;
}
