/**
 * Settled entries of the ledger as one string of bytes: without loss, and some 120 bytes each.
 *
 * Of an entry nearly all is the same as in the one before: names of fields, routes, states. What differs is hashes, ids and
 * times, which compress badly as text. So these are taken out and kept as bytes: hashes and ids once each, numbers as
 * the difference to the last one of their kind. What is left is compressed by zstd.
 *
 *   01 | number of entries, 2 bytes | length of the numbers, 4 bytes | length of the ids, 4 bytes | numbers | ids | zstd frame
 *
 * The frame holds one line for each entry, `[epoch ms of its end or 0, field, value, …]` as JSON, with marks in the place of what
 * was taken out. JSON holds no control characters, so that no text can be taken for a mark.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** A ledger entry as Redis keeps it. */
export interface StoredEntry {
  /** As in its hash: `source` and `call_id` among them. */
  fields: Record<string, string>;
  /** Epoch ms until which it is kept; 0: for good. */
  ends: number;
}

const VERSION = 1;
const HEADER_BYTES = 11;
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 9 } };
/** What a frame may yield: more than any number of entries of one bucket has. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

const UUID_MARK = '\u0001';
const HEX_MARK = '\u0002';
const BASE64_MARK = '\u0003';
const NUMBER_MARK = '\u0004';
/** The same as so many items before in this entry. */
const AGAIN_MARK = '\u0005';
/** The same as an id of an earlier entry, by its place among all. */
const KNOWN_MARK = '\u0006';
const END = ';';

const ITEM =
  /(?<![\w-])(?:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})|((?:[0-9a-f]{2}){8,64})|((?:[\w-]{4}){4,15}[\w-]{2,3}|(?:[\w-]{4}){4,16})|([1-9][0-9]{2,14}))(?![\w-])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: marks are control characters, which JSON never holds
const MARK = /[\u0001\u0004]|[\u0002\u0003\u0005\u0006](\d+);/g;
/** Digits of epoch ms from 2001 to 2286. */
const TIME_DIGITS = 13;

/** The last number of each kind, from which the next one differs by little. */
class LastNumbers {
  readonly #last = new Map<string, number>();

