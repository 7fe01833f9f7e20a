/**
 * Bodies of an unknown shape: events of chat agents, of a future version of the platform, of a customer's own workflow.
 * They are stored for a person to check rather than refused, since they are not sent again.
 */
import { createHash } from 'node:crypto';
import type { Source } from '@wrapup/config';
import { SYNTHETIC_ID } from '@wrapup/queue';
import { ID_LEVELS, isCallIdName, MAX_CANDIDATES, readCallId, trimPayload } from '@wrapup/synthflow';
import { bytesToStore } from './stored-body.ts';

/** Values that are searched for ids, in all. */
const MAX_VALUES = 20_000;

/** Names that only an attempt to reach a prototype would use. */
const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Every value in the body under a name that means a call id, the outermost first. */
export function findCallIds(payload: unknown): string[] {
  const found = new Set<string>();
  let left = MAX_VALUES;
  let level: unknown[] = [payload];
  for (let depth = 0; depth < ID_LEVELS && level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      // No entries of a list are made: it may have a million items.
      const names = Array.isArray(value) ? undefined : Object.keys(value);
      const size = Math.min(names?.length ?? (value as unknown[]).length, left);
      left -= size;
      for (let index = 0; index < size; index += 1) {
        const name = names?.[index];
        const member = (value as Record<string | number, unknown>)[name ?? index];
        if (name !== undefined && isCallIdName(name)) {
          const id = readCallId({ call_id: member });
          if (id !== undefined) found.add(id);
          if (found.size >= MAX_CANDIDATES) return [...found];
        }
        if (typeof member === 'object' && (name === undefined || !REFUSED.has(name))) next.push(member);
      }
      if (left === 0) return [...found];
    }
    level = next;
  }
  return [...found];
}

/** The id under which a body without an id is stored: the same bytes have the same id. */
export function idOfBytes(body: Buffer): string {
  return `${SYNTHETIC_ID}${createHash('sha256').update(body).digest('hex').slice(0, 24)}`;
}

/** Names under which an unknown shape may hold a transcript. */
const TRANSCRIPT_NAME = /transcript|messages|utterances|turns|dialog/i;

/** Returns the bytes to store, as `bytesToStore` does, without any transcript where the source keeps none. */
export function bytesOfUnrecognised(source: Source, body: Buffer, payload: unknown): Buffer {
  if (source.keep.transcript) return bytesToStore(source, body, payload);
  const trimmed = trimPayload(payload, source.keep);
  return Buffer.from(
    JSON.stringify(trimmed, (name, value) => (TRANSCRIPT_NAME.test(name) ? undefined : value)) ?? 'null',
  );
}
