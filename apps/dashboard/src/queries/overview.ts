import type { Config } from '@wrapup/config';
import {
  type CallSummary,
  type ConnectionReport,
  checkRedis,
  clientsToCount,
  type JudgementCount,
  type OmissionLine,
  readHourlyStats,
  readJudgements,
  type Store,
  summariseStats,
} from '@wrapup/queue';
import { stepsOf, type TimeRange } from './time-range.ts';

export interface Overview extends CallSummary {
  range: TimeRange;
  zone: string;
  /** Beginnings of the steps of the range, and its end. */
  steps: number[];
  judgements: JudgementCount[];
  /** What waits now, whenever it came. */
  now: { parked: number; dead: number; underWay: number };
  omissions: OmissionLine[];
  connections: ConnectionReport[];
  /** Epoch ms of the last webhook of each source; undefined where none came. */
  webhooks: Map<string, number | undefined>;
  /** What keeps Redis from taking calls. */
  redis: string[];
  /** There are more clients than are counted at once. */
  tooMany: boolean;
}

export interface OverviewParts {
  store: Store;
  /** As far as the reader may see it. */
  config: Config;
  client: string | undefined;
  /** Those of the reader's scope that have a queue. */
  connections: readonly string[];
  range: TimeRange;
  zone: string;
  now: number;
}

const MOST_LINES = 8;

/** Everything that the first page says. Read from counts, so that it costs the same however many calls there were. */
export async function readOverview(parts: OverviewParts): Promise<Overview> {
  const { store, config, client, connections, range, zone, now } = parts;
  const steps = stepsOf(range, zone);
  const clients = await clientsToCount(store.ledger, client, range);
  const counts = { clients: clients ?? [client], from: range.from, until: range.until };
  const [stats, judgements, parked, dead, lines, reports, webhooks, redis] = await Promise.all([
    readHourlyStats(store.redis, store.keys, counts),
    readJudgements(store.redis, store.keys, counts),
    store.unresolved.count('parked', { client }),
    store.unresolved.count('dead', { client }),
    store.omissions.list({ connections, since: range.from, until: range.until, now }),
    Promise.all(connections.map((name) => store.connections.report(name))),
    store.ledger.lastWebhooks(Object.keys(config.sources)),
    checkRedis(store.redis, store.keys),
  ]);
  const underWay = reports.reduce((sum, { waiting, active, delayed }) => sum + waiting + active + delayed, 0);
  return {
    ...{ range, zone, steps, judgements, webhooks, connections: reports },
    ...summariseStats(stats, steps),
    now: { parked, dead, underWay },
    omissions: lines.filter(({ calls }) => calls > 0).slice(0, MOST_LINES),
    redis: redis.ok ? [] : redis.problems,
    tooMany: clients === undefined,
  };
}
