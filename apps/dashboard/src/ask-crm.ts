import { type Connection, KINDS } from '@wrapup/config';
import {
  type Context,
  type Destination,
  Failure,
  makeMemoryCommons,
  makeMemoryContext,
  type PersonRecord,
  type Preview,
} from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { makeSecrets, type Store } from '@wrapup/queue';

/** Milliseconds that a person waits for what he asked for. */
const WITHIN = 15_000;
/** Milliseconds that a page waits for what it can do without. */
const BESIDE = 4_000;

export type Refused = { failure: Pick<Failure, 'code' | 'message' | 'hint'> };
export type Answer = { preview: Preview } | Refused;
/** In the order asked for; an id alone is of somebody who is not there any more. */
export type Candidates = { people: (PersonRecord | { id: string })[] } | Refused;

/** What a plan would change, asked of the CRM itself. */
export async function askCrm(store: Store, connection: Connection, plan: Plan): Promise<Answer> {
  return withDestination(store, connection, WITHIN, async (destination, context) => {
    const [preview] = await destination.preview([plan], context);
    if (!preview) throw new Failure('unaccounted', 'The CRM said nothing of the plan.');
    return { preview };
  });
}

/** Who these are: names and addresses for the page that asks, and for nothing else. */
export async function askWho(store: Store, connection: Connection, ids: string[]): Promise<Candidates> {
  const questions = ids.map((id) => ({
    match: [{ by: 'id' as const, value: id }],
    properties: [],
    identify: true as const,
  }));
  return withDestination(store, connection, BESIDE, async (destination, context) => {
    const answers = await destination.find(questions, context);
    return {
      people: ids.map((id, index) => {
        const answer = answers[index];
        return answer?.found === 'one' ? answer.person : { id };
      }),
    };
  });
}

/**
 * Asks a CRM: reads only. Nothing that it finds is kept in Redis; but tokens are those of the workers, who may hold a
 * newer refresh token than the configuration. The vendor's client is loaded the first time somebody asks.
 */
async function withDestination<T>(
  store: Store,
  connection: Connection,
  within: number,
  work: (destination: Destination, context: Context) => Promise<T>,
): Promise<T | Refused> {
  try {
    const kind = KINDS[connection.kind];
    if (!kind) throw new Failure('mapping', `There is no destination of kind ${connection.kind}.`);
    const destination = await kind.connect(connection.name, connection.settings);
    try {
      const secrets = makeSecrets(store, connection.name);
      return await work(destination, makeMemoryContext(makeMemoryCommons(kind.pools ?? {}), { within, secrets }));
    } finally {
      await destination.close();
    }
  } catch (error) {
    const { code, message, hint } = Failure.of(error);
    return { failure: { code, message, hint } };
  }
}
