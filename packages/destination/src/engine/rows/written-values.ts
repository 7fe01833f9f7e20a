/**
 * What was written to the fields of a record, by which its own value can be distinguished from a colleague's (`if_ours`).
 *
 *   before a write   the digests of what is about to be written are noted beside those of what was written last
 *   after it         those of what stands now remain; after a refusal those from before
 *
 * So a process that dies between the CRM's commit and its own note leaves behind what the next one knows its value by. The
 * notes are keyed digests in memory: what is lost with it counts as unknown, and what is unknown stays in the CRM.
 *
 * Links are noted once they were made, or found made: a call that comes again makes none of them anew, so that those which a
 * colleague took off stay off. Only those that were made are taken off a record when its call turns out to be another person's.
 */
import { personKey } from '@wrapup/call';
import type { FieldOrigin, Value } from '@wrapup/mapping';
import { type Context, WRITTEN_NOTES } from '../../port/context.ts';
import type { SinceWritten, Subject } from '../../port/destination.ts';
import { Failure } from '../../port/failure.ts';
import { digest } from '../people/person-cache.ts';
import type { FieldRules, RowResult } from './row.ts';

/** Values by property, in their canonical form. */
export type CanonicalValues = ReadonlyMap<string, string>;

/** A call, as far as a note names it. */
interface NotedCall {
  key: string;
  /** Epoch ms when it ended. */
  ended_at: number;
}

interface Noted {
  /** Digest of the key of the call that wrote last. */
  by: string;
  /** Epoch ms when that call ended. */
  ended: number;
  /** A mark of the property and a digest of what was written there; several of one property while a write is open. */
  fields: readonly string[];
}

/** The other end of a link. */
export interface LinkEnd {
  object: string;
  id: string;
  /** What the account calls the link. */
  label?: string;
  /** True: it was there when the record was found. It is not ours to take off. */
  found?: true;
}

/** Stands for all links of a record among the names of its properties. */
const LINKS = '\0links';
/**
 * Links that a note holds, the latest: a company is linked to all who call from it. Those of the call that is noted are held
 * whatever their number, which adapters limit (100 open records of a person, each with a label).
 */
const MOST_LINKS = 250;

const nameOf = ({ object, id, label = '', found }: LinkEnd) => `${object}\0${id}\0${label}${found ? '\0found' : ''}`;

interface OpenWrite {
  before: Noted | undefined;
  values: CanonicalValues;
}

/** Name of what is noted of a record that carries a key of ours. */
export function recordMemory({ object, key }: { object: string; key: string }): string {
  return `${WRITTEN_NOTES.fields}${object}:${digest(key)}`;
}

/** Name of what is noted of a person. */
export function personMemory({ object, id }: { object: string; id: string }): string {
  return `${WRITTEN_NOTES.fields}${object}:${id}`;
}

/** Name of what is noted of a person who is about to be created. @param key the unique key, a hash already */
export function newPersonMemory(key: string): string {
  return `${WRITTEN_NOTES.fields}${key}`;
}

/** By what a record that was found is known, whichever call means it. */
export function foundKey(id: string): string {
  return `found:${id}`;
}

/** Name of the note which record of the CRM a call's record is. @param key the call's own key of it */
export function foundMemory(key: string): string {
  return `found:${digest(key)}`;
}

/** Under which names this file may have something of a person: see `DestinationKind.remembers`. */
export function writtenMemories({ phones, emails, records }: Subject): string[] {
  const keys = [...phones.map((phone) => personKey({ phone })), ...emails.map((email) => personKey({ email }))];
  return [
    ...records.flatMap((record) => [
      recordMemory(record),
      recordMemory({ ...record, key: foundKey(record.id) }),
      personMemory(record),
      foundMemory(record.key),
    ]),
    ...keys.flatMap((key) => (key ? [newPersonMemory(key)] : [])),
  ];
}

/** Where something is noted, and the names under which it may be noted still where it is not. */
export interface NoteNames {
  name: string;
  others: readonly string[];
}

/** Reads what is noted under these names. @throws what memory throws */
export async function recallWritten(
  { memory, log }: Pick<Context, 'memory' | 'log'>,
  notes: readonly (string | NoteNames)[],
): Promise<WrittenValues> {
  const make = await memory.digester();
  const known = new Map<string, Noted>();
  const read = async (name: string) => {
    const text = await memory.get(name);
    const noted = text === undefined ? undefined : parse(text);
    if (noted) known.set(name, noted);
  };
  const names = notes.flatMap((one) => (typeof one === 'string' ? [one] : [one.name, ...one.others]));
  await Promise.all([...new Set(names)].map(read));
  for (const one of notes) {
    if (typeof one === 'string' || known.has(one.name)) continue;
    const noted = one.others.map((other) => known.get(other)).find((other) => other !== undefined);
    if (noted) known.set(one.name, noted);
  }
  return new WrittenValues(memory, log, make, known);
}

