/** The ledger's change when a revision was judged (see `scripts.ts` for what all of them keep to). */

import { PACKED_LUA } from '../packed/scripts.ts';
import type { CompressedPayload } from '../payloads/payloads.ts';
import type { AtomicStep } from '../queues/atomic-enqueue.ts';
import { defineScript } from '../redis/client.ts';
import { type Keys, memberOf } from '../redis/keys.ts';
import { COUNTS_LUA } from '../stats/hourly-counts.ts';
import { INDEX_LUA } from '../unresolved/unresolved-index.ts';
import type { CallFacts, DeliveryEntry, Revision, RevisionRef } from './entry.ts';
import { ENTRY_LUA } from './entry-lua.ts';
import { endsOf, INDEX_PEOPLE_LUA, unreadMember } from './people-index.ts';
import { KEEP_DICTIONARY_LUA } from './scripts.ts';

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
  /** Whom it names, where that is not in the index of people yet. */
  people?: NotedPeople;
  /**
   * Makes the form in which its bytes are to be kept, where they are as they came and still to be compressed.
   * @param isShared with the dictionary that all processes have
   */
  compress?: (isShared: boolean) => Promise<CompressedPayload | undefined>;
}

/** What is to be noted in the index of people. */
export interface NotedPeople {
  digests: ReadonlySet<string>;
  /** `retention.ledger` */
  days: number;
}

/**
 * Writes what the worker read and chose, and opens the deliveries.
 * KEYS ledger, unresolved, packed, counts, unread, payload, what the keys of its source's dictionaries begin with, then one for each
 * digest of people. ARGV revision, effect, now, facts JSON, wanted deliveries JSON [{route, connection}], then
 * `park` with code, reason and hint for deliveries that must wait for a person because of this revision, the digest of what it
 * says, the time (ms) before which it must not stand: that of the revision which it was judged by, and the delivered revisions
 * that it was compared with, as JSON (empty: whichever there are), the member of the call, and '1' where the jobs of the wanted
 * deliveries come with it, then `<revision>:<member>` where its people are to be indexed, the compressed payload or nothing, the id
 * of its dictionary where that is its source's own, then seconds, epoch ms and digests of the people's index.
 * A delivery is opened when there is none, or when this revision is newer than the one that it
 * delivered. Answers the deliveries that need a job, those with `has_job` whose job is added in the same step: a first job, to
 * the connection that is wanted, fits no other; with `stood` what was parked or dead until now. Its people are in the index whatever is answered, but for `packed`. Changes nothing
 * else and answers `waits` when it would park a delivery that is on
 * its way with another revision, `again` when another revision was delivered since it was judged, `packed` when the entry
 * must be taken out of its bucket first, and `lost` when the dictionary is gone.
 */
