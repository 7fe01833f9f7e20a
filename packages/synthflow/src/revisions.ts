/**
 * Two payloads of one call, compared after normalising: whether they say the same, whether the newer one contradicts the
 * older one or only adds to it, and what the two say together.
 *
 * What differs only in how it is written (`no-answer` and `no_answer`, an ISO time and epoch milliseconds, the signature
 * in a recording's address) is the same fact.
 */
import {
  type Action,
  type Call,
  type Collected,
  decideOutcome,
  isTerminal,
  type Lead,
  type OutcomeFacts,
} from '@wrapup/call';
import { readTurns } from './fields/transcript.ts';
import { isSameJson } from './parse/json.ts';
import { maskPath } from './parse/notes.ts';
import { toIso } from './parse/times.ts';

type Members = { [key: string]: unknown };

/** Not facts about the call, or made of others that are compared themselves. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  ...['notes', 'raw', 'received_at', 'turns'],
  ...['transferred_to', 'booking'],
]);

/** Whether two revisions say the same of a call; notes, the raw payload and the time of arrival aside. */
export function equalCalls(one: Call, other: Call): boolean {
  return isSameJson(factsOf(one), factsOf(other));
}

/**
 * The facts of a call as text: the same for two revisions that are equal. The digest of it recognises a repeat when the
 * payload that it repeats has expired.
 */
export function writeFacts(call: Call): string {
  return JSON.stringify(inOrder(factsOf(call)));
}

/** A copy whose members stand in the order of their names: `JSON.stringify` takes twice as long with a function for each. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  // Without a prototype a name such as `__proto__` is one like any other.
  const ordered: Members = Object.create(null);
  for (const name of Object.keys(value).sort()) ordered[name] = inOrder((value as Members)[name]);
  return ordered;
}

function factsOf(call: Call): Members {
  return Object.fromEntries(Object.entries(call).filter(([key]) => !NOT_COMPARED.has(key)));
}

const PLAIN = ['end_reason_text', 'error', 'direction', 'timezone', 'utc_offset', 'external_id', 'diversion'] as const;
const NUMBERS = ['from_number', 'to_number'] as const;
const DICTIONARIES = ['vars', 'extracted', 'analysis', 'prompt_variables', 'metadata'] as const;

/** Under these names our own inbound look-up puts the person of a call. */
export const PERSON_KEYS: ReadonlySet<string> = new Set(['crm_person_id', 'crm_connection']);

/** Times and durations closer than this are one: the webhook leaves away what REST has behind the second. */
const TOLERANCE_MS = 1000;

/**
 * Paths at which the newer revision says something else than the older one did, `lead.phone` for example. Empty when it
 * only adds or repeats, and while the older one was not over yet: such a call may still become anything.
 */
export function contradicts(older: Call, newer: Call): string[] {
  if (!older.terminal) return [];
  const paths: string[] = [];
  const check = (path: string, agrees: boolean) => {
    if (!agrees) paths.push(maskPath(path));
  };
  // A payload from before the end, come late, says nothing about the end.
  if (newer.terminal) {
    for (const key of ['status', 'end_reason'] as const) check(key, isOneWord(older[key], newer[key]));
    // Facts that agree one by one may still make another outcome together: a length of zero, a machine at the other end.
    const together = decideOutcome(endOf(older, newer));
    for (const key of ['outcome', 'answered_by'] as const) {
      check(key, isOneWord(older[key], newer[key]) && isOneWord(older[key], together[key]));
    }
    check('duration', isNear(seconds(older.duration), seconds(newer.duration)));
    check('transcript', isOneText(older.transcript, newer.transcript));
  }
  if (older.status === 'unknown' && newer.status === 'unknown') check('status_raw', agree(older, newer, 'status_raw'));
  if (older.end_reason === 'unknown' && newer.end_reason === 'unknown') {
    check('end_reason_raw', agree(older, newer, 'end_reason_raw'));
  }
  for (const key of [...PLAIN, ...NUMBERS]) check(key, agree(older, newer, key));
  check('started_at', isNear(instant(older.started_at), instant(newer.started_at)));
  check('recording_url', agree(withoutQuery(older.recording_url), withoutQuery(newer.recording_url)));
  check('agent.id', agree(older.agent, newer.agent, 'id'));
  for (const key of ['name', 'email', 'phone'] as const) check(`lead.${key}`, agree(older.lead, newer.lead, key));
  if (!older.lead.phone && !newer.lead.phone) check('lead.phone_raw', agree(older.lead, newer.lead, 'phone_raw'));
  for (const root of DICTIONARIES) {
    for (const key of sharedKeys(older[root], newer[root])) {
      check(`${root}.${key}`, isSameJson(older[root][key], newer[root][key]));
    }
  }
  for (const key of sharedKeys(older.collected, newer.collected)) {
    const [before, after] = [older.collected[key] as Collected, newer.collected[key] as Collected];
    check(`collected.${key}`, !before.collected || !after.collected || isSameJson(before.value, after.value));
  }
  for (const key of sharedKeys(older.actions, newer.actions)) {
    const [before, after] = [older.actions[key] as Action, newer.actions[key] as Action];
    for (const fact of ['return_value', 'status', 'error'] as const) {
      check(`actions.${key}.${fact}`, agree(before, after, fact));
    }
  }
  return paths;
}

