/**
 * Changes of the packed part of the ledger (`packed-entries.ts`), each one step in Redis. All names follow from
 * `{wrapup}:ledger-packed`:
 *
 *   packed                  hash: `slots`, `ids` (how many the slots hold), `last` (number of a bucket), `changes` (times that an
 *                           entry was taken out), `of:<source>` (entries of a source)
 *   packed:<number>         a bucket (`bucket.ts`)
 *   packed-slot:<n>         hash: id of a call -> number of its bucket
 *   packed-index            sorted set of all buckets by their newest arrival, as `<number>:<oldest arrival>:<client>`
 *   packed-index:<client>   the same of one client
 *   packed-ends             the same buckets by the time when the last of their entries ends
 *
 * The id of a call is the beginning of the SHA-1 of its member. Slots are a linear hash table: it grows and shrinks by one slot
 * at a time, so that each holds some 64 ids, which Redis packs, and no step has to move many.
 */

import { CALL_INDEX_LUA } from '../ledger/call-index.ts';
import { defineScript } from '../redis/client.ts';
import { COUNT_BYTES } from './bucket.ts';

/** Ids of a slot, on average at most. */
const SLOT_SIZE = 64;

/** `placeOf` answers the slot of a call and its id in there; `isPacked` the number of its bucket, or false. */
export const PACKED_LUA = `
local function slotOf(slots, id)
  local number, size = struct.unpack('>I4', id), 1
  while size * 2 <= slots do size = size * 2 end
  local slot = number % (size * 2)
  return slot < slots and slot or number % size
end
local function placeOf(packed, member)
  local hex = redis.sha1hex(member)
  local id = struct.pack('>I4I4I2', tonumber(string.sub(hex, 1, 8), 16), tonumber(string.sub(hex, 9, 16), 16), tonumber(string.sub(hex, 17, 20), 16))
  return packed .. '-slot:' .. slotOf(tonumber(redis.call('HGET', packed, 'slots') or '1'), id), id
end
local function isPacked(packed, member)
  return redis.call('HGET', placeOf(packed, member))
end
`;

const CHANGE_LUA = `${CALL_INDEX_LUA}${PACKED_LUA}
local function moveIds(packed, from, to, slots)
  local ids = redis.call('HGETALL', packed .. '-slot:' .. from)
  for i = 1, #ids, 2 do
    if slotOf(slots, ids[i]) == to then
      redis.call('HSET', packed .. '-slot:' .. to, ids[i], ids[i + 1])
      redis.call('HDEL', packed .. '-slot:' .. from, ids[i])
    end
  end
end
local function partnerOf(slot)
  local size = 1
  while size * 2 <= slot do size = size * 2 end
  return slot - size
end
-- One slot more or less, where that is due.
local function balance(packed)
  local have = redis.call('HMGET', packed, 'slots', 'ids')
  local slots, ids = tonumber(have[1] or '1'), tonumber(have[2] or '0')
  if ids > slots * ${SLOT_SIZE} then
    moveIds(packed, partnerOf(slots), slots, slots + 1)
    redis.call('HSET', packed, 'slots', slots + 1)
  elseif slots > 1 and ids < (slots - 2) * ${SLOT_SIZE / 2} then
    moveIds(packed, slots - 1, partnerOf(slots - 1), slots - 1)
    redis.call('HSET', packed, 'slots', slots - 1)
  end
end
local function countOf(packed, source, by)
  if redis.call('HINCRBY', packed, 'of:' .. source, by) <= 0 then redis.call('HDEL', packed, 'of:' .. source) end
end
local function listBucket(packed, name, newest, ends)
  local client = string.match(name, '^%d+:%d+:(.*)$')
  redis.call('ZADD', packed .. '-index', newest, name)
  if client ~= '' then redis.call('ZADD', packed .. '-index:' .. client, newest, name) end
  if ends ~= '0' then redis.call('ZADD', packed .. '-ends', ends, name) else redis.call('ZREM', packed .. '-ends', name) end
end
local function unlistBucket(packed, index, name)
  local client = string.match(name, '^%d+:%d+:(.*)$')
  redis.call('ZREM', packed .. '-index', name)
  redis.call('ZREM', packed .. '-ends', name)
  if client ~= '' then
    redis.call('ZREM', packed .. '-index:' .. client, name)
    dropClient(index, client)
  end
end
local function dropId(packed, member, source, bucket)
  local slot, id = placeOf(packed, member)
  if redis.call('HGET', slot, id) ~= bucket then return false end
  redis.call('HDEL', slot, id)
  redis.call('HINCRBY', packed, 'ids', -1)
  countOf(packed, source, -1)
  return true
end
`;

