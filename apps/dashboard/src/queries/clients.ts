import { clientOf } from '@wrapup/call';
import type { Client, Config } from '@wrapup/config';
import { asIngressSees, isPaused, type Store, type UnresolvedState } from '@wrapup/queue';

/** How one client stands, or what is of none. */
export interface ClientReport {
  /** Absent: the sources and connections of wrapup.yaml itself. */
  client?: string;
  /** Of its file; `unconfigured`: it has none, and calls in the ledger. Absent with the client. */
  state?: Client['state'] | 'unconfigured';
  errors: Client['errors'];
  /** Calls that came since midnight, UTC. */
  today: number;
  parked: number;
  dead: number;
  /** Full names of its connections that are paused. */
  paused: string[];
  /** Epoch ms; absent where none came. */
  last_webhook?: number;
}

/**
 * All clients, those first that need a person most, and among them wrapup.yaml where it has sources or calls of its own. The
 * number of round trips does not depend on how many there are.
 */
export async function readClients(store: Store, config: Config, now = Date.now()): Promise<ClientReport[]> {
  const [{ own, clients }, parked, dead, paused, seen] = await Promise.all([
    store.ledger.overview(now - (now % 86_400_000)),
    countByClient(store, 'parked'),
    countByClient(store, 'dead'),
    readPaused(store),
    asIngressSees(store, Object.values(config.clients)),
  ]);
  const files = new Map(seen.map((one) => [one.name, one]));
  const calls = new Map(clients.map((one) => [one.client, one]));
  const names = new Set([
    ...files.keys(),
    ...calls.keys(),
    ...[...parked.keys(), ...dead.keys()].flatMap((of) => of ?? []),
  ]);
  const reports = [...names].map((client): ClientReport => {
    const file = files.get(client);
    const { recent = 0, last_webhook } = calls.get(client) ?? {};
    return {
      ...{ client, state: file?.state ?? 'unconfigured', errors: file?.errors ?? [] },
      ...{ today: recent, parked: parked.get(client) ?? 0, dead: dead.get(client) ?? 0 },
      paused: paused.get(client) ?? [],
      ...(last_webhook === undefined ? {} : { last_webhook }),
    };
  });
  const hasOwn = own.calls > 0 || Object.keys(config.sources).some((source) => clientOf(source) === undefined);
  if (names.size > 0 && hasOwn) {
    const { recent, last_webhook } = own;
    reports.push({
      ...{ errors: [], today: recent, parked: parked.get(undefined) ?? 0, dead: dead.get(undefined) ?? 0 },
      paused: paused.get(undefined) ?? [],
      ...(last_webhook === undefined ? {} : { last_webhook }),
    });
  }
  return reports.sort(byNeed);
}

/** The worst first: nothing comes in, nothing goes out, something was given up, a change has no effect, something waits. */
function needOf({ state, paused, dead, parked }: ClientReport): number {
  if (state === 'unusable') return 5;
  if (paused.length > 0) return 4;
  if (dead > 0) return 3;
  if (state === 'last_good') return 2;
  return parked > 0 ? 1 : 0;
}

function byNeed(a: ClientReport, b: ClientReport): number {
  return (
    needOf(b) - needOf(a) || b.dead + b.parked - (a.dead + a.parked) || (a.client ?? '').localeCompare(b.client ?? '')
  );
}

/** What is of no client is counted under undefined. */
async function countByClient(store: Store, state: UnresolvedState): Promise<Map<string | undefined, number>> {
  const counts = new Map<string | undefined, number>();
  for (const { source, count } of await store.unresolved.partitions(state)) {
    const client = clientOf(source);
    counts.set(client, (counts.get(client) ?? 0) + count);
  }
  return counts;
}

/** Connections that stand still, by client. Only those whose state ever changed are read. */
async function readPaused(store: Store): Promise<Map<string | undefined, string[]>> {
  const { connections } = await store.connections.readChanges(0);
  const paused = new Map<string | undefined, string[]>();
  for (const state of await store.connections.readAll(connections)) {
    if (!isPaused(state)) continue;
    const client = clientOf(state.connection);
    paused.set(client, [...(paused.get(client) ?? []), state.connection]);
  }
  return paused;
}
