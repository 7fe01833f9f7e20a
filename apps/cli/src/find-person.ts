/**
 * Finds the calls of a person without anything personal in the ledger: by looking through the payloads that are still
 * kept. What has expired there is gone already.
 */
import { parsePhone } from '@wrapup/call';
import type { LedgerEntry, Store } from '@wrapup/queue';

/** Whether a payload speaks of the person. */
export type Mention = (text: string) => boolean;

/** What may be a telephone number in a text. */
const NUMBERS = /\+?\d[\d\s().-]{5,}\d/g;
/** What may stand in an address beside the one that is looked for: then it is another one. */
const ADDRESS = "[\\w.!#$%&'*+/=?^`{|}~-]";

/** Text in which an e-mail address stands, upper or lower case. */
export function mentionsEmail(email: string): Mention {
  const escaped = email.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(?<!${ADDRESS})${escaped}(?![\\w-]|\\.\\w)`);
  return (text) => pattern.test(text.toLowerCase());
}

/**
 * Text in which a telephone number stands, however it is written.
 * @param countries that a number without + may belong to
 * @returns undefined when it is no number
 */
export function mentionsPhone(written: string, countries: readonly string[]): Mention | undefined {
  const phones = [undefined, ...countries].flatMap((country) => parsePhone(written, country) ?? []);
  if (phones.length === 0) return undefined;
  const forms = new Set(
    phones.flatMap(({ e164, digits }) => [e164.slice(1), `00${e164.slice(1)}`, digits, `0${digits}`]),
  );
  return (text) => (text.match(NUMBERS) ?? []).some((run) => forms.has(run.replace(/\D/g, '')));
}

/** Calls whose kept payloads mention the person, newest first. @param onCall hears of every call that was looked at */
export async function* findMentions(store: Store, mentions: Mention, onCall: () => void): AsyncGenerator<LedgerEntry> {
  for await (const entry of store.ledger.scan()) {
    onCall();
    if (await isMentioned(store, entry, mentions)) yield entry;
  }
}

async function isMentioned(store: Store, entry: LedgerEntry, mentions: Mention): Promise<boolean> {
  for (const { hash } of entry.revisions) {
    const body = await store.payloads.read(entry.source, entry.call_id, hash);
    // As values: escapes of JSON could hide what they say.
    if (body && mentions(textOf(body.toString('utf8')))) return true;
  }
  return false;
}

/** Every text and number in a JSON document, one a line; the document itself when it is none. */
function textOf(json: string): string {
  const lines: string[] = [];
  try {
    const open: unknown[] = [JSON.parse(json)];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (typeof next === 'string' || typeof next === 'number') lines.push(String(next));
      else if (typeof next === 'object' && next !== null) {
        lines.push(...Object.keys(next));
        open.push(...Object.values(next).filter((value) => value !== undefined && value !== null));
      }
    }
  } catch {
    return json;
  }
  return lines.join('\n');
}
