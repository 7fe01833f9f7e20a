/** What a field of the org takes: values are given its type, cut to its length, or refused before Salesforce does. Pure. */
import type { OmissionCode } from '@wrapup/destination';
import { clockAt, type Value } from '@wrapup/mapping';
import { isRecordId, longId } from '../client/query.ts';
import type { OrgField } from './org.ts';

type Fitted =
  /** `cut`: characters that did not fit. */
  { ok: true; value: Value; cut?: number } | { ok: false; why: string; omits?: OmissionCode };

const refuse = (why: string): Fitted => ({ ok: false, why });
const accept = (value: Value): Fitted => ({ ok: true, value });

/** @param time_zone of the org: a date is the day that it is there */
export function fitValue(field: OrgField, value: Value, time_zone: string): Fitted {
  if (value === null || value === '') return fitNothing(field);
  const fit = FITS[field.type] ?? fitText;
  return fit(field, value, time_zone);
}

function fitNothing({ type, nillable }: OrgField): Fitted {
  if (type === 'boolean') return accept(false);
  return nillable ? accept(null) : refuse('it cannot be empty');
}

const FITS: Record<string, (field: OrgField, value: Exclude<Value, null>, time_zone: string) => Fitted> = {
  boolean: (_field, value) => {
    const text = String(value).trim().toLowerCase();
    if (['true', 'yes', '1'].includes(text)) return accept(true);
    return ['false', 'no', '0'].includes(text) ? accept(false) : refuse('it takes true or false');
  },
  int: (_field, value) => {
    const number = toNumber(value);
    return number === undefined ? refuse('it takes a number') : accept(Math.round(number));
  },
  double: fitNumber,
  currency: fitNumber,
  percent: fitNumber,
  date: (_field, value, time_zone) => {
    const text = String(value).trim();
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return accept(text);
    const time = Date.parse(text);
    return Number.isFinite(time) ? accept(dayIn(time, time_zone)) : refuse('it takes a date');
  },
  datetime: (_field, value) => {
    const time = Date.parse(String(value).trim());
    return Number.isFinite(time) ? accept(new Date(time).toISOString()) : refuse('it takes a date and time');
  },
  reference: fitId,
  id: fitId,
  picklist: (field, value) => {
    const chosen = choose(field, String(value));
    return chosen === undefined ? { ok: false, why: allowed(field), omits: 'unknown_option' } : accept(chosen);
  },
  multipicklist: (field, value) => {
    const chosen = String(value)
      .split(';')
      .map((one) => choose(field, one.trim()));
    return chosen.includes(undefined)
      ? { ok: false, why: allowed(field), omits: 'unknown_option' }
      : accept(chosen.join(';'));
  },
  email: fitWhole,
  url: fitWhole,
  phone: fitWhole,
};

function fitNumber(_field: OrgField, value: Value): Fitted {
  const number = toNumber(value);
  return number === undefined ? refuse('it takes a number') : accept(number);
}

function fitId(_field: OrgField, value: Value): Fitted {
  const text = String(value).trim();
  return isRecordId(text) ? accept(text) : refuse('it takes the id of a record');
}

/** Half of it would be another address. */
function fitWhole({ length }: OrgField, value: Value): Fitted {
  const text = String(value);
  return length > 0 && text.length > length
    ? { ok: false, why: `it takes ${length} characters`, omits: 'too_long' }
    : accept(text);
}

/** Room for saying what is missing. */
const MARKER_ROOM = 60;

function fitText({ length }: OrgField, value: Value): Fitted {
  const text = String(value);
  if (length <= 0 || text.length <= length) return accept(text);
  if (length < 2 * MARKER_ROOM) return { ok: true, value: whole(text, length), cut: text.length - length };
  const kept = whole(text, length - MARKER_ROOM);
  const cut = text.length - kept.length;
  return { ok: true, value: `${kept} … [${cut} more characters]`, cut };
}

/** As much as fits, without half of a character. */
function whole(text: string, length: number): string {
  const kept = text.slice(0, length);
  return /[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept;
}

function toNumber(value: Value): number | undefined {
  const number = typeof value === 'number' ? value : String(value).trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function choose({ values }: OrgField, wanted: string): string | undefined {
  if (!values) return wanted;
  return (
    values.find((value) => value === wanted) ?? values.find((value) => value.toLowerCase() === wanted.toLowerCase())
  );
}

function allowed({ values }: OrgField): string {
  return `it takes ${(values ?? []).slice(0, 20).join(', ')}`;
}

/** `2026-11-24`: the day on which that moment falls there. @param time epoch ms */
export function dayIn(time: number, time_zone: string): string {
  return new Date(clockAt(time, time_zone)).toISOString().slice(0, 10);
}

/** A value in the one spelling that what was sent shares with what Salesforce makes of it. */
export function canonicalValue(field: OrgField | undefined, value: Value, time_zone: string): string {
  const fitted = field ? fitValue(field, value, time_zone) : undefined;
  const taken = fitted?.ok ? fitted.value : value;
  if (taken === null) return '';
  if (typeof taken === 'number' && field?.scale !== undefined) return String(Number(taken.toFixed(field.scale)));
  const text = String(taken).replace(/\r\n?/g, '\n').trim();
  if (field?.type === 'email') return text.toLowerCase();
  if (field?.type === 'multipicklist') return text.split(';').sort().join(';');
  return field?.type === 'reference' ? longId(text) : text;
}

/** The fields of a row as queries and searches give it. */
export function propertiesOf({ attributes: _, ...values }: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, readValue(value)]));
}

/** A value as Salesforce gives it: date-times in its own spelling become ISO 8601. */
function readValue(value: unknown): Value {
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]+\+0000$/.test(value))
    return new Date(value).toISOString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}
