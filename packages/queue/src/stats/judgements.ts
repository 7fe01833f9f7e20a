/**
 * How Synthflow's analysis judges calls: how often each criterion was met, in part or not at all, by agent and by the hour (UTC) in
 * which the call ended, under `{wrapup}:counts:<client>:judged:<hours since epoch>`. It tells how agents fare, so that it need not
 * be exact: processes add it up, and write the sums (`omissions/field-counters.ts`).
 */
import { type Analysis, CRITERIA } from '@wrapup/call';
import { sumHashes } from '../omissions/omissions.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { HOUR_MS } from '../redis/spans.ts';
import type { StatsRange } from './hourly-stats.ts';

export interface JudgedCall {
  source: string;
  agent_id?: string | undefined;
  /** Epoch ms. */
  ended_at: number;
}

const VALUES = ['true', 'partial', 'false'] as const;

/** How often a criterion was judged so, in the calls of one agent. */
export interface JudgementCount {
  source: string;
  /** Empty where the payload named none. */
  agent_id: string;
  /** As in `CRITERIA`. */
  criterion: string;
  value: (typeof VALUES)[number];
  count: number;
}

const NAMES: ReadonlySet<string> = new Set(CRITERIA.map(({ name }) => name));
const PLAIN_ID = /^[\w.-]{1,64}$/;

/** Names of the counters of a call: nothing of remarks, and of values only those that are known. */
export function judgementsOf({ source, agent_id = '' }: JudgedCall, analysis: Analysis): string[] {
  const agent = agent_id === '' || PLAIN_ID.test(agent_id) ? agent_id : 'other';
  return Object.entries(analysis)
    .filter(([name, value]) => NAMES.has(name) && (VALUES as readonly string[]).includes(value))
    .map(([name, value]) => `${source}|${agent}|${name}|${value}`);
}

/** @param hour since epoch */
export function judgementsKey(keys: Keys, client: string | undefined, hour: number): string {
  return `${keys.counts}${client ?? ''}:judged:${hour}`;
}

export async function readJudgements(
  redis: RedisClient,
  keys: Keys,
  { clients, from, until }: StatsRange,
): Promise<JudgementCount[]> {
  const [first, end] = [Math.floor(from / HOUR_MS), Math.ceil(until / HOUR_MS)];
  const hours = Array.from({ length: Math.max(0, end - first) }, (_, more) => first + more);
  const names = clients.flatMap((client) => hours.map((hour) => judgementsKey(keys, client, hour)));
  const sums = await sumHashes(redis, names);
  return [...sums].map(([name, count]) => {
    const [source = '', agent_id = '', criterion = '', value] = name.split('|');
    return { source, agent_id, criterion, value: value as JudgementCount['value'], count };
  });
}

/** How often a criterion was judged well. */
export interface JudgementSum {
  yes: number;
  partly: number;
  all: number;
}

/** @param inverted where it speaks for the agent that it was not met */
export function sumJudgements(counts: readonly JudgementCount[], criterion: string, inverted = false): JudgementSum {
  const of = (wanted: JudgementCount['value']) =>
    counts
      .filter((one) => one.criterion === criterion && one.value === wanted)
      .reduce((sum, { count }) => sum + count, 0);
  const [met, partly, missed] = [of('true'), of('partial'), of('false')];
  return { yes: inverted ? missed : met, partly, all: met + partly + missed };
}
