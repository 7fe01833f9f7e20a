/**
 * Reading JSON that came from outside: own properties only, text that a CRM can store, and copies of bounded depth.
 */
import { isObject, type Json, type JsonObject, own } from '@wrapup/call';
import type { Notes } from './notes.ts';
import { SCAN_LIMITS, scanJson } from './scan-json.ts';

/** Levels of nesting kept inside one variable or return value. Deeper ones could not be turned into JSON text again. */
export const MAX_DEPTH = 64;

/** Keys that a mapping path refuses and that a careless copy would take for a prototype. */
export const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function isRefusedKey(key: string): boolean {
  return REFUSED_KEYS.has(key);
}

/** A dictionary without a prototype: `vars.constructor` is absent unless it was collected. */
export function dictionary<T>(): { [key: string]: T } {
  return Object.create(null) as { [key: string]: T };
}

/** Text without NUL and without lone surrogates: databases and CRMs refuse the one, JSON encoders the other. */
export function cleanText(text: string): string {
  const whole = text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, '');
  return whole.includes('\0') ? whole.replaceAll('\0', '') : whole;
}

/** Trimmed text of a string or a number; undefined for anything else and for nothing. */
export function readText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== 'string') return undefined;
  return cleanText(value).trim() || undefined;
}

/** Whether a value says nothing: null, absent, or a text of blanks. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** True, false, and the strings that mean them in any case. */
export function readBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** Longest JSON text inside a string that is parsed; real return values have some hundred characters. */
const MAX_NESTED_LENGTH = 4_000_000;
/**
 * Values that JSON text inside a string may hold: so many in any case, and one more for so many characters. What scans a
 * body before it is parsed does not look into strings, and `{},` takes twenty times its length in memory.
 */
const MAX_NESTED_VALUES = 200;
const CHARACTERS_PER_NESTED_VALUE = 8;

/** The value itself, or what the JSON text in a string says. Strings that are not JSON stay strings. */
export function parseNested(value: unknown): { value: unknown; failed: boolean } {
  let current = value;
  // Twice, because some records hold JSON text of JSON text.
  for (let round = 0; round < 2 && typeof current === 'string'; round++) {
    const first = current.trimStart().charAt(0);
    if (first !== '{' && first !== '[' && first !== '"') break;
    try {
      if (current.length > MAX_NESTED_LENGTH || isTooDense(current)) throw new RangeError('too large');
      current = JSON.parse(current) as unknown;
    } catch {
      return { value: current, failed: first !== '"' };
    }
  }
  return { value: current, failed: false };
}

function isTooDense(text: string): boolean {
  // So few characters cannot hold too many values.
  if (text.length < MAX_NESTED_VALUES) return false;
  const values = MAX_NESTED_VALUES + Math.floor(text.length / CHARACTERS_PER_NESTED_VALUE);
  return scanJson(Buffer.from(text), { ...SCAN_LIMITS, values })?.what === 'too-many-values';
}

/** An object, also when it came as JSON text or as a list of `{key, value}`. Undefined (and noted) when it is neither. */
export function readObject(value: unknown, path: string, notes: Notes): { [key: string]: unknown } | undefined {
  const parsed = parseNested(value).value;
  if (isObject(parsed)) return parsed;
  if (Array.isArray(parsed)) {
    const pairs = dictionary<unknown>();
    for (const item of parsed) {
      const key = readText(own(item, 'key'));
      if (key !== undefined) pairs[key] = own(item, 'value');
    }
    if (parsed.length === 0 || Object.keys(pairs).length > 0) return pairs;
  }
  if (parsed !== undefined && parsed !== null && parsed !== '') notes.add(path, 'is not an object: left out');
  return undefined;
}

/**
 * A copy that is safe to hand on: clean text, finite numbers, no refused keys, at most 64 levels deep.
 * @returns undefined (and a note) when it is deeper
 */
export function copyJson(value: unknown, path: string, notes: Notes): Json | undefined {
  if (!isShallow(value, MAX_DEPTH)) {
    notes.add(path, `is nested more than ${MAX_DEPTH} levels deep: left out, still in raw`);
    return undefined;
  }
  return copy(value, path, notes);
}

/**
 * Members that are read of one part of a payload. Calls have dozens; a payload that is made to be slow has as many as fit
 * into a body, and every other call would wait for them.
 */
export const MAX_MEMBERS = 5_000;

/** The keys of an object, the first few thousand of them. */
export function keysOf(members: object, path: string, notes: Notes): string[] {
  const keys = Object.keys(members);
  if (keys.length <= MAX_MEMBERS) return keys;
  notes.first(path, `has more than ${MAX_MEMBERS} members: the rest is left out, still in raw`);
  return keys.slice(0, MAX_MEMBERS);
}

/** The members of an object, copied; empty when it is none. */
export function copyObject(value: unknown, path: string, notes: Notes): JsonObject {
  const result = dictionary<Json>();
  const members = readObject(value, path, notes);
  if (!members) return result;
  for (const key of keysOf(members, path, notes)) {
    const name = cleanText(key);
    if (isRefusedKey(name)) notes.add(path, 'has a key that no mapping may read: left out');
    else {
      const copied = copyJson(members[key], `${path}.${name}`, notes);
      if (copied !== undefined && copied !== null) result[name] = copied;
    }
  }
  return result;
}

/** Whether two values are the same JSON, whatever the order of their keys. Both must be shallow enough to walk. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (Object.is(one, other) || one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSameJson(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSameJson(one[key], other[key]))
  );
}

/** Whether a value is nested at most so many levels deep. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  const members = Array.isArray(value) ? value : Object.values(value);
  return members.every((member) => isShallow(member, levels - 1));
}

function copy(value: unknown, path: string, notes: Notes): Json {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    notes.add(path, 'holds a number too large to keep: left out');
    return null;
  }
  if (Array.isArray(value)) return value.map((item) => copy(item, path, notes));
  const result: JsonObject = {};
  if (!isObject(value)) return null;
  for (const key of Object.keys(value)) {
    const name = cleanText(key);
    if (isRefusedKey(name)) notes.add(path, 'has a key that no mapping may read: left out');
    else result[name] = copy(value[key], path, notes);
  }
  return result;
}
