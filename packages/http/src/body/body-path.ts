/** Where in a JSON body a field goes: `text`, `lead.phone`, `items[0].name`, `a["b.c"]`. */

type BodySegment = string | number;

/** Entries that a list in a body may have. */
const MAX_LIST_LENGTH = 100;
const MAX_DEPTH = 16;
const NAME = /[^.[\]"]+/y;
const INDEX = /\[(\d{1,3})\]/y;
const QUOTED = /\["([^"]*)"\]/y;
/** Names that mean something else to JavaScript receivers. */
const REFUSED = new Set(['__proto__', 'constructor', 'prototype']);

/** @returns what is wrong, as text, when it is no such path */
export function parseBodyPath(text: string): BodySegment[] | string {
  const segments: BodySegment[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    const dotted = segments.length > 0 && text[at] === '.';
    if (dotted) at += 1;
    const name = segments.length === 0 || dotted ? match(NAME) : null;
    const index = dotted || segments.length === 0 ? null : match(INDEX);
    const quoted = dotted ? null : match(QUOTED);
    const found = name ?? index ?? quoted;
    if (!found) return 'is not written like a.b, a[0] or a["b.c"]';
    const segment = name ? name[0] : index ? Number(index[1]) : (quoted?.[1] ?? '');
    if (typeof segment === 'string' && REFUSED.has(segment)) return `cannot contain ${segment}`;
    if (typeof segment === 'number' && segment >= MAX_LIST_LENGTH)
      return `goes beyond entry ${MAX_LIST_LENGTH} of a list`;
    segments.push(segment);
    at += found[0].length;
  }
  if (segments.length === 0) return 'has no name';
  return segments.length > MAX_DEPTH ? `is more than ${MAX_DEPTH} levels deep` : segments;
}

type Branch = Record<string, unknown> | unknown[];

/**
 * Puts a value into a body. Places of a list that nothing is put into become null.
 * @returns what is in the way, as text
 */
export function putInto(body: Record<string, unknown>, path: BodySegment[], value: unknown): string | undefined {
  let branch: Branch = body;
  for (const [depth, segment] of path.entries()) {
    if (Array.isArray(branch) !== (typeof segment === 'number'))
      return 'is a list in one place and has names in another';
    const last = depth === path.length - 1;
    const there = Object.hasOwn(branch, segment) ? (branch as Record<BodySegment, unknown>)[segment] : undefined;
    if (last && there !== undefined) return isBranch(there) ? 'holds other fields already' : 'is there already';
    if (!last && there !== undefined && there !== null && !isBranch(there))
      return 'lies inside a field that has a value';
    const next = last ? value : (there ?? (typeof path[depth + 1] === 'number' ? [] : {}));
    if (Array.isArray(branch)) while (branch.length < (segment as number)) branch.push(null);
    (branch as Record<BodySegment, unknown>)[segment] = next;
    if (!last) branch = next as Branch;
  }
  return undefined;
}

/** What is wrong with the places of one body's fields, in their order: each by itself, and with those before it. */
export function checkPlaces(places: string[]): { place: string; problem: string }[] {
  const body: Record<string, unknown> = {};
  return places.flatMap((place) => {
    const path = parseBodyPath(place);
    const problem = typeof path === 'string' ? path : putInto(body, path, '');
    return problem === undefined ? [] : [{ place, problem }];
  });
}

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null;
}

/**
 * Every single value of a body with its place, in order. Empty sections count as a value. Without recursion: what a call
 * holds may be nested deeper than the stack.
 */
export function leavesOf(body: object): [place: string, value: unknown][] {
  const leaves: [string, unknown][] = [];
  const open: [string, unknown][] = [['', body]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [place, value] = next;
    const entries = isBranch(value) ? Object.entries(value) : [];
    if (entries.length === 0) leaves.push(next);
    else for (const [name, inner] of entries.toReversed()) open.push([join(place, name, Array.isArray(value)), inner]);
  }
  return leaves;
}

function join(place: string, name: string, inList: boolean): string {
  if (inList) return `${place}[${name}]`;
  if (/[.[\]"]/.test(name) || name === '') return `${place}[${JSON.stringify(name)}]`;
  return place === '' ? name : `${place}.${name}`;
}
