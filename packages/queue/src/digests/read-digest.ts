/** What a digest says of a day or a week: what the overview counts, beside the period before. */
import { CRITERIA } from '@wrapup/call';
import {
  type CallDigest,
  type DigestAgent,
  type DigestCount,
  type DigestFacts,
  nameOmitted,
} from '@wrapup/destination';
import { clockAt } from '@wrapup/mapping';
import { isPaused } from '../connections/connection-circuit.ts';
import { type AgentCount, type CallSummary, type Series, summariseStats } from '../stats/call-summary.ts';
import { clientsToCount, readHourlyStats } from '../stats/hourly-stats.ts';
import { type JudgementCount, readJudgements, sumJudgements } from '../stats/judgements.ts';
import type { Store } from '../store/store.ts';
import { type DigestPeriod, describePeriod } from './digest-period.ts';
import { writeDigestTexts } from './digest-texts.ts';

export interface DigestParts {
  /** As its own file has it. */
  name: string;
  period: DigestPeriod;
  /** Whose calls; undefined for the whole installation. */
  client: string | undefined;
  /** Full names of the connections in that scope. */
  connections: readonly string[];
  agentName(source: string, id: string): string | undefined;
  /** Where browsers reach the dashboard, without a slash at its end. */
  dashboard?: string | undefined;
  now: number;
}

/** Of each kind in a digest, at most: the largest. */
const MOST = { names: 12, agents: 8, omissions: 8, clients: 20 };

export async function readDigest(store: Store, parts: DigestParts): Promise<CallDigest> {
  const { name, period, client, connections, now } = parts;
  const { from, until, before, time_zone } = period;
  const clients = await clientsToCount(store.ledger, client, { from: before, until });
  const range = { clients: clients ?? [client], from, until };
  const [stats, earlier, judgements, lines, reports, parked, dead] = await Promise.all([
    readHourlyStats(store.redis, store.keys, range),
    readHourlyStats(store.redis, store.keys, { ...range, from: before, until: from }),
    readJudgements(store.redis, store.keys, range),
    store.omissions.list({ connections, since: from, until, now }),
    Promise.all(connections.map((connection) => store.connections.report(connection))),
    store.unresolved.count('parked', { client }),
    store.unresolved.count('dead', { client }),
  ]);
  const [these, those] = [summariseStats(stats, [from, until]), summariseStats(earlier, [before, from])];
  const link = linksOf(parts);
  const facts: DigestFacts = {
    ...{ name, every: period.every, client: client ?? '', period: period.name },
    ...{ title: describePeriod(period), time_zone },
    ...{ from: new Date(from).toISOString(), until: new Date(until).toISOString() },
    ...{ calls: these.calls, calls_before: those.calls, connected: these.connected, connected_before: those.connected },
    ...rate('connect_rate', these.connected, these.calls),
    ...rate('connect_rate_before', those.connected, those.calls),
    ...{ found: these.found, deliveries: these.ended, landed: these.landed },
    ...rate('landed_rate', these.landed, these.ended),
    ...rate('landed_rate_before', those.landed, those.ended),
    ...seconds('median_seconds', these.median),
    ...seconds('p95_seconds', these.p95),
    ...seconds('median_seconds_before', those.median),
    ...seconds('p95_seconds_before', those.p95),
    outcomes: compare(these.outcomes, those.outcomes, (outcome) => link('/calls', { outcome })),
    results: compare(these.results, those.results, (result) => link('/calls', { result })),
    stopped: stoppedOf(these, those, link),
    ...{ parked_now: parked, dead_now: dead },
    omissions: lines
      .filter(({ calls }) => calls > 0)
      .sort((a, b) => b.calls - a.calls)
      .slice(0, MOST.omissions)
      .map((line) => ({
        ...{ field: nameOmitted(line), connection: line.connection, code: line.code, calls: line.calls },
        ...link('/calls', { line: line.id }, false),
      })),
    quota: reports.flatMap(({ connection, daily }) => {
      const used = daily && daily.limit - daily.remaining;
      return daily && used !== undefined && daily.limit > 0
        ? [{ connection, used, limit: daily.limit, percent: percent(used, daily.limit) }]
        : [];
    }),
    paused: reports.filter(isPaused).map(({ connection }) => connection),
    agents: these.agents.slice(0, MOST.agents).map((agent) => agentOf(agent, judgements, parts, link)),
    clients:
      client === undefined && these.clients.length > 1
        ? these.clients.slice(0, MOST.clients).map((one) => ({ ...one, ...link('/', { client: one.client }) }))
        : [],
    too_many_clients: clients === undefined,
    ...link('/', {}),
  };
  return { ...facts, ...writeDigestTexts(facts) };
}

