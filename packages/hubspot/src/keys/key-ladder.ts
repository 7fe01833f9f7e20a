/**
 * How a record of ours is found again, in three steps of which the first that the account allows is in force. Each object
 * of an account stands on its own.
 *
 *   upsert  the unique property, by upsert. Exactly one record, whatever is lost or repeated.
 *   read    the unique property, where the account takes no upsert: read by key, create the missing. HubSpot refuses the
 *           second holder of a key and names the first, so the promise is the same; it costs one request more.
 *   map     no unique property: ids remembered outside HubSpot, a lease while creating, and the key as a line in the
 *           record, by which it is looked for among the person's own records before a creation is repeated. Weaker: two
 *           processes that share no memory can make two. Only where the connection says `without_key: id_map`; else
 *           such deliveries are parked, since `wrapup provision` corrects it.
 *
 * What a refusal taught is remembered for a while, so that not every batch has to find out, and forgotten again, so that
 * an account that was repaired climbs back by itself.
 */
import { type Context, Failure } from '@wrapup/destination';
import {
  askedFor,
  contactSteps,
  type FoundPeople,
  judgeClaim,
  type KeyLadder,
  type KeyStrategy,
  lookUpPeople,
  type NewPerson,
  type PeopleVerbs,
  type PersonFinding,
  type PersonKey,
  type PersonKeys,
  type SteppedDown,
  startedAt,
} from '@wrapup/destination/engine';
import type { RequestFailure } from '@wrapup/destination/http';
import type { Plan } from '@wrapup/mapping';
import { readItems, readMany } from '../client/batches.ts';
import { keyProperty, readSchema } from '../client/definitions.ts';
import { linkedTo } from '../client/objects.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { idMap } from './id-map.ts';

type HubSpotKeyStep = 'upsert' | 'read' | 'map';

/** How long a lower step is remembered. */
const KEPT_MS = 10 * 60_000;
const memoryKey = (object: string) => `key-step:${object}`;

export async function stepOf({ ctx }: HubSpotSession, object: string): Promise<HubSpotKeyStep> {
  const kept = await ctx.memory.get(memoryKey(object));
  return kept === 'read' || kept === 'map' ? kept : 'upsert';
}

/** Under which names it is remembered which step is in force for what these plans write. */
export function keyStepMemories(plans: readonly Plan[]): string[] {
  return [CONTACTS, ...plans.flatMap(({ records }) => records.map(({ object }) => object))].map(memoryKey);
}

/** @param weaker records may be written without a unique key */
export function keyLadder(session: HubSpotSession, weaker: boolean): KeyLadder {
  const steps = { upsert: uniqueKey(session, true), read: uniqueKey(session, false), map: idMap(session) };
  return { ...climb(session, weaker, steps), explain: explainRefusal };
}

/** What both ladders have in common: which step is in force, and which one follows a refusal. */
function climb<Strategy>(session: HubSpotSession, weaker: boolean, steps: Record<HubSpotKeyStep, Strategy>) {
  return {
    async strategyFor(object: string) {
      const step = await stepOf(session, object);
      // An upsert takes no links, without which such a record is not made.
      return steps[step === 'upsert' && linkedTo(object).length > 0 ? 'read' : step];
    },
    isKeyRefused(object: string, { code, fields, details }: RequestFailure) {
      if (code === 'missing_property') return fields.length === 0 || fields.includes(keyProperty(object));
      return code === 'refused' && (details.status === 404 || details.status === 405);
    },
    async stepDown(object: string, from: Strategy): Promise<SteppedDown<Strategy>> {
      // The refusal itself says more than that the definitions cannot be read.
      const schema = await readSchema(session, object, true).catch(() => undefined);
      if (!schema) return { next: undefined, absent: false };
      const property = schema.get(keyProperty(object));
      const step = property?.unique ? from === steps.upsert && 'read' : weaker && from !== steps.map && 'map';
      if (step) await session.ctx.memory.set(memoryKey(object), step, KEPT_MS).catch(() => {});
      return { next: step ? steps[step] : undefined, absent: property === undefined };
    },
  };
}

/** The unique property: the account refuses a second record with its value. */
function uniqueKey(session: HubSpotSession, upserts: boolean): KeyStrategy {
  return {
    upserts,
    keyed: (row) => row,
    read(items) {
      return readItems(session, new Map(items.map((item) => [item, item.record.key])), true);
    },
  };
}

