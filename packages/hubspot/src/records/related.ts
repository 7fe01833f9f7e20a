/**
 * Records that are linked to contacts or companies: read for a whole batch through HubSpot's links, then by their ids.
 *
 * Links are read 1,000 at a time, records 100. Whether a deal is closed HubSpot computes; of a ticket its stage tells, which
 * is read once and remembered. https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
 */
import { Failure, remembered } from '@wrapup/destination';
import {
  askedFor,
  chunk,
  type Existing,
  type Item,
  type RelatedQuestion,
  type RelatedRecords,
} from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { MAX_LINKS_READ, readLinked, readPipelines } from '../client/api.ts';
import { readMany } from '../client/batches.ts';
import type { HubSpotSession } from '../client/transport.ts';
import {
  asHubSpotFailure,
  failureOf,
  HubSpotFailure,
  itemStatus,
  readVendorError,
  unaccounted,
} from '../errors/classify.ts';

/** Of one person or company so many records are read, those with the highest ids, which are the youngest. */
const MOST_READ = 100;
/** Where all of them are asked for: with more the look-up fails. */
const MOST_OF_ALL = 1_000;
/** Pages of links of one record that are read before it counts as too busy. */
const MAX_PAGES = 20;

/** Numbers of the links that make a company the primary one. */
const PRIMARY: ReadonlySet<number> = new Set([1, 5, 26]);

interface ClosedBy {
  reads: string[];
  isClosed(values: Existing['properties'], ends: Ends): boolean;
  /** Property that names the pipeline. */
  pipeline: string;
}

/** How an object tells that a record is at its end. Objects that are not listed know none. */
const CLOSED_BY: Record<string, ClosedBy> = {
  deals: {
    reads: ['hs_is_closed'],
    isClosed: ({ hs_is_closed }) => hs_is_closed === 'true',
    pipeline: 'pipeline',
  },
  tickets: {
    reads: ['hs_pipeline_stage'],
    pipeline: 'hs_pipeline',
    isClosed: ({ hs_pipeline_stage }, ends) => ends.has(String(hs_pipeline_stage)),
  },
};

/** Properties that tell whether a record is open, and in which pipeline. */
export function stateOf(object: string): string[] {
  const closedBy = CLOSED_BY[object];
  return closedBy ? [...closedBy.reads, closedBy.pipeline] : [];
}

/**
 * Whether a record that was read with those properties is open; where the plan names a pipeline, in that one, since its
 * stages mean nothing in another. @throws the failure of the request
 */
export async function isOpen(
  session: HubSpotSession,
  { record: { object, fields }, write }: Item,
  { properties }: Pick<Existing, 'properties'>,
): Promise<boolean> {
  const closedBy = CLOSED_BY[object];
  if (!closedBy) return false;
  const ends = object === 'tickets' ? await closedStages(session, object, [write.index]) : new Set<string>();
  const wanted = fields.find(({ name }) => name === closedBy.pipeline)?.value ?? undefined;
  return (
    !closedBy.isClosed(properties, ends) && (wanted === undefined || String(wanted) === properties[closedBy.pipeline])
  );
}

/** Never rejects. */
export async function readRelated(
  session: HubSpotSession,
  questions: readonly RelatedQuestion[],
): Promise<RelatedRecords[]> {
  return Promise.all(questions.map((question) => answer(session, question)));
}

async function answer(session: HubSpotSession, question: RelatedQuestion): Promise<RelatedRecords> {
  const { object, ids, properties, closed } = question;
  const links = await readLinks(session, question);
  const answers = new Map<string, Existing[] | Failure>();
  const linked = new Map<string, Linked[]>();
  for (const [id, one] of links) {
    if (one instanceof Failure) answers.set(id, one);
    else linked.set(id, one);
  }
  const closedBy = CLOSED_BY[object];
  if (!closedBy && properties.length === 0) {
    for (const [id, all] of linked) answers.set(id, all.map(toExisting));
    return answers;
  }
  const plansOf = (id: string) => ids.get(id) ?? [];
  let ends: Ends = new Set();
  try {
    if (object === 'tickets' && linked.size > 0)
      ends = await closedStages(session, object, [...linked.keys()].flatMap(plansOf));
  } catch (thrown) {
    for (const id of linked.keys()) answers.set(id, asHubSpotFailure(thrown));
    return answers;
  }
  const records = await readMany(session, {
    object,
    ids: askedFor([...linked].flatMap(([id, all]) => all.map((one) => [one.id, plansOf(id)] as const))),
    properties: [...CREATED, ...(closed ? [CHANGED] : []), ...(closedBy?.reads ?? []), ...properties],
  });
  const isClosed = (one: Existing) => closedBy?.isClosed(one.properties, ends) === true;
  for (const [id, all] of linked) {
    // What vanished since its link was read is linked no more.
    const read = all.flatMap((one) => records.get(one.id) ?? []);
    const there = read.flatMap((one) => (one instanceof Failure ? [] : [one]));
    const wanted = closed ? there : there.filter((one) => !isClosed(one));
    const order = closed
      ? (a: Existing, b: Existing) => Number(isClosed(a)) - Number(isClosed(b)) || byChange(a, b)
      : byAge;
    const failure = read.find((one) => one instanceof Failure);
    answers.set(id, failure ?? (closedBy ? wanted.toSorted(order) : wanted));
  }
  return answers;
}

interface Linked {
  id: string;
  primary: boolean;
}

const toExisting = ({ id }: Linked): Existing => ({ id, properties: {} });

