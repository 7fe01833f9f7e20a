/**
 * One payload, whatever its shape, as the one record that everything after reads.
 *
 * Webhooks, both REST shapes and the flat one go through here: `locate` says where things stand, a reader per part says
 * what they mean, this file puts the parts together. Whatever cannot be read is left out and noted; nothing throws.
 */

import {
  type Agent,
  type Call,
  type Collected,
  type Direction,
  decideOutcome,
  isTerminal,
  type Json,
  type JsonObject,
  own,
  parsePhone,
} from '@wrapup/call';
import { readActions } from './fields/actions.ts';
import { readAnalysis } from './fields/analysis.ts';
import { readCollected } from './fields/collected.ts';
import { readLead } from './fields/given-or-said.ts';
import { chooseStatus, readOutcomeFacts } from './fields/outcome-facts.ts';
import { readTurns } from './fields/transcript.ts';
import { readBooking, readTransfer } from './fields/transfers-and-bookings.ts';
import { cleanText, copyObject, dictionary, isNothing, isSameJson, readText } from './parse/json.ts';
import { type Find, locate, makeFind } from './parse/locate.ts';
import { Notes } from './parse/notes.ts';
import { type Instant, readInstant, readSeconds, toIso } from './parse/times.ts';

/** What the config knows of an agent and the payload does not say. */
export interface AgentFacts {
  name?: string;
  direction?: Direction;
  /** E.164. */
  number?: string;
}

export interface NormaliseContext {
  /** Full name of the source. */
  source: string;
  /** What the keys of its calls in CRMs begin with, where that is not its full name. */
  key_prefix?: string | undefined;
  /** ISO 3166 alpha-2 that numbers without a country belong to. */
  default_country?: string | undefined;
  /** By agent id. */
  agents?: { [agentId: string]: AgentFacts } | undefined;
  /** Epoch ms at which the payload reached us. */
  received_at?: number | undefined;
}

/** How far a call may begin after it was received: clocks differ, but a wrong year would outlive every later call. */
const MAX_FUTURE_MS = 24 * 3600 * 1000;

/**
 * @throws TypeError when the payload has no call id (see `readCallId`), never otherwise
 */
export function normalise(payload: unknown, context: NormaliseContext): Call {
  const located = locate(payload);
  if (!located) throw new TypeError('the payload has no call id: ask readCallId first');
  const notes = new Notes();
  const find = makeFind(located);
  if (located.contradicted) notes.add('call_id', 'differs from call.call_id, which is used');

  const prompt = find('prompt_variables')[0] ?? within(find, 'lead', 'prompt_variables');
  const prompt_variables = copyObject(prompt.value, prompt.path, notes);
  const metadata = copyFirst(find, 'metadata', notes);
  const given = find('collected_variables')[0];
  const collected = given ? readCollected(given.value, given.path, notes) : dictionary<Collected>();
  const executed = find('executed_actions')[0];
  const { actions, extracted, targets } = readActions(executed?.value, executed?.path ?? '', notes);
  const judged = find('analysis', 'judge_results')[0];

  const agent = readAgent(find, context);
  const direction = agent.known?.direction ?? readDirection(find, notes);
  const { lead, from_number, to_number } = readLead({
    find,
    notes,
    direction,
    agent_number: agent.facts.number,
    agent_name: agent.facts.name,
    default_country: context.default_country,
    collected,
    extracted,
    prompt_variables,
  });

  const transferred_to = readTransfer(actions, targets, context.default_country);
  const duration = readDuration(find, notes);
  const start = readStart(find, notes, context.received_at);
  const facts = readOutcomeFacts(find, notes);
  const transcript = readTranscript(find, notes);

  return {
    id: located.id,
    source: context.source,
    ...(context.key_prefix === undefined ? {} : { key_prefix: context.key_prefix }),
    ...facts,
    terminal: isTerminal(facts.status),
    ...decideOutcome({ ...facts, ...(duration === undefined ? {} : { duration }) }),
    ...(direction === undefined ? {} : { direction }),
    agent: agent.facts,
    ...(start === undefined
      ? {}
      : { started_at: toIso(start.ms), ended_at: toIso(start.ms + Math.round((duration ?? 0) * 1000)) }),
    ...(context.received_at === undefined || !isDate(context.received_at)
      ? {}
      : { received_at: toIso(context.received_at) }),
    ...(start?.offset === undefined ? {} : { utc_offset: start.offset }),
    ...textOf(find, 'timezone', 'timezone'),
    ...(duration === undefined ? {} : { duration }),
    ...(from_number === undefined ? {} : { from_number }),
    ...(to_number === undefined ? {} : { to_number }),
    ...(transcript === undefined ? {} : { transcript }),
    turns: transcript === undefined ? [] : readTurns(transcript),
    ...readRecording(find, notes),
    ...textOf(find, 'external_id', 'external_id'),
    ...textOf(find, 'diversion', 'diversion'),
    ...(transferred_to === undefined ? {} : { transferred_to }),
    booking: readBooking(actions) ?? {},
    lead,
    vars: chooseVars(collected, extracted, given?.path ?? '', notes),
    collected,
    extracted,
    actions,
    analysis: readAnalysis(judged?.value, judged?.path ?? '', notes),
    prompt_variables,
    metadata,
    raw: payload as Json,
    notes: notes.list(),
  };
}

