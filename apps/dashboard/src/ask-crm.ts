import { type Connection, KINDS } from '@wrapup/config';
import { Failure, makeMemoryCommons, makeMemoryContext, type Preview } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { makeSecrets, type Store } from '@wrapup/queue';

/** Milliseconds that a person waits for a page. */
const WITHIN = 15_000;

export type Answer = { preview: Preview } | { failure: Pick<Failure, 'code' | 'message' | 'hint'> };

/**
 * What a plan would change, asked of the CRM itself: reads only. Nothing that it finds is kept in Redis; but tokens are
 * those of the workers, who may hold a newer refresh token than the configuration. The vendor's client is loaded the first
 * time somebody asks.
 */
export async function askCrm(store: Store, connection: Connection, plan: Plan): Promise<Answer> {
  try {
    const kind = KINDS[connection.kind];
    if (!kind) throw new Failure('mapping', `There is no destination of kind ${connection.kind}.`);
    const destination = await kind.connect(connection.name, connection.settings);
    try {
      const context = makeMemoryContext(makeMemoryCommons(kind.pools ?? {}), {
        within: WITHIN,
        secrets: makeSecrets(store, connection.name),
      });
      const [preview] = await destination.preview([plan], context);
      if (!preview) throw new Failure('unaccounted', 'The CRM said nothing of the plan.');
      return { preview };
    } finally {
      await destination.close();
    }
  } catch (error) {
    const { code, message, hint } = Failure.of(error);
    return { failure: { code, message, hint } };
  }
}