/** The links of each, the primary one first, else the youngest. Ids that are not in it have none. Never rejects. */
export async function readLinks(
  session: HubSpotSession,
  { of, object, ids, all: whole }: RelatedQuestion,
): Promise<Map<string, Linked[] | HubSpotFailure>> {
  const links = new Map<string, Linked[] | HubSpotFailure>();
  for (const part of chunk([...ids.keys()], MAX_LINKS_READ)) {
    let inputs: { id: string; after?: string }[] = part.map((id) => ({ id }));
    for (let page = 0; inputs.length > 0; page += 1) {
      const asked = inputs.map(({ id }) => id);
      if (page === MAX_PAGES) {
        for (const id of asked) links.set(id, tooMany(of, object));
        break;
      }
      try {
        const call = readLinked(of, object, inputs);
        const body = asObject(
          (
            await session.send(
              call,
              asked.flatMap((id) => ids.get(id) ?? []),
            )
          ).body,
        );
        inputs = account(body, asked, call.name, links);
      } catch (thrown) {
        for (const id of asked) links.set(id, asHubSpotFailure(thrown));
        break;
      }
    }
  }
  for (const [id, some] of links)
    if (!(some instanceof Failure))
      links.set(
        id,
        whole && some.length > MOST_OF_ALL
          ? tooMany(of, object)
          : some.toSorted(byPlace).slice(0, whole ? MOST_OF_ALL : MOST_READ),
      );
  return links;
}

function tooMany(of: string, object: string): HubSpotFailure {
  return new HubSpotFailure('refused', `read links of ${of} to ${object}: one record has more than can be read.`, {
    hint: 'Name what is meant by its id, take the association out of the mapping, or clean up the record; then replay.',
  });
}

/** Matches a 2xx body to the ids. @returns what to ask next. @throws HubSpotFailure when it has no results to match */
function account(
  body: Record<string, unknown>,
  asked: string[],
  doing: string,
  links: Map<string, Linked[] | HubSpotFailure>,
): { id: string; after: string }[] {
  if (!Array.isArray(body.results)) throw unaccounted(doing);
  const open = new Set(asked);
  const next: { id: string; after: string }[] = [];
  for (const item of body.results.map(asObject)) {
    const id = String(asObject(item.from).id);
    if (!open.delete(id)) continue;
    const known = links.get(id);
    const linked = asList(item.to).map(asObject).map(toLinked);
    links.set(id, [...(known instanceof Failure ? [] : (known ?? [])), ...linked]);
    const after = asObject(asObject(item.paging).next).after;
    if (after !== undefined) next.push({ id, after: String(after) });
  }
  for (const item of asList(body.errors)) {
    const error = readVendorError(itemStatus(item), item);
    // "No deal is associated with contact 1": that is an answer, of whom it names.
    const isNone = error.status === 404;
    const named = [...open].filter((id) => error.ids.includes(id));
    for (const id of named.length > 0 || (isNone && open.size > 1) ? named : open) {
      open.delete(id);
      if (!isNone) links.set(id, failureOf(error, { doing }));
    }
  }
  for (const id of open) links.set(id, unaccounted(doing));
  return next;
}

function toLinked({ toObjectId, associationTypes }: Record<string, unknown>): Linked {
  const types = asList(associationTypes).map(asObject);
  return { id: String(toObjectId), primary: types.some(({ typeId }) => PRIMARY.has(Number(typeId))) };
}

/** Ids are given out in the order of creation. */
function byPlace(a: Linked, b: Linked): number {
  return Number(b.primary) - Number(a.primary) || Number(b.id) - Number(a.id);
}

/** Leads, activities and custom objects have a property of their own for when they were created. */
export const CREATED = ['createdate', 'hs_createdate'];

/** The newest first. */
export function byAge(a: Existing, b: Existing): number {
  const created = ({ properties: { createdate, hs_createdate } }: Existing) =>
    Date.parse(String(createdate ?? hs_createdate ?? '')) || 0;
  return created(b) - created(a) || Number(b.id) - Number(a.id);
}

/** When a record was changed last; leads, activities and custom objects have it, too. */
const CHANGED = 'hs_lastmodifieddate';

/** Those first that were changed last. */
function byChange(a: Existing, b: Existing): number {
  const changed = ({ properties }: Existing) => Date.parse(String(properties[CHANGED] ?? '')) || 0;
  return changed(b) - changed(a);
}

type Ends = ReadonlySet<string>;

/** How long an account's stages are remembered. */
const STAGES_KEPT_MS = 10 * 60_000;

/** Ids of the stages in which a ticket is closed. @throws HubSpotFailure */
async function closedStages(session: HubSpotSession, object: string, plans: number[]): Promise<Ends> {
  const read = async () => {
    const call = readPipelines(object);
    const { results } = asObject((await session.send(call, plans)).body);
    if (!Array.isArray(results)) throw unaccounted(call.name);
    return results
      .flatMap((pipeline) => asList(asObject(pipeline).stages).map(asObject))
      .filter(({ metadata }) => isEnd(asObject(metadata)))
      .map(({ id }) => String(id));
  };
  return new Set(await remembered(session.ctx, `closed-stages:${object}`, STAGES_KEPT_MS, read));
}

/** Of late every stage says so in one word; before that tickets had a state. */
function isEnd({ isClosed, ticketState }: Record<string, unknown>): boolean {
  return isClosed === undefined ? ticketState === 'CLOSED' : String(isClosed) === 'true';
}
