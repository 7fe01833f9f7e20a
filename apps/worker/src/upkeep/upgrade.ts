/**
 * What an earlier version left in Redis is brought into the form of this one, in the background: names that hold unkeyed
 * digests (`renameOldMemories`), and calls that are not in the index of people. In slices, so that the sweep goes on; each may
 * be repeated. Until a mark says that it is through, readers look for the old form, too (`marks.ts`). Once all of it is, the
 * data is of version 2 (`data-version.ts`).
 *
 * It begins an hour after this version came, when no process of the earlier one runs any more.
 */
import type { Config } from '@wrapup/config';
import { isIndexComplete, type LedgerEntry, raiseDataOldest, renameOldMemories, type Store } from '@wrapup/queue';
import { indexPeople, indexRecord } from '../payloads/index-people.ts';
import { readCall } from '../payloads/read-call.ts';

const AFTER_MS = 3_600_000;
/** How long a slice takes at most, in ms. */
const SLICE_MS = 10_000;

interface UpgradeOptions {
  now?: number;
  slice?: number;
}

export async function finishUpgrade(
  store: Store,
  config: Config,
  { now = Date.now(), slice = SLICE_MS }: UpgradeOptions = {},
): Promise<void> {
  const { redis, keys, marks } = store;
  const [moved, indexed] = await Promise.all([marks.at('names_moved'), marks.at('calls_indexed')]);
  if (moved !== undefined && indexed !== undefined) {
    if (await isIndexComplete(store)) await raiseDataOldest(store, 2);
    return;
  }
  await redis.hsetnx(keys.installation, 'upgrading', now);
  if (now - Number(await redis.hget(keys.installation, 'upgrading')) < AFTER_MS) return;
  if (moved === undefined) {
    await renameOldMemories(store);
    await marks.set('names_moved');
  }
  if (indexed === undefined) await indexOldCalls(store, config, performance.now() + slice);
}

/** Goes on where the last slice ended, from the newest call to the oldest. */
async function indexOldCalls(store: Store, config: Config, until: number): Promise<void> {
  const { redis, keys, ledger, marks } = store;
  let after = (await redis.hget(keys.installation, 'indexed_down_to')) ?? undefined;
  do {
    const page = await ledger.page(after === undefined ? {} : { after });
    for (const entry of page.entries) {
      if (!entry.indexed && entry.forgotten === undefined) await indexOldCall(store, config, entry);
    }
    after = page.next;
    if (after === undefined) return marks.set('calls_indexed');
    await redis.hset(keys.installation, 'indexed_down_to', after);
  } while (performance.now() < until);
}

async function indexOldCall(store: Store, config: Config, entry: LedgerEntry): Promise<void> {
  const { source, call_id, revisions, deliveries } = entry;
  const configured = config.sources[source];
  for (const { hash } of revisions) {
    if (!(await store.payloads.has(source, call_id, hash))) continue;
    // Of a source that is gone or a shape that is not known: it is indexed as it came.
    const call = configured && (await readCall(store, configured, entry, hash).catch(() => undefined));
    await indexPeople({ source, call_id, revision: hash }, call, store, config).catch(() =>
      // Its key is missing: `forget` reads it again.
      store.people.leaveUnread(entry, hash),
    );
  }
  for (const { connection, records } of deliveries) await indexRecord(entry, connection, records, store, config);
}
