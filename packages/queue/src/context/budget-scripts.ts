/**
 * One budget per connection and pool, in Redis, shared by all processes. Per pool:
 *
 * log     sorted set: when each of our requests of the last window was sent
 * state   hash: what the CRM said of the pool (`limit`, `window`, `others`: requests of other programs in the window, and
 *         `until` when that is believed), `blocked` until when no request may be sent (429, Retry-After), and `wait:<rank>`
 *         until when a request of a priority waits
 *
 * The window rolls, as HubSpot's does: at no moment have more requests gone within the last window than it allows.
 */
import { defineScript } from '../redis/client.ts';

/** Requests that are taken in one step at most: the log of each is an argument of one command. */
export const MAX_TAKEN = 100;

/**
 * Takes as many of those that are asked for as there are, or says how long to wait.
 * KEYS log, state, share, daily. ARGV now, limit, window ms (the vendor's known size, 0 when unknown), rank of the priority
 * (0 inbound … 4 backfill), part of the quota left to other programs, what the members of the log begin with, ms that knowledge
 * of the daily quota holds, how many are asked for, 1 to `MAX_TAKEN`.
 * Answers how many were taken, then 0, or ms to wait, or minus ms when it is the daily quota that is waited for.
 */
export const takeSome = defineScript<[taken: number, wait: number]>(
  'wrapupTakeSome',
  `
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local rank, reserve, wanted = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[8])
local have = redis.call('HMGET', KEYS[2], 'blocked', 'limit', 'window', 'others', 'until')
local function wait(ms)
  ms = math.max(1, math.ceil(ms))
  -- A request that waits comes back at that time, before every lower priority. An inbound call gives up after a moment.
  local until_then = rank == 0 and math.min(ms, 200) or math.min(ms, window) + 500
  redis.call('HSET', KEYS[2], 'wait:' .. rank, now + until_then)
  redis.call('PEXPIRE', KEYS[2], 86400000)
  return { 0, ms }
end
if tonumber(have[1] or '0') > now then return { 0, math.max(1, math.ceil(have[1] - now)) } end

if rank > 0 then
  local daily = redis.call('HMGET', KEYS[4], 'limit', 'remaining', 'at')
  local most, left, at = tonumber(daily[1]), tonumber(daily[2]), tonumber(daily[3])
  -- Replays, reconciliation and backfills (rank 2 and more) stop at twice the reserve that live calls leave untouched.
  if most and left and left <= most * reserve * (rank > 1 and 2 or 1) then
    local held = at + tonumber(ARGV[7]) - now
    if held > 0 then return { 0, -math.ceil(held) } end
    -- It may be another day by now: one goes and finds out.
    redis.call('HSET', KEYS[4], 'at', now)
    wanted = 1
  end
end

local others = 0
if tonumber(have[5] or '0') > now then
  local said = tonumber(have[2])
  if limit <= 0 or said < limit then limit = said end
  window, others = tonumber(have[3]), tonumber(have[4])
end
if window <= 0 then window = tonumber(have[3] or '10000') end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if limit > 0 then
  for above = 0, rank - 1 do
    local waits = tonumber(redis.call('HGET', KEYS[2], 'wait:' .. above) or '0')
    if waits > now then return wait(math.min(waits - now, window)) end
  end
  -- Upwards: of four searches a second a reserve of 5 % must not take a whole one.
  local usable = math.max(1, math.ceil(limit * (1 - reserve)))
  local kept = 0
  if rank > 0 and redis.call('EXISTS', KEYS[3]) == 1 then kept = math.min(usable - 1, math.max(1, math.floor(limit / 10))) end
  if rank > 1 then kept = math.min(usable - 1, kept + math.floor(usable / 10)) end
  local ours = redis.call('ZCARD', KEYS[1])
  local missing = 1 - (usable - kept - others - ours)
  wanted = math.min(wanted, math.floor(1 - missing))
  if missing > 0 then
    local oldest = redis.call('ZRANGE', KEYS[1], missing - 1, missing - 1, 'WITHSCORES')
    local frees = oldest[2] and tonumber(oldest[2]) + window or tonumber(have[5] or '0')
    if frees <= now then frees = now + window end
    return wait(frees - now)
  end
end
redis.call('HDEL', KEYS[2], 'wait:' .. rank)
local log = {}
for n = 1, wanted do
  log[2 * n - 1], log[2 * n] = now, ARGV[6] .. n
end
redis.call('ZADD', KEYS[1], unpack(log))
redis.call('PEXPIRE', KEYS[1], math.max(60000, window))
return { wanted, 0 }
`,
);

/**
 * Notes what the CRM said.
 * KEYS log, state, daily, samples. ARGV now, remaining, ms of the window, limit, blocked for ms, daily remaining, daily
 * limit (each '' when not said), the vendor's known limit.
 */
export const noteUsage = defineScript<number>(
  'wrapupUsage',
  `
local now = tonumber(ARGV[1])
local day = 86400000
if ARGV[5] ~= '' then
  local till = now + tonumber(ARGV[5])
  local have = tonumber(redis.call('HGET', KEYS[2], 'blocked') or '0')
  if till > have then redis.call('HSET', KEYS[2], 'blocked', till) end
end
if ARGV[2] ~= '' then
  local remaining, window = tonumber(ARGV[2]), tonumber(ARGV[3] ~= '' and ARGV[3] or '1000')
  local ours = redis.call('ZCOUNT', KEYS[1], now - window, '+inf')
  local limit = tonumber(ARGV[4] ~= '' and ARGV[4] or ARGV[8])
  if limit <= 0 then limit = remaining + ours end
  local others = math.max(0, limit - remaining - ours)
  redis.call('HSET', KEYS[2], 'limit', limit, 'window', window, 'others', others, 'until', now + window)
end
redis.call('PEXPIRE', KEYS[2], day)
if ARGV[6] ~= '' and ARGV[7] ~= '' then
  local left = tonumber(ARGV[6])
  redis.call('HSET', KEYS[3], 'limit', ARGV[7], 'remaining', left, 'at', now)
  redis.call('PEXPIRE', KEYS[3], 2 * day)
  local last = redis.call('LINDEX', KEYS[4], 0)
  if last then
    local at, before = string.match(last, '^(%d+) (%d+)$')
    -- More than before: another day has begun there.
    if left > tonumber(before) + tonumber(ARGV[7]) / 100 then redis.call('DEL', KEYS[4]) last = nil
    elseif now - tonumber(at) < 60000 then return 1 end
  end
  redis.call('LPUSH', KEYS[4], string.format('%.0f %.0f', now, left))
  redis.call('LTRIM', KEYS[4], 0, 60)
  redis.call('PEXPIRE', KEYS[4], 2 * day)
end
return 1
`,
);