/** Of the facts that stand before the end of a call: whose call it is. */
const OF_WHOM = [...NUMBERS, 'direction', 'external_id'] as const;

/**
 * Paths at which the end of a call belongs to another person, number or agent than its beginning did. What was absent at
 * the beginning contradicts nothing.
 */
export function contradictsParties(beginning: Call, end: Call): string[] {
  const paths: string[] = [];
  const check = (path: string, agrees: boolean) => {
    if (!agrees) paths.push(maskPath(path));
  };
  for (const key of OF_WHOM) check(key, agree(beginning, end, key));
  check('agent.id', agree(beginning.agent, end.agent, 'id'));
  for (const key of ['email', 'phone'] as const) check(`lead.${key}`, agree(beginning.lead, end.lead, key));
  for (const root of DICTIONARIES) {
    for (const key of PERSON_KEYS) {
      if (Object.hasOwn(beginning[root], key) && Object.hasOwn(end[root], key))
        check(`${root}.${key}`, isSameJson(beginning[root][key], end[root][key]));
    }
  }
  return paths;
}

/**
 * What two revisions say together: the facts of the one that holds, and what only the other one knows. The older one
 * holds once it was over, before that the newer one. `raw` is the newer payload.
 */
export function mergeCalls(older: Call, newer: Call): Call {
  const [base, more] = older.terminal ? [older, newer] : [newer, older];
  const merged: Call = { ...fill(base, more) };
  const end = endOf(base, more);
  if (base.status !== end.status && more.status_raw !== undefined) merged.status_raw = more.status_raw;
  if (base.end_reason !== end.end_reason && more.end_reason_raw !== undefined)
    merged.end_reason_raw = more.end_reason_raw;
  if (end.duration === undefined) delete merged.duration;
  Object.assign(merged, end, decideOutcome(end));
  merged.terminal = isTerminal(merged.status);
  if (merged.started_at !== undefined) {
    merged.ended_at = toIso(Date.parse(merged.started_at) + Math.round((merged.duration ?? 0) * 1000));
  }
  const transcript = longerText(base.transcript, more.transcript);
  if (transcript !== undefined && transcript !== base.transcript) {
    Object.assign(merged, { transcript, turns: readTurns(transcript) });
  }
  merged.agent = fill(base.agent, more.agent);
  merged.lead = mergeLeads(base.lead, more.lead);
  if (isSameJson(base.booking, {})) merged.booking = more.booking;
  for (const root of DICTIONARIES) Object.assign(merged, { [root]: fill(base[root], more[root]) });
  merged.collected = fill(base.collected, more.collected);
  for (const [key, entry] of Object.entries(more.collected)) {
    if (entry.collected && !base.collected[key]?.collected) merged.collected[key] = entry;
  }
  merged.actions = fill(base.actions, more.actions);
  for (const key of sharedKeys(base.actions, more.actions)) {
    merged.actions[key] = fill(base.actions[key] as Action, more.actions[key] as Action);
  }
  merged.raw = newer.raw;
  if (older.received_at !== undefined) merged.received_at = older.received_at;
  const seen = new Set<string>();
  merged.notes = [...older.notes, ...newer.notes].filter(({ path, message }) => {
    const key = `${path}\n${message}`;
    return !seen.has(key) && seen.add(key);
  });
  return merged;
}

