/**
 * The ledger's changes of state, each one step in Redis.
 *
 * A call is a hash: its facts as plain fields, `rev:<hash>` per revision (JSON), `dlv:<route>` per delivery (JSON).
 * Deliveries are changed here only, under a check of state, revision and replay count, so that a worker that lost its
 * lock, a sweep and an operator can never undo each other.
 */

import { NEW_PERSON } from '@wrapup/destination';
import { AUDIT_LUA } from '../audit/audit-entry.ts';
import { OMISSIONS_LUA } from '../omissions/omissions-index.ts';
import { defineScript } from '../redis/client.ts';
import { BYTE_ORDER_LUA } from '../redis/cursor.ts';
import { COUNTS_LUA } from '../stats/hourly-counts.ts';
import { INDEX_LUA } from '../unresolved/unresolved-index.ts';
import { ENTRY_LUA } from './entry-lua.ts';

/** Keeps a dictionary at least as long as a payload that needs it. False where it is gone. */
export const KEEP_DICTIONARY_LUA = `
local function keepDictionary(dictionary, payload)
  local left, needed = redis.call('PTTL', dictionary), redis.call('PTTL', payload)
  if left == -2 then return false end
  if needed == -1 then redis.call('PERSIST', dictionary)
  elseif left ~= -1 and left < needed then redis.call('PEXPIRE', dictionary, needed) end
  return true
end
`;

/**
 * Replaces the bytes of a revision by their compressed form; their end of life stays. KEYS payload, ledger, the dictionary of the
 * source that it takes to read them, if any. ARGV bytes, revision, id of that dictionary or nothing. Answers 1, or 0 when they
 * are gone, -1 when the dictionary is.
 */
export const packPayload = defineScript<number>(
  'wrapupPack',
  `${KEEP_DICTIONARY_LUA}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if KEYS[3] and not keepDictionary(KEYS[3], KEYS[1]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL', 'XX')
local field = 'rev:' .. ARGV[2]
local rev = redis.call('HGET', KEYS[2], field)
if rev then
  rev = cjson.decode(rev)
  rev.stored = string.len(ARGV[1])
  rev.dictionary = ARGV[3] ~= '' and ARGV[3] or nil
  redis.call('HSET', KEYS[2], field, cjson.encode(rev))
end
return 1
`,
);

/**
 * Sets the end of a payload, and that of the dictionary that it needs where that would come sooner. KEYS payload, ledger, the
 * dictionaries of its source without an id. ARGV seconds from now, revision.
 */
export const expirePayload = defineScript<null>(
  'wrapupExpirePayload',
  `${KEEP_DICTIONARY_LUA}
if redis.call('EXPIRE', KEYS[1], ARGV[1]) == 0 then return end
local rev = redis.call('HGET', KEYS[2], 'rev:' .. ARGV[2])
local id = rev and cjson.decode(rev).dictionary
if id then keepDictionary(KEYS[3] .. id, KEYS[1]) end
`,
);

/** Reads the revision of ARGV[1] into `rev`, to be written back under `field`; ends with 0 when there is none. */
const READ_REVISION_LUA = `
local field = 'rev:' .. ARGV[1]
local rev = redis.call('HGET', KEYS[1], field)
if not rev then return 0 end
rev = cjson.decode(rev)`;

/** Notes which revision Synthflow's API gave when it was asked about this one. KEYS ledger. ARGV revision, the API's. */
export const markConfirmed = defineScript<number>(
  'wrapupConfirmed',
  `${READ_REVISION_LUA}
rev.confirmed_by = ARGV[2]
redis.call('HSET', KEYS[1], field, cjson.encode(rev))
return 1
`,
);

/**
 * Notes that a revision was not believed, as nothing verified it. KEYS ledger, unresolved. ARGV revision. Answers 1, or 0 when
 * it has an effect already.
 */
export const markUnverified = defineScript<number>(
  'wrapupUnverified',
  `${INDEX_LUA}${READ_REVISION_LUA}
if rev.effect then return 0 end
rev.effect = 'hint'
redis.call('HSET', KEYS[1], field, cjson.encode(rev))
redis.call('HDEL', KEYS[1], 'waiting')
clearStopped(KEYS[2])
return 1
`,
);

/**
 * Notes that a revision has no known shape, and parks the call because of it.
 * KEYS ledger, unresolved. ARGV revision, `stopped` JSON. Answers 1, or 0 when the revision has another effect already.
 */
