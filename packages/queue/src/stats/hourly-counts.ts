/**
 * How many calls and deliveries there were, by the hour (UTC) in which the call ended. Counted by the very scripts that route a
 * call and end a delivery, in hashes `{wrapup}:counts:<client>:<hours since epoch>`, the client empty for wrapup.yaml itself:
 *
 *   c|<source>|<agent id>|<direction>|<outcome>|<received>                 calls that were routed
 *   d|<source>|<connection>|<agent id>|<result>|<state>|<code>             deliveries that came to an end; the code of those that stopped
 *   l|<source>|<connection>|<bucket>                                       ms from the webhook to the record, of first deliveries
 *
 * A call and a delivery are counted once, under what they are now: the ledger notes as `counted` where each stands, and what
 * changes is taken from there first. Names come from the configuration and from closed sets, or are ids; none of them is personal.
 * A hash has a bounded number of names, what is beyond is counted under `other`. It is kept as long as the ledger keeps its calls.
 */

import { ENTRY_LUA } from '../ledger/entry-lua.ts';
import { defineScript } from '../redis/client.ts';
import { HOUR_MS } from '../redis/spans.ts';

/** Names in one hour of one client. Some tens are usual: agents times results. */
export const MAX_NAMES = 400;
const OTHER = 'other';

/** Upper ends of the buckets of times, in ms; what took longer is in one more. */
export const LATENCY_BUCKETS: readonly number[] = [
  ...[100, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500],
  ...[10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000],
];

/** @param ms from the webhook to the record */
export function bucketOf(ms: number): number {
  const place = LATENCY_BUCKETS.findIndex((end) => ms <= end);
  return place < 0 ? LATENCY_BUCKETS.length : place;
}

/**
 * Lua for every script that routes a call, ends a delivery or takes one out of the ledger. `root` is `{wrapup}:counts:`, and KEYS[1] the
 * call's ledger entry. Nearly every count is one HINCRBY.
 */
export const COUNTS_LUA = `
local function countAt(root, source, hour)
  return root .. (string.match(source, '^([^.]+)%.') or '') .. ':' .. hour
end
-- Ids of agents come with the payload.
local function plainId(id)
  if not id or id == '' then return '' end
  return (#id > 64 or string.find(id, '[^%w._-]')) and '${OTHER}' or id
end
local function hourOf(ended, received)
  received = tonumber(received) or 0
  return math.max(0, math.floor(math.min(tonumber(ended) or received, received) / ${HOUR_MS}))
end
-- As long as the ledger keeps the call, and the rest of its hour.
local function keepCounts(key)
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 and redis.call('PTTL', key) < left then redis.call('PEXPIRE', key, left + ${HOUR_MS}) end
end
-- Answers the name under which it was counted: with 'other' for what tells it from others, where there are too many names.
local function increaseCount(key, before, given, after, other)
  local name = before .. given .. after
  if redis.call('HINCRBY', key, name, 1) > 1 then return name end
  keepCounts(key)
  if given == other or redis.call('HLEN', key) <= ${MAX_NAMES} then return name end
  redis.call('HDEL', key, name)
  return increaseCount(key, before, other, after, other)
end
-- Takes back what an entry or a delivery says that it is counted under.
local function takeBack(root, source, counted)
  local hour, name = string.match(counted, '^(%d+) (.*)$')
  if not hour then return end
  local key = countAt(root, source, hour)
  if redis.call('HINCRBY', key, name, -1) < 1 then redis.call('HDEL', key, name) end
end
-- 'entry' has the fields of the call's entry. Answers what its field 'counted' says from now on.
local function countCall(root, entry)
  local source, counted, hour = entry.source, entry.counted, hourOf(entry.ended_at, entry.received_at)
  local agent, before = plainId(entry.agent_id), 'c|' .. source .. '|'
  local after = '|' .. (entry.direction or '') .. '|' .. (entry.outcome or '') .. '|' .. (entry.received or '')
  if counted then
    if counted == hour .. ' ' .. before .. agent .. after then return counted end
    takeBack(root, source, counted)
  end
  return hour .. ' ' .. increaseCount(countAt(root, source, hour), before, agent, after, '${OTHER}')
end
-- A delivery that came to an end. The bucket is that of the time that it took, or nothing.
local function countEnd(root, entry, delivery, bucket)
  local source, state, counted = entry.source, delivery.state, delivery.counted
  if not source then return end
  local hour = hourOf(entry.ended_at, entry.received_at)
  local key, place = countAt(root, source, hour), source .. '|' .. delivery.connection .. '|'
  local before, given = 'd|' .. place, plainId(entry.agent_id) .. '|' .. (delivery.result or '')
  local after = '|' .. state .. '|' .. ((state == 'parked' or state == 'dead') and delivery.code or '')
  if counted then
    if counted == hour .. ' ' .. before .. given .. after then return end
    takeBack(root, source, counted)
  elseif bucket ~= '' then
    redis.call('HINCRBY', key, 'l|' .. place .. bucket, 1)
  end
  delivery.counted = hour .. ' ' .. increaseCount(key, before, given, after, '${OTHER}|${OTHER}')
end
`;

/** Takes a call and its deliveries out of the counts, before the ledger forgets that it was there. KEYS ledger, counts. */
export const uncountCall = defineScript<null>(
  'wrapupUncount',
  `${COUNTS_LUA}
local source = redis.call('HGET', KEYS[1], 'source')
if not source then return end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] == 'counted' then takeBack(KEYS[2], source, all[i + 1])
  elseif string.sub(all[i], 1, 4) == 'dlv:' then
    local delivery = cjson.decode(all[i + 1])
    if delivery.counted then takeBack(KEYS[2], source, delivery.counted) end
    delivery.counted = nil
    redis.call('HSET', KEYS[1], all[i], cjson.encode(delivery))
  end
end
redis.call('HDEL', KEYS[1], 'counted')
`,
);

/**
 * Counts a call that was taken in as it was elsewhere, and its deliveries: of one that had come here already, those that it
 * lacked. KEYS ledger, counts.
 */
export const countTaken = defineScript<null>(
  'wrapupCountTaken',
  `${COUNTS_LUA}${ENTRY_LUA}
local entry = readEntry(KEYS[1])
if entry.routed ~= '1' then return end
if not entry.counted then redis.call('HSET', KEYS[1], 'counted', countCall(KEYS[2], entry)) end
for field, text in pairs(entry) do
  if string.sub(field, 1, 4) == 'dlv:' then
    local delivery = cjson.decode(text)
    if delivery.state ~= 'queued' and not delivery.counted then
      countEnd(KEYS[2], entry, delivery, '')
      redis.call('HSET', KEYS[1], field, cjson.encode(delivery))
    end
  end
end
`,
);
