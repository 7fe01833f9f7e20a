/**
 * How a new contact is kept from being created twice: by its unique property, or, where the account refuses that
 * (`key-ladder.ts`, step `map`), by what is left: the lease, the memory of who was created of late, and HubSpot's search.
 * An address is unique in HubSpot by itself. After a creation of which no answer came, search is given time to show the
 * person before another one is created.
 */
import { Failure } from '@wrapup/destination';
import {
  contactSteps,
  type FoundPeople,
  judgeClaim,
  lookUpPeople,
  type NewPerson,
  type PeopleVerbs,
  type PersonKey,
  type PersonKeys,
  startedAt,
} from '@wrapup/destination/engine';
import type { RequestFailure } from '@wrapup/destination/http';
import { readMany } from '../client/batches.ts';
import { keyProperty } from '../client/objects.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { explainRefusal, type HubSpotKeyStep, isKeyRefused, stepDown, stepOf } from '../keys/key-ladder.ts';

const CONTACTS = 'contacts';
/** Search is believed to know every contact that was created before. HubSpot says "a few moments". */
const SETTLE_MS = 30_000;

export function contactKeys(session: HubSpotSession, weaker: boolean, verbs: () => PeopleVerbs): PersonKeys {
  const steps: Record<HubSpotKeyStep, PersonKey> = {
    upsert: uniqueKey(session, true),
    read: uniqueKey(session, false),
    map: noKey(session, verbs),
  };
  return {
    inForce: async () => steps[await stepOf(session, CONTACTS)],
    isKeyRefused: (failure) => isKeyRefused(CONTACTS, asHubSpotFailure(failure)),
    async stepDown(from) {
      const step = (Object.keys(steps) as HubSpotKeyStep[]).find((name) => steps[name] === from) ?? 'map';
      const down = await stepDown(session, CONTACTS, step, weaker).catch(() => undefined);
      return { next: down?.step && steps[down.step], absent: down?.absent === true };
    },
    explain: (failure) =>
      failure.code === 'conflict' ? failure.with({ next: 'park', hint: CONTESTED }) : explainRefusal(failure),
  };
}

/** HubSpot says that another contact has one of the person's unique values, and not which: a person has to look. */
const CONTESTED =
  'Another contact holds this e-mail address or key, and HubSpot does not say which: find it in HubSpot, then replay.';

function uniqueKey(session: HubSpotSession, upserts: boolean): PersonKey {
  return {
    upserts,
    isUnique: () => true,
    keyed: (row, { key }) => ({ ...row, key }),
    async find(people, properties) {
      const { found, failed } = await readMany(session, {
        object: CONTACTS,
        ids: people.map(({ key }) => key),
        by: keyProperty(CONTACTS),
        properties,
        plansOf: (key) => people.filter((one) => one.key === key).flatMap(plansOf),
      });
      const all: FoundPeople = new Map();
      for (const person of people) {
        const { key, writes } = person;
        const record = found.get(key);
        const failure = failed.get(key);
        if (record)
          all.set(person, {
            person: { object: CONTACTS, ...record },
            read: true,
            claim: judgeClaim(writes, [key]),
          });
        else if (failure) all.set(person, failure);
      }
      return all;
    },
  };
}

const plansOf = ({ writes }: NewPerson) => writes.map(({ index }) => index);

function noKey(session: HubSpotSession, verbs: () => PeopleVerbs): PersonKey {
  return {
    upserts: false,
    isUnique: () => false,
    keyed: (row) => ({ ...row, required: new Set() }),
    async find(people, _properties, lost) {
      const found: FoundPeople = new Map();
      for (const person of people) {
        const failure = lost.get(person);
        if (failure) await lookAgain(verbs(), person, failure, found);
        else {
          const began = await startedAt(session.ctx, person.key).catch((thrown: unknown) => Failure.of(thrown));
          if (began instanceof Failure) found.set(person, began);
          else if (began !== undefined && Date.now() - began < SETTLE_MS) found.set(person, unsettled(began));
        }
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
  found: FoundPeople,
): Promise<void> {
  const plan = person.writes[0]?.index ?? 0;
  const match = person.writes.flatMap(contactSteps);
  const [answer] = await lookUpPeople(crm, [{ match, plan, read: false }], []);
  if (answer?.found === 'one')
    found.set(person, { person: answer.person, read: false, claim: answer.said ? 'limit' : 'same' });
  else if (failure.doubt || answer?.found !== 'none') found.set(person, failure);
}

function unsettled(began: number): Failure {
  return new Failure('busy', 'The person may have been created a moment ago: HubSpot’s search has to show it first.', {
    retry_after: Math.max(1000, began + SETTLE_MS - Date.now()),
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
