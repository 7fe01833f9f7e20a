/**
 * Alerts about what is parked or dead: one for all that has stopped since the last one, to each connection that takes
 * alerts, at most once an hour. A client's connection is alerted about the client's own, that of the installation about all.
 */
import type { Config } from '@wrapup/config';
import type { Partition, Store, UnresolvedFilter } from '@wrapup/queue';
import { addAlertTo, describeTime } from './alerts.ts';

/** Ms between two alerts to one connection. */
const EVERY_MS = 3600_000;
/** What another process notes at this moment is left to the next look, so that nothing falls between two of them. */
const SETTLED_MS = 2_000;
/** Kinds that the text names, the most frequent first. */
const MAX_NAMED = 5;

/** Queues the alerts that are due. Nothing is due where nothing has stopped since the last one. */
export async function alertUnresolved(store: Store, config: Config, now: number): Promise<void> {
  const whole = config.alerts ? [[config.alerts.to, undefined] as const] : [];
  const theirs = Object.values(config.clients).flatMap(({ name, alerts }) =>
    alerts ? [[alerts.to, name] as const] : [],
  );
  const targets = [...whole, ...theirs];
  if (targets.length === 0) return;
  const said = await store.redis.hmget(store.keys.alerted, ...targets.map(([to]) => to));
  for (const [index, [to, client]] of targets.entries()) {
    const last = Number(said[index] ?? 0);
    if (now - SETTLED_MS - last >= EVERY_MS) await alertOne(store, to, client, { last, now });
  }
}

/** @param last epoch ms up to which an alert has been sent; 0 before the first */
async function alertOne(
  store: Store,
  to: string,
  client: string | undefined,
  { last, now }: { last: number; now: number },
): Promise<void> {
  const until = now - SETTLED_MS;
  const all: UnresolvedFilter = { client, until };
  const fresh = { ...all, since: last + 1 };
  const [newlyParked, newlyDead] = await Promise.all([
    store.unresolved.count('parked', fresh),
    store.unresolved.count('dead', fresh),
  ]);
  if (newlyParked + newlyDead === 0) return;
  const [parked, dead, oldestParked, oldestDead] = await Promise.all([
    store.unresolved.partitions('parked', all),
    store.unresolved.partitions('dead', all),
    store.unresolved.oldest('parked', all),
    store.unresolved.oldest('dead', all),
  ]);
  const sentences = [
    describe(parked, 'waits for a decision', 'wait for a decision', oldestParked && `for ${age(oldestParked, now)}`),
    describe(
      dead,
      'was given up after its retries',
      'were given up after their retries',
      oldestDead && `${age(oldestDead, now)} ago`,
    ),
  ].filter((sentence) => sentence !== undefined);
  const oldest = Math.min(...[oldestParked, oldestDead].filter((at) => at !== undefined), now);
  const notice = {
    type: 'calls.unresolved',
    at: now,
    text: `${sentences.join(' ')} The dashboard and wrapup ${parked.length > 0 ? 'parked' : 'dead'} list name them and say what to do.`,
    data: {
      client: client ?? null,
      parked: total(parked),
      dead: total(dead),
      new: newlyParked + newlyDead,
      oldest: new Date(oldest).toISOString(),
      kinds: [...describeKinds(parked), ...describeKinds(dead)].join(', '),
    },
  };
  // Its id is made of the last one: a worker that dies before it notes this one sends it under the same.
  await addAlertTo(store, to, notice, [last]);
  await store.redis.hset(store.keys.alerted, to, until);
}

function age(since: number, now: number): string {
  return describeTime(now - since);
}

/** @param oldest how long ago the oldest stopped; undefined where there is none */
function describe(
  partitions: readonly Partition[],
  one: string,
  several: string,
  oldest: string | 0 | undefined,
): string | undefined {
  const number = total(partitions);
  if (number === 0 || !oldest) return undefined;
  const calls = number === 1 ? `1 call ${one}` : `${number.toLocaleString('en-US')} calls ${several}`;
  return `${calls}, ${number === 1 ? '' : 'the oldest '}${oldest}: ${describeKinds(partitions).join(', ')}.`;
}

/** `2 ambiguous_person on sales`, the most frequent first. */
function describeKinds(partitions: readonly Partition[]): string[] {
  const counts = new Map<string, number>();
  for (const { code, connection, source, count } of partitions) {
    const kind = connection ? `${code} on ${connection}` : `${code} of source ${source}`;
    counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  const kinds = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  const named = kinds.slice(0, MAX_NAMED).map(([kind, count]) => `${count} ${kind}`);
  const others = kinds.slice(MAX_NAMED).reduce((sum, [, count]) => sum + count, 0);
  return others > 0 ? [...named, `${others} others`] : named;
}

function total(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, { count }) => sum + count, 0);
}
