/** What Redis and the CRM hold at one moment, read past all gates. */
import type { RunningSandbox } from '@wrapup/sandbox';
import type { Redis } from 'ioredis';
import { type LedgerEntry, makeKeys, parseEntry } from '../../../packages/queue/src/index.ts';
import { PREFIX } from '../world/redis-gate.ts';
import { CONNECTION } from './actors.ts';

const keys = makeKeys(PREFIX);

const READ_LUA = `
local prefix = KEYS[1]
local calls, unresolved, payloads = {}, {}, {}
for _, member in ipairs(redis.call('ZRANGE', prefix .. ':ledger-index', 0, -1)) do
  calls[#calls + 1] = redis.call('HGETALL', prefix .. ':ledger:' .. member)
end
for _, state in ipairs({ 'parked', 'dead' }) do
  local list = prefix .. ':unresolved:' .. state
  for _, partition in ipairs(redis.call('SMEMBERS', list)) do
    for _, call in ipairs(redis.call('ZRANGE', list .. ':' .. partition, 0, -1)) do
      unresolved[#unresolved + 1] = state .. '|' .. partition .. '|' .. call
    end
  end
end
local connection = redis.call('HGETALL', prefix .. ':connection:' .. ARGV[1])
local paused = redis.call('HEXISTS', prefix .. ':deliveries.' .. ARGV[1] .. ':meta', 'paused')
local open = redis.call('ZRANGE', prefix .. ':ledger-open', 0, -1)
local jobs, ready = {}, {}
for _, queue in ipairs({ 'calls', 'deliveries.' .. ARGV[1] }) do
  local base = prefix .. ':' .. queue .. ':'
  local due = redis.call('ZCOUNT', base .. 'delayed', '-inf', tonumber(ARGV[2]) * 4096)
  if redis.call('LLEN', base .. 'wait') + redis.call('ZCARD', base .. 'prioritized') + due > 0 then ready[#ready + 1] = queue end
  for _, list in ipairs({ 'wait', 'paused', 'active' }) do
    for _, id in ipairs(redis.call('LRANGE', base .. list, 0, -1)) do jobs[#jobs + 1] = id end
  end
  for _, set in ipairs({ 'prioritized', 'delayed', 'failed' }) do
    for _, id in ipairs(redis.call('ZRANGE', base .. set, 0, -1)) do jobs[#jobs + 1] = id end
  end
end
return { calls, unresolved, connection, paused, open, jobs, ready }
`;

export interface Observed {
  calls: LedgerEntry[];
  /** `<state>|<source>|<route>|<connection>|<code>|<call id>` */
  unresolved: string[];
  /** Fields of the connection's state. */
  connection: Record<string, string>;
  isQueuePaused: boolean;
  /** Calls with something to do, as the sweep will look at them. */
  open: Set<string>;
  /** Ids of unfinished jobs. */
  jobs: Set<string>;
  /** Queues with a job that can be taken. */
  ready: Set<string>;
}

type Answer = [string[][], string[], string[], number, string[], string[], string[]];

/** @param now epoch ms */
export async function observe(redis: Redis, now: number): Promise<Observed> {
  const [calls, unresolved, connection, paused, open, jobs, ready] = (await redis.eval(
    READ_LUA,
    1,
    keys.prefix,
    CONNECTION,
    now,
  )) as Answer;
  return {
    calls: calls.flatMap((flat) => parseEntry(pairsOf(flat)) ?? []),
    unresolved,
    connection: pairsOf(connection),
    isQueuePaused: paused === 1,
    open: new Set(open),
    jobs: new Set(jobs),
    ready: new Set(ready),
  };
}

function pairsOf(flat: string[]): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] as string, flat[2 * n + 1] as string]),
  );
}

export interface CrmRecords {
  calls: Record<string, string | null>[];
  contacts: Record<string, string | null>[];
}

export function observeCrm(sandbox: RunningSandbox): CrmRecords {
  const read = (object: string) => sandbox.records(object).map(({ properties }) => properties);
  return { calls: read('calls'), contacts: read('contacts') };
}
