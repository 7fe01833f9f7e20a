/**
 * Lists of calls by arrival, as far as they are not packed (`packed/packed-entries.ts`): one of all of them, one of those of
 * each client, and of the clients and of all sources by their last webhook; that of the sources in wrapup.yaml itself is a list of one. So what
 * is asked of one client costs as much as that client has calls, and an overview of a thousand clients is one step.
 */
import { defineScript } from '../redis/client.ts';

/**
 * Lua for every script that takes a call into the ledger or out of it. `index` is the key `{wrapup}:ledger-index`, from which
 * the others follow: all are in one slot.
 */
export const CALL_INDEX_LUA = `
local function clientOf(source) return string.match(source, '^([^.]+)%.') end
local function listCall(index, member, source, at)
  redis.call('ZADD', index, at, member)
  local client = clientOf(source)
  if not client then return end
  redis.call('ZADD', index .. ':' .. client, at, member)
  redis.call('ZADD', index .. '-clients', 'NX', 0, client)
end
local function noteWebhook(index, source, at)
  local client = clientOf(source)
  redis.call('ZADD', index .. '-sources', 'GT', at, source)
  if client then redis.call('ZADD', index .. '-clients', 'GT', at, client)
  else redis.call('ZADD', index .. '-own', 'GT', at, 'webhook') end
end
local function dropClient(index, client)
  local packed = string.gsub(index, '%-index$', '-packed-index:') .. client
  if redis.call('EXISTS', index .. ':' .. client, packed) == 0 then redis.call('ZREM', index .. '-clients', client) end
end
`;

/** Takes a call out of the lists. KEYS index. ARGV member, source. */
export const unlistCall = defineScript<null>(
  'wrapupUnlistCall',
  `${CALL_INDEX_LUA}
redis.call('ZREM', KEYS[1], ARGV[1])
local client = clientOf(ARGV[2])
if not client then return end
redis.call('ZREM', KEYS[1] .. ':' .. client, ARGV[1])
dropClient(KEYS[1], client)
`,
);

/** Forgets calls that came before a time. KEYS index. ARGV epoch ms. Answers how many. */
export const trimCalls = defineScript<number>(
  'wrapupTrimCalls',
  `${CALL_INDEX_LUA}
local before = ARGV[1]
local removed = redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, before)
if removed == 0 then return 0 end
for _, client in ipairs(redis.call('ZRANGE', KEYS[1] .. '-clients', 0, -1)) do
  redis.call('ZREMRANGEBYSCORE', KEYS[1] .. ':' .. client, 0, before)
  dropClient(KEYS[1], client)
end
return removed
`,
);

/**
 * KEYS index. ARGV epoch ms. Answers of each client its name, its calls, those that came since then, and its last webhook;
 * first, under no name, those of the sources in wrapup.yaml itself.
 */
export const countByClient = defineScript<[string, number, number, string][]>(
  'wrapupCountByClient',
  `
local index, since = KEYS[1], ARGV[1]
local clients, found = redis.call('ZRANGE', index .. '-clients', 0, -1, 'WITHSCORES'), {}
local calls, recent = redis.call('ZCARD', index), redis.call('ZCOUNT', index, since, '+inf')
for i = 1, #clients, 2 do
  local list = index .. ':' .. clients[i]
  local one = { clients[i], redis.call('ZCARD', list), redis.call('ZCOUNT', list, since, '+inf'), clients[i + 1] }
  calls, recent = calls - one[2], recent - one[3]
  found[#found + 1] = one
end
table.insert(found, 1, { '', calls, recent, redis.call('ZSCORE', index .. '-own', 'webhook') or '0' })
return found
`,
);
