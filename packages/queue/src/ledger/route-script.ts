/** The ledger's change when a revision was judged (see `scripts.ts` for what all of them keep to). */

import { PACKED_LUA } from '../packed/scripts.ts';
import type { AtomicStep } from '../queues/atomic-enqueue.ts';
import { defineScript } from '../redis/client.ts';
import { COUNTS_LUA } from '../stats/hourly-counts.ts';
import { INDEX_LUA } from '../unresolved/unresolved-index.ts';
import type { CallFacts, DeliveryEntry, Revision } from './entry.ts';

/** Why a revision waits for a person. */
export interface ParkReason {
  code: string;
  reason: string;
  hint: string;
}

/** What the worker made of a revision. */
export interface JudgedRevision {
  effect: NonNullable<Revision['effect']>;
  facts: CallFacts;
  /** The deliveries that it is to have. */
  wanted: { route: string; connection: string }[];
  /** Why its deliveries are parked, where they are. */
  park?: ParkReason | undefined;
  /** Keyed digest of what it says. */
  digest?: string;
  /** Epoch ms: the revision comes after everything up to then, however early it arrived. */
  after?: number;
  /** Hashes of the delivered revisions that it was judged by. */
  compared?: string[];
}

/**
 * Writes what the worker read and chose, and opens the deliveries.
 * KEYS ledger, unresolved, packed, counts. ARGV revision, effect, now, facts JSON, wanted deliveries JSON [{route, connection}], then
 * `park` with code, reason and hint for deliveries that must wait for a person because of this revision, the digest of what it
 * says, the time (ms) before which it must not stand: that of the revision which it was judged by, and the delivered revisions
 * that it was compared with, as JSON (empty: whichever there are), the member of the call, and '1' where the jobs of the wanted
 * deliveries come with it. A delivery is opened when there is none, or when this revision is newer than the one that it
 * delivered. Answers the deliveries that need a job, those with `has_job` whose job is added in the same step: a first job, to
 * the connection that is wanted, fits no other. Changes nothing and answers `waits` when it would park a delivery that is on
 * its way with another revision, `again` when another revision was delivered since it was judged, and `packed` when the entry
 * must be taken out of its bucket first.
 */
const ROUTE_LUA = `${INDEX_LUA}${PACKED_LUA}${COUNTS_LUA}
if redis.call('EXISTS', KEYS[1]) == 0 and isPacked(KEYS[3], ARGV[10]) then return 'packed' end
if redis.call('HEXISTS', KEYS[1], 'forgotten') == 1 then return '[]' end
local revision, effect, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local field = 'rev:' .. revision
local rev = redis.call('HGET', KEYS[1], field)
rev = rev and cjson.decode(rev) or { at = now }
local judged = rev.effect and rev.effect ~= 'unrecognised'
local park = ARGV[6] ~= '' and cjson.decode(ARGV[6]) or nil
local wanted = cjson.decode(ARGV[5])

local function read(name)
  local have = redis.call('HGET', KEYS[1], name)
  return have and cjson.decode(have)
end
-- One that is older than what was delivered is not left behind unseen when it contradicts it. A rerun takes nothing: what its first run
-- took may have gone to another revision since, and clocks of ingresses are apart.
local function takes(delivery)
  return not judged and delivery.revision ~= revision and delivery.state ~= 'dropped' and (park or rev.at >= (delivery.revised or 0))
end

if not judged then
  if ARGV[9] ~= '' then
    local compared = {}
    for _, hash in ipairs(cjson.decode(ARGV[9])) do compared['rev:' .. hash] = true end
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 4) == 'rev:' and all[i] ~= field and not compared[all[i]] then
        local other = cjson.decode(all[i + 1]).effect
        if other == 'applied' or other == 'added' then return 'again' end
      end
    end
  end
  if park then
    for _, want in ipairs(wanted) do
      local delivery = read('dlv:' .. want.route)
      if delivery and delivery.state == 'queued' and delivery.revision ~= revision then return 'waits' end
    end
  end
  rev.effect = effect
  if ARGV[7] ~= '' then rev.digest = ARGV[7] end
  rev.at = math.max(rev.at, tonumber(ARGV[8]))
  redis.call('HSET', KEYS[1], field, cjson.encode(rev))
  if effect ~= 'parked' then
    for name, value in pairs(cjson.decode(ARGV[4])) do redis.call('HSET', KEYS[1], name, value) end
  end
end
clearStopped(KEYS[2])
redis.call('HDEL', KEYS[1], 'waiting')
-- A person may have decided since, or another worker come to another end: the ledger leads.
if judged and (rev.effect ~= effect or effect == 'parked') then return '[]' end
local jobs, adds = {}, {}
for place, want in ipairs(wanted) do
  local name = 'dlv:' .. want.route
  local delivery = read(name)
  if not delivery then
    delivery = { route = want.route, connection = want.connection, state = 'queued', since = now, attempts = 0, replays = 0, revision = revision, requests = 0 }
  elseif takes(delivery) then
    removeItem(KEYS[2], want.route, delivery)
    -- A revision that waits for a person must not be the end of one that was never written.
    local displaced = delivery.displaced
    if not displaced and delivery.state ~= 'written' and delivery.state ~= 'skipped' then
      local before = read('rev:' .. delivery.revision)
      if before and before.effect ~= 'parked' then displaced = delivery.revision end
    end
    delivery.displaced = park and displaced or nil
    delivery.state, delivery.since, delivery.attempts, delivery.revision, delivery.connection = 'queued', now, 0, revision, want.connection
    delivery.code, delivery.reason, delivery.hint, delivery.done = nil, nil, nil, nil
    delivery.candidates, delivery.candidate_urls, delivery.ambiguous = nil, nil, nil
  end
  if delivery.revision == revision and delivery.state == 'queued' then
    -- Not earlier than what was delivered: a contradiction that is older and waits for a person lets no older revision in.
    delivery.revised = math.max(delivery.revised or 0, rev.at)
    if park then
      delivery.state, delivery.code, delivery.reason, delivery.hint = 'parked', park.code, park.reason, park.hint
      countEnd(KEYS[4], delivery, '')
    end
    redis.call('HSET', KEYS[1], name, cjson.encode(delivery))
    addItem(KEYS[2], want.route, delivery, delivery.since)
    adds[place] = delivery.state == 'queued' and delivery.replays == 0 and delivery.connection == want.connection
    if adds[place] and ARGV[11] == '1' then delivery.has_job = true end
    jobs[#jobs + 1] = delivery
  end
end
redis.call('HSET', KEYS[1], 'routed', '1')
countCall(KEYS[4])
return #jobs == 0 and '[]' or cjson.encode(jobs), adds
`;

export const routeCall = defineScript<string>('wrapupRoute', ROUTE_LUA);

/** The same with the jobs of the wanted deliveries, in their order. */
export const ROUTE_STEP: AtomicStep = {
  name: 'wrapupRouteWith',
  lua: ROUTE_LUA,
  unless: ['packed', 'waits', 'again', '[]'],
};

/** A delivery that was opened. */
export interface RoutedDelivery extends DeliveryEntry {
  /** Its job was added with it. */
  has_job?: true;
}
