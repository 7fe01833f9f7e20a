/**
 * Bodies of no known shape: events of chat agents, of a version of the platform that is still to come, of somebody's own
 * workflow. They are kept for a person to look at rather than refused: nobody sends them again.
 */
import { createHash } from 'node:crypto';
import type { Source } from '@wrapup/config';
import { SYNTHETIC_ID } from '@wrapup/queue';
import { readCallId, trimPayload } from '@wrapup/synthflow';
import { bytesToKeep } from './keep.ts';

/** Where ids are looked for in a body of no known shape: levels, and values in all. */
const LEVELS = 8;
const VALUES = 20_000;
/** Ids that are tried at most. */
const CANDIDATES = 10;

/** `call_id`, `callId`, `Call-ID`. */
const CALL_ID = /^call[_-]?id$/i;

/** What stands under these could only be meant to reach a prototype. */
const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Every value in the body under a name that means a call id, the outermost first. */
export function findCallIds(payload: unknown): string[] {
  const found = new Set<string>();
  let left = VALUES;
  let level: unknown[] = [payload];
  for (let depth = 0; depth < LEVELS && level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [name, member] of Object.entries(value)) {
        left -= 1;
        if (left < 0 || found.size >= CANDIDATES) return [...found];
        if (CALL_ID.test(name)) {
          const id = readCallId({ call_id: member });
          if (id !== undefined) found.add(id);
        }
        if (typeof member === 'object' && !REFUSED.has(name)) next.push(member);
      }
    }
    level = next;
  }
  return [...found];
}

/** The id under which a body is kept that has none: the same bytes have the same. */
export function idOfBytes(body: Buffer): string {
  return `${SYNTHETIC_ID}${createHash('sha256').update(body).digest('hex').slice(0, 24)}`;
}

/** Names under which somebody's words may stand in a shape that nobody knows. */
const WORDS = /transcript|messages|utterances|turns|dialog/i;

/** The bytes to be stored, as `bytesToKeep`, without anything that may be a transcript where the source keeps none. */
export function bytesOfUnrecognised(source: Source, body: Buffer, payload: unknown): Buffer {
  if (source.keep.transcript) return bytesToKeep(source, body, payload);
  const trimmed = trimPayload(payload, source.keep);
  return Buffer.from(JSON.stringify(trimmed, (name, value) => (WORDS.test(name) ? undefined : value)) ?? 'null');
}
