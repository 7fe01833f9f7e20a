/**
 * Which calls name a person: by keyed digests of the telephone numbers and e-mail addresses in them, and of the CRM's
 * records that they were written to. So a person's calls are found without reading payloads, and when payloads are
 * gone, for as long as the ledger knows the calls.
 *
 *   person:<digest>       sorted set of `<source>:<call id>` by arrival; ends when the last of them leaves the ledger
 *   ledger field `people` the digests of a call, so that its entries can be removed
 *   unread                sorted set of `<revision>:<source>:<call id>` by arrival: accepted, and not in the index yet
 */
import { type Addresses, emailForm } from '@wrapup/call';
import type { Digest, IndexKey } from '../encryption/index-key.ts';
import type { PackedEntries } from '../packed/packed-entries.ts';
import { defineScript, type RedisClient } from '../redis/client.ts';
import { type Keys, memberOf, splitMember } from '../redis/keys.ts';
import { secondsOfDays } from '../redis/spans.ts';
import { ENTRY_LUA } from './entry-lua.ts';

export interface CallRef {
  source: string;
  call_id: string;
}

/**
 * What a person can be found by. `record`: a CRM's record, as `recordOf` writes it. `more`: calls with more addresses than are
 * indexed.
 */
export type IndexedPerson = { by: 'number' | 'email' | 'record'; value: string } | { by: 'more' };

/** A person's record in a CRM, for the index. */
export function recordOf(connection: string, object: string, id: string): IndexedPerson {
  return { by: 'record', value: JSON.stringify([connection, object, id]) };
}

/** What a document's addresses are in the index. */
export function personKeysOf({ numbers, emails, complete }: Addresses): IndexedPerson[] {
  return [
    ...[...numbers].map((value) => ({ by: 'number' as const, value })),
    ...[...emails].map((email) => ({ by: 'email' as const, value: emailForm(email) })),
    ...(complete ? [] : [{ by: 'more' as const }]),
  ];
}

/**
 * Puts the call of KEYS[1] into the index. KEYS one for each digest, from `keys` on. ARGV, from `args` on: seconds until the
 * entries end, epoch ms before which the ledger knows nothing, then the digests. `entry` has the fields of the call's entry.
 * Answers whether the ledger knows the call and it was not forgotten, then what the field `people` is to say, where that changes.
 */
export const INDEX_PEOPLE_LUA = `
local function indexPeople(keys, args, entry)
  if not entry.call_id or entry.forgotten then return false end
  local member, before = entry.source .. ':' .. entry.call_id, entry.people or ''
  local people, known = before, {}
  for digest in string.gmatch(people, '%S+') do known[digest] = true end
  for i = keys, #KEYS do
    local key, digest = KEYS[i], ARGV[args + 2 + i - keys]
    redis.call('ZREMRANGEBYSCORE', key, 0, ARGV[args + 1])
    redis.call('ZADD', key, entry.received_at, member)
    redis.call('EXPIRE', key, ARGV[args])
    if not known[digest] then people = people == '' and digest or people .. ' ' .. digest end
  end
  if people ~= before or not entry.people then return true, people end
  return true
end
`;

/** KEYS ledger, unread, one for each digest. ARGV `<revision>:<member>` or nothing, then as `indexPeople`, whose first answer is 1 or 0. */
const addCall = defineScript<number>(
  'wrapupIndexCall',
  `${INDEX_PEOPLE_LUA}${ENTRY_LUA}
if ARGV[1] ~= '' then redis.call('ZREM', KEYS[2], ARGV[1]) end
local isKnown, people = indexPeople(3, 2, readEntry(KEYS[1]))
if people then redis.call('HSET', KEYS[1], 'people', people) end
return isKnown and 1 or 0
`,
);

/** Of the digest, in characters of 6 bits: of a billion people, two share 96 bits with a chance of one in 10^11. */
const DIGEST_LENGTH = 16;

export class PeopleIndex {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #indexKey: IndexKey;
  readonly #packed: PackedEntries;

  constructor(redis: RedisClient, keys: Keys, indexKey: IndexKey, packed: PackedEntries) {
    this.#redis = redis;
    this.#keys = keys;
    this.#indexKey = indexKey;
    this.#packed = packed;
  }

  /**
   * Notes the people of a call. Repeating it changes nothing.
   * @param revision the one that was read; undefined when what is noted comes from elsewhere
   * @param days `retention.ledger`
   */
  async add(
    { source, call_id }: CallRef,
    revision: string | undefined,
    people: IndexedPerson[],
    days: number,
  ): Promise<void> {
    await this.#note({ source, call_id }, revision, await this.digestsOf(people), endsOf(days));
  }

