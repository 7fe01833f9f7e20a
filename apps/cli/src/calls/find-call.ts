import { clientOf } from '@wrapup/call';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { CliError, EXIT } from '../terminal/exit.ts';

/** Where to look for a call: the full name of its source, or its client. */
export interface CallPlace {
  source?: string | undefined;
  client?: string | undefined;
}

/** The ledger entry of a call id. Ids are unique within a source only: where two sources have one, --source must name it. */
export async function findCall(store: Store, id: string, { source, client }: CallPlace = {}): Promise<LedgerEntry> {
  const sources = source === undefined ? await sourcesOf(store, id, client) : [source];
  const entries = await store.ledger.find(id, sources);
  if (entries.length === 0) {
    throw new CliError(
      EXIT.failed,
      `the ledger has no call ${id}${describePlace(source, client)}`,
      'calls are kept for retention.ledger; `wrapup calls list` shows the latest',
    );
  }
  if (entries.length > 1) {
    const names = entries.map((entry) => entry.source).join(', ');
    throw new CliError(EXIT.usage, `several sources have a call ${id}: ${names}`, 'name one with --source');
  }
  return entries[0] as LedgerEntry;
}

function describePlace(source: string | undefined, client: string | undefined): string {
  if (source !== undefined) return ` of source ${source}`;
  return client === undefined ? '' : ` of client ${client}`;
}

/** Sources in the ledger that have such a call, also ones that were removed from the configuration. */
export async function sourcesOf(store: Store, id: string, client: string | undefined): Promise<string[]> {
  // Imported here, as everything else that opens Redis: `wrapup check` must not pay for it.
  const { splitMember } = await import('@wrapup/queue');
  const pattern = `*:${id.replace(/[\\*?[\]]/g, '\\$&')}`;
  const index = client === undefined ? store.keys.index : store.keys.clientIndex(client);
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, members] = await store.redis.zscan(index, cursor, 'MATCH', pattern, 'COUNT', 1000);
    cursor = next;
    // Members and scores take turns.
    for (let index = 0; index < members.length; index += 2) {
      const member = splitMember(members[index] as string);
      if (member.call_id === id) found.add(member.source);
    }
  } while (cursor !== '0');
  const { packed } = store.ledger;
  const others = [...(await packed.counts()).keys()].filter(
    (source) => !found.has(source) && (client === undefined || clientOf(source) === client),
  );
  const known = await Promise.all(others.map((source) => packed.known(source, [id])));
  others.forEach((source, index) => {
    if (known[index]?.has(id)) found.add(source);
  });
  return [...found].sort();
}
