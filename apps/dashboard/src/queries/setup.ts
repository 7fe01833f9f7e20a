import { own } from '@wrapup/call';
import { type Config, isLive, KINDS, mappingsOf, type Source, targetHostOf } from '@wrapup/config';
import {
  clientsToCount,
  isPaused,
  readHourlyStats,
  readSchemaChecks,
  type SchemaCheckResult,
  type Store,
} from '@wrapup/queue';
import { DAY_MS } from './time-range.ts';

/** What came is counted for so many days back. */
export const SETUP_DAYS = 30;

export interface SourceSetup {
  source: Source;
  /** Epoch ms; undefined where none came. */
  last_webhook: number | undefined;
  calls: number;
}

export interface ConnectionSetup {
  connection: string;
  kind: string;
  /** It leads to the sandbox, or to this machine. */
  isTrial: boolean;
  /** How many mappings of routes write to it. */
  mappings: number;
  /** Fields that `provision` makes where they are missing, as `<object>.<field>`. */
  fields: string[];
  /** What the last comparison of mappings and account found; undefined where there was none lately. */
  check: SchemaCheckResult | undefined;
  paused: boolean;
  /** Deliveries that were written. */
  written: number;
}

/** How far an installation, or one client of it, has come from nothing to calls that are written. */
export interface Setup {
  sources: SourceSetup[];
  connections: ConnectionSetup[];
  routes: number;
  calls: number;
  written: number;
  /** Wait for a person, or were given up. */
  parked: number;
  dead: number;
}

interface SetupParts {
  store: Store;
  /** As far as the reader may see it. */
  config: Config;
  client: string | undefined;
  now: number;
}

export async function readSetup({ store, config, client, now }: SetupParts): Promise<Setup> {
  const { sources, connections, routes } = config;
  const names = Object.keys(connections);
  const [stats, webhooks, checks, states, parked, dead, fields] = await Promise.all([
    countLately(store, client, now),
    store.ledger.lastWebhooks(Object.keys(sources)),
    readSchemaChecks(store, names),
    store.connections.readAll(names),
    store.unresolved.count('parked', { client }),
    store.unresolved.count('dead', { client }),
    Promise.all(names.map((name) => fieldsOf(config, name))),
  ]);
  const sum = <Counted extends { count: number }>(all: readonly Counted[], is: (one: Counted) => boolean) =>
    all.filter(is).reduce((total, { count }) => total + count, 0);
  return {
    sources: Object.values(sources).map((source) => ({
      source,
      last_webhook: webhooks.get(source.name),
      calls: sum(stats.calls, (one) => one.source === source.name),
    })),
    connections: names.map((name, index) => {
      const { kind, settings } = connections[name] as Config['connections'][string];
      return {
        ...{ connection: name, kind, fields: fields[index] ?? [], mappings: mappingsOf(config, name).length },
        isTrial: !isLive(targetHostOf(own(KINDS, kind) ?? { kind }, settings)),
        check: checks.find(({ connection }) => connection === name),
        paused: states.some((state) => state.connection === name && isPaused(state)),
        written: sum(stats.deliveries, (one) => one.connection === name && one.state === 'written'),
      };
    }),
    routes: routes.length,
    calls: sum(stats.calls, () => true),
    written: sum(stats.deliveries, ({ state }) => state === 'written'),
    ...{ parked, dead },
  };
}

/** Whether any call was written lately: until then the overview leads to the set-up. */
export async function isSetUp(store: Store, client: string | undefined, now: number): Promise<boolean> {
  const { calls, deliveries } = await countLately(store, client, now);
  if (deliveries.some(({ state }) => state === 'written')) return true;
  // Calls that an earlier version took are in the ledger and not among the counts.
  return calls.length === 0 && (await store.ledger.count(client)) > 0;
}

async function countLately(store: Store, client: string | undefined, now: number) {
  const range = { from: now - SETUP_DAYS * DAY_MS, until: now };
  // Of too many clients at once only the newest day is counted: where that many work, one of them has a call each day.
  const days = (await clientsToCount(store.ledger, client, range)) ? range : { ...range, from: now - DAY_MS };
  const clients = (await clientsToCount(store.ledger, client, days)) ?? [client];
  return readHourlyStats(store.redis, store.keys, { clients, ...days });
}

/** What `provision` makes for the mappings of a connection: read from the mappings alone. */
async function fieldsOf(config: Config, connection: string): Promise<string[]> {
  const kind = own(KINDS, config.connections[connection]?.kind ?? '');
  return (await kind?.provisions?.(mappingsOf(config, connection))) ?? [];
}

/** Where webhooks of a source are taken: names stand in full, and the token, which is a secret, as a placeholder. */
export function webhookPath(
  { name, path_token }: Pick<Source, 'name' | 'path_token'>,
  kind: 'post-call' | 'inbound-call',
): string {
  return ['', 'webhooks', name, ...(path_token.length > 0 ? ['<path token>'] : []), kind].join('/');
}
