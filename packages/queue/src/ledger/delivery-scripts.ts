/**
 * The ledger's changes at the beginning and the end of an attempt at a delivery (see `scripts.ts` for what all of them keep to).
 *
 * The lease of the process that is at it is taken by the step that begins the attempt, and given back by the one that notes what
 * became of it. Its name is that of every lease (`redis/lease.ts`), so that `forget` and processes of earlier versions respect it.
 */
import { OMISSIONS_LUA } from '../omissions/omissions-index.ts';
import { defineScript } from '../redis/client.ts';
import { LEASE_LUA } from '../redis/lease.ts';
import { secondsOfDays } from '../redis/spans.ts';
import { COUNTS_LUA } from '../stats/hourly-counts.ts';
import { INDEX_LUA } from '../unresolved/unresolved-index.ts';
import { ENTRY_LUA } from './entry-lua.ts';
import { INDEX_PEOPLE_LUA } from './people-index.ts';
import { KEEP_DICTIONARY_LUA } from './scripts.ts';

/** The delivery of a job; nothing where the job is out of date, as it has another revision, another replay or an end. */
const READ_QUEUED_LUA = `
local function ifQueued(text, revision, replays)
  local delivery = text and cjson.decode(text)
  if not delivery or delivery.state ~= 'queued' or delivery.revision ~= revision or delivery.replays ~= tonumber(replays) then return nil end
  return delivery
end
local function readQueued(ledger, route, revision, replays)
  return ifQueued(redis.call('HGET', ledger, 'dlv:' .. route), revision, replays)
end
`;

/**
 * Begins an attempt, unless the job is out of date or another process is at the delivery. KEYS ledger, what the keys of choices
 * begin with, lease. ARGV route, revision, replays, mapping hash, owner of the lease, ms until it ends, '1' to answer the whole
 * entry. A repetition for the same owner counts no further attempt. Answers nothing for a job that is out of date, `[]` while
 * another process holds the lease and does not yield it; else the delivery as it stands now, and whether its connection has
 * choices, as JSON, then how many revisions the call has, then, where they are asked for, the fields of its entry.
 */
export const beginDelivery = defineScript<[] | [json: string, revisions: number, ...fields: string[]] | null>(
  'wrapupBegin',
  `${READ_QUEUED_LUA}${LEASE_LUA}
local delivery = readQueued(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
if not delivery then return nil end
local holder = redis.call('GET', KEYS[3])
-- Sent again by a client that lost its connection before the answer came.
if holder ~= ARGV[5] then
  if not isFree(holder) then return {} end
  redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[6])
  delivery.attempts = delivery.attempts + 1
end
if ARGV[4] ~= '' then
  -- Steps noted under another mapping are done again: it may have meant another person, and keys make that safe.
  if delivery.mapping ~= ARGV[4] then delivery.done = nil end
  delivery.mapping = ARGV[4]
end
redis.call('HSET', KEYS[1], 'dlv:' .. ARGV[1], cjson.encode(delivery))
delivery.has_choices = redis.call('EXISTS', KEYS[2] .. delivery.connection) == 1
local answer = { cjson.encode(delivery), 0 }
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 4) == 'rev:' then answer[2] = answer[2] + 1 end
end
if ARGV[7] == '1' then
  for _, text in ipairs(redis.call('HGETALL', KEYS[1])) do answer[#answer + 1] = text end
end
return answer
`,
);

/**
 * Looks again whether deliveries in hand are still to be written. Their leases yield no longer. KEYS ledger and lease of each.
 * ARGV route, revision, replays, owner of the lease of each. Answers for each `held`; `outdated` where it has moved on; `busy`
 * where the lease is no longer the owner's.
 */
export const recheckDeliveries = defineScript<('held' | 'busy' | 'outdated')[]>(
  'wrapupRecheck',
  `${READ_QUEUED_LUA}${LEASE_LUA}
local answers = {}
for n = 0, #KEYS / 2 - 1 do
  local lease, route, revision, replays, owner = KEYS[2 * n + 2], unpack(ARGV, 4 * n + 1, 4 * n + 4)
  if not readQueued(KEYS[2 * n + 1], route, revision, replays) then
    answers[n + 1] = 'outdated'
  elseif not holds(redis.call('GET', lease), owner) then
    answers[n + 1] = 'busy'
  else
    redis.call('SET', lease, owner, 'KEEPTTL')
    answers[n + 1] = 'held'
  end
end
return answers
`,
);

/**
 * Gives payloads their end of life once nothing of a call is on its way any more, and takes the call off the open ones. `days` are
 * seconds: of calls whose deliveries have come to their end, and of those that may still be replayed.
 */
