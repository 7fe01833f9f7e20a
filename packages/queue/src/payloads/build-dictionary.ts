/**
 * A dictionary for zstd: what many payloads of a source say alike, word for word. Names of fields, constants, what the agent says
 * in every call, and common words. A piece of text is taken only when it stands in the calls of many different
 * people; what has a digit or an @ in it never is, so that no number and no address is. https://facebook.github.io/zstd/#small-data
 */
import { setImmediate } from 'node:timers/promises';

/** Bytes of a dictionary, at most: zstd reads all of it for every payload. */
export const MAX_DICTIONARY_BYTES = 28_000;
/** A piece stands in the calls of so many people at least, and of such a part of them. */
const MIN_PEOPLE = 8;
const MIN_SHARE = 0.06;
/** Bytes of one payload that are looked at, from its beginning and from its end: between them is the transcript. */
const LOOKED_AT = { first: 5_000, last: 9_000 };
/** Pieces are words and what stands between them, alone and up to so many in a row. */
const MAX_ROW = 3;
/** zstd finds nothing shorter. */
const MIN_LENGTH = 4;
/** Pieces that are looked for in a dictionary before other work has its turn. */
const PIECES_IN_A_ROW = 200;
/** Different pieces that are counted: what bounds the memory that it takes. */
const MAX_PIECES = 400_000;

/**
 * @param bodies one for each person
 * @returns undefined where they have too little in common
 */
export async function buildDictionary(bodies: readonly Buffer[]): Promise<Buffer | undefined> {
  const counts = new Map<string, number>();
  for (const body of bodies) {
    for (const piece of new Set(rowsOf(wordsOf(body)))) {
      const count = counts.get(piece);
      if (count !== undefined || counts.size < MAX_PIECES) counts.set(piece, (count ?? 0) + 1);
    }
    // Webhooks and deliveries go on in between.
    await setImmediate();
  }
  const least = Math.max(MIN_PEOPLE, bodies.length * MIN_SHARE);
  const isCommon = (piece: string) => (counts.get(piece) ?? 0) >= least;
  const common = [...counts].filter(([piece, count]) => count >= least && piece.length >= MIN_LENGTH);
  common.sort(
    ([a, m], [b, n]) => n * (b.length - MIN_LENGTH + 1) - m * (a.length - MIN_LENGTH + 1) || (a < b ? -1 : 1),
  );
  // What is nearest to the payload costs least: the frame of a payload last, before it the words, the most useful ones last.
  const frame = bodies.length > 0 ? frameOf(wordsOf(bodies[0] as Buffer), isCommon) : '';
  let text = Buffer.from(frame)
    .subarray(0, MAX_DICTIONARY_BYTES / 2)
    .toString()
    .replace(/\uFFFD+$/, '');
  let bytes = Buffer.byteLength(text);
  for (const [index, [piece]] of common.entries()) {
    const more = Buffer.byteLength(piece);
    if (bytes + more > MAX_DICTIONARY_BYTES) break;
    if (index % PIECES_IN_A_ROW === 0) await setImmediate();
    if (text.includes(piece)) continue;
    text = piece + text;
    bytes += more;
  }
  return text === '' ? undefined : Buffer.from(text);
}

/** Words with the blanks behind them, and JSON's marks, names and short constants between them. */
function wordsOf(body: Buffer): string[] {
  const parts =
    body.length <= LOOKED_AT.first + LOOKED_AT.last
      ? [body]
      : [body.subarray(0, LOOKED_AT.first), body.subarray(-LOOKED_AT.last)];
  return (
    Buffer.concat(parts)
      .toString('utf8')
      .match(/[\p{L}\p{M}'’_-]+\s*|[^\p{L}\p{M}'’_-]+/gu) ?? []
  );
}

function isSafe(word: string): boolean {
  return !/[\p{N}@\uFFFD]/u.test(word);
}

function* rowsOf(words: readonly string[]): Generator<string> {
  for (let from = 0; from < words.length; from += 1) {
    let row = '';
    for (let length = 0; length < MAX_ROW && from + length < words.length; length += 1) {
      const word = words[from + length] as string;
      if (!isSafe(word)) break;
      row += word;
      yield row;
    }
  }
}

/** Words in a row that all say alike, at least: below that they are words that come together by chance. */
const MIN_RUN = 6;

/** The names and constants of a payload, and what the agent says in every call, in their order. */
function frameOf(words: readonly string[], isCommon: (piece: string) => boolean): string {
  let frame = '';
  let run: string[] = [];
  const end = () => {
    const text = run.join('');
    if (text.includes('"') || run.length >= MIN_RUN) frame += text;
    run = [];
  };
  for (let from = 0; from + MAX_ROW <= words.length; from += 1) {
    const row = words.slice(from, from + MAX_ROW);
    if (!isCommon(row.join(''))) end();
    else if (run.length === 0) run = row;
    else run.push(row.at(-1) as string);
  }
  end();
  return frame;
}
