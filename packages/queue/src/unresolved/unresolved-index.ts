/**
 * The index of what is parked or dead, kept by the very scripts that change a delivery's state:
 *
 *   {wrapup}:unresolved:<state>                set of the partitions that hold something
 *   {wrapup}:unresolved:<state>:<partition>    sorted set of call ids by the time at which they stopped
 *
 * A partition is `<source>|<route>|<connection>|<code>`; route and connection are empty for a call that stopped before
 * its routes were chosen. Each item is in one partition, so that it costs one entry of a sorted set, the count of
 * any filter is a sum, and a page of any filter merges the heads of the partitions that match. How many partitions there
 * can be is bounded by the configuration and the closed set of codes; an empty one is removed with its last item.
 *
 * The order of a list is (time, call id, partition), the strings by their bytes: total, so that a cursor means one place
 * however many items stopped in the same millisecond and whatever moves meanwhile.
 */

import { defineScript } from '../redis/client.ts';
import { BYTE_ORDER_LUA } from '../redis/cursor.ts';

/**
 * Lua that every script puts in front of itself which parks, resolves or reopens anything. `index` is the key
 * `{wrapup}:unresolved`, and KEYS[1] the call's ledger entry. Items are tables with `state`, `code`, `connection`; only
 * those that are parked or dead are in the index.
 */
export const INDEX_LUA = `
local function ownerOf()
  local owner = redis.call('HMGET', KEYS[1], 'source', 'call_id')
  return owner[1], owner[2]
end
local function placeOf(index, source, route, item)
  local list = index .. ':' .. item.state
  local partition = source .. '|' .. route .. '|' .. (item.connection or '') .. '|' .. (item.code or item.state)
  return list, partition, list .. ':' .. partition
end
local function isUnresolved(item) return item.state == 'parked' or item.state == 'dead' end
local function addItem(index, route, item, since)
  if not isUnresolved(item) then return end
  local source, call = ownerOf()
  if not source or not call then return end
  local list, partition, key = placeOf(index, source, route, item)
  redis.call('ZADD', key, since, call)
  redis.call('SADD', list, partition)
end
local function removeItem(index, route, item)
  if not isUnresolved(item) then return end
  local source, call = ownerOf()
  if not source or not call then return end
  local list, partition, key = placeOf(index, source, route, item)
  redis.call('ZREM', key, call)
  if redis.call('EXISTS', key) == 0 then redis.call('SREM', list, partition) end
end
-- A call that stopped before its routes, as an item. Without a state the system gave up.
local function stoppedItem(json)
  local stopped = cjson.decode(json)
  return { state = stopped.state or 'dead', code = stopped.code }, stopped.at
end
-- Takes back that a call was stopped. Answers whether it was.
local function clearStopped(index)
  local stopped = redis.call('HGET', KEYS[1], 'stopped')
  if not stopped then return false end
  removeItem(index, '', (stoppedItem(stopped)))
  redis.call('HDEL', KEYS[1], 'stopped')
  return true
end
local function setStopped(index, json)
  clearStopped(index)
  redis.call('HSET', KEYS[1], 'stopped', json)
  addItem(index, '', stoppedItem(json))
end
`;

/**
 * KEYS index. ARGV state, since, until (epoch ms, or empty for all), then time, call id and partition of the place that
 * they must stand behind (empty for none), then what the partition begins with (empty for any). Answers partition and count by
 * turns.
 */
export const countPartitions = defineScript<(string | number)[]>(
  'wrapupUnresolvedCount',
  `${BYTE_ORDER_LUA}
local list, since, til = KEYS[1] .. ':' .. ARGV[1], ARGV[2], ARGV[3]
local at, call, place, begins = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local function countOf(key, partition)
  if since == '' and til == '' and at == '' then return redis.call('ZCARD', key) end
  if at == '' or (til ~= '' and tonumber(til) < tonumber(at)) then
    return redis.call('ZCOUNT', key, since == '' and '-inf' or since, til == '' and '+inf' or til)
  end
  if since ~= '' and tonumber(at) < tonumber(since) then return 0 end
  local newer, ties = redis.call('ZCOUNT', key, '(' .. at, '+inf'), redis.call('ZCOUNT', key, at, at)
  local rank = firstRank(newer, newer + ties, function(there)
    local id = redis.call('ZREVRANGE', key, there, there)[1]
    return less(id, call) or (id == call and less(partition, place))
  end)
  return newer + ties - rank + redis.call('ZCOUNT', key, since == '' and '-inf' or since, '(' .. at)
end
local counts = {}
for _, partition in ipairs(redis.call('SMEMBERS', list)) do
  local matches = string.sub(partition, 1, #begins) == begins
  local count = matches and countOf(list .. ':' .. partition, partition) or 0
  if count > 0 then
    counts[#counts + 1] = partition
    counts[#counts + 1] = count
  end
end
return counts
`,
);

/**
 * Answer of `readItems`: the items as (time, call id, partition, ledger JSON, outcome); 1 when there is more; the last
 * place that was read, empty when none was; how many were read.
 */
export type ReadItems = [items: [string, string, string, string, string][], more: 0 | 1, last: string[], seen: number];

/**
 * A stretch of a list, each item with what the ledger says of it at this moment. An entry that the ledger contradicts
 * (it expired, or a process of a version without the index changed it) is left out and removed.
 *
 * KEYS index. ARGV state, order (`older` or `newer`), items at most, entries read at most, since, until (epoch ms),
 * text in lower case that code and reason must contain (or empty), digest of what its candidates have in common (or empty),
 * prefix of ledger keys, then the place after which to begin as time, call id, partition (all empty for the end of the list),
 * then the partitions.
 */