const END_CALL_LUA = `${KEEP_DICTIONARY_LUA}
local ENDED = { written = true, skipped = true, dropped = true }
-- 'states' has those of deliveries that are known without their text.
local function endCall(entry, payloads, dictionaries, open, member, delivered, stopped, states)
  if entry.routed ~= '1' then return end
  local ended, revisions = true, {}
  for field, text in pairs(entry) do
    local kind = string.sub(field, 1, 4)
    if kind == 'rev:' then
      local rev = cjson.decode(text)
      if not rev.effect then return end
      revisions[string.sub(field, 5)] = rev
    elseif kind == 'dlv:' then
      local state = states[field] or cjson.decode(text).state
      if state == 'queued' then return end
      ended = ended and ENDED[state] or false
    elseif field == 'stopped' then
      ended = ended and cjson.decode(text).state == 'dropped'
    end
  end
  for hash, rev in pairs(revisions) do
    local payload = payloads .. hash
    if redis.call('EXPIRE', payload, ended and delivered or stopped) == 1 and rev.dictionary then
      keepDictionary(dictionaries .. rev.dictionary, payload)
    end
  end
  redis.call('ZREM', open, member)
end
`;

/**
 * KEYS ledger, what the keys of the call's payloads and of its source's dictionaries begin with, open. ARGV member, seconds that
 * payloads are kept from now: of a call that has come to its end, and of one that may be replayed.
 */
export const endCall = defineScript<null>(
  'wrapupEndCall',
  `${END_CALL_LUA}${ENTRY_LUA}
endCall(readEntry(KEYS[1]), KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3], {})
`,
);

/**
 * Days that payloads are kept once nothing of their call is on its way: of one that has come to its end, and of one that may be
 * replayed.
 */
export interface PayloadDays {
  delivered_days: number;
  stopped_days: number;
}

/** The two times of `endCall`, in whole seconds. */
export function secondsOf({ delivered_days, stopped_days }: PayloadDays): number[] {
  return [delivered_days, stopped_days].map(secondsOfDays);
}

/** How many keys and arguments `recordOutcome` has before those of the people's index. */
const PEOPLE_AFTER = { keys: 8, args: 12 };

/**
 * Notes what became of an attempt, and gives its lease back. KEYS ledger, unresolved, omissions, lease, those of `endCall` but the
 * first, counts, then those of the people's index. ARGV route, revision, replays, now, change JSON, '1' to give the attempt back, ms that
 * what it lacks is kept where it was written or skipped, owner of the lease or nothing, member, the two times of `endCall` or
 * nothing where the call has not come to its end, the bucket of the time that it took or nothing, then seconds, epoch ms and digests of the people's index.
 * The change is merged into the delivery; a null removes. Answers 1, or 0 when the delivery has moved on meanwhile.
 */
export const recordOutcome = defineScript<number>(
  'wrapupRecordOutcome',
  `${INDEX_LUA}${OMISSIONS_LUA}${END_CALL_LUA}${INDEX_PEOPLE_LUA}${READ_QUEUED_LUA}${LEASE_LUA}${COUNTS_LUA}${ENTRY_LUA}
if ARGV[8] ~= '' and holds(redis.call('GET', KEYS[4]), ARGV[8]) then redis.call('DEL', KEYS[4]) end
local entry, field = readEntry(KEYS[1]), 'dlv:' .. ARGV[1]
-- Whatever became of the delivery meanwhile: an outcome in the ledger ends it, and no later attempt would do this.
local _, people
if #KEYS > ${PEOPLE_AFTER.keys} then _, people = indexPeople(${PEOPLE_AFTER.keys + 1}, ${PEOPLE_AFTER.args + 1}, entry) end
if people then redis.call('HSET', KEYS[1], 'people', people) end
local delivery = ifQueued(entry[field], ARGV[2], ARGV[3])
if not delivery then return 0 end
local change = cjson.decode(ARGV[5])
local before = delivery.notes
delivery.requests = (delivery.requests or 0) + (change.requests or 0)
change.requests = nil
if change.state and change.state ~= delivery.state then delivery.since = tonumber(ARGV[4]) end
for key, value in pairs(change) do
  if value == cjson.null then delivery[key] = nil else delivery[key] = value end
end
if ARGV[6] == '1' then delivery.attempts = math.max(0, delivery.attempts - 1) end
if delivery.state ~= 'queued' then countEnd(KEYS[8], entry, delivery, ARGV[12]) end
redis.call('HSET', KEYS[1], field, cjson.encode(delivery))
addItem(KEYS[2], ARGV[1], delivery, delivery.since)
if ARGV[7] ~= '' then countDelivery(KEYS[3], delivery, before, ARGV[9], tonumber(ARGV[4]), tonumber(ARGV[7])) end
if ARGV[10] ~= '' then endCall(entry, KEYS[5], KEYS[6], KEYS[7], ARGV[9], ARGV[10], ARGV[11], { [field] = delivery.state }) end
return 1
`,
);