/** Whether a payload says that its call is over, without reading the rest. False for one without a call id. */
export function isOver(payload: unknown): boolean {
  const located = locate(payload);
  return located !== undefined && isTerminal(chooseStatus(makeFind(located), new Notes()).status);
}

function within(find: Find, outer: string, inner: string) {
  const holder = find(outer)[0];
  return { value: own(holder?.value, inner), path: `${holder?.path}.${inner}` };
}

function copyFirst(find: Find, name: string, notes: Notes): JsonObject {
  const found = find(name)[0];
  return found ? copyObject(found.value, found.path, notes) : dictionary<Json>();
}

/** Texts that some senders write for "nothing". */
const NOTHING: ReadonlySet<string> = new Set(['null', 'none', 'undefined']);

function textOf<Key extends string>(find: Find, name: string, key: Key): { [key in Key]?: string } {
  const text = readText(find(name)[0]?.value);
  return text === undefined || NOTHING.has(text.toLowerCase()) ? {} : ({ [key]: text } as { [key in Key]?: string });
}

function readAgent(
  find: Find,
  { agents, default_country }: NormaliseContext,
): { facts: Agent; known: AgentFacts | undefined } {
  const id = readText(find('model_id')[0]?.value);
  const known = id !== undefined && agents && Object.hasOwn(agents, id) ? agents[id] : undefined;
  const number = parsePhone(known?.number ?? find('agent_phone_number')[0]?.value, default_country)?.e164;
  return {
    facts: {
      ...(id === undefined ? {} : { id }),
      ...(known?.name === undefined ? {} : { name: known.name }),
      ...(number === undefined ? {} : { number }),
    },
    known,
  };
}

function readDirection(find: Find, notes: Notes): Direction | undefined {
  for (const { value, path } of find('type_of_call', 'direction')) {
    const word = readText(value)?.toLowerCase();
    if (word === 'inbound' || word === 'outbound') return word;
    notes.add(path, 'is neither inbound nor outbound: the direction stays open');
  }
  return undefined;
}

function readDuration(find: Find, notes: Notes): number | undefined {
  const found = find('duration')[0];
  if (!found) return undefined;
  const seconds = readSeconds(found.value);
  if (seconds === undefined) notes.add(found.path, 'is not a number of seconds between 0 and a week: left out');
  return seconds;
}

function readStart(find: Find, notes: Notes, receivedAt = Number.POSITIVE_INFINITY): Instant | undefined {
  for (const { value, path } of find('start_time', 'telephony_start')) {
    const instant = readInstant(value);
    if (!instant) notes.add(path, 'is no time that can be read: left out');
    else if (instant.ms > receivedAt + MAX_FUTURE_MS) {
      notes.add(path, 'lies more than a day after the payload came: left out');
    } else {
      if (instant.naive) notes.add(path, 'names no time zone: read as UTC');
      return instant;
    }
  }
  return undefined;
}

function isDate(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

/** The transcript as it came, but for characters that no CRM stores. */
function readTranscript(find: Find, notes: Notes): string | undefined {
  const found = find('transcript')[0];
  if (!found) return undefined;
  if (typeof found.value !== 'string') {
    notes.add(found.path, 'is not text: left out');
    return undefined;
  }
  const text = cleanText(found.value);
  return text.trim() === '' ? undefined : text;
}

/** Signed addresses have some hundred characters; none that works has more than this. */
const MAX_URL_LENGTH = 8192;

function readRecording(find: Find, notes: Notes): { recording_url?: string } {
  const { recording_url } = textOf(find, 'recording_url', 'recording_url');
  if (recording_url === undefined) return {};
  const usable = recording_url.length <= MAX_URL_LENGTH && /^https?:\/\/[^\s]+$/i.test(recording_url);
  if (usable && URL.canParse(recording_url)) return { recording_url };
  notes.add(find('recording_url')[0]?.path ?? 'recording_url', 'is no http address: left out');
  return {};
}

/** What was collected, then what was extracted; of one name the collected value stays. */
function chooseVars(collected: { [name: string]: Collected }, extracted: JsonObject, path: string, notes: Notes) {
  const vars = dictionary<Json>();
  for (const [name, entry] of Object.entries(collected)) {
    if (entry.collected && !isNothing(entry.value)) vars[name] = entry.value;
  }
  for (const [name, value] of Object.entries(extracted)) {
    if (!Object.hasOwn(vars, name)) vars[name] = value;
    else if (!isSameJson(vars[name], value)) {
      notes.add(`${path}.${name}`, 'was collected and extracted with different values: vars holds the collected one');
    }
  }
  return vars;
}
