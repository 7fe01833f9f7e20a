/**
 * Reads call ids out of bytes, before anything parses them, so that a signature can be checked first. An id is read as
 * `JSON.parse` would read it: escapes count, also in names, and of members with the same name the last one holds.
 *
 * The bytes may still be coming in; what is found is what they say so far.
 */
import { isRefusedKey, REFUSED_KEYS } from './json.ts';
import { CALL_ID_NAMES, idOf } from './locate.ts';
import { JsonScan, type JsonVisitor, type ScanLimits, type ScanProblem } from './scan-json.ts';

/** Levels in which ids of unknown shapes are looked for: as many as `findCallIds` of a parsed payload looks through. */
export const ID_LEVELS = 8;
/** Ids of unknown shapes that are kept at most. */
export const MAX_CANDIDATES = 10;

/** Bytes of the longest token that may be an id: 256 characters of six bytes (`\u0041`) each, and two quotes. */
const MAX_ID_BYTES = 256 * 6 + 2;
/** Bytes of the longest name that matters, `constructor`, when each of its characters is escaped. */
const MAX_NAME_BYTES = 'constructor'.length * 6;

const BACKSLASH = 0x5c;
/** For each byte that a name which matters may begin with: a bit for each length that such a name may have. */
const LENGTHS_BY_FIRST_BYTE = new Uint16Array(256);
for (const name of [
  ...['call', 'calls', 'response', 'callid', 'call_id', 'Callid', 'Call_id'],
  ...REFUSED_KEYS,
  ...CALL_ID_NAMES,
]) {
  const first = name.charCodeAt(0);
  LENGTHS_BY_FIRST_BYTE[first] = (LENGTHS_BY_FIRST_BYTE[first] as number) | (1 << name.length);
}
/** Deeper than anything that is reported; a small integer, unlike `Infinity`, since it is compared for every name. */
const NO_DEPTH = 1_000;

/** Places of ids: `call.call_id`, then each spelling in the payload itself, then each in `response.calls[0]`. */
const NATIVE = 0;
const FLAT = 1;
const ANSWER = FLAT + CALL_ID_NAMES.length;
const PLACES = ANSWER + CALL_ID_NAMES.length;

/** What the value of the last name may be, at each depth that matters. */
const NOTHING = -1;
const CALL = -2;
const RESPONSE = -3;
const CALLS = -4;

export class CallIdReader {
  readonly #ids = new Ids();
  readonly #scan: JsonScan;

  constructor(limits?: Readonly<ScanLimits>) {
    this.#scan = new JsonScan(this.#ids, limits);
  }

  /** What speaks against parsing what has come so far. */
  get problem(): ScanProblem | undefined {
    return this.#scan.problem;
  }

  /**
   * The ids in the places where Synthflow, its API and known workflows put them, each once; of what came so far. More
   * than one is a payload that says two things.
   */
  get ids(): string[] {
    return this.#ids.known();
  }

  /** Values of members anywhere near the surface whose name means a call id (`callId`, `Call-ID`), in their order. */
  get candidates(): ReadonlySet<string> {
    return this.#ids.candidates;
  }

  /** Goes up whenever `ids` or `candidates` may have changed. */
  get changes(): number {
    return this.#ids.changes;
  }

  /** As `JsonScan.advance`. */
  advance(bytes: Buffer, end: number): void {
    this.#scan.advance(bytes, end);
  }

  /** As `JsonScan.finish`. */
  finish(bytes: Buffer, end: number): ScanProblem | undefined {
    return this.#scan.finish(bytes, end);
  }
}

class Ids implements JsonVisitor {
  readonly levels = ID_LEVELS;
  readonly candidates = new Set<string>();
  changes = 0;
  readonly #places: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined);
  /** What the value that comes next is: a place of `#places`, or one of the containers above. */
  #next = NOTHING;
  /** Whether the member that comes next has a name that means a call id. */
  #named = false;
  /** Whether it has a name that could only be meant to reach a prototype, and the depth of what stands under one. */
  #refused = false;
  #refusedDepth = NO_DEPTH;
  /** Which container is open at depth 2, 3 and 4. */
  #second = NOTHING;
  #third = NOTHING;
  #fourth = NOTHING;
  /** Items of `response.calls` that began. */
  #items = 0;

