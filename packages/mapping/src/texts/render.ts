/**
 * Texts as a CRM field takes them: escaped where it renders HTML, cut where it has a limit.
 *
 * A text is made of markup, which stands as it is, and of what the call says, which is escaped and is what gets cut. A
 * cut never falls inside an entity, a tag or a character, and says how many characters are missing.
 */
import { cleanText } from '../values/found.ts';

/** `html` and `plain` say the same in either kind of field. */
export type Piece = { html: string; plain: string } | { said: string };

export type Kind = 'text' | 'html';

/** Room that is kept for saying what is missing. */
const MARKER_ROOM = 60;

export function render(pieces: Piece[], kind: Kind, limit = Number.POSITIVE_INFINITY): string {
  const markup = (piece: Piece) => ('said' in piece ? '' : kind === 'html' ? piece.html : piece.plain);
  const written = pieces.map((piece) => ('said' in piece ? escapeText(cleanText(piece.said), kind) : markup(piece)));
  const whole = written.join('');
  if (whole.length <= limit) return whole;
  const fixed = pieces.reduce((sum, piece) => sum + markup(piece).length, 0);
  if (fixed + MARKER_ROOM > limit) return cutPlain(pieces, kind, limit);
  return cutSaid(pieces, markup, kind, limit - fixed - MARKER_ROOM);
}

/** For a text that does not fit: one of the pieces that say something is cut. */
function cutSaid(pieces: Piece[], markup: (piece: Piece) => string, kind: Kind, room: number): string {
  let left = room;
  let missing = 0;
  let marker = -1;
  const parts = pieces.map((piece, index) => {
    if (!('said' in piece)) return markup(piece);
    const text = cleanText(piece.said);
    const fits = marker < 0 ? fit(text, kind, left) : { text: '', taken: 0 };
    left -= fits.text.length;
    if (fits.taken < text.length && marker < 0) marker = index;
    missing += countCharacters(text) - countCharacters(text.slice(0, fits.taken));
    return fits.text;
  });
  parts[marker] += ` … [${missing} more characters]`;
  return parts.join('');
}

/** For a field so short that not even the markup fits. */
function cutPlain(pieces: Piece[], kind: Kind, limit: number): string {
  const text = cleanText(pieces.map((piece) => ('said' in piece ? piece.said : piece.plain)).join(''));
  const whole = fit(text, kind, limit);
  if (whole.taken === text.length || limit < MARKER_ROOM) return whole.text;
  const { text: fits, taken } = fit(text, kind, limit - MARKER_ROOM);
  return `${fits} … [${countCharacters(text.slice(taken))} more characters]`;
}

/** As much of the text, in whole characters, as fits after escaping. */
function fit(text: string, kind: Kind, room: number): { text: string; taken: number } {
  let length = 0;
  let taken = 0;
  for (const character of text) {
    const more = kind === 'html' ? (ENTITIES[character]?.length ?? character.length) : character.length;
    if (length + more > room) break;
    length += more;
    taken += character.length;
  }
  return { text: escapeText(text.slice(0, taken), kind), taken };
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '<br>',
  '\r': '',
};

/** What comes from outside, as part of a field. Line breaks become tags in HTML. */
export function escapeText(text: string, kind: Kind): string {
  return kind === 'html' ? text.replace(/[&<>"'\n\r]/g, (character) => ENTITIES[character] ?? '') : text;
}

/** What a reader sees of a text with markup, line by line. Pure. */
export function plainText(markup: string): string {
  const lines = markup.replace(/<br\s*\/?>|<\/(?:p|li|div|h\d)>/gi, '\n').replace(/<[^<>]*>/g, '');
  return lines.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => CHARACTERS.get(entity) ?? entity);
}

const CHARACTERS = new Map(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
