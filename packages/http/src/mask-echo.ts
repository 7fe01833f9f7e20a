/**
 * Endpoints like to repeat what they were sent. An answer that is kept for people to read must not bring it back: names,
 * what was said, and the secrets of the request are taken out, whatever the endpoint wrapped around them.
 *
 * Texts are compared word by word, so that quotes, escapes and markup do not hide them. A longer text is recognised by
 * any three of its words in a row. Cost: linear in what was sent, memory in the answer alone.
 */

/** Words in a row by which a text is recognised. */
const RUN = 3;
/** Letters of a word that stands alone and is not a name. Shorter ones say nothing about anybody. */
const SHORTEST = 3;
const WORD = /[\p{L}\p{N}]+/gu;
const MASK = '[sent]';

export interface Sent {
  /** Texts, taken out as a whole or in runs of three words. */
  texts: Iterable<string>;
  /** Names and secrets: every single word of them is taken out. */
  words: Iterable<string>;
  /** What stays though it was sent: words of our own, such as outcomes. */
  keep: Iterable<string>;
}

/** The answer without what was sent. Escapes of JSON and URLs in it are resolved. */
export function maskEcho(answer: string, sent: Sent): string {
  const text = resolveEscapes(answer);
  const tokens = [...text.matchAll(WORD)].map((match) => ({
    word: fold(match[0]),
    from: match.index,
    to: match.index + match[0].length,
  }));
  const runs = new Map<string, number[]>();
  for (let length = 1; length <= RUN; length += 1)
    for (let at = 0; at + length <= tokens.length; at += 1) {
      const run = tokens.slice(at, at + length).map(({ word }) => word);
      const key = run.join(' ');
      runs.set(key, [...(runs.get(key) ?? []), at]);
    }
  const masked = new Set<number>();
  const hit = (run: string[]) => {
    for (const at of runs.get(run.join(' ')) ?? []) for (let n = 0; n < run.length; n += 1) masked.add(at + n);
  };
  const keep = new Set([...sent.keep].map(fold));
  for (const words of sent.words) for (const word of wordsOf(words)) if (word.length > 1) hit([word]);
  for (const whole of sent.texts) {
    const words = wordsOf(whole);
    if (words.length <= RUN) {
      const [only] = words;
      if (words.length > 1 || (only !== undefined && only.length >= SHORTEST && !keep.has(only))) hit(words);
    } else for (let at = 0; at + RUN <= words.length; at += 1) hit(words.slice(at, at + RUN));
  }
  return put(text, tokens, masked);
}

function put(text: string, tokens: { from: number; to: number }[], masked: Set<number>): string {
  let result = '';
  let from = 0;
  for (const [index, token] of tokens.entries()) {
    if (!masked.has(index)) continue;
    // One mask stands for a whole run, with what is between its words.
    result += masked.has(index - 1) ? '' : `${text.slice(from, token.from)}${MASK}`;
    from = token.to;
  }
  return result + text.slice(from);
}

function wordsOf(text: string): string[] {
  return Array.from(text.matchAll(WORD), ([word]) => fold(word));
}

function fold(word: string): string {
  return word.normalize('NFKC').toLowerCase();
}

function resolveEscapes(text: string): string {
  return text
    .replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\[nrtbf]/g, ' ')
    .replace(/(?:%[0-9a-fA-F]{2})+/g, (escaped) => {
      try {
        return decodeURIComponent(escaped);
      } catch {
        return escaped;
      }
    });
}
