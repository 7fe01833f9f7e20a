/**
 * Paths: `call.outcome`, `vars["with space"]`, `raw.items[0]`. They read own properties of JSON values and nothing else:
 * no prototype, no length of a list, no character of a text.
 */
import { REFUSED_NAMES } from '@wrapup/findings';

export type Segment = string | number;

export interface PathError {
  message: string;
  hint: string;
  /** Character of the text at which it is. */
  offset: number;
}

const MAX_SEGMENTS = 32;
const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const INDEX = /\[(\d{1,6})\]/y;
const QUOTED = /\[(?:"([^"]*)"|'([^']*)')\]/y;

/** Reads a path, or says where it stops being one. */
export function parsePath(text: string): { segments: Segment[] } | { error: PathError } {
  const segments: Segment[] = [];
  let at = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < end) {
    const start = at;
    const dotted = segments.length > 0 && text[at] === '.';
    if (dotted) at += 1;
    const isNamed = segments.length === 0 || dotted;
    const name = isNamed ? match(NAME) : null;
    const index = isNamed ? null : match(INDEX);
    const quoted = isNamed ? null : match(QUOTED);
    const found = name ?? index ?? quoted;
    if (!found) return { error: { message: `"${text.trim()}" is not a path`, hint: SHAPE, offset: start } };
    const segment = name ? name[0] : index ? Number(index[1]) : (quoted?.[1] ?? quoted?.[2] ?? '');
    if (REFUSED_NAMES.has(String(segment))) {
      const message = `a path cannot read "${segment}"`;
      return { error: { message, hint: 'paths read only what the call itself holds', offset: start } };
    }
    segments.push(segment);
    at += found[0].length;
  }
  if (segments.length === 0) return { error: { message: 'there is no path here', hint: SHAPE, offset: 0 } };
  if (segments.length > MAX_SEGMENTS) {
    const message = `the path has ${segments.length} parts; at most ${MAX_SEGMENTS} are read`;
    return { error: { message, hint: 'shorten it', offset: 0 } };
  }
  return { segments };
}

const SHAPE = 'write it as call.outcome, vars["with space"] or raw.items[0]';

/** Whether a bare text was meant as a path: `laed.phone` is, `HIGH` and `Call back` are not. */
export function looksLikePath(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}_]|\[)\S*$/u.test(text.trim());
}

/** Own property at the path; undefined when there is none. Linear in the path. */
export function readOwn(from: unknown, segments: readonly Segment[]): unknown {
  let value = from;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) !== (typeof segment === 'number')) return undefined;
    if (!Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<Segment, unknown>)[segment];
  }
  return value;
}
