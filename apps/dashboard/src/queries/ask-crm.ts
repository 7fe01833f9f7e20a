import { type Connection, withDestination } from '@wrapup/config';
import { type Context, type Destination, Failure, type PersonRecord, type Preview } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { type DeliveryEntry, makeSecrets, RedisMemory, type Store } from '@wrapup/queue';

/** Milliseconds that a page waits for what it was opened for. */
const WITHIN_MS = 15_000;
/** Milliseconds that a page waits for what it can do without. */
const OPTIONAL_WITHIN_MS = 4_000;

export type Refused = { failure: Pick<Failure, 'code' | 'message' | 'hint'> };
export type PreviewAnswer = { preview: Preview } | Refused;
/** In the order asked for; an id alone is of a record that is gone. */
export type Candidates = { people: (PersonRecord | { id: string })[] } | Refused;

/** What a plan would change, as the CRM answers now. */
export async function askCrm(
  store: Store,
  connection: Connection,
  planned: Plan,
  delivery: Pick<DeliveryEntry, 'chosen'> = {},
): Promise<PreviewAnswer> {
  return ask(store, connection, WITHIN_MS, async (destination, context) => {
    const plan = await store.choices.applyTo(planned, { ...delivery, connection: connection.name });
    const [preview] = await destination.preview([plan], context);
    if (!preview) throw new Failure('unaccounted', 'The CRM gave no preview of the plan.');
    return { preview };
  });
}

/** Who these candidates are: names and addresses for one page, stored nowhere. */
export async function askWho(store: Store, connection: Connection, ids: string[]): Promise<Candidates> {
  const questions = ids.map((id) => ({
    match: [{ by: 'id' as const, value: id }],
    properties: [],
    identify: true as const,
  }));
  return ask(store, connection, OPTIONAL_WITHIN_MS, async (destination, context) => {
    const answers = await destination.find(questions, context);
    return {
      people: ids.map((id, index) => {
        const answer = answers[index];
        return answer?.found === 'one' ? answer.person : { id };
      }),
    };
  });
}

/** The same of those who are there. */
export async function askNames(
  store: Store,
  connection: Connection,
  ids: string[],
): Promise<{ people: PersonRecord[] } | Refused> {
  const answer = await askWho(store, connection, ids);
  return 'people' in answer ? { people: answer.people.filter((one) => 'object' in one) } : answer;
}

/** Asks a CRM: reads only, and stores nothing of the answer. */
async function ask<T>(
  store: Store,
  connection: Connection,
  within: number,
  work: (destination: Destination, context: Context) => Promise<T>,
): Promise<T | Refused> {
  try {
    const shared = {
      secrets: makeSecrets(store, connection.name),
      notes: new RedisMemory(store, connection.name),
    };
    return await withDestination(connection, shared, (destination, context) => work(destination, context(within)));
  } catch (error) {
    const { code, message, hint } = Failure.of(error);
    return { failure: { code, message, hint } };
  }
}
