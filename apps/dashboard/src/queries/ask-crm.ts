import { type Connection, type Examination, examineConnection, withDestination } from '@wrapup/config';
import {
  type Context,
  type Destination,
  Failure,
  type PersonRecord,
  type Preview,
  type ProvisionStep,
} from '@wrapup/destination';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { type DeliveryEntry, makeSecrets, RedisMemory, type Store } from '@wrapup/queue';

/** Milliseconds that a page waits for what it was opened for. */
const WITHIN_MS = 15_000;
/** Milliseconds that a page waits for fields to be made, some tens of them one after the other. */
const PROVISION_WITHIN_MS = 30_000;
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
  const answer = await askPreviews(store, connection, [{ planned, delivery }]);
  if ('failure' in answer) return answer;
  return { preview: answer.previews[0] as Preview };
}

/** What plans would change, one preview each and in their order, as the CRM answers now. */
export async function askPreviews(
  store: Store,
  connection: Connection,
  plans: readonly { planned: Plan; delivery: Pick<DeliveryEntry, 'chosen'> }[],
): Promise<{ previews: Preview[] } | Refused> {
  return ask(store, connection, WITHIN_MS, async (destination, context) => {
    const wanted = await Promise.all(
      plans.map(({ planned, delivery }) =>
        store.choices.applyTo(planned, { ...delivery, connection: connection.name }),
      ),
    );
    const previews = await destination.preview(wanted, context);
    if (previews.length !== plans.length) throw new Failure('unaccounted', 'The CRM gave no preview of a plan.');
    return { previews };
  });
}

/** Who these candidates are: names and addresses for one page, stored nowhere. @param properties to read of them, too */
export async function askWho(
  store: Store,
  connection: Connection,
  ids: readonly string[],
  properties: string[] = [],
): Promise<Candidates> {
  const questions = ids.map((id) => ({
    match: [{ by: 'id' as const, value: id }],
    properties,
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

/** Whether the account works and has what the mappings need: what `wrapup doctor` asks. Writes nothing. */
export function askAccount(
  store: Store,
  connection: Connection,
  mappings: CompiledMapping[],
): Promise<Examination | Refused> {
  return ask(store, connection, WITHIN_MS, (destination, context) =>
    examineConnection(destination, () => context, mappings),
  );
}

/**
 * The fields that mappings need, and which of them are missing.
 * @param options.make makes them where they are made one by one; `deploys` says that they are deployed instead
 */
export function askFields(
  store: Store,
  connection: Connection,
  mappings: CompiledMapping[],
  { make }: { make: boolean },
): Promise<{ steps: ProvisionStep[]; deploys: boolean } | Refused> {
  return ask(store, connection, make ? PROVISION_WITHIN_MS : WITHIN_MS, async (destination, context) => ({
    steps: await destination.provision({ mappings, plan: !make }, context),
    deploys: destination.package !== undefined,
  }));
}

/** Asks a CRM, in a context of this page alone. */
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
