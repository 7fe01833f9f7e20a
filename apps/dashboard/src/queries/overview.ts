import { clientOf } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import {
  type ConnectionReport,
  checkRedis,
  type HourlyStats,
  type JudgementCount,
  type OmissionLine,
  quantileOf,
  readHourlyStats,
  readJudgements,
  type Store,
} from '@wrapup/queue';
import { clientsToCount } from './clients.ts';
import { stepsOf, type TimeRange } from './time-range.ts';

/** How many of one kind there were in each step of the range, in their order. */
export interface Series {
  name: string;
  counts: number[];
  total: number;
}

/** What a delivery that stopped in the range stopped with. */
export interface StoppedCount {
  state: 'parked' | 'dead';
  code: string;
  count: number;
}

export interface AgentCount {
  source: string;
  agent_id: string;
  calls: number;
  connected: number;
  /** What its calls came to, the most frequent first. */
  results: { name: string; count: number }[];
}

export interface Overview {
  range: TimeRange;
  zone: string;
  /** Beginnings of the steps of the range, and its end. */
  steps: number[];
  calls: number;
  /** Of these, calls that a person was reached by. */
  connected: number;
  /** Of these, calls that did not come by webhook. */
  found: number;
  outcomes: Series[];
  results: Series[];
  states: Series[];
  /** Deliveries that came to an end, and those that wait for nothing. */
  ended: number;
  landed: number;
  stopped: StoppedCount[];
  agents: AgentCount[];
  clients: { client: string; calls: number; parked: number; dead: number }[];
  judgements: JudgementCount[];
  /** Ms from the webhook to the record; undefined where nothing was written. */
  median: number | undefined;
  p95: number | undefined;
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
  const clients = await clientsToCount(store, client, range);
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
    ...summarise(stats, steps),
    now: { parked, dead, underWay },
    omissions: lines.filter(({ calls }) => calls > 0).slice(0, MOST_LINES),
    redis: redis.ok ? [] : redis.problems,
    tooMany: clients === undefined,
  };
}

type Summary = Omit<
  Overview,
  'range' | 'zone' | 'steps' | 'judgements' | 'now' | 'omissions' | 'connections' | 'webhooks' | 'redis' | 'tooMany'
>;

/** States in which a delivery waits for no one. */
const LANDED: ReadonlySet<string> = new Set(['written', 'skipped']);

function summarise({ calls, deliveries, times }: HourlyStats, steps: readonly number[]): Summary {
  const place = placeIn(steps);
  const sums = { calls: 0, connected: 0, found: 0, ended: 0, landed: 0 };
  const [outcomes, results, states] = [new Map<string, Series>(), new Map<string, Series>(), new Map<string, Series>()];
  const agents = new Map<string, AgentCount & { came: Map<string, number> }>();
  const clients = new Map<string, Overview['clients'][number]>();
  const stopped = new Map<string, StoppedCount>();
  const agentOf = (source: string, agent_id: string) => {
    const key = `${source}|${agent_id}`;
    const agent = agents.get(key) ?? { source, agent_id, calls: 0, connected: 0, results: [], came: new Map() };
    agents.set(key, agent);
    return agent;
  };
  const ofClient = (source: string) => {
    const name = clientOf(source) ?? '';
    const client = clients.get(name) ?? { client: name, calls: 0, parked: 0, dead: 0 };
    clients.set(name, client);
    return client;
  };
  for (const { hour, source, agent_id, outcome, received, count } of calls) {
    const step = place(hour);
    if (step === undefined) continue;
    sums.calls += count;
    if (received !== 'webhook') sums.found += count;
    addTo(outcomes, outcome || 'unknown', step, count, steps.length - 1);
    const agent = agentOf(source, agent_id);
    agent.calls += count;
    ofClient(source).calls += count;
    if (outcome !== 'connected') continue;
    sums.connected += count;
    agent.connected += count;
  }
  for (const { hour, source, agent_id, result, state, code, count } of deliveries) {
    const step = place(hour);
    if (step === undefined) continue;
    sums.ended += count;
    if (LANDED.has(state)) sums.landed += count;
    addTo(states, state, step, count, steps.length - 1);
    if (result) {
      addTo(results, result, step, count, steps.length - 1);
      const { came } = agentOf(source, agent_id);
      came.set(result, (came.get(result) ?? 0) + count);
    }
    if (state !== 'parked' && state !== 'dead') continue;
    ofClient(source)[state] += count;
    const one = stopped.get(`${state}|${code}`) ?? { state, code, count: 0 };
    stopped.set(`${state}|${code}`, { ...one, count: one.count + count });
  }
  const inRange = times.filter(({ hour }) => place(hour) !== undefined);
  return {
    ...sums,
    ...{ outcomes: sorted(outcomes), results: sorted(results), states: sorted(states) },
    stopped: [...stopped.values()].sort((a, b) => b.count - a.count),
    agents: [...agents.values()]
      .map(({ came, ...agent }) => ({
        ...agent,
        results: [...came].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count),
      }))
      .sort((a, b) => b.calls - a.calls),
    clients: [...clients.values()].sort((a, b) => b.calls - a.calls),
    ...{ median: quantileOf(inRange, 0.5), p95: quantileOf(inRange, 0.95) },
  };
}

/** In which step an hour lies. */
function placeIn(steps: readonly number[]): (hour: number) => number | undefined {
  const known = new Map<number, number | undefined>();
  return (hour) => {
    if (known.has(hour)) return known.get(hour);
    const next = steps.findIndex((begins) => begins > hour);
    const place = next > 0 ? next - 1 : undefined;
    known.set(hour, place);
    return place;
  };
}

function addTo(series: Map<string, Series>, name: string, step: number, count: number, steps: number): void {
  const one = series.get(name) ?? { name, counts: new Array<number>(steps).fill(0), total: 0 };
  series.set(name, one);
  one.counts[step] = (one.counts[step] ?? 0) + count;
  one.total += count;
}

function sorted(series: Map<string, Series>): Series[] {
  return [...series.values()].sort((a, b) => b.total - a.total || a.name.localeCompare(b.name));
}
