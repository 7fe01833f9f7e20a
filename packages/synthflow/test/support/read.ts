import type { Call } from '@wrapup/call';
import { type NormaliseContext, normalise } from '../../src/index.ts';

export const CONTEXT: NormaliseContext = { source: 'main', default_country: 'US' };

/** A webhook around the given parts. */
export function webhook(call: object = {}, root: object = {}) {
  return { status: 'completed', call: { call_id: 'c-1', status: 'completed', ...call }, ...root };
}

/** Normalises a webhook around the given parts. */
export function read(call: object = {}, root: object = {}, context: Partial<NormaliseContext> = {}): Call {
  return normalise(webhook(call, root), { ...CONTEXT, ...context });
}

/** What a payload is after it travelled as text, `__proto__` keys included. */
export function parsed(text: string): unknown {
  return JSON.parse(text) as unknown;
}

/** Messages of the notes at a path. */
export function notesAt(call: Call, path: string): string[] {
  return call.notes.filter((note) => note.path === path).map((note) => note.message);
}