/**
 * Takes settled entries out of their hashes and into a bucket, unless one of them has changed since it was read, has
 * something to do, or the bucket has changed. KEYS packed, index, open. ARGV bytes of the bucket, what it is listed as
 * after its number and a colon, newest arrival, epoch ms of its end or 0, ms that it stays beyond that, name and
 * SHA-1 of the bucket that it takes the place of (empty for a new one); then of each entry its member, source, key, number of
 * fields, and fields and values by turns.
 * Answers the places of the entries that stand against it, from 1 on; 0: the bucket does. Nothing is changed then.
 */
export const packEntries = defineScript<number[]>(
  'wrapupPackEntries',
  `${CHANGE_LUA}
local packed, index = KEYS[1], KEYS[2]
local bytes, name, newest, ends, grace, before, sha = unpack(ARGV, 1, 7)
local number = before ~= '' and string.match(before, '^%d+') or nil
if number and redis.sha1hex(redis.call('GET', packed .. ':' .. number) or '') ~= sha then return { 0 } end
local against, entries, at = {}, {}, 8
while at <= #ARGV do
  local entry = { member = ARGV[at], source = ARGV[at + 1], key = ARGV[at + 2] }
  local from = at + 3
  local fields = tonumber(ARGV[from])
  local same = not redis.call('ZSCORE', KEYS[3], entry.member) and not isPacked(packed, entry.member) and redis.call('HLEN', entry.key) == fields
  for i = from + 1, from + 2 * fields, 2 do same = same and redis.call('HGET', entry.key, ARGV[i]) == ARGV[i + 1] end
  entries[#entries + 1] = entry
  if not same then against[#against + 1] = #entries end
  at = from + 2 * fields + 1
end
if #against > 0 then return against end
number = number or tostring(redis.call('HINCRBY', packed, 'last', 1))
redis.call('SET', packed .. ':' .. number, bytes)
if ends ~= '0' then redis.call('PEXPIREAT', packed .. ':' .. number, string.format('%.0f', tonumber(ends) + tonumber(grace))) end
name = number .. ':' .. name
listBucket(packed, name, newest, ends)
if before ~= '' and before ~= name then unlistBucket(packed, index, before) end
for _, entry in ipairs(entries) do
  redis.call('DEL', entry.key)
  redis.call('ZREM', index, entry.member)
  local client = clientOf(entry.source)
  if client then redis.call('ZREM', index .. ':' .. client, entry.member) end
  local slot, id = placeOf(packed, entry.member)
  redis.call('HSET', slot, id, number)
  redis.call('HINCRBY', packed, 'ids', 1)
  countOf(packed, entry.source, 1)
end
balance(packed)
return {}
`,
);

/** KEYS packed. ARGV members. Answers the number of the bucket of each, or nothing. */
export const findBuckets = defineScript<(string | null)[]>(
  'wrapupFindBuckets',
  `${PACKED_LUA}
local found = {}
for i, member in ipairs(ARGV) do found[i] = isPacked(KEYS[1], member) end
return found
`,
);

/**
 * Takes one entry out of its bucket and into a hash of its own. It counts as open, so that it is not packed again at once.
 * KEYS packed, index, open, ledger. ARGV number of the bucket, its SHA-1 (empty: it is gone), bytes without the entry (empty:
 * it was the last one), member, source, received_at, now, epoch ms of its end or 0, the bucket as it is listed where nothing is
 * left of it, then fields and values by turns (none: it has ended). Answers 1, or 0 when the bucket has changed, or would go
 * without its name: nothing is changed then.
 */
