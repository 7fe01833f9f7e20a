/**
 * Looks at JSON before anything parses it: how deep it is nested and how many values it holds. `JSON.parse` makes objects
 * of up to a hundred bytes out of three (`{},`), so a body that is small enough to read may still be too large to parse.
 *
 * One pass over the bytes, which may still be coming in; nothing is allocated, and what stands in a string is skipped. It
 * is no validator: of what is not JSON it sees only what it stumbles over, and `JSON.parse` stays the judge. For whatever
 * `JSON.parse` takes, depth and number are exact.
 */

export interface ScanLimits {
  /** Levels of nesting: `{"a":[1]}` has two. */
  depth: number;
  /** Values in all: the outermost, every member of an object and every item of a list. */
  values: number;
}

/**
 * What a body may hold at most. Real events are nested some eight levels deep and hold a few hundred values; a call of
 * two hours whose transcript gives the time of each word has some 100,000. Parsed, 125,000 values take at most some
 * 50 MB for a moment.
 */
export const SCAN_LIMITS: Readonly<ScanLimits> = { depth: 1_024, values: 125_000 };

export type ScanProblem =
  /** `at`: the byte, from 0, where it stops being JSON. */
  { what: 'not-json'; at: number } | { what: 'too-deep' | 'too-many-values'; limit: number };

/**
 * Called with the outer levels of the text while its bytes are scanned. Tokens are given by their place, quotes included,
 * so that only what is wanted is decoded.
 */
export interface JsonVisitor {
  /** Only containers of this depth and less are reported, with what stands in them. At most 30. */
  readonly levels: number;
  /** A container begins; the outermost has depth 1. */
  open(depth: number, isObject: boolean): void;
  /** A member's name, in the object of this depth. */
  key(bytes: Buffer, start: number, end: number, depth: number): void;
  /** A string, number or literal, in the container of this depth; 0 when it is the whole text. */
  scalar(bytes: Buffer, start: number, end: number, depth: number): void;
}

const SPACE = 0;
const QUOTE = 1;
const TOKEN = 2;
const OPEN_OBJECT = 3;
const OPEN_LIST = 4;
/** A value begins with one of the kinds up to here. */
const LAST_THAT_BEGINS = OPEN_LIST;
const CLOSE = 5;
const COLON = 6;
const COMMA = 7;
const OTHER = 8;

/** What each byte means outside of strings. */
const CLASS = new Uint8Array(256).fill(OTHER);
for (const [kind, characters] of [
  [SPACE, ' \t\n\r'],
  [QUOTE, '"'],
  [OPEN_OBJECT, '{'],
  [OPEN_LIST, '['],
  [CLOSE, '}]'],
  [COLON, ':'],
  [COMMA, ','],
  [TOKEN, '0123456789+-.eEtrufalsn'],
] as const) {
  for (const character of characters) CLASS[character.charCodeAt(0)] = kind;
}

const QUOTE_BYTE = 0x22;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Bytes of a string that are looked at one by one; a native search is faster only for what is longer. */
const SHORT_STRING = 64;
/** Below this depth it is known of each container whether it is an object: one bit each. */
const KNOWN_LEVELS = 31;

/** A scan under way. It goes on where it stopped as more bytes come in. */
export class JsonScan {
  readonly #limits: Readonly<ScanLimits>;
  readonly #visitor: JsonVisitor | undefined;
  readonly #levels: number;
  /** The next byte to look at. */
  #at = 0;
  /** Where the string or token begins that the bytes so far do not end; -1 for none. */
  #start = -1;
  #inString = false;
  #depth = 0;
  /** Values besides the outermost: one for each comma and for each container that is not empty. */
  #inner = 0;
  /** Bit n: the container of depth n is an object. */
  #objects = 0;
  #wantsKey = false;
  /** The container that began last has nothing in it so far. */
  #empty = false;
  /** The outermost value has ended. */
  #complete = false;
  #problem: ScanProblem | undefined;

  constructor(visitor?: JsonVisitor, limits: Readonly<ScanLimits> = SCAN_LIMITS) {
    this.#limits = limits;
    this.#visitor = visitor;
    this.#levels = visitor ? Math.min(visitor.levels, KNOWN_LEVELS - 1) : -1;
  }

  /** The first problem; nothing is scanned after it. */
  get problem(): ScanProblem | undefined {
    return this.#problem;
  }

  /** How many values began so far. */
  get values(): number {
    return this.#inner + 1;
  }

