/**
 * The telephone numbers and e-mail addresses that stand anywhere in a document, so that the calls of a person can be
 * found by them. Says too much rather than too little: an order number that looks like a telephone number is one more
 * entry that is never asked for.
 */
import { parsePhone } from './phone.ts';

export interface Addresses {
  /** Digits as they were written, without separators: `14155550123`, `4155550123`. */
  numbers: Set<string>;
  /** In lower case. */
  emails: Set<string>;
  /** False when there was more than is looked at, such as more than `MAX_ADDRESSES`. */
  complete: boolean;
}

/** Numbers and addresses that are taken of one document. A call mentions a handful. */
export const MAX_ADDRESSES = 200;

/** What may be a telephone number in a text, or several of them in a row; bounded, as a pattern's stack is. */
const RUNS = /\d(?:[\s().-]{0,4}\d){6,399}/g;
const MAX_RUN_DIGITS = 400;
/** Whether a text has such a run at all. Most have none, and are looked at no further. */
const RUN = /\d(?:[\s().-]{0,4}\d){6}/;
/** Runs and parts of runs that are looked at in one document: beyond them it is no conversation. */
const MAX_RUNS = 20_000;
/** Dates and times of ISO 8601, which have as many digits. */
const DATES = /\d{4}-\d\d-\d\d(?:[T ]\d\d(?::?\d\d)*(?:\.\d+)?)?/g;
/** Milliseconds, and seconds with a fraction, of the years 2014 to 2039: no country has such numbers of 13 digits. */
const EPOCH = /^(?:1[4-9]|2[01])\d{8}(?:\d{3}|\.\d{1,9})$/;
const MIN_DIGITS = 7;
/** E.164 has 15 at most; `00` may stand before them. */
const MAX_DIGITS = 17;
/** What may stand in an e-mail address before the `@`. */
const LOCAL = /[\w.!#$%&'*+/=?^`{|}~-]/;
const MAX_LOCAL = 64;
/** And after it, at most 255 characters (RFC 5321 §4.5.3.1). */
const DOMAIN_START = /^[\w-]+(?:\.[\w-]+)+/;
const QUOTES = /^[.'`{|}/?*]+/;

/** Every number and address in the texts, names and numbers of a JSON value. */
export function addressesIn(document: unknown): Addresses {
  const found: Finding = { numbers: new Set(), emails: new Set(), complete: true, runs: 0 };
  const open: unknown[] = [document];
  while (open.length > 0 && found.complete) {
    const next = open.pop();
    if (typeof next === 'string') readText(next, found);
    else if (typeof next === 'number') readNumber(next, found);
    else if (Array.isArray(next)) for (const value of next) open.push(value);
    else if (typeof next === 'object' && next !== null) {
      for (const [name, value] of Object.entries(next)) open.push(name, value);
    }
    if (found.numbers.size + found.emails.size > MAX_ADDRESSES || found.runs > MAX_RUNS) found.complete = false;
  }
  const { numbers, emails, complete } = found;
  return { numbers, emails, complete };
}

interface Finding extends Addresses {
  /** Looked at so far. */
  runs: number;
}

/** An e-mail address as `addressesIn` gives it. */
export function emailForm(email: string): string {
  return email.trim().toLowerCase().replace(QUOTES, '');
}

/**
 * The forms in which `addressesIn` may give a telephone number.
 * @param countries ISO 3166 alpha-2, to which a number without + may belong
 * @returns E.164 numbers that it may be, and their forms; undefined when it is no number
 */
export function numberForms(
  written: string,
  countries: readonly string[],
): { e164: string[]; numbers: string[] } | undefined {
  const phones = [undefined, ...countries].flatMap((country) => parsePhone(written, country) ?? []);
  if (phones.length === 0) return undefined;
  return {
    e164: [...new Set(phones.map(({ e164 }) => e164))],
    numbers: [
      ...new Set(phones.flatMap(({ e164, digits }) => [e164.slice(1), `00${e164.slice(1)}`, digits, `0${digits}`])),
    ],
  };
}

function readNumber(value: number, found: Finding): void {
  if (Number.isSafeInteger(value) && value > 0) addNumber(String(value), found);
}

function readText(text: string, found: Finding): void {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    // A look at either side of each @: a pattern over the whole text would take the square of its length.
    let begin = at;
    while (begin > 0 && at - begin < MAX_LOCAL && LOCAL.test(text[begin - 1] as string)) begin -= 1;
    if (begin === at) continue;
    const domain = DOMAIN_START.exec(text.slice(at + 1, at + 256))?.[0];
    if (domain) found.emails.add(emailForm(`${text.slice(begin, at)}@${domain}`));
  }
  if (!RUN.test(text)) return;
  for (const [run] of text.replace(DATES, ' | ').matchAll(RUNS)) {
    if (found.runs > MAX_RUNS) return;
    if (addNumber(run, found)) continue;
    // Two numbers with nothing but a space between them; the last of very many may be cut.
    for (const part of run.split(/\s/)) addNumber(part, found);
    if (run.replace(/\D/g, '').length >= MAX_RUN_DIGITS) found.complete = false;
  }
}

function addNumber(run: string, found: Finding): boolean {
  found.runs += 1;
  const digits = run.replace(/\D/g, '');
  if (digits.length > MAX_DIGITS) return false;
  if (digits.length >= MIN_DIGITS && !EPOCH.test(run)) found.numbers.add(digits);
  return true;
}
