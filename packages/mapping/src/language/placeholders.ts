/** How a text with `{{ path | transform: argument, argument }}` is taken apart. Linear in the text. */

export interface Argument {
  text: string;
  /** It stood in quotes: a text, whatever it looks like. */
  quoted: boolean;
  offset: number;
}

export interface StepText {
  name: string;
  args: Argument[];
  offset: number;
}

export interface Placeholder {
  path: string;
  offset: number;
  steps: StepText[];
}

export interface TextError {
  code: 'unclosed-placeholder' | 'bad-placeholder';
  message: string;
  hint: string;
  offset: number;
}

/** Texts and placeholders in turn, or the first thing that is wrong. */
export function parseText(text: string): { parts: (string | Placeholder)[] } | { error: TextError } {
  const parts: (string | Placeholder)[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('{{', from);
    const literal = text.slice(from, open < 0 ? undefined : open);
    const stray = literal.indexOf('}}');
    if (stray >= 0) return fail('bad-placeholder', 'there is a }} without its {{', HOW, from + stray);
    if (literal !== '') parts.push(literal);
    if (open < 0) return { parts };
    const close = findClose(text, open + 2);
    if (close < 0) return fail('unclosed-placeholder', 'the {{ never closes', HOW, open);
    const placeholder = parsePlaceholder(text.slice(open + 2, close), open + 2);
    if ('error' in placeholder) return placeholder;
    parts.push(placeholder);
    from = close + 2;
  }
}

const HOW = 'write {{ lead.name }}, with a transform {{ lead.name | upper }}';

function fail(code: TextError['code'], message: string, hint: string, offset: number): { error: TextError } {
  return { error: { code, message, hint, offset } };
}

function findClose(text: string, from: number): number {
  for (const { at, char } of outsideQuotes(text, from)) {
    if (char === '}' && text[at + 1] === '}') return at;
    if (char === '{' && text[at + 1] === '{') return -1;
  }
  return -1;
}

function parsePlaceholder(inner: string, offset: number): Placeholder | { error: TextError } {
  const [first, ...rest] = splitOutsideQuotes(inner, '|', offset);
  const path = first as Piece;
  if (path.text.trim() === '') return fail('bad-placeholder', 'the placeholder names no path', HOW, path.offset);
  const steps: StepText[] = [];
  for (const piece of rest) {
    const step = parseStep(piece.text, piece.offset);
    if ('error' in step) return step;
    steps.push(step);
  }
  return { path: path.text, offset: path.offset, steps };
}

/** `truncate: 20`, `replace: "a", "b"`, `trim`. */
export function parseStep(text: string, offset: number): StepText | { error: TextError } {
  const start = offset + (text.length - text.trimStart().length);
  const colon = text.indexOf(':');
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  if (name === '') return fail('bad-placeholder', 'there is no transform after the |', HOW, start);
  if (colon < 0) return { name, args: [], offset: start };
  const args: Argument[] = [];
  for (const piece of splitOutsideQuotes(text.slice(colon + 1), ',', offset + colon + 1)) {
    const trimmed = piece.text.trim();
    const at = piece.offset + (piece.text.length - piece.text.trimStart().length);
    if (trimmed === '') return fail('bad-placeholder', `${name}: an argument is missing`, 'an empty text is ""', start);
    const quote = trimmed[0] === '"' || trimmed[0] === "'" ? trimmed[0] : undefined;
    if (quote && (trimmed.length < 2 || !trimmed.endsWith(quote)))
      return fail('bad-placeholder', `${name}: the quote never closes`, `end it with ${quote}`, at);
    args.push({ text: quote ? trimmed.slice(1, -1) : trimmed, quoted: quote !== undefined, offset: at });
  }
  return { name, args, offset: start };
}

interface Piece {
  text: string;
  offset: number;
}

function splitOutsideQuotes(text: string, separator: string, offset: number): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { at, char } of outsideQuotes(text, 0)) {
    if (char !== separator) continue;
    pieces.push({ text: text.slice(from, at), offset: offset + from });
    from = at + 1;
  }
  pieces.push({ text: text.slice(from), offset: offset + from });
  return pieces;
}

/** Characters that are not in quotes. A quote opens only where an argument or a segment begins: `O'Brien` has none. */
function* outsideQuotes(text: string, from: number): Generator<{ at: number; char: string }> {
  let opens = true;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] as string;
    if (opens && (char === '"' || char === "'")) {
      const close = text.indexOf(char, at + 1);
      if (close < 0) {
        opens = false;
        continue;
      }
      at = close;
      opens = false;
      continue;
    }
    if (!/\s/.test(char)) opens = char === ':' || char === ',' || char === '[';
    yield { at, char };
  }
}