  /**
   * Scans what has come since the last time.
   * @param bytes all bytes so far, from the first; it may be another buffer each time, with the same bytes in it
   * @param end how many of them have come
   */
  advance(bytes: Buffer, end: number = bytes.length): void {
    if (this.#problem) return;
    if (this.#at === 0) {
      const begin = afterByteOrderMark(bytes, end);
      if (begin === undefined) return;
      this.#at = begin;
    }
    let at = this.#at;
    if (this.#start >= 0) at = this.#inString ? this.#string(bytes, at, end) : this.#token(bytes, at, end);
    while (at < end) {
      const kind = CLASS[bytes[at] as number] as number;
      if (kind === SPACE) {
        at += 1;
        continue;
      }
      if (this.#complete || kind === OTHER || (this.#depth === 0 && kind > LAST_THAT_BEGINS)) {
        this.#stop({ what: 'not-json', at });
        return;
      }
      if (kind === QUOTE) {
        this.#start = at;
        this.#inString = true;
        at = this.#string(bytes, at + 1, end);
      } else if (kind === TOKEN) {
        this.#start = at;
        this.#inString = false;
        at = this.#token(bytes, at + 1, end);
      } else if (kind === COMMA) {
        this.#wantsKey = this.#inObject();
        if (!this.#count()) return;
        at += 1;
      } else if (kind === COLON) {
        this.#wantsKey = false;
        at += 1;
      } else if (kind === CLOSE) {
        this.#close();
        at += 1;
      } else {
        if (!this.#open(kind === OPEN_OBJECT)) return;
        at += 1;
      }
    }
    this.#at = at;
  }

  /** Scans the rest, after which nothing comes. */
  finish(bytes: Buffer, end: number = bytes.length): ScanProblem | undefined {
    this.advance(bytes, end);
    if (this.#problem) return this.#problem;
    if (this.#start >= 0 && !this.#inString) this.#endScalar(bytes, end);
    if (!this.#complete) this.#stop({ what: 'not-json', at: end });
    return this.#problem;
  }

  /** Looks for the end of a string. @returns the byte to go on with: the one after it, or `end` and more */
  #string(bytes: Buffer, from: number, end: number): number {
    let at = from;
    const near = Math.min(end, at + SHORT_STRING);
    while (at < near) {
      const byte = bytes[at];
      at += 1;
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE_BYTE) {
        this.#endString(bytes, at);
        return at;
      }
    }
    while (at < end) {
      const quote = bytes.indexOf(QUOTE_BYTE, at);
      // A backslash may be the last byte so far: what comes next is then no end.
      if (quote < 0 || quote >= end) return isEscaped(bytes, end, this.#start) ? end + 1 : end;
      at = quote + 1;
      if (isEscaped(bytes, quote, this.#start)) continue;
      this.#endString(bytes, at);
      return at;
    }
    return at;
  }

  /** Looks for the end of a number or literal. @returns the byte after it, or `end` */
  #token(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && CLASS[bytes[at] as number] === TOKEN) at += 1;
    // The next byte may belong to it.
    if (at < end) this.#endScalar(bytes, at);
    return at;
  }

  #endString(bytes: Buffer, end: number): void {
    if (!this.#wantsKey) {
      this.#endScalar(bytes, end);
      return;
    }
    if (this.#depth <= this.#levels) this.#visitor?.key(bytes, this.#start, end, this.#depth);
    this.#start = -1;
    this.#begin();
  }

  #endScalar(bytes: Buffer, end: number): void {
    if (this.#depth <= this.#levels) this.#visitor?.scalar(bytes, this.#start, end, this.#depth);
    this.#start = -1;
    if (this.#depth === 0) this.#complete = true;
    else this.#begin();
  }

  #open(isObject: boolean): boolean {
    if (this.#depth > 0 && !this.#begin()) return false;
    const depth = this.#depth + 1;
    if (depth > this.#limits.depth) {
      this.#stop({ what: 'too-deep', limit: this.#limits.depth });
      return false;
    }
    this.#depth = depth;
    this.#empty = true;
    if (depth < KNOWN_LEVELS) this.#objects = isObject ? this.#objects | (1 << depth) : this.#objects & ~(1 << depth);
    this.#wantsKey = isObject;
    if (depth <= this.#levels) this.#visitor?.open(depth, isObject);
    return true;
  }

  #close(): void {
    this.#depth -= 1;
    this.#empty = false;
    if (this.#depth === 0) this.#complete = true;
  }

  /** The container gets its first content, or a further one. */
  #begin(): boolean {
    if (!this.#empty) return true;
    this.#empty = false;
    return this.#count();
  }

  #count(): boolean {
    this.#inner += 1;
    if (this.#inner < this.#limits.values) return true;
    this.#stop({ what: 'too-many-values', limit: this.#limits.values });
    return false;
  }

  #inObject(): boolean {
    return this.#depth < KNOWN_LEVELS && (this.#objects & (1 << this.#depth)) !== 0;
  }

  #stop(problem: ScanProblem): void {
    this.#problem ??= problem;
  }
}

/**
 * What speaks against parsing these bytes.
 * @returns undefined when they may be parsed; they may still be no JSON
 */
export function scanJson(bytes: Buffer, limits: Readonly<ScanLimits> = SCAN_LIMITS): ScanProblem | undefined {
  return new JsonScan(undefined, limits).finish(bytes);
}

/** Whether an odd number of backslashes stands before this byte, in the string that begins at `start`. */
function isEscaped(bytes: Buffer, at: number, start: number): boolean {
  let before = at - 1;
  while (before > start && bytes[before] === BACKSLASH) before -= 1;
  return (at - 1 - before) % 2 === 1;
}

/** @returns where the text begins; undefined while the bytes may still turn out to be a mark */
function afterByteOrderMark(bytes: Buffer, end: number): number | undefined {
  for (let index = 0; index < BYTE_ORDER_MARK.length; index += 1) {
    if (index >= end) return undefined;
    if (bytes[index] !== BYTE_ORDER_MARK[index]) return 0;
  }
  return BYTE_ORDER_MARK.length;
}