  open(depth: number, isObject: boolean): void {
    const next = this.#next;
    this.#next = NOTHING;
    this.#named = false;
    this.#surface(depth - 1);
    if (this.#refused) this.#refusedDepth = Math.min(this.#refusedDepth, depth);
    this.#refused = false;
    if (depth === 2) this.#second = isObject ? next : NOTHING;
    else if (depth === 3) {
      this.#third = !isObject && next === CALLS ? CALLS : NOTHING;
      this.#items = 0;
    } else if (depth === 4) {
      this.#fourth = isObject && this.#third === CALLS && this.#items === 0 ? CALLS : NOTHING;
      if (this.#third === CALLS) this.#items += 1;
    }
  }

  key(bytes: Buffer, start: number, end: number, depth: number): void {
    this.#next = NOTHING;
    this.#named = false;
    this.#refused = false;
    this.#surface(depth);
    const name = nameOf(bytes, start, end);
    if (name === undefined) return;
    this.#refused = isRefusedKey(name);
    this.#named = depth < this.#refusedDepth && isCallIdName(name);
    if (depth === 1) this.#next = this.#atTop(name);
    else if (depth === 2 && this.#second === CALL && name === 'call_id') this.#next = NATIVE;
    else if (depth === 2 && this.#second === RESPONSE && name === 'calls') {
      this.#forget(ANSWER, PLACES);
      this.#next = CALLS;
    } else if (depth === 4 && this.#fourth === CALLS) this.#next = spelling(name, ANSWER);
    // Whatever the value is, it takes the place of what stood under this name before.
    if (this.#next >= 0) this.#forget(this.#next, this.#next + 1);
  }

  scalar(bytes: Buffer, start: number, end: number, depth: number): void {
    if (depth === 3 && this.#third === CALLS) this.#items += 1;
    const place = this.#next;
    this.#next = NOTHING;
    if (place < 0 && !this.#named) return;
    this.#named = false;
    const id = end - start > MAX_ID_BYTES ? undefined : idOf(parseToken(bytes, start, end));
    if (id === undefined) return;
    this.changes += 1;
    if (place >= 0) this.#places[place] = id;
    if (this.candidates.size < MAX_CANDIDATES) this.candidates.add(id);
  }

  /** Something stands at this depth: what was under a refused name above it has ended. */
  #surface(depth: number): void {
    if (depth < this.#refusedDepth) this.#refusedDepth = NO_DEPTH;
  }

  known(): string[] {
    const ids: string[] = [];
    for (const id of this.#places) if (id !== undefined && !ids.includes(id)) ids.push(id);
    return ids;
  }

  #atTop(name: string): number {
    if (name === 'call') {
      this.#forget(NATIVE, FLAT);
      return CALL;
    }
    if (name === 'response') {
      this.#forget(ANSWER, PLACES);
      return RESPONSE;
    }
    return spelling(name, FLAT);
  }

  #forget(from: number, to: number): void {
    for (let place = from; place < to; place += 1) {
      if (this.#places[place] === undefined) continue;
      this.#places[place] = undefined;
      this.changes += 1;
    }
  }
}

/** Whether a member's name means a call id, in any spelling: `call_id`, `callId`, `Call-ID`. */
export function isCallIdName(name: string): boolean {
  return /^call[_-]?id$/i.test(name);
}

function spelling(name: string, first: number): number {
  const index = (CALL_ID_NAMES as readonly string[]).indexOf(name);
  return index < 0 ? NOTHING : first + index;
}

/** What a name says; undefined when it cannot be one that matters. */
function nameOf(bytes: Buffer, start: number, end: number): string | undefined {
  const length = end - start - 2;
  const first = bytes[start + 1] as number;
  const lengths = LENGTHS_BY_FIRST_BYTE[first] as number;
  if (length > MAX_NAME_BYTES || (lengths === 0 && first !== BACKSLASH)) return undefined;
  for (let at = start + 1; at < end - 1; at += 1) {
    if (bytes[at] !== BACKSLASH) continue;
    const name = parseToken(bytes, start, end);
    return typeof name === 'string' ? name : undefined;
  }
  return length < 16 && (lengths & (1 << length)) !== 0 ? bytes.toString('latin1', start + 1, end - 1) : undefined;
}

function parseToken(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as unknown;
  } catch {
    return undefined;
  }
}
