/** The call as a JSON document, under the very names that mapping paths read it by. */
import { type Call, clientOf, type Json, localName } from '@wrapup/call';
import { parseBodyPath } from './body-path.ts';

/** Properties that say what the body is made of, rather than being part of it. */
export const SEND = '$send';
export const LEAVE_OUT = '$leave_out';
/** What `send` says when everything goes; a list of paths otherwise. */
export const EVERYTHING = 'all';

/** What `send` and `leave_out` name: `call`, `lead.phone`, `vars`. */
export type DocumentPath = string[];

export type Document = { [root: string]: Json };

/** In the order in which they are sent. */
const DOCUMENT_ROOTS = [
  'call',
  'lead',
  'booking',
  'vars',
  'collected',
  'extracted',
  'actions',
  'analysis',
  'prompt_variables',
  'metadata',
  'source',
  'raw',
] as const;

/** Sent only when it is asked for by name: it repeats everything, and holds what was never checked. */
const ONLY_BY_NAME = 'raw';

/** What `send: all` stands for. */
export const ALL: DocumentPath[] = DOCUMENT_ROOTS.filter((root) => root !== ONLY_BY_NAME).map((root) => [root]);

export function documentOf(call: Call): Document {
  const { source, key_prefix: _, ...rest } = call;
  const { lead, booking, vars, collected, extracted, actions, analysis, ...more } = rest;
  const { prompt_variables, metadata, raw, ...facts } = more;
  const client = clientOf(source);
  const document = {
    call: facts,
    lead,
    booking,
    vars,
    collected,
    extracted,
    actions,
    analysis,
    prompt_variables,
    metadata,
    source: { name: localName(source), ...(client !== undefined && { client }) },
    raw,
  } satisfies Record<(typeof DOCUMENT_ROOTS)[number], unknown>;
  // The call record holds nothing but JSON.
  return document as unknown as Document;
}

/** Facts of a call that may be absent are known by name, so that a mistyped one is found. */
const CALL_FACTS: Record<Exclude<keyof Call, 'key_prefix' | (typeof DOCUMENT_ROOTS)[number]>, true> = {
  id: true,
  status: true,
  status_raw: true,
  terminal: true,
  outcome: true,
  answered_by: true,
  end_reason: true,
  end_reason_raw: true,
  end_reason_text: true,
  error: true,
  direction: true,
  agent: true,
  started_at: true,
  ended_at: true,
  received_at: true,
  utc_offset: true,
  timezone: true,
  duration: true,
  from_number: true,
  to_number: true,
  transcript: true,
  turns: true,
  recording_url: true,
  external_id: true,
  diversion: true,
  transferred_to: true,
  notes: true,
};
const LEAD_FACTS: Record<keyof Required<Call['lead']>, true> = {
  name: true,
  first_name: true,
  last_name: true,
  email: true,
  email_origin: true,
  said_email: true,
  phone: true,
  phone_origin: true,
  phone_raw: true,
  country: true,
};
const BOOKING_FACTS: Record<keyof Required<Call['booking']>, true> = {
  status: true,
  id: true,
  starts_at: true,
  ends_at: true,
  moved_from: true,
  title: true,
  place: true,
  action: true,
};
const KNOWN: Record<string, Record<string, true>> = {
  call: CALL_FACTS,
  booking: BOOKING_FACTS,
  lead: LEAD_FACTS,
  source: { name: true, client: true },
};

/** Paths with commas or blanks between them; a blank or comma inside `["…"]` belongs to the name. */
const PATHS = /(?:\["[^"]*"\]|[^\s,])+/g;

/**
 * Reads `call, lead.phone, vars["with space"]`.
 * @returns what is wrong, as text: a path that names nothing must never decide what is sent
 */
export function parsePaths(text: string): DocumentPath[] | string {
  const paths: DocumentPath[] = [];
  for (const written of text.match(PATHS) ?? []) {
    const path = parseBodyPath(written);
    if (typeof path === 'string') return `one of its paths ${path}`;
    if (!path.every((segment) => typeof segment === 'string')) return 'one of its paths leads into a list';
    const [root = '', fact] = path;
    if (!(DOCUMENT_ROOTS as readonly string[]).includes(root))
      return `one of its paths begins with none of ${DOCUMENT_ROOTS.join(', ')}`;
    const known = Object.hasOwn(KNOWN, root) ? KNOWN[root] : undefined;
    if (known && fact !== undefined && !Object.hasOwn(known, fact))
      return `one of its paths names nothing that ${root} has: ${Object.keys(known).join(', ')}`;
    paths.push(path);
  }
  return paths.length > 0 ? paths : 'it names nothing';
}

/** The parts of a document that paths name, each once, in the document's order. */
export function pick(document: Document, paths: DocumentPath[]): Document {
  return select(document, paths, true);
}

/** The document without what paths name. */
export function omit(document: Document, paths: DocumentPath[]): Document {
  return select(document, paths, false);
}

/** @param keep what happens to what a path names; the opposite happens to the rest */
function select(document: Document, paths: DocumentPath[], keep: boolean): Document {
  const kept: [string, Json][] = [];
  for (const [name, value] of Object.entries(document)) {
    const deeper = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (deeper.some((rest) => rest.length === 0)) {
      if (keep) kept.push([name, value]);
    } else if (deeper.length > 0 && isSection) kept.push([name, select(value, deeper, keep)]);
    else if (!keep) kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}