export const markUnrecognised = defineScript<number>(
  'wrapupUnrecognised',
  `${INDEX_LUA}${READ_REVISION_LUA}
if rev.effect and rev.effect ~= 'unrecognised' then return 0 end
rev.effect = 'unrecognised'
redis.call('HSET', KEYS[1], field, cjson.encode(rev))
redis.call('HDEL', KEYS[1], 'waiting')
setStopped(KEYS[2], ARGV[2])
return 1
`,
);

/**
 * Notes why a call waits; the time of the first note stays. KEYS ledger. ARGV now, `waiting` JSON (code, reason, hint), 1 when
 * the API of its source was asked about it just now, else 0. Answers 1, or 0 when the ledger does not know the call.
 */
export const noteWaiting = defineScript<number>(
  'wrapupWait',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local before = redis.call('HGET', KEYS[1], 'waiting')
before = before and cjson.decode(before) or {}
local waiting = cjson.decode(ARGV[2])
waiting.since = before.since or tonumber(ARGV[1])
local reads = (before.reads or 0) + tonumber(ARGV[3])
if reads > 0 then waiting.reads = reads end
redis.call('HSET', KEYS[1], 'waiting', cjson.encode(waiting))
return 1
`,
);

/**
 * Notes that a call cannot even be routed. KEYS ledger, unresolved, audit. ARGV `stopped` JSON, entry of the audit where a person
 * drops it, or nothing. Answers 1, or 0 when the ledger does not know it.
 */
export const stopCall = defineScript<number>(
  'wrapupStop',
  `${INDEX_LUA}${AUDIT_LUA}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local before = redis.call('HGET', KEYS[1], 'stopped')
noteAudit(KEYS[3], ARGV[2], before and cjson.decode(before))
setStopped(KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], 'waiting')
return 1
`,
);

/**
 * Gives a stopped call another chance, all in one step, so that a crash right after leaves it to the sweep: its revisions
 * of no known shape count as unread. KEYS ledger, open, unresolved, audit. ARGV now, member, entry of the audit or nothing. Answers
 * 1, or 0 when it is not stopped.
 */
export const reopenCall = defineScript<number>(
  'wrapupReopen',
  `${INDEX_LUA}${AUDIT_LUA}
local before = redis.call('HGET', KEYS[1], 'stopped')
if not clearStopped(KEYS[3]) then return 0 end
noteAudit(KEYS[4], ARGV[3], before and cjson.decode(before))
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 4) == 'rev:' then
    local rev = cjson.decode(all[i + 1])
    if rev.effect == 'unrecognised' then
      rev.effect = nil
      redis.call('HSET', KEYS[1], all[i], cjson.encode(rev))
    end
  end
end
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[2])
return 1
`,
);

/**
 * Notes that a call was forgotten: what had not ended is given up, and nothing of it is taken in again. Of deliveries and
 * revisions only what says nothing of a person stays; `people` until the index is clear of the call.
 * KEYS ledger, open, unresolved, omissions, counts, audit. ARGV now, member, reason, who (or nothing), entry of the audit or
 * nothing. Answers [deliveries as they were, people], or nothing when the ledger does not know the call.
 */
export const forgetCall = defineScript<string | null>(
  'wrapupForget',
  `${INDEX_LUA}${OMISSIONS_LUA}${COUNTS_LUA}${AUDIT_LUA}${ENTRY_LUA}
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
noteAudit(KEYS[6], ARGV[5])
local function only(from, names)
  local kept = {}
  for name in string.gmatch(names, '%S+') do kept[name] = from[name] end
  return kept
