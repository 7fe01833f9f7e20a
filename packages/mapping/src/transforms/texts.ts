import { truncate } from '@wrapup/findings';
import { Absent, LONGEST_TEXT, type Present, toText } from '../values/found.ts';
import type { Transform } from './transform.ts';

/** A transform of a text, which takes numbers and booleans as text too. */
export function onText(
  name: string,
  does: string,
  given: string,
  change: (text: string) => string | Absent,
): Transform {
  return { name, does, parameters: [], example: { given }, apply: (value) => withText(value, change) };
}

export function withText<Result>(value: Present, use: (text: string) => Result): Result | Absent {
  const text = toText(value);
  return text instanceof Absent ? text : use(text);
}

const NO_HOST = new Absent('url_host: it is no web address', 'unreadable_value');
const NO_JSON = new Absent('json: it is too long or too deep', 'unreadable_value');

export const TEXT_TRANSFORMS: Transform[] = [
  onText('trim', 'Without blanks at both ends.', '  Dana ', (text) => text.trim()),
  onText('lower', 'In small letters.', 'Dana', (text) => text.toLowerCase()),
  onText('upper', 'In capitals.', 'Dana', (text) => text.toUpperCase()),
  onText('title_case', 'Each Word With a Capital; underscores become blanks.', 'voicemail_left', toTitleCase),
  onText(
    'url_host',
    'The host of a web address.',
    'https://app.example.com/join?x=1',
    (text) => URL.parse(text.trim())?.host || NO_HOST,
  ),
  {
    name: 'replace',
    example: { given: '555-01-42', args: ['-', ' '] },
    does: 'Every occurrence of a literal text replaced by another.',
    parameters: [
      { name: 'what', type: 'text' },
      { name: 'by', type: 'text' },
    ],
    apply: (value, what, by) => withText(value, (text) => replaceAll(text, String(what), String(by))),
  },
  {
    name: 'truncate',
    example: { given: 'A long remark', args: [7] },
    does: 'At most so many characters, the last of them … when something is cut.',
    parameters: [{ name: 'length', type: 'integer', from: 1, to: LONGEST_TEXT }],
    apply: (value, length) => withText(value, (text) => truncate(text, Number(length))),
  },
  { name: 'json', does: 'As JSON text.', parameters: [], example: { given: ['a', 1] }, apply: toJson },
];

/** `voicemail_left` is `Voicemail Left`; capitals inside a word stay: `McDonald`. */
export function toTitleCase(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replace(/(^|[\s\-/("])(\p{Ll})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** Stops growing at the longest text, so that a long replacement cannot fill memory. */
function replaceAll(text: string, what: string, by: string): string {
  if (what === '') return text;
  const parts: string[] = [];
  let length = 0;
  let from = 0;
  for (let at = text.indexOf(what); at >= 0 && length < LONGEST_TEXT; at = text.indexOf(what, from)) {
    parts.push(text.slice(from, at), by);
    length += at - from + by.length;
    from = at + what.length;
  }
  return parts.join('') + text.slice(from);
}

function toJson(value: Present): string | Absent {
  try {
    const text = JSON.stringify(value);
    return text.length > LONGEST_TEXT ? NO_JSON : text;
  } catch {
    // Deeper than the stack.
    return NO_JSON;
  }
}