/** A name and its parts belong together, and so do an address and its origin, a number, its country and how it came. */
function mergeLeads(base: Lead, more: Lead): Lead {
  const group = (keys: (keyof Lead)[], from: Lead) =>
    Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
  return {
    ...group(['name', 'first_name', 'last_name'], base.name === undefined ? more : base),
    ...group(['email', 'email_origin'], base.email === undefined ? more : base),
    ...group(['said_email'], base.said_email === undefined && (base.email ?? more.email) === more.email ? more : base),
    ...group(
      ['phone', 'phone_origin', 'phone_raw', 'country'],
      base.phone === undefined && (more.phone !== undefined || base.phone_raw === undefined) ? more : base,
    ),
    ...originOf('email', base, more),
    ...originOf('phone', base, more),
  };
}

/** Of a value that both have: said where one of them says so, for a revision can call itself anything. */
function originOf(by: 'email' | 'phone', base: Lead, more: Lead): Partial<Lead> {
  const key = `${by}_origin` as const;
  if (base[by] !== more[by]) return {};
  const origin = [base[key], more[key]].includes('said') ? 'said' : (base[key] ?? more[key]);
  return origin === undefined ? {} : { [key]: origin };
}

/** A copy of `base` with the members that only `more` has; keeps having no prototype where it had none. */
function fill<T extends object>(base: T, more: T): T {
  const filled = Object.create(Object.getPrototypeOf(base)) as T;
  for (const from of [more, base]) {
    for (const [key, value] of Object.entries(from)) if (value !== undefined) (filled as Members)[key] = value;
  }
  return filled;
}

function sharedKeys(one: object, other: object): string[] {
  return Object.keys(one).filter((key) => Object.hasOwn(other, key));
}

/** How the call ended, by both: `more` counts where `base` does not know, unless `more` was sent before the end. */
function endOf(base: Call, more: Call): OutcomeFacts {
  const over = more.terminal || !base.terminal;
  const duration = base.duration ?? (over ? more.duration : undefined);
  return {
    status: base.status === 'unknown' && over ? more.status : base.status,
    end_reason: base.end_reason === 'unknown' && over ? more.end_reason : base.end_reason,
    ...(duration === undefined ? {} : { duration }),
  };
}

/** True unless both words say something and differ. */
function isOneWord(one: string, other: string): boolean {
  return one === other || one === 'unknown' || other === 'unknown';
}

/** True unless both have a value and the values differ. */
function agree<T extends object>(one: T | undefined, other: T | undefined, key: keyof T): boolean;
function agree(one: string | undefined, other: string | undefined): boolean;
function agree(one: unknown, other: unknown, key?: PropertyKey): boolean {
  const [a, b] =
    key === undefined ? [one, other] : [(one as Members)[key as string], (other as Members)[key as string]];
  return a === undefined || b === undefined || isSameJson(a, b);
}

function seconds(duration: number | undefined): number | undefined {
  return duration === undefined ? undefined : duration * 1000;
}

function instant(iso: string | undefined): number | undefined {
  return iso === undefined ? undefined : Date.parse(iso);
}

function isNear(one: number | undefined, other: number | undefined): boolean {
  return one === undefined || other === undefined || Math.abs(one - other) < TOLERANCE_MS;
}

/** Whether one text begins with the other: a transcript that was cut off earlier is the same one. */
function isOneText(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const [a, b] = [one.trim(), other.trim()];
  return a.startsWith(b) || b.startsWith(a);
}

function longerText(base: string | undefined, more: string | undefined): string | undefined {
  if (base === undefined || more === undefined) return base ?? more;
  return more.length > base.length && isOneText(base, more) ? more : base;
}

/** A recording's address without what may be a signature that every answer renews. */
function withoutQuery(url: string | undefined): string | undefined {
  return url?.split(/[?#]/, 1)[0];
}
