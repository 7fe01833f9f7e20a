/** The key as a line in a record's own text, for accounts that refuse the unique property. Pure. */
import type { Properties } from '@wrapup/destination/engine';

interface Place {
  property: string;
  html: boolean;
}

/** Where the line goes, by object. A custom object has no text that every account has, and so no line. */
const PLACES: Record<string, Place> = {
  calls: { property: 'hs_call_body', html: true },
  tasks: { property: 'hs_task_body', html: true },
  notes: { property: 'hs_note_body', html: true },
  meetings: { property: 'hs_meeting_body', html: true },
  deals: { property: 'description', html: false },
  tickets: { property: 'content', html: false },
  companies: { property: 'description', html: false },
};

/** Characters that a line takes at most; texts leave room for it. */
export const KEY_LINE_ROOM = 536;

export function keyLineProperty(object: string): string | undefined {
  return PLACES[object]?.property;
}

const LINE = 'Wrapup key: ';
const lineOf = (key: string, html: boolean) =>
  `${LINE}${html ? key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') : key}`;

/**
 * Properties with the line at the end of their text.
 * @param creating a record to be created gets the line even when nothing else is written there
 */
export function withKeyLine(
  object: string,
  properties: Record<string, string>,
  key: string,
  creating: boolean,
): Record<string, string> {
  const place = PLACES[object];
  if (!place) return properties;
  const text = properties[place.property];
  if (text === undefined && !creating) return properties;
  const line = lineOf(key, place.html);
  const whole = text ? `${text}${place.html ? '<br><br>' : '\n\n'}${line}` : line;
  return { ...properties, [place.property]: whole };
}

/** Properties without the line at the end of their text. */
export function withoutKeyLine(object: string, properties: Properties, key: string): Properties {
  const property = PLACES[object]?.property;
  const text = property === undefined ? undefined : properties[property];
  if (property === undefined || typeof text !== 'string' || !hasKeyLine(object, properties, key)) return properties;
  return { ...properties, [property]: text.slice(0, text.lastIndexOf(LINE)).replace(/(?:<br>|\s)+$/, '') };
}

/** True when the text holds this key's line, and not only that of a longer key. */
export function hasKeyLine(object: string, properties: Properties, key: string): boolean {
  const place = PLACES[object];
  const text = place && properties[place.property];
  if (!place || typeof text !== 'string') return false;
  const line = lineOf(key, place.html);
  for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + 1)) {
    const next = text[at + line.length];
    if (next === undefined || /[\s<]/.test(next)) return true;
  }
  return false;
}
