import { clientOf } from '@wrapup/call';
import type { HourlyStats } from './hourly-stats.ts';
import { quantileOf } from './hourly-stats.ts';

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

/** What the calls of a time came to, in its steps. */
export interface CallSummary {
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
  /** Those of the most calls first. */
  agents: AgentCount[];
  clients: { client: string; calls: number; parked: number; dead: number }[];
  /** Ms from the webhook to the record; undefined where nothing was written. */
  median: number | undefined;
  p95: number | undefined;
}

/** States in which a delivery waits for no one. */
const LANDED: ReadonlySet<string> = new Set(['written', 'skipped']);

/** @param steps beginnings of the steps, and the end of the last one: epoch ms */
export function summariseStats({ calls, deliveries, times }: HourlyStats, steps: readonly number[]): CallSummary {
  const place = placeIn(steps);
  const sums = { calls: 0, connected: 0, found: 0, ended: 0, landed: 0 };
  const [outcomes, results, states] = [new Map<string, Series>(), new Map<string, Series>(), new Map<string, Series>()];
  const agents = new Map<string, AgentCount & { came: Map<string, number> }>();
  const clients = new Map<string, CallSummary['clients'][number]>();
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