  /** Under what people are in the index. */
  async digestsOf(people: readonly IndexedPerson[]): Promise<Set<string>> {
    const digest = await this.#indexKey.load();
    return new Set(people.map((key) => digestOf(digest, key)));
  }

  /**
   * Notes again the people of a call that was kept under another name or elsewhere. No entry ends earlier by it.
   * @param digests as its ledger entry had them
   * @param people further ways to find it
   * @param ttl milliseconds that the ledger keeps the call from now
   */
  async restore(call: CallRef, digests: readonly string[], people: IndexedPerson[], ttl: number): Promise<void> {
    const digest = await this.#indexKey.load();
    const all = new Set([...digests, ...people.map((key) => digestOf(digest, key))]);
    const left = await Promise.all([...all].map((one) => this.#redis.pttl(this.#keys.person(one))));
    await this.#note(call, undefined, all, { seconds: Math.ceil(Math.max(ttl, 1_000, ...left) / 1_000), before: 0 });
  }

  /** @param ends seconds until the entries end, and epoch ms before which the ledger knows nothing */
  async #note(
    { source, call_id }: CallRef,
    revision: string | undefined,
    digests: ReadonlySet<string>,
    ends: { seconds: number; before: number },
  ): Promise<void> {
    const note = () =>
      addCall(
        this.#redis,
        [this.#keys.ledger(source, call_id), this.#keys.unread, ...[...digests].map((one) => this.#keys.person(one))],
        [revision === undefined ? '' : unreadMember(revision, source, call_id), ends.seconds, ends.before, ...digests],
      );
    if ((await note()) === 1) return;
    // Neither in a hash nor in a bucket: the ledger does not know it.
    if (await this.#packed.unpack(source, call_id)) await note();
  }

  /** Calls that name a person in one of these ways, newest first. */
  async calls(people: IndexedPerson[]): Promise<CallRef[]> {
    const digest = await this.#indexKey.load();
    const members = new Map<string, number>();
    for (const key of people) {
      const found = await this.#redis.zrange(this.#keys.person(digestOf(digest, key)), '0', '-1', 'WITHSCORES');
      for (let at = 0; at < found.length; at += 2) members.set(found[at] as string, Number(found[at + 1]));
    }
    return [...members].sort(([, a], [, b]) => b - a).map(([member]) => splitMember(member));
  }

  /** Takes a call out. @param digests as its ledger entry had them */
  async remove({ source, call_id }: CallRef, digests: readonly string[]): Promise<void> {
    const member = memberOf(source, call_id);
    await Promise.all(digests.map((digest) => this.#redis.zrem(this.#keys.person(digest), member)));
    await this.#redis.hdel(this.#keys.ledger(source, call_id), 'people');
  }

  /** Revisions that were accepted and are not in the index: the worker has not read them, or could not. Oldest first. */
  async unread(): Promise<(CallRef & { revision: string })[]> {
    const members = await this.#redis.zrange(this.#keys.unread, '0', '-1');
    return members.map((member) => {
      const colon = member.indexOf(':');
      return { revision: member.slice(0, colon), ...splitMember(member.slice(colon + 1)) };
    });
  }

  /** Notes that a revision is not in the index although it should be. */
  async leaveUnread(call: CallRef & { received_at: number }, revision: string): Promise<void> {
    const { source, call_id, received_at } = call;
    await this.#redis.zadd(this.#keys.unread, received_at, unreadMember(revision, source, call_id));
  }

  /** Forgets what came before `before` (epoch ms) and was never read; entries of people end by themselves. */
  async trim(before: number): Promise<void> {
    await this.#redis.zremrangebyscore(this.#keys.unread, 0, before);
  }
}

/** Seconds until entries end, and epoch ms before which the ledger knows nothing. @param days `retention.ledger` */
export function endsOf(days: number): { seconds: number; before: number } {
  const seconds = secondsOfDays(days);
  return { seconds, before: Date.now() - seconds * 1000 };
}

function digestOf(digest: Digest, key: IndexedPerson): string {
  return (key.by === 'more' ? digest('person:more', '') : digest(`person:${key.by}`, key.value)).slice(
    0,
    DIGEST_LENGTH,
  );
}

export function unreadMember(revision: string, source: string, callId: string): string {
  return `${revision}:${memberOf(source, callId)}`;
}
