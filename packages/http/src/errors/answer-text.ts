/**
 * What an endpoint answered, as far as it is kept and shown.
 *
 * Endpoints like to repeat what they were sent. An answer that is kept for people to read must not bring it back: names,
 * what was said, and the secrets of the request are taken out, whatever the endpoint wrapped around them.
 *
 * Texts are compared word by word, so that quotes, escapes and markup do not hide them. A longer text is recognised by
 * any three of its words in a row. Cost: linear in what was sent, memory in the answer alone.
 */
import { scrub } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { MAX_KEPT_BYTES } from '../client/exchange.ts';
import type { HttpSettings } from '../endpoint/settings.ts';

/** What endpoints say of themselves: it stays, though some part of a call says it too. */
const COMMON = ['true', 'false', 'null', 'none', 'yes', 'success', 'successful', 'completed', 'failed', 'error'].concat(
  ['received', 'accepted', 'queued', 'created', 'status', 'message', 'event', 'invalid', 'missing'],
);

/** The beginning of the answer without anything that was sent, numbers, addresses or control characters. */
export function showAnswer(text: string, plan: Plan, body: unknown, settings: HttpSettings): string {
  if (text.trim() === '') return '';
  const { call } = plan;
  const names = [call.lead.name, call.lead.first_name, call.lead.last_name, call.agent.name];
  const words = [...names.filter((name) => name !== undefined), ...secretsOf(settings)];
  const { status, outcome, answered_by, end_reason, direction, id, source } = call;
  const own = [status, outcome, answered_by, end_reason, direction ?? '', id, source];
  const keep = [...COMMON, ...own.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u))];
  const masked = maskEcho(text, { texts: stringsIn(body), words, keep });
  return scrub(plain(masked), MAX_KEPT_BYTES);
}

/** Without recursion: payloads may be nested deeper than the stack. */
function stringsIn(value: unknown): string[] {
  const strings: string[] = [];
  const open = [value];
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next === 'string') strings.push(next);
    else if (typeof next === 'object' && next !== null) open.push(...Object.values(next));
  }
  return strings;
}

/** What in the settings must not be shown: the endpoint's address often is its only secret. */
function secretsOf({ url, headers, secret }: HttpSettings): string[] {
  const { pathname, search } = new URL(url);
  return [pathname, search, ...Object.values(headers), ...secret];
}

/** On one line, without what a terminal or a log would act upon. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** Words in a row by which a text is recognised. */
const RUN_WORDS = 3;
/** Letters of a word that stands alone and is not a name. Shorter ones say nothing about a person. */
const MIN_LETTERS = 3;
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
  for (let length = 1; length <= RUN_WORDS; length += 1)
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
    if (words.length <= RUN_WORDS) {
      const [only] = words;
      if (words.length > 1 || (only !== undefined && only.length >= MIN_LETTERS && !keep.has(only))) hit(words);
    } else for (let at = 0; at + RUN_WORDS <= words.length; at += 1) hit(words.slice(at, at + RUN_WORDS));
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
