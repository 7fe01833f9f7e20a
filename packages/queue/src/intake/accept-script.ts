/** The ledger's change when a body arrives (see `ledger/scripts.ts` for what all of them keep to). */
import { CALL_INDEX_LUA } from '../ledger/call-index.ts';
import { MAX_REVISION_BYTES, MAX_REVISIONS } from '../ledger/entry.ts';
import { PACKED_LUA } from '../packed/scripts.ts';

/**
 * What decides whether an arrival is kept, as `ACCEPT_CALL` describes it. When it is asked without the body, the size before
 * encryption counts.
 */
const CHECK_LUA = `${PACKED_LUA}
local field, verified = 'rev:' .. ARGV[2], ARGV[10]
local have = redis.call('HMGET', KEYS[1], field, 'source', 'forgotten', 'terminal')
local known, seen = have[1], have[2]
if not seen and isPacked(KEYS[6], ARGV[1]) then return 'packed' end
-- Nothing of a call that was forgotten is kept again.
if have[3] then return 'known' end
if known then
  known = cjson.decode(known)
  -- Bytes that were not believed are the truth once the API says the same.
  if verified == 'api' and known.verified ~= 'api' and (not known.effect or known.effect == 'hint') then
    known.verified, known.effect = 'api', nil
    redis.call('HSET', KEYS[1], field, cjson.encode(known), 'verified', 'api')
  end
  if known.effect then return 'known' end
end
local stored, terminal = ARGV[3] == '' and tonumber(ARGV[12]) or string.len(ARGV[3]), ARGV[11] == '1'
if seen and not known and verified ~= 'api' and (have[4] or not terminal) then
  local revisions, bytes = 0, 0
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 4) == 'rev:' then
      local rev = cjson.decode(all[i + 1])
      if rev.verified ~= 'api' then revisions, bytes = revisions + 1, bytes + (rev.stored or 0) end
    end
  end
  if revisions >= ${MAX_REVISIONS} or bytes + stored > ${MAX_REVISION_BYTES} then
    if redis.call('HINCRBY', KEYS[1], 'ignored', 1) > 1 then return 'ignored' end
    redis.call('HSET', KEYS[1], 'ignored_at', ARGV[6])
    redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1])
    return 'limit'
  end
end
`;

/**
 * Notes the arrival and keeps the bytes, before the job is added.
 * KEYS ledger, index, open, payload, unread, packed. ARGV member, revision, body, payload ttl s, ledger ttl s, now ms, source,
 * call id, received, verified, terminal ('1' when the payload says that the call is over), bytes of the payload before
 * encryption. Answers `new`, `revision` (same call, other bytes), `pending` (same bytes, not yet handled), `known`, `packed`
 * (its entry must be taken out of its bucket first: nothing was kept), or, beyond the limits of one call, `limit` the first
 * time and `ignored` from then on: nothing was kept. The first terminal revision is taken whatever came before it, so that its
 * place cannot be filled.
 */
export const ACCEPT_CALL = `${CALL_INDEX_LUA}${CHECK_LUA}
redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[4])
if known then return 'pending' end
local revision = cjson.encode({
  at = tonumber(ARGV[6]), verified = verified, bytes = tonumber(ARGV[12]), stored = stored,
  nth = seen and redis.call('HLEN', KEYS[1]) or nil
})
if terminal then redis.call('HSET', KEYS[1], 'terminal', '1') end
if not seen then
  redis.call('HSET', KEYS[1], 'source', ARGV[7], 'call_id', ARGV[8], 'received', ARGV[9], 'verified', verified, 'received_at', ARGV[6], field, revision)
  listCall(KEYS[2], ARGV[1], ARGV[7], ARGV[6])
elseif verified == 'api' then
  redis.call('HSET', KEYS[1], field, revision, 'verified', 'api')
else
  redis.call('HSET', KEYS[1], field, revision)
end
if ARGV[9] == 'webhook' then noteWebhook(KEYS[2], ARGV[7], ARGV[6]) end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1])
redis.call('ZADD', KEYS[5], ARGV[6], ARGV[2] .. ':' .. ARGV[1])
return seen and 'revision' or 'new'
`;

/**
 * As `ACCEPT_CALL`, for bodies too large to be sent only to be refused: the same keys and arguments with an empty body.
 * Gives the same answers where no bytes are needed (`pending` when they are there), and `wanted` when they must be sent.
 */
export const CHECK_CALL = `${CHECK_LUA}
if known and redis.call('EXPIRE', KEYS[4], ARGV[4]) == 1 then return 'pending' end
return 'wanted'
`;
