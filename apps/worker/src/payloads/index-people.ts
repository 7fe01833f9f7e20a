import { type Addresses, addressesIn, type Call, jsonOrText, numberForms } from '@wrapup/call';
import { type Config, retentionOf } from '@wrapup/config';
import type { RecordReceipt } from '@wrapup/destination';
import {
  type CallJob,
  type CallRef,
  type IndexedPerson,
  type NotedPeople,
  personKeysOf,
  recordOf,
  type Store,
} from '@wrapup/queue';
import { scanJson } from '@wrapup/synthflow';

/**
 * Notes the people that a revision names in the index of people: given or only said, wherever in the payload. The number of our
 * own agent is no person's.
 * @param call undefined for a body of no known shape, which is read as it came
 */
export async function indexPeople(job: CallJob, call: Call | undefined, store: Store, config: Config): Promise<void> {
  const { source, call_id, revision } = job;
  const addresses = call ? addressesOf(call) : await addressesAsItCame(job, store);
  const { ledger_days } = retentionOf(config, source);
  await store.people.add({ source, call_id }, revision, personKeysOf(addresses), ledger_days);
}

/** The same, for the step that routes the call. */
export async function peopleOf(job: CallJob, call: Call, store: Store, config: Config): Promise<NotedPeople> {
  const digests = await store.people.digestsOf(personKeysOf(addressesOf(call)));
  return { digests, days: retentionOf(config, job.source).ledger_days };
}

function addressesOf({ raw, lead, from_number, to_number, agent }: Call): Addresses {
  const addresses = addressesIn([raw, lead, from_number, to_number]);
  for (const form of (agent.number && numberForms(agent.number, [])?.numbers) || []) addresses.numbers.delete(form);
  return addresses;
}

async function addressesAsItCame(job: CallJob, store: Store): Promise<Addresses> {
  const asItCame = await readAsItCame(job, store);
  const addresses = addressesIn(asItCame);
  // Escapes may hide what a text says that was not parsed: `forget` looks at the payload as well.
  if (typeof asItCame === 'string') addresses.complete = false;
  return addresses;
}

async function readAsItCame({ source, call_id, revision }: CallJob, store: Store): Promise<unknown> {
  const body = await store.payloads.read(source, call_id, revision);
  if (!body) return undefined;
  const text = body.toString('utf8');
  // What would take too much memory, or is no JSON, is looked through as the text that it is.
  return scanJson(body) ? text : jsonOrText(text);
}

/** Notes which record of a CRM is the person of a call: other calls of theirs are found by it. */
export async function indexRecord(
  call: CallRef,
  connection: string,
  records: readonly RecordReceipt[],
  store: Store,
  config: Config,
): Promise<void> {
  const people = personRecords(connection, records);
  if (people.length === 0) return;
  await store.people.add(call, undefined, people, retentionOf(config, call.source).ledger_days);
}

/** The person among the records of a call, for the index of people. */
export function personRecords(connection: string, records: readonly RecordReceipt[]): IndexedPerson[] {
  return records.filter(({ name }) => name === 'person').map(({ object, id }) => recordOf(connection, object, id));
}
