/**
 * What a revision may add to a call when nothing proves it but the signature, which covers the call id only: one who has
 * seen one webhook can send it again with another body. Such a revision adds no address (phone, e-mail), no link, and
 * nothing by which a record is found; whatever else was absent it may fill in.
 */
import type { Action, Call, Collected, Lead } from '@wrapup/call';
import { isSameJson } from './parse/json.ts';
import { maskPath } from './parse/notes.ts';
import { mergeCalls, PERSON_KEYS } from './revisions.ts';

/**
 * Facts that are addresses or links themselves, or that connect the call with other records: the direction decides whether
 * the customer's own list vouches for the call's variables.
 */
const ADDRESSES = [
  'from_number',
  'to_number',
  'recording_url',
  'external_id',
  'diversion',
  'direction',
  'transferred_to',
] as const;
const TEXTS = ['error', 'end_reason_text', 'transcript'] as const;
const DICTIONARIES = ['vars', 'extracted', 'analysis', 'prompt_variables', 'metadata'] as const;
/** Facts of the lead that are neither an address nor come with one. */
const LEAD: ReadonlySet<string> = new Set(['name', 'first_name', 'last_name']);

export interface Admitted {
  /** The revision without what it must not add. `raw` is that of the known call. */
  call: Call;
  /** Paths of what was taken out, `lead.email` for example; keys from outside that may be personal data are masked. */
  left_out: string[];
}

/** @param known the call as it was before; what the revision repeats of it stays */
export function withoutUnproved(known: Call, revision: Call): Admitted {
  const left_out: string[] = [];
  const call: Call = { ...revision, raw: known.raw };
  const drop = (path: string) => void left_out.push(maskPath(path));
  for (const key of ADDRESSES) {
    if (call[key] === undefined || call[key] === known[key]) continue;
    delete call[key];
    drop(key);
  }
  for (const key of TEXTS) {
    if (call[key] === undefined || call[key] === known[key] || !holdsAddress(call[key])) continue;
    delete call[key];
    if (key === 'transcript') call.turns = [];
    drop(key);
  }
  call.lead = pick(revision.lead, (key, value) => {
    if (isSameJson(known.lead[key as keyof Lead], value)) return true;
    if (LEAD.has(key) && !holdsAddress(value)) return true;
    drop(`lead.${key}`);
    return false;
  });
  for (const root of DICTIONARIES) {
    const kept = pick(revision[root], (key, value) => {
      if (isSameJson(known[root][key], value)) return true;
      if (!PERSON_KEYS.has(key) && !holdsAddress(value)) return true;
      drop(`${root}.${key}`);
      return false;
    });
    Object.assign(call, { [root]: kept });
  }
  // What an appointment is known by finds the record of it.
  if (!isSameJson(call.booking, {}) && !isSameJson(call.booking, known.booking)) {
    call.booking = known.booking;
    drop('booking');
  }
  call.collected = pick<{ [name: string]: Collected }>(revision.collected, (key, { value }) => {
    return isSameJson(known.collected[key]?.value, value) || !holdsAddress(value);
  });
  call.actions = pick<{ [name: string]: Action }>(revision.actions, (key, action) => {
    if (isSameJson(known.actions[key], action)) return true;
    if (!holdsAddress(action.return_value) && !holdsAddress(action.error)) return true;
    drop(`actions.${key}`);
    return false;
  });
  return { call, left_out };
}

/** A call as its revisions make it up together. */
export interface StandingCall {
  call: Call;
  /** Without what only a signature vouches for; the same object as `call` where there is nothing of the kind. */
  proved: Call;
  /** Paths of facts that were not let in because only a signature vouches for them. */
  left_out: string[];
}

/**
 * @param first the revision that replaced what came before, believed as it is
 * @param added what later ones added to it, oldest first, and whether it is proved by more than a signature
 */
export function combineRevisions(first: Call, added: readonly { call: Call; proved: boolean }[]): StandingCall {
  let call = first;
  let proved = first;
  const left_out: string[] = [];
  for (const next of added) {
    if (next.proved) {
      const alike = proved === call;
      proved = mergeCalls(proved, next.call);
      call = alike ? proved : mergeCalls(call, next.call);
    } else {
      const admitted = withoutUnproved(call, next.call);
      left_out.push(...admitted.left_out);
      call = mergeCalls(call, admitted.call);
    }
  }
  return { call, proved, left_out: [...new Set(left_out)] };
}

/** A copy with the members that `keep` admits; has no prototype where the original has none. */
function pick<T extends object>(members: T, keep: (key: string, value: T[keyof T]) => boolean): T {
  const picked = Object.create(Object.getPrototypeOf(members)) as T;
  for (const [key, value] of Object.entries(members) as [string, T[keyof T]][]) {
    if (value !== undefined && keep(key, value)) picked[key as keyof T] = value;
  }
  return picked;
}

/** None of these looks back over a long text from more than one place: transcripts have millions of characters. */
const LINK = /[a-z0-9]:\/\/\S|\b(?:mailto|tel|sms|sip|callto|javascript|data):\S|\bwww\.\S/i;
const EMAIL = /[^\s@<>"]@[^\s@<>"]{1,255}\.\p{L}{2}/u;
/** `pay.example/now`, anywhere. */
const HOST_WITH_PATH = /[\p{L}\p{N}]\.\p{L}{2,24}\/\S/u;
/** `pay.example`, as the whole value. */
const HOST = /^(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}$/u;
const PHONE = /^\+?[\d\s()./-]{7,30}$/;
const DATE = /^(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})$/;
const THOUSANDS = /^[1-9]\d{0,2}(?:[. ]\d{3})+$/;
/** Digits from which on a whole number, and a text of digits only, may be a telephone number. */
const PHONE_DIGITS = 9;

/** Whether a value, or anything inside of it, is or holds a link or an e-mail address, or is a telephone number. */
export function holdsAddress(value: unknown): boolean {
  if (typeof value === 'string') return isAddress(value.trim());
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) >= 10 ** (PHONE_DIGITS - 1);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsAddress);
  return Object.entries(value).some(([key, member]) => holdsAddress(key) || holdsAddress(member));
}

function isAddress(text: string): boolean {
  if (LINK.test(text) || EMAIL.test(text) || HOST_WITH_PATH.test(text) || HOST.test(text)) return true;
  if (!PHONE.test(text) || DATE.test(text) || THOUSANDS.test(text)) return false;
  const digits = text.replace(/\D/g, '');
  return digits.length >= (digits === text ? PHONE_DIGITS : 7);
}
