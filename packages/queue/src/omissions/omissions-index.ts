/**
 * What was left out of calls that were written, counted by the very script that writes a delivery's end. For each
 * connection, under `{wrapup}:omissions:<connection>`:
 *
 *   :lines                  sorted set of line ids by the last time; a line is a field of a mapping that was left out for one reason
 *   :line:<id>              hash: the note as it was last made, and whether there were more calls than are kept
 *   :calls:<id>             sorted set of `<route>:<source>:<call id>` by time: deliveries that lack the field still
 *   :hour:<n>, :day:<n>     hashes of counts since epoch: by line id, and of all deliveries and those that lost a field
 *   :alerted                what the last alert was about
 *   :fields:<route>:<day>   what `field-counters.ts` adds up
 *
 * A delivery counts once for a line, however often it is replayed; once its receipt no longer has the note, it leaves the line's
 * calls. All of it ends by itself, and none of it holds a value.
 */
import { DAY_MS, HOUR_MS } from '../redis/spans.ts';

/** Lines of one connection: what is beyond is forgotten, the longest unseen first. */
const MAX_LINES = 500;
/** Calls of one line that can be replayed by it. */
export const MAX_LINE_CALLS = 1_000;
/** Hours are kept for so long; days as long as the ledger. */
export const HOURS_KEPT_MS = 2 * DAY_MS;
/** Parts of an hour in which the last sixty minutes are counted. */
export const SLOT_MS = 10 * 60_000;

/**
 * Lua in front of every script that ends a delivery or forgets a call. `root` is `{wrapup}:omissions:`. A note that is a
 * table is an omission; its id is made as `omissionId` makes it.
 */
export const OMISSIONS_LUA = `
local function omissionsIn(connection, notes)
  local found = {}
  for _, note in ipairs(notes or {}) do
    if type(note) == 'table' and note.at then
      local parts = { connection, note.at.file, note.record, note.field or '', note.code }
      found[string.sub(redis.sha1hex(table.concat(parts, '\\n')), 1, 10)] = note
    end
  end
  return found
end
local function dropOmissions(root, delivery, member)
  for id in pairs(omissionsIn(delivery.connection, delivery.notes)) do
    redis.call('ZREM', root .. delivery.connection .. ':calls:' .. id, delivery.route .. ':' .. member)
  end
end
-- The first of the fields is one of those that every delivery counts, so that a new hash is known by it.
local function increase(key, fields, kept)
  for place, field in ipairs(fields) do
    if redis.call('HINCRBY', key, field, 1) == 1 and place == 1 then redis.call('PEXPIRE', key, kept) end
  end
end
local function keepLine(base, id, note, member, now, kept)
  local line, calls = base .. ':line:' .. id, base .. ':calls:' .. id
  redis.call('HSET', line, 'note', cjson.encode(note))
  redis.call('ZADD', base .. ':lines', now, id)
  redis.call('ZADD', calls, now, member)
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', now - kept)
  if redis.call('ZREMRANGEBYRANK', calls, 0, -${MAX_LINE_CALLS + 1}) > 0 then redis.call('HSET', line, 'more', 1) end
  redis.call('PEXPIRE', line, kept)
  redis.call('PEXPIRE', calls, kept)
end
local function trimLines(base, now, kept)
  local lines = base .. ':lines'
  redis.call('ZREMRANGEBYSCORE', lines, '-inf', now - kept)
  while redis.call('ZCARD', lines) > ${MAX_LINES} do
    local id = redis.call('ZPOPMIN', lines)[1]
    redis.call('DEL', base .. ':line:' .. id, base .. ':calls:' .. id)
  end
  redis.call('PEXPIRE', lines, kept)
end
-- A delivery was written, or had nothing to write. 'before' are its notes until now; 'kept' is ms.
local function countDelivery(root, delivery, before, member, now, kept)
  local base, calls = root .. delivery.connection, delivery.route .. ':' .. member
  local had, has = omissionsIn(delivery.connection, before), omissionsIn(delivery.connection, delivery.notes)
  for id in pairs(had) do if not has[id] then redis.call('ZREM', base .. ':calls:' .. id, calls) end end
  local slot = math.floor(now / ${SLOT_MS}) % ${HOUR_MS / SLOT_MS}
  local hourly, daily, lost = { 'calls:' .. slot }, { 'calls' }, false
  for id, note in pairs(has) do
    lost = true
    if not redis.call('ZSCORE', base .. ':calls:' .. id, calls) then
      hourly[#hourly + 1], daily[#daily + 1] = id, id
    end
    keepLine(base, id, note, calls, now, kept)
  end
  if lost then
    hourly[#hourly + 1], daily[#daily + 1] = 'lost:' .. slot, 'lost'
    trimLines(base, now, kept)
  end
  local hour, day = math.floor(now / ${HOUR_MS}), math.floor(now / ${DAY_MS})
  increase(string.format('%s:hour:%d', base, hour), hourly, ${HOURS_KEPT_MS})
  increase(string.format('%s:day:%d', base, day), daily, kept)
end
`;