type Link = (path: string, filter: Record<string, string | undefined>, timed?: boolean) => { link?: string };

/** Addresses of pages of the dashboard that are about the period. */
function linksOf({ dashboard, client, period: { from, until, time_zone } }: DigestParts): Link {
  if (dashboard === undefined) return () => ({});
  const clock = (ms: number) => new Date(clockAt(ms, time_zone)).toISOString();
  return (path, filter, timed = true) => {
    // The overview takes days, its last one among them; a list of calls takes moments.
    const times =
      path === '/'
        ? [clock(from).slice(0, 10), clock(until - 1).slice(0, 10)]
        : [from, until].map((at) => clock(at).slice(0, 16));
    const query = { client, ...(timed && { from: times[0], to: times[1] }), ...filter };
    const entries = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
    return { link: `${dashboard}${path}${entries.length > 0 ? `?${new URLSearchParams(entries)}` : ''}` };
  };
}

function compare(
  these: readonly Series[],
  those: readonly Series[],
  link: (name: string) => { link?: string },
): DigestCount[] {
  const before = new Map(those.map(({ name, total }) => [name, total]));
  return these
    .slice(0, MOST.names)
    .map(({ name, total }) => ({ name, count: total, before: before.get(name) ?? 0, ...link(name) }));
}

function stoppedOf(these: CallSummary, those: CallSummary, link: Link): DigestFacts['stopped'] {
  const before = new Map(those.stopped.map(({ state, code, count }) => [`${state} ${code}`, count]));
  return these.stopped.slice(0, MOST.names).map(({ state, code, count }) => ({
    ...{ name: code.replaceAll('_', ' ') || 'unknown', state, code, count },
    ...{ before: before.get(`${state} ${code}`) ?? 0, ...link('/calls', { state, code }) },
  }));
}

function agentOf(
  { source, agent_id, calls, connected, results }: AgentCount,
  judgements: readonly JudgementCount[],
  { agentName }: DigestParts,
  link: Link,
): DigestAgent {
  const own = judgements.filter((one) => one.source === source && one.agent_id === agent_id);
  const judged = CRITERIA.flatMap(({ name, label, inverted }) => {
    const { yes, all } = sumJudgements(own, name, inverted);
    return all > 0 ? [{ criterion: name, label, percent: percent(yes, all), of: all }] : [];
  });
  return {
    ...{ name: agentName(source, agent_id) ?? agent_id, source, calls, connected, judged },
    results: results.slice(0, MOST.names),
    ...link('/calls', { source, agent: agent_id }),
  };
}

function percent(part: number, whole: number): number {
  return Math.round((1000 * part) / whole) / 10;
}

function rate<Name extends string>(name: Name, part: number, whole: number): { [name in Name]?: number } {
  return (whole === 0 ? {} : { [name]: percent(part, whole) }) as { [name in Name]?: number };
}

function seconds<Name extends string>(name: Name, ms: number | undefined): { [name in Name]?: number } {
  return (ms === undefined ? {} : { [name]: Math.round(ms / 10) / 100 }) as { [name in Name]?: number };
}