export const readItems = defineScript<ReadItems>(
  'wrapupUnresolvedRead',
  `${BYTE_ORDER_LUA}
local list, state, older = KEYS[1] .. ':' .. ARGV[1], ARGV[1], ARGV[2] == 'older'
local most, budget, since, til = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local text, digest, ledger = ARGV[7], ARGV[8], ARGV[9]
local after = ARGV[10] ~= '' and { at = tonumber(ARGV[10]), call = ARGV[11], partition = ARGV[12] } or nil
local BATCH = 16

local function precedes(a, b)
  if a.at ~= b.at then return (a.at > b.at) == older end
  if a.call ~= b.call then return less(b.call, a.call) == older end
  return a.partition ~= b.partition and less(b.partition, a.partition) == older
end
local function range(key, from, to, ...) return redis.call(older and 'ZREVRANGE' or 'ZRANGE', key, from, to, ...) end
-- How many of a partition stand before the place where to begin.
local function rankOf(key, partition)
  local edge = older and til or since
  if after and (after.at < edge) == older then edge = after.at end
  local before = older and redis.call('ZCOUNT', key, '(' .. string.format('%.0f', edge), '+inf')
    or redis.call('ZCOUNT', key, '-inf', '(' .. string.format('%.0f', edge))
  if not after or after.at ~= edge then return before end
  local ties = redis.call('ZCOUNT', key, ARGV[10], ARGV[10])
  return firstRank(before, before + ties, function(rank)
    return precedes(after, { at = edge, call = range(key, rank, rank)[1], partition = partition })
  end)
end
local function advance(one)
  if one.next > #one.got then
    one.got = range(one.key, one.rank, one.rank + BATCH - 1, 'WITHSCORES')
    one.rank, one.next = one.rank + BATCH, 1
    if #one.got == 0 then return false end
  end
  one.call, one.score = one.got[one.next], one.got[one.next + 1]
  one.at, one.next = tonumber(one.score), one.next + 2
  if older then return one.at >= since end
  return one.at <= til
end

local function isSought(item)
  if digest ~= '' and not (item.ambiguous and item.ambiguous.digest == digest) then return false end
  return text == '' or string.find(string.lower((item.code or '') .. ' ' .. (item.reason or '')), text, 1, true) ~= nil
end

-- The partitions as a heap, the one whose next item comes first on top. A sorted array is one.
local heap = {}
for i = 13, #ARGV do
  local partition = ARGV[i]
  local source, route, connection, code = string.match(partition, '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
  if source then
    local one = { partition = partition, source = source, route = route, connection = connection, code = code, key = list .. ':' .. partition, got = {}, next = 1 }
    one.rank = rankOf(one.key, partition)
    if advance(one) then heap[#heap + 1] = one end
  end
end
table.sort(heap, precedes)
local function sink()
  local i, n = 1, #heap
  while true do
    local child = 2 * i
    if child > n then return end
    if child < n and precedes(heap[child + 1], heap[child]) then child = child + 1 end
    if not precedes(heap[child], heap[i]) then return end
    heap[i], heap[child] = heap[child], heap[i]
    i = child
  end
end

local items, stale, last, seen = {}, {}, {}, 0
while #heap > 0 and #items < most and seen < budget do
  local one = heap[1]
  seen = seen + 1
  last = { one.score, one.call, one.partition }
  local field = one.route == '' and 'stopped' or 'dlv:' .. one.route
  local got = redis.call('HMGET', ledger .. one.source .. ':' .. one.call, field, 'outcome')
  local item = got[1] and cjson.decode(got[1])
  local is = item and (item.state or (one.route == '' and 'dead'))
  if is ~= state or (item.connection or '') ~= one.connection or (item.code or state) ~= one.code then
    stale[#stale + 1] = { one.key, one.call, one.partition }
  elseif isSought(item) then
    items[#items + 1] = { one.score, one.call, one.partition, got[1], got[2] or '' }
  end
  if not advance(one) then
    heap[1] = heap[#heap]
    heap[#heap] = nil
  end
  sink()
end
-- Last, since ranks count on nothing moving.
for _, entry in ipairs(stale) do
  redis.call('ZREM', entry[1], entry[2])
  if redis.call('EXISTS', entry[1]) == 0 then redis.call('SREM', list, entry[3]) end
end
return { items, #heap > 0 and 1 or 0, last, seen }
`,
);

/**
 * Puts into the index what the ledger entry of one call says is unresolved; for calls that stopped before there was an
 * index. KEYS ledger, index. Answers how many items the call has.
 */
export const indexCall = defineScript<number>(
  'wrapupUnresolvedIndex',
  `${INDEX_LUA}
local all, found = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  local item, route, since
  if all[i] == 'stopped' then
    item, since = stoppedItem(all[i + 1])
    route = ''
  elseif string.sub(all[i], 1, 4) == 'dlv:' then
    item = cjson.decode(all[i + 1])
    route, since = item.route, item.since
  end
  if item and isUnresolved(item) then
    found = found + 1
    addItem(KEYS[2], route, item, since)
  end
end
return found
`,
);

/** Removes what stopped before a time. KEYS index. ARGV state, epoch ms. Answers how many. */
export const trimIndex = defineScript<number>(
  'wrapupUnresolvedTrim',
  `
local list, removed = KEYS[1] .. ':' .. ARGV[1], 0
for _, partition in ipairs(redis.call('SMEMBERS', list)) do
  local key = list .. ':' .. partition
  removed = removed + redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[2])
  if redis.call('EXISTS', key) == 0 then redis.call('SREM', list, partition) end
end
return removed
`,
);