export class WrittenValues {
  readonly #memory: Context['memory'];
  readonly #log: Context['log'];
  readonly #digest: (value: string) => string;
  readonly #known: Map<string, Noted>;
  readonly #open = new Map<string, OpenWrite>();

  constructor(
    memory: Context['memory'],
    log: Context['log'],
    digestOf: (value: string) => string,
    known: Map<string, Noted>,
  ) {
    this.#memory = memory;
    this.#log = log;
    this.#digest = digestOf;
    this.#known = known;
  }

  /** Whose value a property has. @param from and @param to in canonical form */
  originOf(name: string, property: string, from: string, to: string): FieldOrigin {
    if (from === to) return 'same';
    const mark = this.#markOf(property);
    const written = this.#known.get(name)?.fields.filter((field) => field.startsWith(mark)) ?? [];
    if (written.length === 0) return 'unknown';
    return written.includes(this.#fieldOf(property, from)) ? 'ours' : 'changed';
  }

  /** What has become of a property since it was written. @param from as it is, and @param to as the call says it, in canonical form */
  sinceWritten(name: string, property: string, from: string, to: string): SinceWritten {
    const fields = this.#known.get(name)?.fields ?? [];
    const isNoted = (value: string) => fields.includes(this.#fieldOf(property, value));
    if (from === to) return isNoted(to) ? 'unchanged' : 'same';
    return this.originOf(name, property, from, to);
  }

  /** Whether the record was linked to that one before, by us or by a colleague. */
  hasLink(name: string, { object, id }: Pick<LinkEnd, 'object' | 'id'>): boolean {
    return this.wasLinked(name, { object, id }) || this.wasLinked(name, { object, id, found: true });
  }

  /** Whether it is noted that the record was linked to that one. */
  wasLinked(name: string, to: LinkEnd): boolean {
    return this.#known.get(name)?.fields.includes(this.#fieldOf(LINKS, nameOf(to))) === true;
  }

  /**
   * Notes what the record is linked to now, beside what is noted of it. Never rejects.
   * @param gone what it was taken off
   */
  async noteLinks(name: string, call: NotedCall, made: LinkEnd[], gone: LinkEnd[] = []): Promise<void> {
    const noted = this.#known.get(name) ?? { by: this.#short(call.key), ended: call.ended_at, fields: [] };
    const mark = this.#markOf(LINKS);
    const fieldsOf = (ends: LinkEnd[]) => ends.map((end) => this.#fieldOf(LINKS, nameOf(end)));
    const without = new Set(fieldsOf(gone));
    const own = new Set(fieldsOf(made).filter((field) => !without.has(field)));
    const before = noted.fields.filter((field) => field.startsWith(mark) && !without.has(field) && !own.has(field));
    const kept = before.slice(Math.max(0, before.length + own.size - MOST_LINKS));
    const fields = [...noted.fields.filter((field) => !field.startsWith(mark)), ...kept, ...own];
    if (fields.length === noted.fields.length && fields.every((field) => noted.fields.includes(field))) return;
    try {
      await this.#keep(name, { ...noted, fields });
    } catch (thrown) {
      this.#log.warn({ error: Failure.of(thrown).message }, 'what was linked could not be noted');
    }
  }

  /** Epoch ms when the call ended that was written last; undefined where nothing is noted. */
  endedOf(name: string): number | undefined {
    return this.#known.get(name)?.ended;
  }

  /** Whether this call was the last that was written. */
  isLast(name: string, { key }: Pick<NotedCall, 'key'>): boolean {
    return this.#known.get(name)?.by === this.#short(key);
  }

  /** Notes what is about to be written. @throws what memory throws */
  async intend(name: string, values: CanonicalValues, call: NotedCall): Promise<void> {
    if (values.size === 0) return;
    const before = this.#known.get(name);
    this.#open.set(name, { before, values });
    const fields = new Set([...(before?.fields ?? []), ...this.#fieldsOf(values)]);
    await this.#keep(name, { by: this.#short(call.key), ended: call.ended_at, fields: [...fields] });
  }

  /**
   * Notes what stands after a write whose answer is known. Never rejects.
   * @param written names of the properties that were written; undefined where the CRM refused all of it
   * @param stored what the CRM made of them, where it tells, in canonical form
   */
  async settle(
    name: string,
    written: Pick<ReadonlySet<string>, 'has'> | undefined,
    stored?: CanonicalValues,
  ): Promise<void> {
    const open = this.#open.get(name);
    const noted = this.#known.get(name);
    if (!open || !noted) return;
    this.#open.delete(name);
    const { before, values } = open;
    try {
      if (!written) return await (before ? this.#keep(name, before) : this.#forget(name));
      const kept = new Map([...values].filter(([property]) => written.has(property)));
      const marks = [...kept.keys()].map((property) => this.#markOf(property));
      const others = (before?.fields ?? []).filter((field) => !marks.some((mark) => field.startsWith(mark)));
      const reported = new Map([...(stored ?? [])].filter(([property]) => kept.has(property)));
      const fields = [...new Set([...others, ...this.#fieldsOf(kept), ...this.#fieldsOf(reported)])];
      const isSame = fields.length === noted.fields.length && fields.every((field) => noted.fields.includes(field));
      if (!isSame) await this.#keep(name, { ...noted, fields });
    } catch (thrown) {
      // Both what was and what is are noted: the value is known for ours all the same.
      this.#log.warn({ error: Failure.of(thrown).message }, 'what was written could not be noted');
    }
  }

  /** Moves the note of a person who was created to the name of their record. Never rejects. */
  async rename(from: string, to: string): Promise<void> {
    const noted = this.#known.get(from);
    if (!noted) return;
    try {
      await this.#keep(to, noted);
      await this.#forget(from);
    } catch (thrown) {
      this.#log.warn({ error: Failure.of(thrown).message }, 'what was written could not be noted');
    }
  }

  async #keep(name: string, noted: Noted): Promise<void> {
    this.#known.set(name, noted);
    await this.#memory.set(name, print(noted), 'ledger');
  }

  async #forget(name: string): Promise<void> {
    this.#known.delete(name);
    await this.#memory.delete(name);
  }

  #fieldsOf(values: CanonicalValues): string[] {
    return [...values].map(([property, value]) => this.#fieldOf(property, value));
  }

  #fieldOf(property: string, value: string): string {
    return this.#markOf(property) + this.#short(`${property}\0${value}`);
  }

  #markOf(property: string): string {
    return this.#digest(property).slice(0, MARK);
  }

  #short(text: string): string {
    return this.#digest(text).slice(0, SHORT);
  }
}

/*
 * A note is kept short, since there is one for each record of ninety days: three characters of a property, eight of a value.
 * Two properties of one mark are taken for changed, and stay; two values of one digest are one in 10^14.
 */
const MARK = 3;
const SHORT = 8;

function print({ by, ended, fields }: Noted): string {
  return `${by}${ended.toString(36)}|${fields.join('')}`;
}

function parse(text: string): Noted | undefined {
  const end = text.indexOf('|', SHORT);
  const ended = Number.parseInt(text.slice(SHORT, end), 36);
  if (end < 0 || !Number.isFinite(ended)) return undefined;
  const all = text.slice(end + 1);
  const width = MARK + SHORT;
  const fields = Array.from({ length: Math.floor(all.length / width) }, (_, n) =>
    all.slice(n * width, (n + 1) * width),
  );
  return { by: text.slice(0, SHORT), ended, fields };
}

/**
 * Notes what stands after a row was answered, as far as that is known: an answer that was lost leaves both what was and what
 * may be. Never rejects.
 * @param note its name, and the object whose rules the fields follow
 */
export async function settleRow(
  values: WrittenValues,
  rules: FieldRules,
  { name, object }: { name: string; object: string },
  result: RowResult,
): Promise<void> {
  if (!result.ok) {
    if (!result.failure.outcome_unknown) await values.settle(name, undefined);
    return;
  }
  const dropped = new Set(result.dropped.map(({ property }) => property));
  const stored = Object.entries(result.stored ?? {}).map(
    ([property, value]) => [property, canonicalOf(rules, object, property, value)] as const,
  );
  await values.settle(name, { has: (property) => !dropped.has(property) }, new Map(stored));
}

/** A value in the one spelling that all of its spellings share. */
export function canonicalOf(rules: FieldRules, object: string, property: string, value: Value | undefined): string {
  return rules.canonical?.(object, property, value) ?? canonicalText(value);
}

/**
 * A value as it is compared where the CRM's definition of the field is not known: numbers, times and addresses without their
 * spelling, texts without the blanks and the marks of line breaks that CRMs change. Pure.
 */
function canonicalText(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  const text = String(value)
    .replace(/\r\n?/g, '\n')
    .replace(/<br\s*\/>/gi, '<br>')
    .trim();
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/.test(text)) return String(Number(text));
  if (/^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2}))?$/.test(text)) {
    const time = Date.parse(text);
    if (Number.isFinite(time)) return String(time);
  }
  if (/^[^\s@<>]+@[^\s@<>]+$/.test(text)) return text.toLowerCase();
  return /^[\w-]+(?:;[\w-]+)+;?$/.test(text) ? text.split(';').filter(Boolean).sort().join(';') : text;
}
