/**
 * Paths that can be read while the phone rings: the few facts of the ringing call, and what the CRM says of the caller.
 */
import { suggest } from '@wrapup/findings';

export type Segment = string | number;

/** What is known of a call before it connects, by path. */
export const RINGING_PATHS = [
  'call.from_number',
  'call.to_number',
  'call.direction',
  'call.agent.id',
  'lead.phone',
  'lead.phone_raw',
  'lead.country',
  'source.name',
] as const;

/** Records of one kind that are read along with a person, at most. */
export const MOST_RELATED = 5;

const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const SEGMENT = /\.?([\p{L}_][\p{L}\p{N}_-]*)|\[(\d{1,6})\]|\[(?:"([^"]+)"|'([^']+)')\]/uy;

/** The segments of `a.b`, `a["with space"]`, `a[0]`; undefined for what is no path. */
export function parseRingPath(text: string): Segment[] | undefined {
  const segments: Segment[] = [];
  const path = text.trim();
  SEGMENT.lastIndex = 0;
  while (SEGMENT.lastIndex < path.length) {
    const start = SEGMENT.lastIndex;
    const found = SEGMENT.exec(path);
    const bare = found?.[1];
    // A name stands first, or after a dot.
    if (!found || (bare !== undefined) !== (start === 0 || path[start] === '.') || (start === 0 && path[0] === '.')) {
      return undefined;
    }
    const segment = found[2] === undefined ? (bare ?? found[3] ?? found[4] ?? '') : Number(found[2]);
    if (typeof segment === 'string' && REFUSED.has(segment)) return undefined;
    segments.push(segment);
  }
  return segments.length > 0 ? segments : undefined;
}

/** Why a path cannot be read before the call connects, and what to write instead. Undefined when it can. */
export function mistakeIn(
  text: string,
  related: readonly string[],
): { code: 'bad-path' | 'unknown-path'; message: string; hint: string } | undefined {
  const segments = parseRingPath(text);
  if (!segments) {
    const hint = 'write a path such as person.firstname, or { value: … } for a fixed text';
    return { code: 'bad-path', message: `"${text.trim()}" is not a path`, hint };
  }
  const path = text.trim();
  const [root, name, index, property, ...more] = segments;
  if (root !== 'person') {
    if ((RINGING_PATHS as readonly string[]).includes(path)) return undefined;
    const hint = suggest(path, ['person.firstname', ...RINGING_PATHS]);
    return { code: 'unknown-path', message: `"${path}" is not known before the call connects`, hint };
  }
  if (name === undefined || typeof name === 'number') {
    const message = `"${path}" is a section, not a value`;
    return { code: 'unknown-path', message, hint: 'go on to a property, as in person.firstname' };
  }
  if (segments.length === 2 && !related.includes(name)) return undefined;
  if (!related.includes(name)) {
    const message = `"${path}": only properties of the person itself can be read${related.length > 0 ? `, and ${related.join(', ')}` : ''}`;
    return {
      code: 'unknown-path',
      message,
      hint: related.length > 0 ? suggest(name, related) : `write person.${name}`,
    };
  }
  if (typeof index !== 'number' || index >= MOST_RELATED || typeof property !== 'string' || more.length > 0) {
    const message = `"${path}" does not name one value of one of the ${name}`;
    const hint = `write person.${name}[0].<property>; 0 to ${MOST_RELATED - 1} are read`;
    return { code: 'unknown-path', message, hint };
  }
  return undefined;
}

/** Every `path:` in a written condition. */
export function pathsIn(written: unknown, depth = 0): string[] {
  if (typeof written !== 'object' || written === null || depth > 40) return [];
  if (Array.isArray(written)) return written.flatMap((item) => pathsIn(item, depth + 1));
  return Object.entries(written).flatMap(([key, value]) =>
    key === 'path' && typeof value === 'string' ? [value] : pathsIn(value, depth + 1),
  );
}