  /** @param place of the number among the items of its entry */
  of(place: number, isTime: boolean): { value: number; note(next: number): void } {
    const kind = isTime ? 'time' : String(place);
    return { value: this.#last.get(kind) ?? 0, note: (next) => void this.#last.set(kind, next) };
  }
}

export function encodeBucket(entries: readonly StoredEntry[]): Buffer {
  const numbers: number[] = [];
  const ids: Buffer[] = [];
  const known = new Map<string, number>();
  const last = new LastNumbers();
  const lines = entries.map(({ fields, ends }) => {
    const seen = new Map<string, number>();
    let items = 0;
    return JSON.stringify([ends, ...Object.entries(fields).flat()]).replace(
      ITEM,
      (text: string, uuid?: string, hex?: string, base64?: string, digits?: string) => {
        const before = seen.get(text);
        if (before !== undefined) return `${AGAIN_MARK}${items - before}${END}`;
        if (digits !== undefined) {
          // The end comes first, and is no neighbour of the other times.
          const isTime = items > 0 && digits.length === TIME_DIGITS;
          const { value, note } = last.of(items, isTime);
          const number = Number(digits);
          writeNumber(numbers, (isTime ? 1 : 0) + 2 * zigzag(number - value));
          note(number);
          seen.set(text, items++);
          return NUMBER_MARK;
        }
        const place = known.get(text);
        if (place !== undefined) return `${KNOWN_MARK}${place}${END}`;
        const bytes = bytesOf(uuid, hex, base64);
        if (!bytes) return text;
        known.set(text, known.size);
        ids.push(bytes);
        seen.set(text, items++);
        if (uuid !== undefined) return UUID_MARK;
        return `${hex === undefined ? BASE64_MARK : HEX_MARK}${bytes.length}${END}`;
      },
    );
  });
  const text = Buffer.from(lines.join('\n'));
  const packed = zstdCompressSync(text, { ...OPTIONS, pledgedSrcSize: text.length });
  const numberBytes = Buffer.from(numbers);
  const idBytes = Buffer.concat(ids);
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  header.writeUInt16LE(entries.length, 1);
  header.writeUInt32LE(numberBytes.length, 3);
  header.writeUInt32LE(idBytes.length, 7);
  return Buffer.concat([header, numberBytes, idBytes, packed]);
}

/** Bytes at the beginning of a bucket that say how many entries it has: the version, then two bytes, the lower one first. */
export const COUNT_BYTES = 3;

/** What Redis adds to a string, bytes. */
const STRING_HEADER_BYTES = 8;
/** Part of its place in memory that a bucket fills at least, where a few entries fewer make that possible. */
const WELL_FILLED = 0.95;

/**
 * How many of the first entries a bucket should take: jemalloc, from which Redis has its memory, gives four sizes between two
 * powers of two, and what does not fill its place is lost. https://jemalloc.net/jemalloc.3.html#size_classes
 * @param least never fewer
 */
export function fillingCount(entries: readonly StoredEntry[], least: number): number {
  const bytes = encodeBucket(entries).length + STRING_HEADER_BYTES;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  const place = Math.ceil(bytes / step) * step;
  if (entries.length <= least || bytes >= place * WELL_FILLED) return entries.length;
  const fitting = Math.floor((entries.length * (place - step)) / bytes) - 1;
  return fitting < least ? entries.length : fitting;
}

/** @throws Error for bytes that are no bucket of this version */
export function decodeBucket(bytes: Buffer): StoredEntry[] {
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) {
    throw new Error(
      'Packed entries of the ledger have a form that this version does not know: a later one wrote them.',
    );
  }
  const numbers = new NumberReader(bytes, HEADER_BYTES);
  let at = HEADER_BYTES + bytes.readUInt32LE(3);
  const frame = at + bytes.readUInt32LE(7);
  const text = zstdDecompressSync(bytes.subarray(frame), { maxOutputLength: MAX_TEXT_BYTES }).toString('utf8');
  if (text === '') return [];
  const known: string[] = [];
  const last = new LastNumbers();
  return text.split('\n').map((line) => {
    const seen: string[] = [];
    const note = (id: string) => {
      seen.push(id);
      return id;
    };
    const takeId = (length: number) => {
      at += length;
      return bytes.subarray(at - length, at);
    };
    const whole = line.replace(MARK, (mark: string, count?: string) => {
      switch (mark[0]) {
        case NUMBER_MARK: {
          const written = numbers.next();
          const { value, note: noteNumber } = last.of(seen.length, written % 2 === 1);
          const number = value + unzigzag(Math.floor(written / 2));
          noteNumber(number);
          return note(String(number));
        }
        case AGAIN_MARK:
          return seen[seen.length - Number(count)] as string;
        case KNOWN_MARK:
          return known[Number(count)] as string;
        default: {
          const id = textOf(mark[0] as string, takeId(mark[0] === UUID_MARK ? 16 : Number(count)));
          known.push(id);
          return note(id);
        }
      }
    });
    const [ends, ...flat] = JSON.parse(whole) as [number, ...string[]];
    const pairs = Array.from({ length: flat.length / 2 }, (_, pair) => flat.slice(2 * pair, 2 * pair + 2));
    return { fields: Object.fromEntries(pairs) as Record<string, string>, ends };
  });
}

/** Undefined for a text that its bytes would not give back, and for one that reads like words. */
function bytesOf(uuid?: string, hex?: string, base64?: string): Buffer | undefined {
  if (uuid !== undefined) return Buffer.from(uuid.replaceAll('-', ''), 'hex');
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  if (base64 === undefined || !/[A-Z]/.test(base64) || !/[a-z]/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64url');
  return bytes.toString('base64url') === base64 ? bytes : undefined;
}

function textOf(mark: string, bytes: Buffer): string {
  if (mark === BASE64_MARK) return bytes.toString('base64url');
  const hex = bytes.toString('hex');
  if (mark === HEX_MARK) return hex;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Numbers of at most 15 digits: their doubled differences are still exact. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

/** Seven bits a byte, lowest first; the highest bit says that more follow. */
function writeNumber(to: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) to.push(128 + (rest % 128));
  to.push(rest);
}

class NumberReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  next(): number {
    let value = 0;
    for (let weight = 1; ; weight *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('Packed entries of the ledger are cut off.');
      value += (byte % 128) * weight;
      if (byte < 128) return value;
    }
  }
}
