/**
 * Which queues hold unfinished jobs, so that nothing has to look at those that hold none, however many there are.
 *
 * A queue is in the set `busy` from the step that adds a job to it (`queues/atomic-enqueue.ts`) until a look finds it empty,
 * which is one step in Redis as well: one that holds jobs is never missing. Jobs that were added past that, by a process of an
 * earlier version, are found where `read` is given the queue's name.
 *
 * The sorted set `bell` says which of them have just been given a job. A worker process takes names from it and looks. A name
 * that is lost with the process that took it costs the time to the next look at all busy queues, and no job.
 */
import { defineScript, type RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

/** A queue with unfinished jobs. */
export interface QueueState {
  name: string;
  /** Ready jobs, prioritised ones included. */
  waiting: number;
  /** Jobs that a worker has in hand. */
  active: number;
  delayed: number;
  /** Jobs that failed for good and are not yet among the dead. */
  failed: number;
  /** When the first delayed job is due: epoch ms. */
  due?: number;
  isPaused: boolean;
}

/** Queues that one script reads: some 2 ms of Redis. */
const AT_ONCE = 500;

/**
 * KEYS busy. ARGV prefix, names (none: all that are busy). Answers `{ name, waiting, active, delayed, failed, due, paused }` for
 * each that holds jobs; puts those in `busy`, and takes the others out. BullMQ keeps a delayed job's time times 4096.
 */
const readQueues = defineScript<(string | number)[][]>(
  'wrapupReadQueues',
  `
local names, states = {}, {}
for i = 2, #ARGV do names[i - 1] = ARGV[i] end
if #names == 0 then names = redis.call('SMEMBERS', KEYS[1]) end
for _, name in ipairs(names) do
  local base = ARGV[1] .. ':' .. name .. ':'
  local waiting = redis.call('LLEN', base .. 'wait') + redis.call('LLEN', base .. 'paused') + redis.call('ZCARD', base .. 'prioritized')
  local active, failed = redis.call('LLEN', base .. 'active'), redis.call('ZCARD', base .. 'failed')
  local delayed = redis.call('ZCARD', base .. 'delayed')
  if waiting + active + failed + delayed == 0 then
    redis.call('SREM', KEYS[1], name)
  else
    redis.call('SADD', KEYS[1], name)
    local due = delayed > 0 and math.floor(tonumber(redis.call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')[2]) / 4096) or 0
    states[#states + 1] = { name, waiting, active, delayed, failed, due, redis.call('HEXISTS', base .. 'meta', 'paused') }
  end
end
return states
`,
);

/** KEYS busy, for its place on a cluster. ARGV prefix, names. Answers those of the queues that are paused. */
const readPaused = defineScript<string[]>(
  'wrapupPausedQueues',
  `
local paused = {}
for i = 2, #ARGV do
  if redis.call('HEXISTS', ARGV[1] .. ':' .. ARGV[i] .. ':meta', 'paused') == 1 then paused[#paused + 1] = ARGV[i] end
end
return paused
`,
);

/** @param names of queues, busy or not; none: all that are known to be busy @returns those that hold unfinished jobs */
export async function readBusyQueues(redis: RedisClient, keys: Keys, names?: readonly string[]): Promise<QueueState[]> {
  const found: QueueState[] = [];
  for (const slice of names ? slicesOf(names) : [[]]) {
    for (const state of await readQueues(redis, [keys.busy], [keys.prefix, ...slice])) {
      const [waiting = 0, active = 0, delayed = 0, failed = 0, due = 0, paused] = state.slice(1).map(Number);
      const name = String(state[0]);
      found.push({ name, waiting, active, delayed, failed, ...(due > 0 ? { due } : {}), isPaused: paused === 1 });
    }
  }
  return found;
}

/** @returns those of the queues that are paused */
export async function readPausedQueues(redis: RedisClient, keys: Keys, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const slice of slicesOf(names)) found.push(...(await readPaused(redis, [keys.busy], [keys.prefix, ...slice])));
  return found;
}

function slicesOf(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / AT_ONCE);
  return Array.from({ length: count }, (_, index) => names.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
}