const ROUTE_LUA = `${INDEX_LUA}${PACKED_LUA}${COUNTS_LUA}${ENTRY_LUA}${KEEP_DICTIONARY_LUA}${INDEX_PEOPLE_LUA}
local entry = readEntry(KEYS[1])
if not next(entry) and isPacked(KEYS[3], ARGV[10]) then return 'packed' end
local revision, effect, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local changed = {}
local function set(name, value)
  entry[name] = value
  changed[#changed + 1], changed[#changed + 2] = name, value
end
-- In parts, as Lua hands a function some thousands of arguments at most.
local function write()
  for from = 1, #changed, 1000 do redis.call('HSET', KEYS[1], unpack(changed, from, math.min(from + 999, #changed))) end
end
local function stop(answer)
  write()
  return answer
end
if ARGV[12] ~= '' then
  redis.call('ZREM', KEYS[5], ARGV[12])
  local _, people = indexPeople(8, 15, entry)
  if people then set('people', people) end
end
if entry.forgotten then return '[]' end
if ARGV[14] ~= '' and not keepDictionary(KEYS[7] .. ARGV[14], KEYS[6]) then
  return stop('lost')
end
local field = 'rev:' .. revision
local rev = entry[field]
rev = rev and cjson.decode(rev) or { at = now }
local judged = rev.effect and rev.effect ~= 'unrecognised'
local park = ARGV[6] ~= '' and cjson.decode(ARGV[6]) or nil
local wanted = cjson.decode(ARGV[5])

local function read(name)
  return entry[name] and cjson.decode(entry[name])
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
    for name, text in pairs(entry) do
      if string.sub(name, 1, 4) == 'rev:' and name ~= field and not compared[name] then
        local other = cjson.decode(text).effect
        if other == 'applied' or other == 'added' then return stop('again') end
      end
    end
  end
  if park then
    for _, want in ipairs(wanted) do
      local delivery = read('dlv:' .. want.route)
      if delivery and delivery.state == 'queued' and delivery.revision ~= revision then return stop('waits') end
    end
  end
  rev.effect = effect
  if ARGV[7] ~= '' then rev.digest = ARGV[7] end
  rev.at = math.max(rev.at, tonumber(ARGV[8]))
  if effect ~= 'parked' then
    for name, value in pairs(cjson.decode(ARGV[4])) do set(name, value) end
  end
end
local isCompressed = ARGV[13] ~= '' and redis.call('SET', KEYS[6], ARGV[13], 'KEEPTTL', 'XX')
if isCompressed then
  rev.stored = #ARGV[13]
  rev.dictionary = ARGV[14] ~= '' and ARGV[14] or nil
end
if not judged or (isCompressed and entry[field]) then set(field, cjson.encode(rev)) end
if entry.stopped then clearStopped(KEYS[2]) end
if entry.waiting then redis.call('HDEL', KEYS[1], 'waiting') end
-- A person may have decided since, or another worker come to another end: the ledger leads.
if judged and (rev.effect ~= effect or effect == 'parked') then return stop('[]') end
local jobs, adds = {}, {}
for place, want in ipairs(wanted) do
  local name = 'dlv:' .. want.route
  local delivery = read(name)
  local stood
  if not delivery then
    delivery = { route = want.route, connection = want.connection, state = 'queued', since = now, attempts = 0, replays = 0, revision = revision, requests = 0 }
  elseif takes(delivery) then
    removeItem(KEYS[2], want.route, delivery)
    if isUnresolved(delivery) then stood = { state = delivery.state, revision = delivery.revision } end
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
      countEnd(KEYS[4], entry, delivery, '')
    end
    set(name, cjson.encode(delivery))
    addItem(KEYS[2], want.route, delivery, delivery.since)
    adds[place] = delivery.state == 'queued' and delivery.replays == 0 and delivery.connection == want.connection
    if adds[place] and ARGV[11] == '1' then delivery.has_job = true end
    delivery.stood = stood
    jobs[#jobs + 1] = delivery
  end
end
set('routed', '1')
local counted = countCall(KEYS[4], entry)
if counted ~= entry.counted then set('counted', counted) end
write()
return #jobs == 0 and '[]' or cjson.encode(jobs), adds
`;

export const routeCall = defineScript<string>('wrapupRoute', ROUTE_LUA);

/** The same with the jobs of the wanted deliveries, in their order. */
export const ROUTE_STEP: AtomicStep = {
  name: 'wrapupRouteWith',
  lua: ROUTE_LUA,
  unless: ['packed', 'lost', 'waits', 'again', '[]'],
};

/** Keys and arguments of the step. */
export function routing(
  keys: Keys,
  { source, call_id, revision }: RevisionRef,
  { effect, facts, wanted, park, digest = '', after = 0, compared, people }: JudgedRevision,
  { compressed, hasJobs }: { compressed: CompressedPayload | undefined; hasJobs: boolean },
): { keys: string[]; args: (string | number | Buffer)[] } {
  const { notes, ...plain } = facts;
  const fields = Object.fromEntries(
    Object.entries({ ...plain, notes: JSON.stringify(notes) }).filter(([, value]) => value !== undefined),
  );
  const digests = [...(people?.digests ?? [])];
  const { seconds, before } = endsOf(people?.days ?? 0);
  return {
    keys: [
      ...[keys.ledger(source, call_id), keys.unresolved, keys.packed, keys.counts, keys.unread],
      ...[keys.payload(source, call_id, revision), keys.dictionary(source, '')],
      ...digests.map((one) => keys.person(one)),
    ],
    args: [
      ...[revision, effect, Date.now(), JSON.stringify(fields), JSON.stringify(wanted)],
      ...[park ? JSON.stringify(park) : '', digest, after, compared ? JSON.stringify(compared) : ''],
      ...[memberOf(source, call_id), hasJobs ? '1' : ''],
      ...[people ? unreadMember(revision, source, call_id) : '', compressed?.bytes ?? '', compressed?.dictionary ?? ''],
      ...[seconds, before, ...digests],
    ],
  };
}

/** A delivery that was opened. */
export interface RoutedDelivery extends DeliveryEntry {
  /** Its job was added with it. */
  has_job?: true;
  /** What it was parked or dead as until now, with the job of an older revision. */
  stood?: Pick<DeliveryEntry, 'state' | 'revision'>;
}