/**
 * Without its unique key nothing is written: a repeat could not be distinguished from a first time. A unique value that stays
 * contested is another record's, and a matter for a person.
 */
function explainRefusal(failure: Failure): Failure {
  if (failure.code === 'missing_property') return failure.with({ hint: KEY_HINT });
  return failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure;
}

const KEY_HINT =
  'Run `wrapup provision` (or create the property by hand), then replay. Where the account refuses it for good, the connection setting `without_key: id_map` writes without it, under a weaker promise.';

/*
 * How a new contact is kept from being created twice: by its unique property, or, where the account refuses that
 * (`key-ladder.ts`, step `map`), by what is left: the lease, the memory of who was created of late, and HubSpot's search.
 * An address is unique in HubSpot by itself. After a creation of which no answer came, search is given time to show the
 * person before another one is created.
 */

const CONTACTS = 'contacts';
/** Search is believed to know every contact that was created before. HubSpot says "a few moments". */
const SETTLE_MS = 30_000;

/** @param weaker people may be created without a unique key */
export function contactKeys(session: HubSpotSession, weaker: boolean, verbs: () => PeopleVerbs): PersonKeys {
  const steps = { upsert: contactKey(session, true), read: contactKey(session, false), map: noKey(session, verbs) };
  const ladder = climb(session, weaker, steps);
  return {
    inForce: () => ladder.strategyFor(CONTACTS),
    isKeyRefused: (failure) => ladder.isKeyRefused(CONTACTS, failure),
    stepDown: (from) => ladder.stepDown(CONTACTS, from),
    explain: (failure) =>
      failure.code === 'conflict' ? failure.with({ next: 'park', hint: CONTESTED }) : explainRefusal(failure),
  };
}

/** HubSpot says that another contact has one of the person's unique values, and not which: a person has to look. */
const CONTESTED =
  'Another contact holds this e-mail address or key, and HubSpot does not say which: find it in HubSpot, then replay.';

function contactKey(session: HubSpotSession, upserts: boolean): PersonKey {
  return {
    upserts,
    isUnique: () => true,
    keyed: (row, { key }) => ({ ...row, key }),
    async find(people, properties) {
      const ids = askedFor(people.map(({ key, writes }) => [key, writes.map(({ index }) => index)]));
      const found = await readMany(session, { object: CONTACTS, ids, by: keyProperty(CONTACTS), properties });
      const all: FoundPeople = new Map();
      for (const person of people) {
        const one = found.get(person.key);
        if (one instanceof Failure) all.set(person, one);
        else if (one)
          all.set(person, {
            person: { object: CONTACTS, ...one },
            read: true,
            claim: judgeClaim(person.writes, [person.key]),
          });
      }
      return all;
    },
  };
}

function noKey(session: HubSpotSession, verbs: () => PeopleVerbs): PersonKey {
  return {
    upserts: false,
    isUnique: () => false,
    keyed: (row) => ({ ...row, required: new Set() }),
    async find(people, _properties, lost) {
      const found: FoundPeople = new Map();
      for (const person of people) {
        const failure = lost.get(person);
        const one = failure ? await lookAgain(verbs(), person, failure) : await begunBefore(session.ctx, person);
        if (one) found.set(person, one);
      }
      return found;
    },
  };
}

/** Perhaps search knows already; if not, and HubSpot may have created the contact, the next attempt waits for it. */
async function lookAgain(
  crm: PeopleVerbs,
  person: NewPerson,
  failure: RequestFailure,
): Promise<PersonFinding | undefined> {
  const plan = person.writes[0]?.index ?? 0;
  const match = person.writes.flatMap(contactSteps);
  const [answer] = await lookUpPeople(crm, [{ match, plan, mustRead: () => false }], []);
  if (answer?.found === 'one') return { person: answer.person, read: false, claim: answer.said ? 'limit' : 'same' };
  return failure.outcome_unknown || answer?.found !== 'none' ? failure : undefined;
}

/** Why the person may be there although search does not show it yet. */
async function begunBefore(ctx: Context, { key }: NewPerson): Promise<Failure | undefined> {
  const began = await startedAt(ctx, key).catch((thrown: unknown) => Failure.of(thrown));
  if (began === undefined || began instanceof Failure) return began;
  const left = began + SETTLE_MS - Date.now();
  if (left <= 0) return undefined;
  return new Failure('busy', 'The person may have been created a moment ago: HubSpot’s search has to show it first.', {
    retry_after: Math.max(1000, left),
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
