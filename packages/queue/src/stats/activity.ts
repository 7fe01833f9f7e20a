/**
 * Whether anything has moved, by what every change leaves behind: the last webhook and the newest call, what waits in queues, what
 * is parked and dead, and the states of connections. One command of Redis, however many ask and for however many clients.
 */
import { hash } from 'node:crypto';
import { defineScript, type RedisClient } from '../redis/client.ts';
import { type Keys, memberOf } from '../redis/keys.ts';

export interface Activity {
  parked: number;
  dead: number;
  /** Another text once anything of it has moved. It says nothing of what. */
  mark: string;
}

/** A call by its source, in full, and id. */
export interface WatchedCall {
  source: string;
  call_id: string;
}

/**
 * KEYS index, unresolved, busy, changes of connections, then ledger entries. ARGV prefix of the installation, then the clients, of
 * which the empty one stands for all. Answers for each client parked, dead and a text, then for each entry a digest.
 */
const readMoves = defineScript<[clients: [number, number, string][], calls: string[]]>(
  'wrapupActivity',
  `
local index, unresolved, busy, changes, prefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local sums = {}
for n = 2, #ARGV do sums[ARGV[n]] = { parked = 0, dead = 0, queues = {}, change = 0 } end
-- A name belongs to its client, and to the whole.
local function each(client, act)
  if sums[''] then act(sums['']) end
  if client and sums[client] then act(sums[client]) end
end
local function clientOf(name) return string.match(name, '^([^.]+)%.') end
for _, state in ipairs({ 'parked', 'dead' }) do
  local list = unresolved .. ':' .. state
  for _, partition in ipairs(redis.call('SMEMBERS', list)) do
    local count = redis.call('ZCARD', list .. ':' .. partition)
    each(clientOf(partition), function(sum) sum[state] = sum[state] + count end)
  end
end
local queues = redis.call('SMEMBERS', busy)
table.sort(queues)
for _, queue in ipairs(queues) do
  local name, base = string.match(queue, '^deliveries%.(.*)$'), prefix .. ':' .. queue .. ':'
  local client = name and clientOf(name) or string.match(queue, '^calls%.(.*)$')
  local held = table.concat({
    queue, redis.call('LLEN', base .. 'wait'), redis.call('LLEN', base .. 'paused'), redis.call('ZCARD', base .. 'prioritized'),
    redis.call('LLEN', base .. 'active'), redis.call('ZCARD', base .. 'delayed') }, ' ')
  each(client, function(sum) sum.queues[#sum.queues + 1] = held end)
end
local versions = redis.call('ZRANGE', changes, 0, -1, 'WITHSCORES')
for n = 1, #versions, 2 do
  each(clientOf(versions[n]), function(sum) sum.change = math.max(sum.change, tonumber(versions[n + 1])) end)
end
local function newest(list) return table.concat(redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES'), ' ') end
local found = {}
for n = 2, #ARGV do
  local client, sum = ARGV[n], sums[ARGV[n]]
  local came = client == '' and newest(index .. '-sources') or (redis.call('ZSCORE', index .. '-clients', client) or '')
  local call = newest(client == '' and index or index .. ':' .. client)
  local mark = { came, call, sum.parked, sum.dead, sum.change, table.concat(sum.queues, '|') }
  found[n - 1] = { sum.parked, sum.dead, table.concat(mark, '/') }
end
local calls = {}
for n = 5, #KEYS do calls[n - 4] = redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[n]), '\\0')) end
return { found, calls }
`,
);

/**
 * @param clients undefined for the whole installation
 * @returns in the order of the clients; a mark for each call
 */
export async function readActivity(
  redis: RedisClient,
  keys: Keys,
  clients: readonly (string | undefined)[],
  calls: readonly WatchedCall[] = [],
): Promise<{ activities: Activity[]; calls: string[] }> {
  const entries = calls.map(({ source, call_id }) => `${keys.ledgers}${memberOf(source, call_id)}`);
  const [found, digests] = await readMoves(
    redis,
    [keys.index, keys.unresolved, keys.busy, keys.connectionChanges, ...entries],
    [keys.prefix, ...clients.map((client) => client ?? '')],
  );
  const activities = found.map(([parked, dead, text]) => ({ parked, dead, mark: shorten(text) }));
  return { activities, calls: digests.map(shorten) };
}

/** Ids and names stay here. */
function shorten(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 16);
}