export const unpackEntry = defineScript<number>(
  'wrapupUnpackEntry',
  `${CHANGE_LUA}
local packed, index, number, sha = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local bucket = packed .. ':' .. number
local have = redis.call('GET', bucket)
if (have and redis.sha1hex(have) or '') ~= sha then return 0 end
if have and ARGV[3] == '' and ARGV[9] == '' then return 0 end
if not dropId(packed, ARGV[4], ARGV[5], number) then return 0 end
redis.call('HINCRBY', packed, 'changes', 1)
if have and ARGV[3] ~= '' then
  redis.call('SET', bucket, ARGV[3], 'KEEPTTL')
elseif have then
  redis.call('DEL', bucket)
  unlistBucket(packed, index, ARGV[9])
end
if #ARGV > 9 and redis.call('EXISTS', KEYS[4]) == 0 then
  for i = 10, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
  if ARGV[8] ~= '0' then redis.call('PEXPIREAT', KEYS[4], ARGV[8]) end
  listCall(index, ARGV[4], ARGV[5], ARGV[6])
  redis.call('ZADD', KEYS[3], ARGV[7], ARGV[4])
end
balance(packed)
return 1
`,
);

/**
 * Buckets by their newest arrival, the newest first. KEYS list of buckets. ARGV newest arrival at most (empty: any), oldest arrival
 * at most (empty: any), newest arrival at least, how many. Answers names and newest arrivals by turns.
 */
export const listBuckets = defineScript<string[]>(
  'wrapupListBuckets',
  `
local upper, at, since, most = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local found, offset = {}, 0
repeat
  local some = redis.call('ZREVRANGEBYSCORE', KEYS[1], upper == '' and '+inf' or upper, since, 'WITHSCORES', 'LIMIT', offset, 500)
  for i = 1, #some, 2 do
    if #found < 2 * most and (not at or tonumber(string.match(some[i], ':(%d+):')) <= at) then
      found[#found + 1] = some[i]
      found[#found + 1] = some[i + 1]
    end
  end
  offset = offset + 500
until #some < 1000 or #found >= 2 * most
return found
`,
);

/**
 * Removes a bucket all of whose entries have ended. KEYS packed, index. ARGV the bucket as it is listed, its SHA-1 (empty: it
 * is gone), then members and sources by turns. Answers 1, or 0 when it has changed: nothing is changed then.
 */
export const dropBucket = defineScript<number>(
  'wrapupDropBucket',
  `${CHANGE_LUA}
local packed, number = KEYS[1], string.match(ARGV[1], '^%d+')
local have = redis.call('GET', packed .. ':' .. number)
if (have and redis.sha1hex(have) or '') ~= ARGV[2] then return 0 end
redis.call('DEL', packed .. ':' .. number)
unlistBucket(packed, KEYS[2], ARGV[1])
for i = 3, #ARGV, 2 do dropId(packed, ARGV[i], ARGV[i + 1], number) end
balance(packed)
return 1
`,
);

/**
 * Entries of the buckets that arrived since a time, by client. KEYS packed. ARGV epoch ms. Answers clients and counts by turns, and
 * the names of the buckets that arrived in part before.
 */
export const countBuckets = defineScript<[sizes: string[], cut: string[]]>(
  'wrapupCountBuckets',
  `
local packed, since = KEYS[1], tonumber(ARGV[1])
local counts, sizes, cut = {}, {}, {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', packed .. '-index', ARGV[1], '+inf')) do
  local number, oldest, client = string.match(name, '^(%d+):(%d+):(.*)$')
  if tonumber(oldest) < since then
    cut[#cut + 1] = name
  else
    local head = redis.call('GETRANGE', packed .. ':' .. number, 0, ${COUNT_BYTES - 1})
    if #head == ${COUNT_BYTES} then counts[client] = (counts[client] or 0) + struct.unpack('<I2', head, ${COUNT_BYTES - 1}) end
  end
end
for client, count in pairs(counts) do
  sizes[#sizes + 1] = client
  sizes[#sizes + 1] = tostring(count)
end
return { sizes, cut }
`,
);