end
local stay = ' source call_id received received_at verified outcome status direction agent_id ended_at duration counted routed terminal ignored ignored_at ignored_handled people '
clearStopped(KEYS[3])
local before, people = {}, ''
local entry = readEntry(KEYS[1])
for name, text in pairs(entry) do
  local kind = string.sub(name, 1, 4)
  if kind == 'dlv:' then
    local delivery = cjson.decode(text)
    before[#before + 1] = cjson.decode(text)
    dropOmissions(KEYS[4], delivery, ARGV[2])
    local kept = only(delivery, 'route connection state since attempts replays revision revised mapping requests result counted')
    kept.records, kept.notes = {}, {}
    if kept.state == 'queued' or kept.state == 'parked' or kept.state == 'dead' then
      removeItem(KEYS[3], delivery.route, delivery)
      kept.state, kept.since, kept.reason, kept.code = 'dropped', tonumber(ARGV[1]), ARGV[3], 'forgotten'
      if kept.counted then countEnd(KEYS[5], entry, kept, '') end
    end
    redis.call('HSET', KEYS[1], name, cjson.encode(kept))
  elseif kind == 'rev:' then
    local kept = only(cjson.decode(text), 'at effect verified bytes stored')
    -- No worker reads it any more.
    kept.effect = kept.effect or 'equal'
    redis.call('HSET', KEYS[1], name, cjson.encode(kept))
  elseif name == 'people' then
    people = text
  elseif not string.find(stay, ' ' .. name .. ' ', 1, true) then
    redis.call('HDEL', KEYS[1], name)
  end
end
redis.call('HSET', KEYS[1], 'forgotten', ARGV[1])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'forgotten_by', ARGV[4]) end
redis.call('ZREM', KEYS[2], ARGV[2])
return cjson.encode({ before, people })
`,
);

/**
 * An operator's change: replay or drop. KEYS ledger, open, unresolved, counts, audit. ARGV route, now, member, `queued` or
 * `dropped`, reason,
 * allowed states (comma-separated), who (or nothing), then for a replay whom an operator chose among the candidates of an
 * ambiguous match (JSON, or nothing), and the entry of the audit or nothing. A dropped revision that displaced one which was not
 * written yet sends that one on its way again. Answers the delivery as it is now, or nothing when its state does not allow it.
 */
export const overrideDelivery = defineScript<string | null>(
  'wrapupOverride',
  `${INDEX_LUA}${COUNTS_LUA}${AUDIT_LUA}${ENTRY_LUA}
local name = 'dlv:' .. ARGV[1]
local have = redis.call('HGET', KEYS[1], name)
if not have then return nil end
local delivery = cjson.decode(have)
if not string.find(',' .. ARGV[6] .. ',', ',' .. delivery.state .. ',', 1, true) then return nil end
local chosen = ARGV[8] ~= '' and cjson.decode(ARGV[8]) or nil
if chosen then
  local known = delivery.code == 'unmatched_person' and chosen.person == '${NEW_PERSON}'
  for _, id in ipairs(delivery.code == 'ambiguous_person' and delivery.candidates or {}) do known = known or id == chosen.person end
  if not known then return nil end
  delivery.chosen = chosen
end
noteAudit(KEYS[5], ARGV[9], delivery)
removeItem(KEYS[3], ARGV[1], delivery)
local state = ARGV[4]
if state == 'dropped' and delivery.displaced then state, delivery.revision = 'queued', delivery.displaced end
delivery.displaced = nil
delivery.state, delivery.since = state, tonumber(ARGV[2])
if state == 'queued' then
  delivery.replays, delivery.attempts = delivery.replays + 1, 0
  if ARGV[7] ~= '' and ARGV[4] == 'queued' then delivery.replayed = { at = tonumber(ARGV[2]), by = ARGV[7] } end
  delivery.code, delivery.reason, delivery.hint, delivery.correlation_id = nil, nil, nil, nil
  delivery.done, delivery.candidates, delivery.candidate_urls, delivery.ambiguous, delivery.dropped = nil, nil, nil, nil, nil
  local field = 'rev:' .. delivery.revision
  local rev = cjson.decode(redis.call('HGET', KEYS[1], field))
  if rev.effect == 'parked' then
    rev.effect = 'applied'
    redis.call('HSET', KEYS[1], field, cjson.encode(rev))
  end
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
else
  -- Why it had stopped stays beside it.
  delivery.dropped = { at = tonumber(ARGV[2]), reason = ARGV[5] }
  if ARGV[7] ~= '' then delivery.dropped.by = ARGV[7] end
  if delivery.counted then countEnd(KEYS[4], readEntry(KEYS[1]), delivery, '') end
end
redis.call('HSET', KEYS[1], name, cjson.encode(delivery))
return cjson.encode(delivery)
`,
);

/**
 * A page of the calls by arrival, newest first. KEYS index. ARGV time and member of the call after which to begin (both
 * empty for the newest), earliest time, calls at most. Answers member and time by turns.
 */
export const readIndex = defineScript<string[]>(
  'wrapupReadIndex',
  `${BYTE_ORDER_LUA}
local at, member, since, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local rank = 0
if at ~= '' then
  local newer = redis.call('ZCOUNT', KEYS[1], '(' .. at, '+inf')
  local ties = redis.call('ZCOUNT', KEYS[1], at, at)
  rank = firstRank(newer, newer + ties, function(there)
    return less(redis.call('ZREVRANGE', KEYS[1], there, there)[1], member)
  end)
end
local page = redis.call('ZREVRANGE', KEYS[1], rank, rank + most - 1, 'WITHSCORES')
while #page > 0 and tonumber(page[#page]) < since do
  page[#page] = nil
  page[#page] = nil
end
return page
`,
);
